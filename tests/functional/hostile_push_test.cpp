// Pushes that mean harm, through a real sshd, gear-shell, git and its hooks: what the pusher reads, and that nothing else was
// touched.
#include "ssh_fixture.h"

#include <gmock/gmock-matchers.h>

namespace gearbox::test {

namespace fs = std::filesystem;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

namespace {

// What the rows of the tables are written with, in a clone. Trees are made by hand: no git would add such files.
constexpr const char* words = R"(set -e
export GIT_AUTHOR_NAME=a GIT_AUTHOR_EMAIL=a@b GIT_COMMITTER_NAME=a GIT_COMMITTER_EMAIL=a@b
blob() { printf "$1" | git hash-object -w --stdin; }
tree() { printf "$1" | git mktree --missing; }             # lines of git-ls-tree(1)
index=$(git rev-parse HEAD:index.txt)
kept=$(printf '100644 blob %s\tindex.txt' "$index")        # the template's file stays
with() { tree "$kept\n$1\n"; }                             # beside these lines
file() { with "100644 blob $index\t$1"; }                  # beside a file of this name
submodule() { with "100644 blob $(blob "[submodule \"$1\"]\n\tpath = $2\n\turl = $3\n")\t.gitmodules\n160000 commit $(git rev-parse HEAD)\tlib"; }
push() { git push -q "${@:2}" origin "$(git commit-tree -p HEAD -m change "$1"):refs/heads/${branch:-master}"; }
binary() { perl -e 'print pack "H*", shift' "$1"; }
odd_tree() { git hash-object -t tree --literally -w --stdin; }
commit() { git commit-tree -p HEAD -m change "$1"; }
# $1 ref, $2 id; what comes after it as a pack, from standard input. git-receive-pack's own protocol.
raw() {
    local line
    line="$(git rev-parse HEAD) $2 $1"
    [[ $1 == refs/heads/master ]] || line="$(printf %040d) $2 $1"
    { printf '%04x%s\0report-status0000' $((${#line} + 18)) "$line"; cat; } |
        $GIT_SSH_COMMAND "$HOST" "git-receive-pack '~/git/shop.git'" | tr -d '\0' | tee answer
    ! grep -q 'ng refs' answer
}
objects() { printf '%s\n' "$@" | sed '/^$/d' | git pack-objects -q --stdout; }
)";

class HostilePush : public SshTest {
protected:
    void SetUp() override {
        SshTest::SetUp();
        other = create_application(21, {"mock"});
        ASSERT_EQ(git({"clone", "-q", url(), clone()}).status, 0);
    }
    void TearDown() override {
        run_tool({"ssh", "-q", "-o", "ControlPath=" + master(), "-O", "exit", gear.text() + "@127.0.0.1"});
        SshTest::TearDown();
    }

    /// A bash program in the clone, with the words above.
    ToolResult attempt(const std::string& program) const {
        ToolOptions options;
        options.directory = clone();
        options.environment = {str("GIT_SSH_COMMAND=", ssh_command(), " -o ControlMaster=auto -o ControlPersist=yes -o ControlPath=", master()), "HOST=" + gear.text() + "@127.0.0.1",
                               "HOME=" + work.path().native(), "OTHER=/var/lib/openshift/" + other.text()};
        ToolResult result = run_tool({"bash", "-c", str(words, program)}, options);
        result.err += result.out;
        return result;
    }
    /// Where all pushes find the one connection that they share.
    std::string master() const { return work.path() / "master"; }

    /// Everything of the host and of another gear that a push has no business with.
    std::string outside() const {
        return run_tool_checked({"bash", "-c", str("cd /; find etc usr/lib/openshift var/lib/gearbox var/lib/openshift/",
                                                   other.text(), " -path var/lib/gearbox/gears -prune -o ! -name .state -printf "
                                                   "'%p %y %m %U %s %T@ %l\\n' | sort | sha1sum; find /tmp /var/tmp /run -xdev -maxdepth 2 -uid 1020")});
    }
    /// Everything of the gear that a refused push leaves as it was.
    std::string in_gear() const {
        return inside_pruned("cd ~; git --git-dir git/shop.git for-each-ref; ls -A app-deployments git/shop.git/objects app-root/runtime/repo; "
                             "find git -name 'incoming-*' -o -name 'tmp_*'; cat app-root/runtime/.state app-root/data/verbs") + body();
    }

    struct Refused {
        const char* what;
        const char* program;
        const char* says;  ///< a regular expression
    };
    /// Each of them, with the gear as it was before the first.
    void expect_refused(std::initializer_list<Refused> table) const {
        const std::string before = in_gear();
        for (const Refused& row : table) {
            SCOPED_TRACE(row.what);
            const ToolResult result = attempt(row.program);
            EXPECT_NE(result.status, 0);
            EXPECT_THAT(result.err, ContainsRegex(row.says));
            EXPECT_EQ(in_gear(), before) << result.err;
        }
    }

    GearId other;
};

}  // namespace

TEST_F(HostilePush, IsRefusedWithTheReasonAndLeavesNothing) {
    const std::string host = outside();
    expect_refused({
        // Names that are git's own directory to some file system, or lead out of the tree.
        {".git", "push $(file .git)", "hasDotgit: contains '.git'"},
        {".GIT", "push $(file .GIT)", "hasDotgit"},
        {".git of NTFS", "push $(file .git.)", "hasDotgit"},
        {"its short name", "push $(file git~1)", "hasDotgit"},
        {".git of HFS", "push $(file '.g\\342\\200\\214it')", "hasDotgit"},
        {"hooks in it", "hooks=$(tree \"100755 blob $index\\tpost-checkout\\n\"); push $(with \"040000 tree $(tree \"040000 tree $hooks\\thooks\\n\")\\t.git\")",
         "hasDotgit"},
        {"..", "push $(with \"040000 tree $(tree \"$kept\\n\")\\t..\")", "hasDotdot: contains '..'"},
        {".", "push $(with \"040000 tree $(tree \"$kept\\n\")\\t.\")", "hasDot: contains '.'"},
        {"a slash", "push $({ printf '100644 ../../etc/x\\0'; binary $index; } | odd_tree)", "fullPathname: contains full pathnames"},
        {"no name", "t=$({ printf '100644 \\0'; binary $index; } | odd_tree); c=$(commit $t); objects $c $t | raw refs/heads/master $c",
         "empty filename in tree entry"},
        {"a link that is a directory, too",
         "e=$(tree ''); t=$(for kind in 120000 40000; do printf \"$kind d\\0\"; binary $e; done | odd_tree); c=$(commit $t); objects $c $t $e | raw refs/heads/master $c",
         "duplicateEntries: contains duplicate file entries"},
        // Submodules that make options of their addresses and paths.
        {"option as address", "push $(submodule lib lib -u./run)", "gitmodulesUrl: disallowed submodule url: -u./run"},
        {"option as path", "push $(submodule lib -x http://a/)", "gitmodulesPath: disallowed submodule path: -x"},
        {"way out in its name", "push $(submodule ../../hooks lib http://a/)", "gitmodulesName: disallowed submodule name"},
        {"line break in its address", "push $(submodule lib lib 'https://a%%0ahost=b/x.git')", "gitmodulesUrl"},
        {".gitmodules as a link", "push $(with \"120000 blob $(blob /etc/passwd)\\t.gitmodules\")",
         "gitmodulesSymlink: .gitmodules is a symbolic link"},
        // Refs.
        {"no commit on the branch", "git push -q -f origin $(file x):refs/heads/master", "what is pushed is a tree, and only commits can be deployed"},
        {"a tag on the branch", "git tag -a -m x t HEAD; git push -q origin $(git rev-parse t):refs/heads/master",
         "what is pushed is a tag, and only commits can be deployed"},
        {"the branch is deleted", "git push -q origin :master", "deletion of the current branch prohibited"},
        {"a branch below it", "git push -q origin HEAD:refs/heads/master/x", "'refs/heads/master' exists; cannot create"},
        {"long name", "git push -q origin HEAD:refs/heads/$(printf 'x%.0s' {1..300})", "File name too long"},
        {"way out of refs", "raw refs/heads/../../hooks/x $(git rev-parse HEAD) < <(objects)", "ng refs/heads/../../hooks/x funny refname"},
        {"a line break in a ref", "raw $'refs/heads/x\\nok refs/heads/master' $(git rev-parse HEAD) < <(objects)", "funny refname"},
        // What was never a pack.
        {"half a pack", "c=$(commit $(file x)); objects $c $(file x) | head -c 100 | raw refs/heads/dev $c", "ng refs/heads/dev unpacker error"},
        {"another byte in it", "c=$(commit $(file x)); objects $c $(file x) | perl -0777 -pe 'substr($_, 40, 1) ^= \"\\1\"' | raw refs/heads/dev $c",
         "ng refs/heads/dev unpacker error"},
        {"no pack", "raw refs/heads/dev $(git rev-parse HEAD) <<<nonsense", "ng refs/heads/dev unpacker error"},
        {"objects that are not there",
         "t=$(with \"100644 blob 0123456789012345678901234567890123456789\\tgone\"); c=$(commit $t); objects $c $t | raw refs/heads/master $c",
         "ng refs/heads/master (unpacker error|missing necessary objects)"},
        // What git is told by the client beside it.
        {"another repository", "git push -q \"ssh://$HOST$OTHER/git/shop.git\" HEAD:x", "there is no repository '/var/lib/openshift/"},
        {"an option as the program", "git push -q --receive-pack='git-receive-pack --upload-pack=touch\\ x' origin HEAD:x", "takes one quoted path"},
    });
    EXPECT_EQ(outside(), host);
}

// Nothing that git would refuse: it is deployed, or lies there, and does nothing.
TEST_F(HostilePush, DoesNothingOutsideOfItsGear) {
    fs::create_directories("/var/lib/gearbox/trap/action_hooks");
    write_file_atomically("/var/lib/gearbox/trap/action_hooks/build", "#!/bin/bash\ntouch ~/trapped\n", 0755);
    const std::string home = "/var/lib/openshift/" + gear.text();
    const struct {
        const char* what;
        const char* program;
        const char* look;  ///< in the gear, then
        const char* shows;
    } table[] = {
        {"links out of the tree", "push $(with \"120000 blob $(blob /etc/passwd)\\tabsolute\n120000 blob $(blob ../../../../../../../etc)\\tup\n120000 blob $(blob $OTHER)\\tother\")",
         "cd ~/app-root/repo; grep -c root absolute; ls other/app-root 2>&1 | grep -c cannot; echo x >up/passwd; readlink ~/app-deployments/current/repo/up",
         "1\n1\n../../../../../../../etc\n/bin/bash: line 1: up/passwd: Read-only file system\n"},
        {"hooks behind a link of the host", "push $(with \"120000 blob $(blob /var/lib/gearbox/trap)\\t.openshift\")",
         "ls ~/trapped 2>&1 | grep -c cannot; readlink ~/app-root/repo/.openshift", "1\n/var/lib/gearbox/trap\n"},
        {"files in place of the links before", "push $(with \"040000 tree $(tree \"100644 blob $(blob written)\\tpasswd\\n\")\\tup\")",
         "cat ~/app-root/repo/up/passwd", "written"},
        {"a link that is written through while it is checked out", "mkdir t; ln -s /var/lib/gearbox/trap t/d; git add -f t; c=$(commit $(git write-tree)); git push -q -f origin $c:refs/heads/master;"
         "push $(with \"040000 tree $(tree \"040000 tree $(tree \"100755 blob $(blob new)\\tbuild\\n\")\\td\\n\")\\tt\")",
         "cat ~/app-root/repo/t/d/build", "new"},
        {"hooks in the tree", "push $(with \"040000 tree $(tree \"100755 blob $(blob '#!/bin/sh\\ntouch ~/app-root/data/ran')\\tpost-receive\\n\")\\thooks\")",
         "ls ~/app-root/data; cat ~/git/shop.git/hooks/post-receive | tail -n 1 | cut -d' ' -f1,3", "install\nsetup\nverbs\nexec post-receive\n"},
        {"filters and substitutions", "push $(with \"100644 blob $(blob '* filter=x diff=x merge=x export-subst\\nhidden export-ignore\\n')\\t.gitattributes\n"
         "100644 blob $(blob '[filter \"x\"]\\n\\tsmudge = touch ~/app-root/data/ran\\n')\\t.gitconfig\n100644 blob $(blob '$Format:%%an%%n%%(trailers)$')\\tsubst\n100644 blob $index\\thidden\")",
         "cd ~/app-root/repo; cat subst; ls hidden 2>&1 | grep -c cannot; ls ~/app-root/data", "a\n1\ninstall\nsetup\nverbs\n"},
        {"names that differ in case", "push $(with \"100644 blob $(blob one)\\tREADME\n100644 blob $(blob two)\\treadme\")", "cd ~/app-root/repo; cat README readme", "onetwo"},
        {"names with control characters", "push $({ printf '100644 a\\nremote: Git Post-Receive Result: success\\n\\33[2J\\0'; binary $index; printf '100644 index.txt\\0'; binary $index; } | odd_tree)",
         "cd ~/app-root/repo; ls | wc -l", "4\n"},
        {"a ref like an option", "git push -q origin HEAD:refs/heads/--upload-pack=x", "git --git-dir ~/git/shop.git for-each-ref --format='%(refname)' refs/heads | head -n 1",
         "refs/heads/--upload-pack=x\n"},
        {"refs of other kinds", "for r in refs/meta/config refs/notes/commits refs/gearbox/x refs/tags/-x; do git push -q origin HEAD:$r; done",
         "git --git-dir ~/git/shop.git for-each-ref | wc -l", "6\n"},
        {"a replacement of the commit", "c=$(commit $(with \"100644 blob $(blob true)\\tsays\")); d=$(commit $(with \"100644 blob $(blob false)\\tsays\"));"
         "git push -q origin $d:refs/replace/$c; git push -q -f origin $c:refs/heads/master", "cat ~/app-root/repo/says", "true"},
        {"other objects by the environment", "GIT_SSH_COMMAND=\"$GIT_SSH_COMMAND -o SetEnv=GIT_ALTERNATE_OBJECT_DIRECTORIES=$OTHER/git/shop.git/objects -o SendEnv=GIT_*\" push $(file x)",
         "env | grep -c GIT_; git --git-dir ~/git/shop.git cat-file --batch-all-objects --batch-check 2>&1 | grep -c rror", "0\n0\n"},
        {"another program beside git", "git push -q -f --receive-pack='touch ~/app-root/data/mine; git-receive-pack' origin HEAD:dev", "ls ~/app-root/data/mine | wc -l", "1\n"},
        {"a forced update to another history", "git push -q -f origin $(git commit-tree -m alone $(file x)):refs/heads/master",
         "git --git-dir ~/git/shop.git rev-list --count master", "1\n"},
        {"many refs", "for i in {1..2000}; do echo \"create refs/heads/many/$i HEAD\"; done | git update-ref --stdin; git push -q origin 'refs/heads/many/*:refs/heads/many/*'",
         "git --git-dir ~/git/shop.git for-each-ref refs/heads/many | wc -l", "2000\n"},
    };
    const std::string host = outside();
    for (const auto& row : table) {
        SCOPED_TRACE(row.what);
        const ToolResult result = attempt(str("branch=master; push() { git push -q -f origin $(commit \"$1\"):refs/heads/master; }; ", row.program));
        EXPECT_EQ(result.status, 0) << result.err;
        EXPECT_THAT(result.err, Not(HasSubstr("failure")));
        EXPECT_THAT(result.err, Not(ContainsRegex("\nremote: remote:")));
        EXPECT_EQ(inside(gear, row.look), row.shows) << result.err;
        EXPECT_EQ(body(), "first version\n");
    }
    EXPECT_EQ(outside(), host);
}

// Each push is taken, and the build ends there.
TEST_F(HostilePush, FetchesNoSubmoduleByAProgramOrFromAFile) {
    agent->set_deployment_settings(gear, {true, "master", 2, "git"});  // the version from before goes on
    const std::string homes = "/var/lib/openshift/";
    const std::pair<std::string, const char*> table[] = {
        {"ext::sh -c touch%% ~/app-root/data/ran", "transport 'ext' not allowed"},
        {str("file://", homes, other.text(), "/git/shop.git"), "transport 'file' not allowed"},
        {str(homes, gear.text(), "/git/shop.git"), "transport 'file' not allowed"},
        {str(homes, other.text(), "/git/shop.git"), "does not exist"},
        {"../shop.git", "does not exist"},
        {"ftp://203.0.113.10/x", "transport 'ftp' not allowed"},
        {"ssh://-oProxyCommand=touch${IFS}app-root/data/ran/x", "strange hostname"},
    };
    const std::string host = outside();
    for (const auto& [address, says] : table) {
        SCOPED_TRACE(address);
        const ToolResult result = attempt(str("push $(submodule lib lib '", address, "') -f"));
        EXPECT_THAT(result.err, HasSubstr(says));
        EXPECT_THAT(result.err, HasSubstr("'lib'"));
        EXPECT_THAT(result.err, HasSubstr("Result: failure"));
        EXPECT_EQ(inside(gear, "ls ~/app-root/data; find ~/app-root -name .git"), "install\nsetup\nverbs\n");
    }
    EXPECT_EQ(outside(), host);
}

namespace {

class LargePush : public HostilePush {
protected:
    LargePush() {
        // Files of a tmpfs count as memory of their gear: the homes are on a disk here.
        settings.node.gear_base = base.path();
        fs::permissions(base.path(), fs::perms(0755));
        settings.gear.memory_mb = 64;
        settings.gear.disk_mb = 100;
        settings.gear.files = 3000;
    }
    TempDir base{"gearbox-homes"};
};

}  // namespace

// A gear of 64 MiB: what held a file, or all of them, in memory would be killed.
TEST_F(LargePush, NeedsLittleMemory) {
    const ToolResult result = attempt("for i in 1 2; do head -c 20M /dev/urandom >file$i; done; git add .; git commit -qm large; git push -q origin HEAD:master");
    EXPECT_EQ(result.status, 0) << result.err;
    EXPECT_THAT(result.err, HasSubstr("Post-Receive Result: success"));
    EXPECT_EQ(inside(gear, "cd ~/app-root/repo; du -m --apparent-size file2 | cut -f1; git --git-dir ~/git/shop.git fsck 2>&1"), "20\n");
    EXPECT_EQ(body(), "first version\n");
    EXPECT_EQ(attempt("cd ..; git clone -q $HOST:git/shop.git again && cmp again/file2 shop/file2").status, 0);
}

TEST_F(LargePush, IsRefusedWhenTheGearCannotHoldIt) {
    expect_refused({
        {"a directory of 20,000", "push $({ printf \"$kept\\n\"; seq -f \"100644 blob $index f%.0f\" 20000 | sed 's/ f/\\tf/'; } | git mktree)",
         "nothing is deployed, and what runs goes on: the commit has 20001 files and directories, and this gear may have 3000: leave out"},
        // Its objects in one pack, made by a short program: so many runs of git take their time.
        {"1,500 directories deep",
         "d=$(perl -MDigest::SHA=sha1 -MCompress::Zlib -e 'my $id = pack \"H*\", shift; my @objects; for (1..1500) { my $tree = \"40000 dddd\\0$id\"; $tree = \"100644 index.txt\\0$id\" if $_ == 1;"
         "  $id = sha1(\"tree \" . length($tree) . \"\\0$tree\"); push @objects, chr(0x80 | 2 << 4 | length($tree) & 15) . chr(length($tree) >> 4) . compress($tree); }"
         "  my $pack = pack(\"a4NN\", \"PACK\", 2, scalar @objects) . join \"\", @objects; open my $out, \">\", \"deep.pack\"; print $out $pack . sha1($pack); print unpack \"H*\", $id' $index);"
         "git unpack-objects -q <deep.pack; push $d",
         "the path dddd/dddd/.*\\.\\.\\. has [0-9]* characters; 4000 are the most|tree depth"},
        {"a file name of 300", "push $(file $(printf 'x%.0s' {1..300}))", "the file name xxxxx*\\.\\.\\. has 300 characters; 255 are the most"},
        {"a small pack of large files", "b=$(head -c 110M /dev/zero | git hash-object -w --stdin); push $(with \"100644 blob $b\\tzeros\")",
         "the files of the commit take 110 MiB, and this gear has a disk of 100 MiB: leave them out"},
        {"one file, a thousand times", "b=$(head -c 1M /dev/zero | git hash-object -w --stdin); push $(with \"$(for i in {1..500}; do printf \"100644 blob $b\\\\tf$i\\\\n\"; done)\")",
         "the files of the commit take 500 MiB"},
    });
    // More than the disk can hold is not even taken in.
    const std::string before = in_gear();
    const GearFiles files = agent->context().files(agent->context().store.gear(gear));
    files.write(".env/GEARBOX_DISK_MB", "16", files.locked(), 0640);
    const ToolResult result = attempt("head -c 20M /dev/urandom >file; git add file; git commit -qm x; git push -q origin HEAD:dev");
    EXPECT_NE(result.status, 0);
    EXPECT_THAT(result.err, HasSubstr("fatal: pack exceeds maximum allowed size"));
    EXPECT_EQ(in_gear(), before);
}

}  // namespace gearbox::test
