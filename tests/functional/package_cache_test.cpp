// Packages of a tiny archive, chosen by the real apt and fetched by its methods; no network.
#include "package_cache.h"

#include "build_log.h"
#include "hash.h"
#include "layers.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>

namespace gearbox::builder {
namespace {

using testing::HasSubstr;
using testing::Not;
namespace fs = std::filesystem;

class PackageCacheTest : public testing::Test {
protected:
    static void SetUpTestSuite() { enter_private_mounts(); }

    PackageCacheTest() {
        fs::create_directories(archive);
        fs::create_directory(work);
        add("base", "1", "Essential: yes\nPriority: required\n");
        add("tool", "2:3.0", "Depends: library\n");
        add("library", "5", "");
        add("unused", "1", "");
        wish.variant = "minbase";
        wish.packages = {"tool"};
        wish.suite = "trixie";
        wish.archives = {str("deb [trusted=yes] copy://", archive.string(), " ./")};
    }

    void add(const std::string& name, const std::string& version, const std::string& fields) {
        const fs::path tree = folder.path() / "made" / name;
        fs::create_directories(tree / "DEBIAN");
        const std::string control =
            str("Package: ", name, "\nVersion: ", version,
                "\nArchitecture: amd64\nMaintainer: nobody\n", fields, "Description: a test\n");
        write_file_atomically(tree / "DEBIAN/control", control);
        const fs::path file = archive / (name + ".deb");
        run_tool_checked({"dpkg-deb", "--build", tree.string(), file.string()});
        index += str(control, "Filename: ./", name, ".deb\nSize: ", fs::file_size(file),
                     "\nSHA256: ", hash_file(file), "\n\n");
        write_file_atomically(archive / "Packages", index);
        write_file_atomically(archive / "Release", make_release("trixie", index));
    }

    PackageCache cache() {
        return {folder.path() / "cache", work, tools, [](double, const std::string&) {}};
    }

    /// What resolve() would choose, without the seconds that it takes.
    ArchiveState chosen() const {
        const Resolved names{"base_1_amd64.deb", "library_5_amd64.deb", "tool_2%3a3.0_amd64.deb"};
        ArchiveState state{wish.archives, {""}, {""}, take_from_index(index, 0, names)};
        std::sort(state.packages.begin(), state.packages.end());
        return state;
    }

    std::string fetch_error(const ArchiveState& state, const PackageRequest& request) {
        try {
            cache().fetch(state, request);
        } catch (const Error& error) {
            return error.what();
        }
        return "";
    }

    TempDir folder;
    fs::path archive = folder.path() / "archive";
    fs::path work = folder.path() / "work";
    std::string index;
    TreeWish wish;
    BuildLog log{folder.path() / "log"};
    HostTools tools{log, 1767225600};
};

TEST_F(PackageCacheTest, ChoosesFetchesAndIsEnoughWithoutTheArchive) {
    const ArchiveState state = cache().resolve(wish, false);
    std::vector<std::string> names;
    for (const ArchivePackage& package : state.packages) {
        names.push_back(package.text());
    }
    EXPECT_THAT(names, testing::ElementsAre("base 1", "library 5", "tool 2:3.0"));
    EXPECT_EQ(fetch_error(state, {}), "");
    EXPECT_TRUE(fs::exists(folder.path() / "cache/tool_2%3a3.0_amd64.deb"));

    // The archive is gone: the same packages, and their files, out of the cache.
    fs::rename(archive, folder.path() / "gone");
    EXPECT_EQ(cache().resolve(wish, true), state);
    EXPECT_EQ(fetch_error(state, {{}, true, ""}), "");
    const fs::path ours = cache().make_archive(state, "trixie");
    EXPECT_THAT(read_file(ours / "Packages"), HasSubstr("Filename: ./tool_2%3a3.0_amd64.deb"));
    EXPECT_THAT(read_file(ours / "Packages"), HasSubstr("Essential: yes"));
    EXPECT_THAT(read_file(ours / "Release"), HasSubstr("Codename: trixie\n"));
    EXPECT_THAT(read_file(ours / "Packages"), Not(HasSubstr("unused")));
}

TEST_F(PackageCacheTest, OfflineNamesEveryPackageThatIsMissing) {
    const ArchiveState state = chosen();
    EXPECT_THAT(fetch_error(state, {{}, true, ""}),
                HasSubstr("lacks 3 of 3 packages:\n  base 1\n  library 5\n  tool 2:3.0"));
    ASSERT_EQ(fetch_error(state, {}), "");
    // A damaged file is a missing one.
    write_file_atomically(folder.path() / "cache/library_5_amd64.deb", "half");
    EXPECT_THAT(fetch_error(state, {{}, true, ""}), HasSubstr("1 of 3 packages:\n  library 5"));
    wish.archives[0] += "other";
    EXPECT_THROW(cache().resolve(wish, true), Error);
}

TEST_F(PackageCacheTest, ALockNamesWhatTheArchiveHasNoLonger) {
    const ArchiveState state = chosen();
    fs::rename(archive, folder.path() / "snapshot");
    fs::create_directory(archive);
    fs::copy_file(folder.path() / "snapshot/base.deb", archive / "base.deb");
    // The same name with other bytes is not the package of the lock.
    write_file_atomically(archive / "tool.deb", "newer");
    const std::string error = fetch_error(state, {state, false, ""});
    EXPECT_THAT(error, HasSubstr("2 of 3 packages in this version:\n  library 5\n  tool 2:3.0"));
    EXPECT_EQ(fetch_error(state, {state, false, "file://" + (folder.path() / "snapshot").string()}),
              "");
}

TEST_F(PackageCacheTest, ForgetsWhatNoKeptBuildUses) {
    ArchiveState state = chosen();
    ASSERT_EQ(fetch_error(state, {}), "");
    std::erase_if(state.packages, [](const auto& package) { return package.name == "tool"; });
    PackageCache::remove_others(folder.path() / "cache", {state});
    EXPECT_TRUE(fs::exists(folder.path() / "cache/base_1_amd64.deb"));
    EXPECT_FALSE(fs::exists(folder.path() / "cache/tool_2%3a3.0_amd64.deb"));
}

}  // namespace
}  // namespace gearbox::builder
