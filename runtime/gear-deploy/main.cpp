// gear-deploy: what a deployment does to files, run by the daemon inside of the gear, as the gear:
//
//   inspect REPOSITORY COMMIT     prints the commit's markers and its MiB; 1 and a reason: it cannot be deployed
//   checkout REPOSITORY COMMIT    $OPENSHIFT_REPO_DIR gets the commit's files, and those of its submodules
//   keep DIRECTORY ID METADATA    the files that run become a deployment, the current one; prints their checksum
//
// One static program and not a script: a push waits for each process that is started for it.
#include "base/argv.h"
#include "base/error.h"
#include "base/fd.h"
#include "gear-deploy/inspect.h"
#include "gear-deploy/tree.h"

#include <fcntl.h>
#include <spawn.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cerrno>
#include <charconv>
#include <cstdio>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace gearbox {

namespace {

constexpr const char* git = "/usr/bin/git";

std::string variable(const char* name) {
    const char* const value = std::getenv(name);
    if (value == nullptr || *value == '\0') {
        fail(ErrorKind::invalid, "$", name, " is not set");
    }
    return value;
}

std::int64_t number(const char* name) {
    const std::string text = variable(name);
    std::int64_t value = 0;
    std::from_chars(text.data(), text.data() + text.size(), value);
    return value;
}

/// A program of the gear's. Its standard streams are ours unless another is given (-1: ours).
class Tool {
public:
    struct Streams {
        int in = -1;
        int out = -1;
        int err = -1;
    };

    Tool(const std::vector<std::string>& argv, Streams streams) {
        posix_spawn_file_actions_t actions;
        ::posix_spawn_file_actions_init(&actions);
        for (const auto& [fd, target] : {std::pair{streams.in, 0}, {streams.out, 1}, {streams.err, 2}}) {
            if (fd >= 0) {
                ::posix_spawn_file_actions_adddup2(&actions, fd, target);
            }
        }
        const int rc = ::posix_spawn(&pid_, argv.front().c_str(), &actions, nullptr, argv_of(argv).data(), environ);
        ::posix_spawn_file_actions_destroy(&actions);
        if (rc != 0) {
            throw SysError(rc, str("starting '", argv.front(), "'"));
        }
    }
    Tool(const Tool&) = delete;
    Tool& operator=(const Tool&) = delete;
    ~Tool() { wait(); }

    /// The exit status, 128 + the number of the signal that killed it.
    int wait() {
        int status = 0;
        while (pid_ > 0 && ::waitpid(pid_, &status, 0) < 0 && errno == EINTR) {
        }
        if (pid_ > 0) {
            pid_ = 0;
            status_ = WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
        }
        return status_;
    }

private:
    pid_t pid_ = 0;
    int status_ = 0;
};

int refuse(const std::string& why) {
    std::fprintf(stderr, "%s\n", why.c_str());
    return 1;
}

int inspect(const std::string& repository, const std::string& commit) {
    // Both at once: each reads the repository for itself.
    Pipe kind_pipe = make_pipe();
    Pipe list_pipe = make_pipe();
    const UniqueFd complaints(check(::memfd_create("complaints", MFD_CLOEXEC), "making a file"));
    const std::string directory = "--git-dir=" + repository;
    Tool lister({git, directory, "-c", "core.quotePath=false", "ls-tree", "-r", "-t", "-l", "--full-tree", commit},
                {-1, list_pipe.write.get(), complaints.get()});
    Tool teller({git, directory, "cat-file", "-t", commit}, {-1, kind_pipe.write.get(), -1});
    kind_pipe.write.reset();
    list_pipe.write.reset();
    std::string kind = read_all(kind_pipe.read.get(), 64);
    kind.erase(kind.find_last_not_of('\n') + 1);
    if (teller.wait() != 0 || kind != "commit") {
        list_pipe.read.reset();
        return refuse(str("what is pushed is a ", kind.empty() ? "missing object" : kind, ", and only commits can be deployed"));
    }
    Listing listing({number("GEARBOX_FILES"), number("GEARBOX_DISK_MB")});
    const std::unique_ptr<FILE, int (*)(FILE*)> lines(::fdopen(list_pipe.read.release(), "r"), &std::fclose);
    char* line = nullptr;
    std::size_t capacity = 0;
    bool fits = true;
    for (ssize_t size = 0; fits && (size = ::getline(&line, &capacity, lines.get())) > 0;) {
        fits = listing.add(std::string_view(line, static_cast<std::size_t>(size - (line[size - 1] == '\n' ? 1 : 0))));
    }
    std::free(line);
    if (fits && lister.wait() != 0) {
        check(::lseek(complaints.get(), 0, SEEK_SET), "reading what git says");
        return refuse(read_all(complaints.get()));
    }
    if (!fits || !listing.finish()) {
        return refuse(listing.problem());
    }
    for (const std::string& marker : listing.markers()) {
        std::printf("%s\n", marker.c_str());
    }
    std::printf("%lld\n", static_cast<long long>(listing.megabytes()));
    return 0;
}

// $1 repository, $2 commit. In a repository that is there for this alone: what a submodule's address was before means
// nothing, and what a program reads of the files finds no .git. git takes no address and no name from .gitmodules that is
// an option, a command or a way out (git's submodule-config.c); transports that run programs or read files are off here.
constexpr const char* submodules_program = R"(set -e
trap "find . -name .git -prune -exec rm -rf {} +" EXIT
git init --quiet
echo "$1/objects" >.git/objects/info/alternates
git read-tree "$2"
export GIT_TERMINAL_PROMPT=0 GIT_ASKPASS=/bin/false GIT_ALLOW_PROTOCOL=git:http:https:ssh
export GIT_SSH_COMMAND="ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new -i $OPENSHIFT_APP_SSH_KEY"
git submodule update --quiet --init --recursive
)";

int fetch_submodules(const std::string& repository, const std::string& commit) {
    return Tool({"/bin/bash", "-c", submodules_program, "submodules", repository, commit}, {}).wait();
}

int checkout(const std::string& repository, const std::string& commit) {
    const std::string target = variable("OPENSHIFT_REPO_DIR");
    check(::chdir(target.c_str()), "entering '", target, "'");
    if (!empty_directory(".")) {
        if (const int status = Tool({"/usr/bin/find", ".", "-mindepth", "1", "-delete"}, {}).wait(); status != 0) {
            return status;
        }
    }
    Pipe pipe = make_pipe();
    Tool archiver({git, "--git-dir=" + repository, "archive", "--format=tar", commit}, {-1, pipe.write.get(), -1});
    Tool extractor({"/usr/bin/tar", "-x"}, {pipe.read.get(), -1, -1});
    pipe = {};
    const int extracted = extractor.wait();
    if (const int status = archiver.wait(); status != 0 || extracted != 0) {
        return status != 0 ? status : extracted;
    }
    return ::access(".gitmodules", F_OK) == 0 ? fetch_submodules(repository, commit) : 0;
}

void put_link(const std::string& text, const std::string& path) {
    const std::string fresh = path + ".new";
    ::unlink(fresh.c_str());
    check(::symlink(text.c_str(), fresh.c_str()), "linking '", fresh, "'");
    check(::rename(fresh.c_str(), path.c_str()), "linking '", path, "'");
}

// What came as an archive is there already.
int keep(const std::string& directory, const std::string& id, std::string metadata) {
    const std::string deployments = variable("OPENSHIFT_DEPLOYMENTS_DIR");
    check(::chdir(deployments.c_str()), "entering '", deployments, "'");
    for (const std::string& path : {std::string("by-id"), directory}) {
        if (::mkdir(path.c_str(), 0777) < 0 && errno != EEXIST) {
            fail_errno("creating '", path, "'");
        }
    }
    const std::string runtime = variable("OPENSHIFT_HOMEDIR") + "/app-root/runtime/";
    const bool is_there = ::access((directory + "/repo").c_str(), F_OK) == 0;
    Sha1 sum;
    for (const std::string part : {"repo", "dependencies", "build-dependencies"}) {
        const std::string own = str(directory, "/", part);
        copy_tree(part, is_there ? own : runtime + part, is_there ? "" : own, sum);
    }
    put_link("../" + directory, "by-id/" + id);
    const std::string checksum = sum.finish();
    constexpr std::string_view empty = R"("checksum":"")";
    if (const auto at = metadata.find(empty); at != std::string::npos) {
        metadata.insert(at + empty.size() - 1, checksum);
    }
    const std::string path = directory + "/metadata.json";
    const UniqueFd file(check(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666), "creating '", path, "'"));
    write_all(file.get(), metadata);
    // Replaced in one step: there is always a current deployment, and a power cut leaves all of it.
    check(::syncfs(file.get()), "flushing '", path, "'");
    put_link(directory, "current");
    std::printf("%s\n", checksum.c_str());
    return 0;
}

int run(const std::vector<std::string>& words) {
    const std::string verb = words.empty() ? "" : words[0];
    if (verb == "inspect" && words.size() == 3) {
        return inspect(words[1], words[2]);
    }
    if (verb == "checkout" && words.size() == 3) {
        return checkout(words[1], words[2]);
    }
    if (verb == "keep" && words.size() == 4) {
        return keep(words[1], words[2], words[3]);
    }
    return refuse("usage: gear-deploy inspect REPOSITORY COMMIT | checkout REPOSITORY COMMIT | keep DIRECTORY ID METADATA");
}

}  // namespace

}  // namespace gearbox

int main(int argc, char** argv) {
    try {
        return gearbox::run({argv + 1, argv + argc});
    } catch (const gearbox::Error& error) {
        return gearbox::refuse(error.text());
    }
}
