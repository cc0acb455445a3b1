#include "given_images.h"

#include "formats.h"
#include "hash.h"
#include "manifest.h"
#include "sparse.h"
#include "stage.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

fs::path find_manifest(const fs::path& from) {
    const fs::path folder = fs::is_directory(from) ? from : fs::absolute(from).parent_path();
    for (const fs::path& path : {manifest_of_image(from), folder / manifest_file}) {
        if (fs::exists(path)) {
            return path;
        }
    }
    fail(ErrorKind::not_found, "'", from.string(), "' is no image, and no folder of images, with the manifest that a build writes beside it");
}

// Its row in the manifest.
Json find_image(const Json& manifest, const fs::path& path, const char* format) {
    for (const Json& image : take<Json>(manifest, "images")) {
        if (find<std::string>(image, "format") == format) {
            return image;
        }
    }
    fail(ErrorKind::not_found, "'", path.string(), "' has no image of the format ", format, ": build with '--format raw'");
}

void require_made_of_disks(const std::vector<std::string>& formats, const fs::path& from) {
    for (const std::string& format : formats) {
        if (needed_stages({format}, stage_table(), given_stages(from)).contains("root-tree")) {
            fail(ErrorKind::invalid, "'", format, "' is made of the tree, not of a raw disk: build it without --from");
        }
    }
}

}  // namespace

std::set<std::string> given_stages(const fs::path& from) {
    return from.empty() ? std::set<std::string>() : std::set<std::string>{find_format("raw").stage, find_format("sbom").stage};
}

void take_images(const fs::path& from, const std::optional<LockFile>& lock, const BuildPlan& plan, Store& store) {
    require_made_of_disks(plan.formats, from);
    const fs::path path = find_manifest(from);
    const Json manifest = parse_json(read_file(path));
    const std::string tree = take<std::string>(manifest, "tree");
    if (tree != root_tree_id(plan)) {
        fail(ErrorKind::conflict, "'", path.string(), "' is of the tree ", tree, ", and this recipe makes ", root_tree_id(plan),
             ": give the recipe, options and package of that build (and its lock file, for the mirror)");
    }
    for (const char* format : {"raw", "sbom"}) {
        const Format& row = find_format(format);
        const std::string id = plan.step(row.stage).id;
        const Json image = find_image(manifest, path, format);
        const std::string hash = take<std::string>(image, "sha256");
        const fs::path file = path.parent_path() / fs::path(take<std::string>(image, "file")).filename();
        if (lock && (!lock->images.contains(format) || lock->images.at(format) != hash)) {
            fail(ErrorKind::conflict, "'", file.string(), "' is not the ", format, " of the lock: give the lock file of the build that made it");
        }
        const fs::path pending = store.create_pending(id);
        const fs::path files = pending / "files";
        fs::create_directory(files);
        copy_sparse(file, files / row.file);
        if (hash_file(files / row.file) != hash) {
            fail(ErrorKind::conflict, "'", file.string(), "' has other bytes than '", path.string(), "' says");
        }
        if (row.with_others) {
            write_file_atomically(files / "packages.json", take<Json>(manifest, "packages").dump(2) + "\n");
        }
        store.commit(pending, id, {{"stage", row.stage}, {"id", id}, {"seconds", 0}, {"bytes", bytes_on_disk(files)}});
    }
    store.wait_for_writes();
}

}  // namespace gearbox::builder
