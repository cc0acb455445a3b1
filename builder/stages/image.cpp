// From the finished tree to the files of the medium: images of the root and bootable ISO.
#include "hash.h"
#include "monitor.h"
#include "root_images.h"
#include "stages/boot.h"
#include "tree_changes.h"
#include "verity.h"

#include "base/error.h"
#include "base/file.h"

#include <cctype>
#include <charconv>
#include <map>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

void clamp_times(const fs::path& folder, std::int64_t epoch) {
    for (const auto& entry : fs::recursive_directory_iterator(folder)) {
        set_time(entry.path(), epoch);
    }
    set_time(folder, epoch);
}

// The number in "file /bin/x, uncompressed size 123 bytes".
std::uintmax_t packed_bytes(std::string_view line) {
    constexpr std::string_view before = "uncompressed size ";
    const auto start = line.find(before);
    std::uintmax_t bytes = 0;
    if (start != std::string_view::npos) {
        const char* first = line.data() + start + before.size();
        std::from_chars(first, line.data() + line.size(), bytes);
    }
    return bytes;
}

std::uintmax_t bytes_of_files(const fs::path& tree) {
    std::uintmax_t bytes = 0;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        if (entry.is_regular_file() && !entry.is_symlink()) {
            bytes += entry.file_size();
        }
    }
    return bytes;
}

// A path as a pattern of mksquashfs, a line each: fnmatch(3) with FNM_EXTMATCH, where a backslash goes before whatever may mean something.
std::string as_pattern(const std::string& path) {
    std::string out;
    for (const char letter : path) {
        const bool plain = std::isalnum(static_cast<unsigned char>(letter)) != 0 || std::string_view("/-_.").find(letter) != std::string_view::npos;
        out += letter == '\n' ? "?" : plain ? std::string{letter} : std::string{'\\', letter};
    }
    return out;
}

// Without these paths, and with the hash tree of the image behind it.
void pack(StageContext& context, const fs::path& tree, const std::vector<std::string>& without, const fs::path& image) {
    const fs::path boot = tree / "boot";
    const std::uintmax_t total = bytes_of_files(tree) - (fs::exists(boot) ? bytes_of_files(boot) : 0);
    const std::string detail = "packing " + format_bytes(total);
    // Folders stay: they are mount points, and have labels.
    std::string patterns = "proc/*\nsys/*\ndev/*\nrun/*\ntmp/*\nboot/*\n";
    for (const std::string& path : without) {
        patterns += as_pattern(path) + "\n";
    }
    const fs::path list = image.parent_path().parent_path() / "without";
    put_file(list, patterns);
    std::uintmax_t packed = 0;
    ToolCall call;
    call.argv = {"mksquashfs", tree.string(), image.string(), "-comp", "zstd",
                 "-Xcompression-level",
                 std::to_string(context.options.at("compression").get<int>()), "-b", "256K",
                 "-noappend", "-no-progress", "-info", "-wildcards", "-ef", list.string()};
    call.on_line = [&](std::string_view line) {
        if (const auto bytes = packed_bytes(line); bytes > 0) {
            packed += bytes;
            context.progress(static_cast<double>(packed) / static_cast<double>(total), detail);
        }
        return line.find("uncompressed size") == std::string_view::npos &&
               !line.starts_with("directory ") && !line.starts_with("symbolic link ");
    };
    context.tools.run(call);
    fs::remove(list);
    put_file(fs::path(image).replace_extension(".verity"), append_verity(image).text());
}

// What no stage after the base touches: the packages. Packing it takes most of the stage's time, and it is the same for as
// long as those paths are: so it is kept in the cache, under what it is made of, while an object has it, too.
void make_base(StageContext& context, const TreeChanges& changes) {
    const fs::path folder = context.cache / "squashfs";
    const std::string key = hash_text(
        to_text(Json{{"base", context.base_id}, {"options", context.options}, {"without", changes.gone}}));
    const fs::path kept = folder / key;
    const std::string image = "base.squashfs";
    const std::string verity = "base.verity";
    fs::create_directories(folder);
    for (const auto& entry : fs::directory_iterator(folder)) {
        const bool used = fs::exists(entry.path() / image) && fs::hard_link_count(entry.path() / image) > 1;
        if (!used || (context.fresh && entry.path() == kept)) {
            fs::remove_all(entry.path());
        }
    }
    if (fs::exists(kept)) {
        fs::create_hard_link(kept / image, context.out / image);
        fs::create_hard_link(kept / verity, context.out / verity);
        return;
    }
    pack(context, context.base, changes.gone, context.out / image);
    flush_file_system(context.out);
    fs::create_directory(kept);
    fs::create_hard_link(context.out / verity, kept / verity);
    fs::create_hard_link(context.out / image, kept / image);
}

}  // namespace

// Two images, the system is an overlay of both.
void run_squashfs(StageContext& context) {
    const TreeChanges changes = find_changes(context.base, context.tree);
    make_base(context, changes);
    const fs::path upper = context.out.parent_path() / "upper";
    copy_changes(context.tree, changes, upper);
    pack(context, upper, {}, context.out / "upper.squashfs");
    fs::remove_all(upper);
}

namespace {

// BIOS: El Torito on a disc, boot_hybrid.img on a stick. UEFI: the ESP, appended as a partition.
void make_iso(StageContext& context, const fs::path& medium, const fs::path& esp) {
    ToolCall call;
    call.argv = {"xorriso",
                 "-as",
                 "mkisofs",
                 "-r",
                 "-J",
                 "-joliet-long",
                 "-iso-level",
                 "3",
                 "-V",
                 context.options.at("volume_id").get<std::string>(),
                 "-o",
                 (context.out / "image.iso").string(),
                 "--set_all_file_dates",
                 "set_to_mtime",
                 "-b",
                 "boot/grub/bios.img",
                 "-no-emul-boot",
                 "-boot-load-size",
                 "4",
                 "-boot-info-table",
                 "--grub2-boot-info",
                 "--grub2-mbr",
                 "/usr/lib/grub/i386-pc/boot_hybrid.img",
                 "-append_partition",
                 "2",
                 "0xef",
                 esp.string(),
                 "-appended_part_as_gpt",
                 "-eltorito-alt-boot",
                 "-e",
                 "--interval:appended_partition_2:all::",
                 "-no-emul-boot",
                 "-c",
                 "boot/boot.cat",
                 "-partition_offset",
                 "16",
                 medium.string()};
    call.on_line = [&context](std::string_view line) {
        const auto percent = line.find("% done");
        double value = 0;
        if (percent != std::string_view::npos) {
            const auto start = line.rfind(' ', percent) + 1;
            std::from_chars(line.data() + start, line.data() + percent, value);
            context.progress(value / 100, "writing");
        }
        return percent == std::string_view::npos;
    };
    context.tools.run(call);
}

// What the menu's check of the medium reads, as sha256sum does. Without GRUB's image for BIOS, into which
// xorriso writes where it lies.
std::string make_checksums(const fs::path& medium) {
    std::map<std::string, std::string> sums;
    for (const auto& entry : fs::recursive_directory_iterator(medium)) {
        const std::string name = entry.path().lexically_relative(medium).string();
        if (entry.is_regular_file() && name != "boot/grub/bios.img") {
            sums[name] = hash_file(entry.path());
        }
    }
    std::string text;
    for (const auto& [name, sum] : sums) {
        text += str(sum, "  ", name, "\n");
    }
    return text;
}

}  // namespace

void run_iso(StageContext& context) {
    const std::string volume = context.options.at("volume_id").get<std::string>();
    const auto epoch = epoch_of(context);
    const fs::path work = context.out.parent_path() / "medium";
    const fs::path medium = work / "files";
    fs::create_directories(medium / "boot/grub");
    fs::create_directories(medium / "live");
    fs::copy_file(only_file(context.tree / "boot", "vmlinuz-"), medium / "live/vmlinuz");
    // Links, not copies: same file system, and xorriso only reads.
    fs::create_hard_link(context.artifacts.at("initramfs") / "initrd.img",
                         medium / "live/initrd.img");
    std::string verity;
    const fs::path& images = context.artifacts.at("squashfs");
    for (const std::string_view name : root_images) {
        const std::string file = str(name, ".squashfs");
        fs::create_hard_link(images / file, medium / "live" / file);
        verity += (verity.empty() ? "" : ",") + read_file(images / str(name, ".verity"));
    }
    const std::string search = "--label " + volume;
    put_file(medium / "boot/grub/grub.cfg",
             make_boot_menu(context, {search, "/live/vmlinuz", "/live/initrd.img",
                                      str("gearbox.label=", volume, " gearbox.verity=", verity)}));
    const fs::path early = work / "early.cfg";
    put_file(early, make_early_config(search));
    make_grub(context, {"i386-pc-eltorito", early, medium / "boot/grub/bios.img", {"biosdisk", "vbe"}});
    make_efi_folder(context, medium / "EFI/BOOT");
    make_disk_kit(context, medium / "live/disk");
    put_file(medium / "live/SHA256SUMS", make_checksums(medium));
    clamp_times(medium, epoch);
    const fs::path esp = work / "efi.img";
    make_esp(context, {medium / "EFI/BOOT", early, 5}, esp);
    make_iso(context, medium, esp);
    fs::remove_all(work);
}

}  // namespace gearbox::builder::stages
