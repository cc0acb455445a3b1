#include "store.h"

#include "base/error.h"
#include "base/file.h"
#include "base/log.h"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <algorithm>
#include <chrono>
#include <cstdlib>
#include <set>
#include <thread>
#include <utility>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

// Long enough to be unique, short enough for a dozen of them in the options of one overlay mount.
constexpr std::size_t shown_id = 24;

int build_number(const fs::path& path) {
    return std::atoi(path.filename().c_str());
}

// A tool that was killed with us may still be dying, and write while we remove.
void remove_tree(const fs::path& path) {
    constexpr int attempts = 50;
    std::error_code failed;
    for (int i = 0; i < attempts; ++i) {
        fs::remove_all(path, failed);
        if (!failed) {
            return;
        }
        // allowed: nothing tells when a process of another namespace is gone
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    fail(ErrorKind::internal, "removing '", path.string(), "': ", failed.message());
}

std::vector<fs::path> builds_of(const fs::path& folder) {
    std::vector<fs::path> builds;
    for (const auto& entry : fs::directory_iterator(folder)) {
        builds.push_back(entry.path());
    }
    std::sort(builds.begin(), builds.end(), [](const fs::path& a, const fs::path& b) {
        return build_number(a) < build_number(b);
    });
    return builds;
}

}  // namespace

Store::Store(const fs::path& cache) : cache_(fs::absolute(cache)) {
    for (const char* folder : {"objects", "pending", "builds"}) {
        fs::create_directories(cache_ / folder);
    }
    const std::string lock = (cache_ / "lock").string();
    lock_.reset(
        check(::open(lock.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0644), "opening '", lock, "'"));
    for (int tries = 0; ::flock(lock_.get(), LOCK_EX | LOCK_NB) < 0; ++tries) {
        if (tries == 20) {
            fail(ErrorKind::conflict, "another build is using the cache '", cache_.string(),
                 "': wait for it, or give this one its own with --cache");
        }
        // allowed: of a build that was killed, a child on its way to execve(2) has the lock, too; nothing tells of its end
        std::this_thread::sleep_for(std::chrono::milliseconds(100));
    }
    for (const auto& entry : fs::directory_iterator(cache_ / "pending")) {
        remove_tree(entry.path());
    }
}

fs::path Store::object(const std::string& id) const {
    return cache_ / "objects" / id.substr(0, shown_id);
}

bool Store::has(const std::string& id) const {
    return fs::exists(object(id) / "object.json");
}
fs::path Store::layer(const std::string& id) const {
    return object(id) / "layer";
}
fs::path Store::files(const std::string& id) const {
    return object(id) / "files";
}

Json Store::about(const std::string& id) const {
    return parse_json(read_file(object(id) / "object.json"));
}

std::optional<std::string> Store::beside(const std::string& id, const std::string& name) const {
    return find_file(object(id) / name);
}

std::vector<std::string> Store::all_beside(const std::string& name) const {
    std::vector<std::string> texts;
    for (const auto& entry : fs::directory_iterator(cache_ / "objects")) {
        if (const auto text = find_file(entry.path() / name)) {
            texts.push_back(*text);
        }
    }
    return texts;
}

fs::path Store::pending(const std::string& id) const {
    return cache_ / "pending" / id.substr(0, shown_id);
}

fs::path Store::create_pending(const std::string& id) const {
    const fs::path folder = pending(id);
    remove_tree(folder);
    fs::create_directory(folder);
    return folder;
}

// A power failure must not leave an object whose files are still empty: object.json makes it one, when they are on the disk.
void Store::commit(const fs::path& pending, const std::string& id, const Json& about) {
    const fs::path place = object(id);
    remove_tree(place);
    fs::rename(pending, place);
    writes_.push_back(std::async(std::launch::async, [place, text = to_text(about) + "\n"] {
        flush_file_system(place);
        write_file_atomically(place / "object.json", text);
    }));
}

void Store::wait_for_writes() {
    for (auto& write : std::exchange(writes_, {})) {
        write.get();
    }
}

void Store::discard(const fs::path& pending) const noexcept {
    try {
        remove_tree(pending);
    } catch (const std::exception& error) {
        log::warning("left behind: ", error.what());
    }
}

void Store::finish_build(const std::vector<std::string>& ids, int keep) const {
    const fs::path folder = cache_ / "builds";
    auto builds = builds_of(folder);
    const std::string text = to_text(Json(ids)) + "\n";
    // The same build again is no reason to forget an older one.
    std::erase_if(builds, [&text](const fs::path& build) {
        return read_file(build) == text && fs::remove(build);
    });
    const int number = builds.empty() ? 1 : build_number(builds.back()) + 1;
    write_file_atomically(folder / std::to_string(number), text);
    builds.push_back(folder / std::to_string(number));
    std::set<std::string> used;
    for (std::size_t i = 0; i < builds.size(); ++i) {
        if (i + static_cast<std::size_t>(std::max(keep, 1)) < builds.size()) {
            fs::remove(builds[i]);
            continue;
        }
        for (const Json& id : parse_json(read_file(builds[i]))) {
            used.insert(id.get<std::string>().substr(0, shown_id));
        }
    }
    for (const auto& entry : fs::directory_iterator(cache_ / "objects")) {
        if (!used.contains(entry.path().filename().string())) {
            // Renamed first, so that an interruption leaves no object without its description.
            const fs::path doomed = cache_ / "pending" / entry.path().filename();
            fs::rename(entry.path(), doomed);
            remove_tree(doomed);
        }
    }
}

std::uintmax_t bytes_on_disk(const fs::path& path) {
    std::uintmax_t blocks = 0;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
        struct stat about {};
        if (::lstat(entry.path().c_str(), &about) == 0 && S_ISREG(about.st_mode)) {
            blocks += static_cast<std::uintmax_t>(about.st_blocks);
        }
    }
    return blocks * 512;
}

}  // namespace gearbox::builder
