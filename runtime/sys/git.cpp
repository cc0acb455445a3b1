#include "sys/git.h"

#include "base/error.h"
#include "base/str.h"

#include <git2.h>
#include <sys/stat.h>

#include <algorithm>
#include <filesystem>
#include <memory>
#include <vector>

namespace gearbox::sys {

namespace fs = std::filesystem;

namespace {

struct Release {
    void operator()(git_repository* p) const { ::git_repository_free(p); }
    void operator()(git_treebuilder* p) const { ::git_treebuilder_free(p); }
    void operator()(git_tree* p) const { ::git_tree_free(p); }
    void operator()(git_signature* p) const { ::git_signature_free(p); }
};
template <typename T>
using Owned = std::unique_ptr<T, Release>;

void check_git(int rc, const std::string& doing) {
    if (rc < 0) {
        const git_error* const error = ::git_error_last();
        fail(ErrorKind::internal, doing, ": ", error != nullptr ? error->message : "unknown error");
    }
}

git_oid write_blob(git_repository* repository, const fs::directory_entry& entry) {
    git_oid id;
    if (entry.is_symlink()) {
        const std::string target = fs::read_symlink(entry.path());
        check_git(::git_blob_create_from_buffer(&id, repository, target.data(), target.size()),
                  str("adding '", entry.path().native(), "'"));
    } else {
        check_git(::git_blob_create_from_disk(&id, repository, entry.path().c_str()),
                  str("adding '", entry.path().native(), "'"));
    }
    return id;
}

git_filemode_t mode_of(const fs::directory_entry& entry) {
    if (entry.is_symlink()) {
        return GIT_FILEMODE_LINK;
    }
    if (entry.is_directory()) {
        return GIT_FILEMODE_TREE;
    }
    const bool executable =
        (entry.status().permissions() & fs::perms::owner_exec) != fs::perms::none;
    return executable ? GIT_FILEMODE_BLOB_EXECUTABLE : GIT_FILEMODE_BLOB;
}

git_oid write_tree(git_repository* repository, const fs::path& directory) {
    git_treebuilder* raw = nullptr;
    check_git(::git_treebuilder_new(&raw, repository, nullptr), "starting a tree");
    const Owned<git_treebuilder> builder(raw);
    for (const fs::directory_entry& entry : fs::directory_iterator(directory)) {
        const git_filemode_t mode = mode_of(entry);
        const git_oid id = mode == GIT_FILEMODE_TREE ? write_tree(repository, entry.path())
                                                     : write_blob(repository, entry);
        check_git(::git_treebuilder_insert(nullptr, builder.get(), entry.path().filename().c_str(),
                                           &id, mode),
                  str("adding '", entry.path().native(), "'"));
    }
    git_oid id;
    check_git(::git_treebuilder_write(&id, builder.get()), "writing a tree");
    return id;
}

void commit_template(git_repository* repository, const std::string& directory,
                     const std::string& branch) {
    const git_oid tree_id = write_tree(repository, directory);
    git_tree* raw_tree = nullptr;
    check_git(::git_tree_lookup(&raw_tree, repository, &tree_id), "reading a tree");
    const Owned<git_tree> tree(raw_tree);
    // A fixed moment: the same template gives the same commit id everywhere.
    constexpr git_time_t moment = 1767225600;
    git_signature* raw_signature = nullptr;
    check_git(::git_signature_new(&raw_signature, "Template builder", "builder@gearbox.localhost",
                                  moment, 0),
              "signing a commit");
    const Owned<git_signature> signature(raw_signature);
    git_oid commit;
    check_git(::git_commit_create(&commit, repository, str("refs/heads/", branch).c_str(),
                                  signature.get(), signature.get(), nullptr, "Creating template\n",
                                  tree.get(), 0, nullptr),
              "committing the template");
}

}  // namespace

GitLibrary::GitLibrary() {
    check_git(::git_libgit2_init(), "starting libgit2");
    // No configuration of the system or of root shall change what is made.
    for (const int level : {GIT_CONFIG_LEVEL_SYSTEM, GIT_CONFIG_LEVEL_XDG, GIT_CONFIG_LEVEL_GLOBAL,
                            GIT_CONFIG_LEVEL_PROGRAMDATA}) {
        ::git_libgit2_opts(GIT_OPT_SET_SEARCH_PATH, level, "");
    }
    ::git_libgit2_opts(GIT_OPT_SET_TEMPLATE_PATH, "");
    ::git_libgit2_opts(GIT_OPT_ENABLE_CACHING, 0);
}

GitLibrary::~GitLibrary() {
    ::git_libgit2_shutdown();
}

void create_repository(const std::string& path, const std::string& template_dir,
                       const std::string& branch) {
    git_repository_init_options options;
    check_git(::git_repository_init_options_init(&options, GIT_REPOSITORY_INIT_OPTIONS_VERSION),
              "preparing a repository");
    options.flags =
        GIT_REPOSITORY_INIT_BARE | GIT_REPOSITORY_INIT_MKDIR | GIT_REPOSITORY_INIT_NO_REINIT;
    options.initial_head = branch.c_str();
    git_repository* raw = nullptr;
    check_git(::git_repository_init_ext(&raw, path.c_str(), &options),
              str("creating the repository '", path, "'"));
    const Owned<git_repository> repository(raw);
    if (!template_dir.empty()) {
        commit_template(repository.get(), template_dir, branch);
    }
}

}  // namespace gearbox::sys
