#include "given_images.h"

#include "formats.h"
#include "hash.h"
#include "sparse.h"

#include "base/error.h"
#include "base/file.h"
#include "base/json.h"

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// Where place_outputs() in commands.cpp has it put: in a folder of images, or beside a single one.
fs::path find_manifest(const fs::path& from) {
    const fs::path beside = from.string() + ".manifest.json";
    const fs::path folder = (fs::is_directory(from) ? from : fs::absolute(from).parent_path()) / "MANIFEST.json";
    for (const fs::path& path : {beside, folder}) {
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

}  // namespace

const std::set<std::string>& given_stages() {
    static const std::set<std::string> stages{find_format("raw").stage, find_format("sbom").stage};
    return stages;
}

void take_images(const fs::path& from, const BuildPlan& plan, Store& store) {
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
        if (store.has(id)) {
            continue;
        }
        const fs::path file = path.parent_path() / fs::path(take<std::string>(image, "file")).filename();
        const fs::path pending = store.create_pending(id);
        const fs::path files = pending / "files";
        fs::create_directory(files);
        copy_sparse(file, files / row.file);
        if (hash_file(files / row.file) != take<std::string>(image, "sha256")) {
            store.discard(pending);
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
