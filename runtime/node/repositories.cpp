#include "node/repositories.h"

#include "base/error.h"
#include "node/environ.h"
#include "sys/git.h"
#include "sys/selinux.h"

#include <unistd.h>
#include <filesystem>

namespace gearbox {

namespace {

namespace fs = std::filesystem;


std::string hook_text(const Paths& paths, const char* name) {
    return str(
        "#!/bin/sh\n# Gearbox: tells the node about a push. Not yours to change; see "
        ".openshift/action_hooks.\n",
        "exec ", paths.gear_hook(), " ", name, "\n");
}

void give_away(const std::string& path, uid_t uid) {
    check(::lchown(path.c_str(), uid, uid), "setting the owner of '", path, "'");
}

std::string find_template(const std::string& source, const char* suffix) {
    for (const char* place : {"/template", "/usr/template"}) {
        const std::string path = str(source, place, suffix);
        if (!source.empty() && fs::is_directory(path)) {
            return path;
        }
    }
    return "";
}

}  // namespace

std::string Repositories::path(const GearRecord& record) const {
    return str(node_.home(record), "/", home::repository(record.spec));
}

void Repositories::create(GearRecord& record, const RepositorySource& source,
                          const std::string& cartridge_source) const {
    const GearFiles files = node_.files(record);
    const std::string inside = home::repository(record.spec);
    // The hook is written last: where it is, everything is.
    if (files.exists(inside + "/hooks/post-receive")) {
        return;
    }
    files.remove(inside);
    record.initial_build = source.kind == RepositorySource::Kind::git;
    const bool is_own = !record.cartridges.empty() && record.cartridges.front().own;
    const std::string bare = find_template(cartridge_source, ".git");
    const std::string directory = find_template(cartridge_source, "");
    if (source.kind == RepositorySource::Kind::git) {
        from_url(record, source.git);
    } else if (source.kind == RepositorySource::Kind::cartridge_template && is_own) {
        from_own_template(record);
    } else if (source.kind == RepositorySource::Kind::cartridge_template && directory.empty() &&
               !bare.empty()) {
        from_url(record, {str("file://", bare), ""});
    } else {
        from_template(record, source.kind == RepositorySource::Kind::empty ? "" : directory);
    }
    install_hooks(record);
    node_.store.save(record);
}

void Repositories::from_template(const GearRecord& record, const std::string& directory) const {
    const uid_t uid = record.spec.uid;
    const std::string target = path(record);
    {
        const sys::CreateLabel label(node_.policy.file_label(uid, FileKind::repository));
        sys::create_repository(target, directory, record.spec.deployment.branch);
    }
    // Still root's alone: nobody can put a link where this walks. Its top goes last.
    for (const auto& entry : fs::recursive_directory_iterator(target)) {
        give_away(entry.path(), uid);
    }
    give_away(target, uid);
}

// What it is made of is the gear's: git reads it there. The order of the contract's section 3.1.
void Repositories::from_own_template(const GearRecord& record) const {
    const GearFiles files = node_.files(record);
    const std::string& name = record.cartridges.front().name;
    std::string found;
    for (const char* place : {"template", "template.git", "usr/template", "usr/template.git"}) {
        if (found.empty() && !files.list(str(name, "/", place)).empty()) {
            found = str(node_.home(record), "/", name, "/", place);
        }
    }
    if (found.ends_with(".git")) {
        return from_url(record, {str("file://", found), ""});
    }
    constexpr const char* program = R"(set -e
git init --quiet --bare --initial-branch="$1" "$2"
if [[ $3 ]]; then
    export GIT_DIR=$2 GIT_WORK_TREE=$3
    export GIT_AUTHOR_NAME='Template builder' GIT_AUTHOR_EMAIL=builder@gearbox.localhost GIT_AUTHOR_DATE='@0 +0000'
    export GIT_COMMITTER_NAME='Template builder' GIT_COMMITTER_EMAIL=builder@gearbox.localhost GIT_COMMITTER_DATE='@0 +0000'
    cd "$3"
    git add --all --force .
    git commit --quiet --allow-empty --message 'Creating template'
    rm -f "$2/index"
fi
)";
    files.ensure_directory(home::repository(record.spec), files.unlocked(), 0750);
    runner_.run_checked(record, Purpose::build, {"/bin/bash", "-c", program, "template", record.spec.deployment.branch, path(record), found});
}

void Repositories::from_url(const GearRecord& record, const GitSource& source) const {
    const GearFiles files = node_.files(record);
    files.ensure_directory(home::repository(record.spec), files.unlocked(), 0750);
    const std::string target = path(record);
    GearCommand command;
    command.purpose = Purpose::build;  // git on the repository has no network
    Environment environment = make_environment(files, record, node_.settings);
    environment["GIT_TERMINAL_PROMPT"] = "0";
    environment["GIT_ASKPASS"] = "/bin/false";
    environment["GIT_SSH_COMMAND"] = "ssh -o BatchMode=yes -o StrictHostKeyChecking=accept-new";
    environment["GIT_ALLOW_PROTOCOL"] = "git:http:https:ssh:ftp:ftps:rsync:file";
    command.environment = to_pairs(environment);
    command.directory = node_.home(record);
    command.deadline = std::chrono::seconds(600);
    command.argv = {git_program, "clone", "--quiet", "--bare", "--", source.url, target};
    const GearResult cloned = node_.launcher.run(record, command);
    if (cloned.status != 0) {
        files.remove(home::repository(record.spec));
        fail(ErrorKind::invalid, "the source '", source.url,
             "' cannot be cloned: ", cloned.err.substr(0, 1000));
    }
    runner_.run(record, Purpose::git, {git_program, "--git-dir", target, "remote", "remove", "origin"});
    const std::string commit = find_commit(record, source.branch.empty() ? "HEAD" : source.branch);
    if (commit.empty() && !source.branch.empty()) {
        fail(ErrorKind::invalid, "the source '", source.url, "' has no branch, tag or commit '",
             source.branch, "'");
    }
    const std::string branch = str("refs/heads/", record.spec.deployment.branch);
    if (!commit.empty()) {
        runner_.run_checked(record, Purpose::git,
                            {git_program, "--git-dir", target, "update-ref", branch, commit});
    }
    runner_.run_checked(record, Purpose::git,
                        {git_program, "--git-dir", target, "symbolic-ref", "HEAD", branch});
}

std::string Repositories::find_commit(const GearRecord& record, const std::string& name) const {
    const GearResult result = runner_.run(record, Purpose::git,
                                          {git_program, "--git-dir", path(record), "rev-parse", "--quiet",
                                           "--verify", "--end-of-options", name + "^{commit}"});
    const std::string text = result.out.substr(0, result.out.find('\n'));
    const bool hex =
        text.size() >= 40 && text.find_first_not_of("0123456789abcdef") == std::string::npos;
    return result.status == 0 && hex ? text : "";
}

void Repositories::install_hooks(const GearRecord& record) const {
    const GearFiles files = node_.files(record);
    const std::string hooks = home::repository(record.spec) + "/hooks";
    files.remove(hooks);
    files.ensure_directory(hooks, files.locked(), 0755);
    for (const char* name : {"pre-receive", "post-receive"}) {
        files.write(str(hooks, "/", name), hook_text(node_.paths, name), files.locked(), 0755);
    }
}

}  // namespace gearbox
