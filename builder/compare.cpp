#include "compare.h"

#include "guest_disk.h"
#include "hash.h"
#include "root_images.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <algorithm>
#include <fstream>
#include <map>
#include <set>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

using Sentences = std::vector<std::string>;

void add(Sentences& to, const Sentences& more) {
    to.insert(to.end(), more.begin(), more.end());
}

std::set<std::string> names_below(const fs::path& folder) {
    std::set<std::string> names;
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        names.insert(entry.path().lexically_relative(folder).string());
    }
    return names;
}

std::string label_of(const fs::path& path) {
    char label[256]{};
    const auto bytes =
        ::lgetxattr(path.c_str(), "security.selinux", static_cast<char*>(label), sizeof label - 1);
    return bytes < 0 ? "none" : std::string(static_cast<const char*>(label));
}

const char* kind_of(mode_t mode) {
    return S_ISREG(mode) ? "file" : S_ISDIR(mode) ? "folder" : S_ISLNK(mode) ? "link" : "device";
}

std::string octal(mode_t mode) {
    char text[8];
    std::snprintf(text, sizeof text, "%04o", mode & 07777);
    return text;
}

void compare_entry(const std::string& name, const fs::path& a, const fs::path& b,
                   TreeDifferences& found) {
    struct stat first {};
    struct stat second {};
    check(::lstat(a.c_str(), &first), "looking at '", a.string(), "'");
    check(::lstat(b.c_str(), &second), "looking at '", b.string(), "'");
    std::string text;
    const auto differs = [&text](const char* what, const std::string& one, const std::string& two) {
        if (one != two) {
            text += str(text.empty() ? "" : ", ", what, " ", one, " and ", two);
        }
    };
    differs("kind", kind_of(first.st_mode), kind_of(second.st_mode));
    if (text.empty() && S_ISREG(first.st_mode) &&
        (first.st_size != second.st_size || hash_file(a) != hash_file(b))) {
        text = "contents";
        found.contents.emplace_back(name);
    }
    if (text.empty() && S_ISLNK(first.st_mode)) {
        differs("target", fs::read_symlink(a).string(), fs::read_symlink(b).string());
    }
    differs("mode", octal(first.st_mode), octal(second.st_mode));
    differs("owner", str(first.st_uid, ":", first.st_gid), str(second.st_uid, ":", second.st_gid));
    differs("time", std::to_string(first.st_mtime), std::to_string(second.st_mtime));
    differs("label", label_of(a), label_of(b));
    if (!text.empty()) {
        found.sentences.push_back(str("/", name, ": ", text));
    }
}

std::string package_list(const ImageReport& report, const ImageReport& other) {
    std::map<std::string, std::string> versions;
    for (const InstalledPackage& package : other.packages) {
        versions[package.name + ":" + package.architecture] = package.version;
    }
    std::string text;
    for (const InstalledPackage& package : report.packages) {
        const auto found = versions.find(package.name + ":" + package.architecture);
        if (found == versions.end() || found->second != package.version) {
            text += str(text.empty() ? "" : ", ", package.name, " ", package.version);
        }
    }
    return text.empty() ? "none" : text;
}

// All but the name of the file, which is no difference, and the packages, which are a list.
Sentences compare_reports(const ImageReport& a, const ImageReport& b) {
    Sentences sentences;
    const Json first = to_json(a, false);
    const Json second = to_json(b, false);
    for (const auto& [key, value] : first.items()) {
        if (key != "file" && key != "package_count" && value != second.at(key)) {
            sentences.push_back(str(key, ": ", to_text(value), " and ", to_text(second.at(key))));
        }
    }
    const std::string only_a = package_list(a, b);
    const std::string only_b = package_list(b, a);
    if (only_a != only_b) {
        sentences.push_back(str("packages of the first alone: ", only_a));
        sentences.push_back(str("packages of the second alone: ", only_b));
    }
    return sentences;
}

constexpr std::size_t shown_files = 200;

Sentences explain_trees(const fs::path& a, const fs::path& b, const std::string& where) {
    const TreeDifferences found = compare_trees(a, b);
    Sentences sentences;
    for (const std::string& sentence : found.sentences) {
        if (sentences.size() == shown_files) {
            sentences.push_back(
                str(where, "and ", found.sentences.size() - shown_files, " more files"));
            break;
        }
        sentences.push_back(where + sentence);
    }
    constexpr std::size_t explained = 10;
    for (std::size_t i = 0; i < std::min(found.contents.size(), explained); ++i) {
        if (found.contents[i].extension() == ".squashfs") {
            continue;  // of a medium: the trees in them are compared
        }
        ToolResult result;
        try {
            result = run_tool({"diffoscope", "--text", "-", "--max-text-report-size", "4000",
                               (a / found.contents[i]).string(), (b / found.contents[i]).string()});
        } catch (const Error&) {
            break;  // not installed
        }
        sentences.push_back(result.out);
    }
    return sentences;
}

Sentences compare_media(const fs::path& a, const fs::path& b, const fs::path& work) {
    for (const auto& [image, folder] : {std::pair{a, work / "a"}, std::pair{b, work / "b"}}) {
        run_tool_checked({"xorriso", "-osirrox", "on", "-indev", image.string(), "-extract", "/",
                          folder.string()});
        // The medium's own modes keep its owner from removing them again.
        run_tool_checked({"chmod", "-R", "u+w", folder.string()});
    }
    Sentences sentences = explain_trees(work / "a", work / "b", "on the medium: ");
    for (const std::string_view name : root_images) {
        const fs::path image = str("live/", name, ".squashfs");
        const bool both = fs::exists(work / "a" / image) && fs::exists(work / "b" / image);
        if (both && hash_file(work / "a" / image) != hash_file(work / "b" / image)) {
            for (const char* side : {"a", "b"}) {
                run_tool({"unsquashfs", "-quiet", "-no-progress", "-dest",
                          (work / side / name).string(), (work / side / image).string()});
            }
            add(sentences, explain_trees(work / "a" / name, work / "b" / name, str("in the ", name, ": ")));
        }
    }
    return sentences.empty() ? Sentences{"the files are the same; only the medium around them is "
                                         "another (boot sectors, times, order)"}
                             : sentences;
}

std::vector<ByteRange> partitions_of(const fs::path& raw) {
    const Json table = parse_json(run_tool_checked({"sfdisk", "--json", raw.string()}));
    std::vector<ByteRange> ranges;
    for (const Json& row : table.at("partitiontable").at("partitions")) {
        ranges.push_back({str("partition ", ranges.size() + 1),
                          row.at("start").get<std::uint64_t>() * 512,
                          row.at("size").get<std::uint64_t>() * 512});
    }
    return ranges;
}

Sentences compare_disks(const OpenedImage& a, const OpenedImage& b, const fs::path& work) {
    for (const auto& [image, name] : {std::pair{&a, "a.raw"}, std::pair{&b, "b.raw"}}) {
        run_tool_checked({"qemu-img", "convert", "-f", image->format, "-O", "raw",
                          image->disk.string(), (work / name).string()});
    }
    Sentences sentences;
    const auto ranges = partitions_of(work / "a.raw");
    const auto others = differing_ranges(work / "a.raw", work / "b.raw", ranges);
    for (const std::string& name : others) {
        sentences.push_back(name + " of the disk has other bytes");
    }
    if (others.empty()) {
        sentences.emplace_back("the disks in them are the same; only what is around is another");
    }
    if (std::find(others.begin(), others.end(), str("partition ", ranges.size())) != others.end()) {
        for (const auto& [image, side] : {std::pair{&a, "a"}, std::pair{&b, "b"}}) {
            const fs::path archive = work / (std::string(side) + ".tar");
            export_guest_root(*image->guest, archive);
            fs::create_directory(work / side);
            run_tool_checked({"tar", "--extract", "--file", archive.string(), "--directory",
                              (work / side).string(), "--xattrs", "--xattrs-include=*"});
            fs::remove(archive);
        }
        add(sentences, explain_trees(work / "a", work / "b", "in the tree: "));
    }
    return sentences;
}

Sentences compare_archives(const OpenedImage& a, const OpenedImage& b, const fs::path& work) {
    for (const auto& [image, side] : {std::pair{&a, "a"}, std::pair{&b, "b"}}) {
        fs::create_directory(work / side);
        run_tool_checked({"tar", "--extract", "--zstd", "--file", image->archive.string(),
                          "--directory", (work / side).string(), "--xattrs", "--xattrs-include=*"});
    }
    return explain_trees(work / "a", work / "b", "in the tree: ");
}

}  // namespace

TreeDifferences compare_trees(const fs::path& a, const fs::path& b) {
    TreeDifferences found;
    const auto first = names_below(a);
    const auto second = names_below(b);
    std::set<std::string> all = first;
    all.insert(second.begin(), second.end());
    for (const std::string& name : all) {
        if (!first.contains(name) || !second.contains(name)) {
            found.sentences.push_back(
                str("/", name, ": only in the ", first.contains(name) ? "first" : "second"));
            continue;
        }
        compare_entry(name, a / name, b / name, found);
    }
    return found;
}

std::vector<std::string> differing_ranges(const fs::path& a, const fs::path& b,
                                          const std::vector<ByteRange>& ranges) {
    constexpr std::size_t block = std::size_t{1} << 20;
    std::ifstream first(a, std::ios::binary);
    std::ifstream second(b, std::ios::binary);
    std::string one(block, '\0');
    std::string two(block, '\0');
    std::set<std::string> names;
    for (std::uint64_t at = 0;; at += block) {
        first.read(one.data(), block);
        second.read(two.data(), block);
        const auto bytes = static_cast<std::size_t>(first.gcount());
        const auto more = static_cast<std::size_t>(second.gcount());
        if (bytes == 0 && more == 0) {
            break;
        }
        if (bytes == more &&
            std::equal(one.begin(), one.begin() + static_cast<std::ptrdiff_t>(bytes),
                       two.begin())) {
            continue;
        }
        for (std::size_t i = 0; i < std::max(bytes, more); ++i) {
            if (i < bytes && i < more && one[i] == two[i]) {
                continue;
            }
            const auto in = std::find_if(ranges.begin(), ranges.end(), [&](const ByteRange& range) {
                return at + i >= range.start && at + i < range.start + range.size;
            });
            names.insert(in == ranges.end() ? "the rest" : in->name);
        }
    }
    return {names.begin(), names.end()};
}

Sentences compare_images(const fs::path& a, const fs::path& b) {
    if (fs::file_size(a) == fs::file_size(b) && hash_file(a) == hash_file(b)) {
        return {};
    }
    const TempDir opened_a;
    const TempDir opened_b;
    return compare_images(open_image(a, opened_a.path()), open_image(b, opened_b.path()));
}

Sentences compare_images(const OpenedImage& a, const OpenedImage& b) {
    Sentences sentences = compare_reports(a.report, b.report);
    if (a.report.kind != b.report.kind) {
        return sentences;
    }
    const TempDir work;
    add(sentences, a.report.kind == ImageKind::iso
                       ? compare_media(a.report.file, b.report.file, work.path())
                   : a.disk.empty() ? compare_archives(a, b, work.path())
                                    : compare_disks(a, b, work.path()));
    return sentences.empty() ? Sentences{"the contents are the same; only the file around them is "
                                         "another"}
                             : sentences;
}

Sentences compare_outputs(const fs::path& a, const fs::path& b) {
    // They tell of a build, not of what it built.
    static const std::set<std::string> of_the_build{"stages.json", "gearbox-build.log"};
    static const std::set<std::string> texts{".json", ".lock", ".minisig", ".pub", ".sha256", ""};
    Sentences sentences;
    std::set<std::string> all = names_below(a);
    all.merge(names_below(b));
    for (const std::string& name : all) {
        if (of_the_build.contains(name)) {
            continue;
        }
        if (!fs::exists(a / name) || !fs::exists(b / name)) {
            sentences.push_back(
                str(name, ": only in the ", fs::exists(a / name) ? "first" : "second"));
        } else if (texts.contains(fs::path(name).extension().string())) {
            if (hash_file(a / name) != hash_file(b / name)) {
                sentences.push_back(name + ": contents");
            }
        } else {
            for (const std::string& sentence : compare_images(a / name, b / name)) {
                sentences.push_back(name + ": " + sentence);
            }
        }
    }
    return sentences;
}

}  // namespace gearbox::builder
