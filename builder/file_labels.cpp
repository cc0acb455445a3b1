#include "file_labels.h"

#include "base/error.h"
#include "base/owned.h"

#include <linux/xattr.h>
#include <selinux/label.h>
#include <selinux/selinux.h>
#include <sys/stat.h>
#include <sys/xattr.h>

#include <array>
#include <future>
#include <thread>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

using Handle = Owned<selabel_handle, selabel_close>;

// Debian's file has characters that a newer libselinux would have compiled; what matters comes back as an error.
int log_nothing(int, const char*, ...) {
    return 0;
}

Handle open_contexts(const fs::path& contexts) {
    selinux_callback quiet{};
    quiet.func_log = log_nothing;
    ::selinux_set_callback(SELINUX_CB_LOG, quiet);
    const selinux_opt options[] = {{SELABEL_OPT_PATH, contexts.c_str()}};
    Handle handle(::selabel_open(SELABEL_CTX_FILE, options, 1));
    if (!handle) {
        fail_errno("reading '", contexts.string(), "'");
    }
    return handle;
}

constexpr const char* attribute = XATTR_NAME_SELINUX;

bool has_label(const fs::path& file, const std::string& label) {
    std::array<char, 256> value{};
    const ssize_t size = ::lgetxattr(file.c_str(), attribute, value.data(), value.size());
    return size == static_cast<ssize_t>(label.size()) + 1 && label == value.data();
}

void label_file(selabel_handle* handle, const fs::path& tree, const std::string& path) {
    const fs::path file = tree / path;
    struct stat status {};
    check(::lstat(file.c_str(), &status), "reading '", file.string(), "'");
    char* found = nullptr;
    if (::selabel_lookup_raw(handle, &found, ("/" + path).c_str(), static_cast<int>(status.st_mode)) != 0) {
        if (errno == ENOENT) {
            return;  // <<none>>: whatever it has
        }
        fail_errno("looking up the label of '/", path, "'");
    }
    const std::string label = found;
    ::freecon(found);
    if (!has_label(file, label)) {
        check(::lsetxattr(file.c_str(), attribute, label.c_str(), label.size() + 1, 0), "labelling '", file.string(), "'");
    }
}

}  // namespace

void label_files(const fs::path& tree, const fs::path& contexts, const std::vector<std::string>& paths) {
    const Handle handle = open_contexts(contexts);
    const std::size_t workers = std::max(1U, std::thread::hardware_concurrency());
    std::vector<std::future<void>> work;
    for (std::size_t worker = 0; worker < workers; ++worker) {
        work.push_back(std::async(std::launch::async, [&, worker] {
            for (std::size_t number = worker; number < paths.size(); number += workers) {
                label_file(handle.get(), tree, paths[number]);
            }
        }));
    }
    for (auto& part : work) {
        part.get();
    }
}

}  // namespace gearbox::builder
