// gear-fetch URL DIRECTORY MIB FILES SECONDS [PREFIX…]: fetches a user's own cartridge, inside of the gear that is to
// have it, into the empty DIRECTORY, and checks it. Works in $TMPDIR; both together may take three times MIB and FILES
// for a while (archive, what is unpacked, the cartridge). Ends with 1 and the reason on stderr.
#include "base/error.h"
#include "cartridge/check.h"
#include "cli/cartridge_source.h"

#include <signal.h>
#include <unistd.h>

#include <charconv>
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <filesystem>
#include <thread>

namespace gearbox {

namespace {

namespace fs = std::filesystem;

constexpr int most_parts = 3;
constexpr int deepest = 60;  // what the node copies is less than 64 deep

struct Bounds {
    cartridge::Limits limits;
    std::int64_t seconds = 0;
};

std::int64_t number_of(const char* word) {
    std::int64_t value = 0;
    const std::string_view text(word);
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc() || end != text.data() + text.size() || value <= 0) {
        fail(ErrorKind::invalid, "'", text, "' is no number");
    }
    return value;
}

// What tools are at work on changes while it is looked at: what cannot be read is not counted.
bool is_within(const fs::path& directory, const cartridge::Limits& limits, int parts) {
    std::int64_t bytes = 0;
    std::int64_t files = 0;
    std::error_code error;
    constexpr auto options = fs::directory_options::skip_permission_denied;
    for (fs::recursive_directory_iterator at(directory, options, error), end; !error && at != end; at.increment(error)) {
        std::error_code gone;
        ++files;
        if (fs::is_regular_file(at->symlink_status(gone))) {
            const auto size = at->file_size(gone);
            bytes += gone ? 0 : static_cast<std::int64_t>(size);
        }
        if (files > parts * limits.files || bytes > parts * limits.bytes) {
            return false;
        }
    }
    return true;
}

// Tools of ours end with us: they are of our process group.
[[noreturn]] void give_up(const std::string& reason) {
    std::fprintf(stderr, "%s\n", reason.c_str());
    std::fflush(stderr);
    ::kill(0, SIGKILL);
    ::_exit(1);
}

void watch(const fs::path& parent, const Bounds& bounds) {
    using namespace std::chrono_literals;
    const auto end = std::chrono::steady_clock::now() + std::chrono::seconds(bounds.seconds);
    for (;;) {
        std::this_thread::sleep_for(100ms);
        if (std::chrono::steady_clock::now() > end) {
            give_up(str("it could not be fetched within ", bounds.seconds, " s"));
        }
        if (!is_within(parent, bounds.limits, most_parts)) {
            give_up(str("it has more than ", bounds.limits.files, " files or ", bounds.limits.bytes >> 20, " MiB"));
        }
    }
}

int depth_of(const fs::path& directory) {
    int most = 0;
    for (fs::recursive_directory_iterator at(directory), end; at != end; ++at) {
        most = std::max(most, at.depth());
    }
    return most;
}

void check_cartridge(const fs::path& directory, const Bounds& bounds) {
    const cartridge::Report report = cartridge::check(directory, bounds.limits);
    std::string wrong;
    for (const cartridge::Finding& finding : report.findings) {
        if (finding.is_error) {
            wrong += str("\n  ", cartridge::to_line(finding));
        }
    }
    if (!wrong.empty()) {
        fail(ErrorKind::invalid, "this is no usable cartridge", wrong);
    }
    if (depth_of(directory) > deepest) {
        fail(ErrorKind::invalid, "its directories are nested deeper than ", deepest);
    }
}

int run(int argc, char** argv) {
    if (argc < 6) {
        fail(ErrorKind::invalid, "usage: gear-fetch URL DIRECTORY MIB FILES SECONDS [PREFIX…]");
    }
    const fs::path directory = argv[2];
    const Bounds bounds{{number_of(argv[3]) << 20, number_of(argv[4])}, number_of(argv[5])};
    ::setpgid(0, 0);
    std::thread(watch, directory.parent_path(), bounds).detach();
    cli::fetch_cartridge(argv[1], "", directory, {true, {argv + 6, argv + argc}});
    check_cartridge(directory, bounds);
    std::fflush(nullptr);
    ::_exit(0);  // not by way of destructors: the watch still looks
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    try {
        return gearbox::run(argc, argv);
    } catch (const std::exception& error) {
        std::fprintf(stderr, "%s\n", error.what());
        std::fflush(stderr);
        ::_exit(1);
    }
}
