// Disk images: one raw disk from the tree, and what it is converted to.
#include "disk_layout.h"
#include "disk_patches.h"
#include "file_labels.h"
#include "layers.h"
#include "sparse.h"
#include "stages/boot.h"
#include "vagrant.h"

#include "base/error.h"
#include "base/file.h"

#include <sys/stat.h>
#include <sys/xattr.h>
#include <charconv>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

// Everything that the file system is to have is said here: what mke2fs takes for granted differs
// from host to host. GRUB 2.06 cannot read metadata_csum_seed and orphan_file. Quotas come
// afterwards, see below.
constexpr const char* features =
    "none,has_journal,ext_attr,resize_inode,dir_index,filetype,extent,64bit,flex_bg,sparse_super,"
    "large_file,huge_file,dir_nlink,extra_isize,metadata_csum";
constexpr const char* mke2fs_config = "[defaults]\n[fs_types]\next4 = {\ninode_size = 256\n}\n";
constexpr std::uint64_t block_bytes = 4096;
const std::vector<std::string> ext4_options{"-t", "ext4", "-b", std::to_string(block_bytes), "-I", "256", "-i", "16384",
                                            "-m", "1", "-J", "size=64", "-L", "gearbox"};

/// The root file system inside of the disk.
struct RootVolume {
    fs::path disk;
    Extent extent;
    std::string uuid;
    std::int64_t epoch = 0;
    fs::path config;

    /// As e2fsprogs take it.
    std::string device() const {
        return str(disk.string(), "?offset=", extent.start * sector_bytes);
    }
    std::vector<std::string> environment() const {
        return {str("E2FSPROGS_FAKE_TIME=", epoch), "MKE2FS_CONFIG=" + config.string()};
    }
};

void run_e2fs(StageContext& context, const RootVolume& volume, std::vector<std::string> argv,
              std::function<bool(std::string_view)> on_line = {}) {
    ToolCall call;
    call.argv = std::move(argv);
    call.environment = volume.environment();
    call.on_line = std::move(on_line);
    context.tools.run(call);
}

// What a running system mounts over is empty, as it is on the live medium.
void empty_mount_points(const fs::path& tree) {
    for (const char* point : {"proc", "sys", "dev", "run", "tmp"}) {
        std::vector<fs::path> doomed;
        for (const auto& entry : fs::directory_iterator(tree / point)) {
            doomed.push_back(entry.path());
        }
        for (const fs::path& path : doomed) {
            fs::remove_all(path);
        }
    }
}

constexpr const char* label_name = "security.selinux";

std::string label_of(const fs::path& path) {
    const std::string name = path.string();
    char label[256];
    const auto size = check(::lgetxattr(name.c_str(), label_name, label, sizeof label),
                            "reading the label of '", name, "'");
    const std::string text(label, static_cast<std::size_t>(size));
    return text.substr(0, text.find('\0'));
}

std::string kernel_version(const fs::path& tree) {
    const std::string prefix = "vmlinuz-";
    return only_file(tree / "boot", prefix).filename().string().substr(prefix.size());
}

// Named after its kernel: a package may bring another one (livecd/overlay/usr/libexec/gearbox/kernels).
std::string initramfs_name(const fs::path& tree) {
    return "initrd.img-" + kernel_version(tree);
}

BootPlaces boot_places(const fs::path& tree, const std::string& uuid) {
    return {"--fs-uuid " + uuid, "/boot/vmlinuz-" + kernel_version(tree), "/boot/" + initramfs_name(tree),
            "gearbox.root=" + uuid};
}

// What only a disk has: the initramfs, the menu, and the folder that mke2fs would make without a
// label.
void add_boot_files(StageContext& context, const fs::path& tree, const std::string& uuid) {
    const std::string initramfs = initramfs_name(tree);
    fs::copy_file(context.artifacts.at("initramfs") / "initrd.img", tree / "boot" / initramfs);
    put_file(tree / "boot/grub/grub.cfg",
             make_boot_menu(context, boot_places(tree, uuid)));
    fs::create_directory(tree / "lost+found");
    fs::permissions(tree / "lost+found", fs::perms::owner_all);
    label_files(tree, tree / file_contexts,
                {"boot/" + initramfs, "boot/grub", "boot/grub/grub.cfg", "lost+found"});
}

void fill_file_system(StageContext& context, const RootVolume& volume, const fs::path& tree) {
    std::vector<std::string> argv{"mke2fs", "-q", "-F"};
    argv.insert(argv.end(), ext4_options.begin(), ext4_options.end());
    argv.insert(argv.end(),
                {"-U", volume.uuid, "-O", features, "-E",
                 str("offset=", volume.extent.start * sector_bytes, ",hash_seed=", volume.uuid,
                     ",lazy_itable_init=1,assume_storage_prezeroed=1,nodiscard,root_owner=0:0"),
                 "-d", tree.string(), volume.disk.string(),
                 std::to_string(volume.extent.size * sector_bytes / block_bytes)});
    run_e2fs(context, volume, std::move(argv));
}

std::string quoted(const std::string& path) {
    std::string text = "\"";
    for (const char c : path) {
        text += c == '"' ? "\"\"" : std::string(1, c);
    }
    return text + "\"";
}

// Files that are newer than anything may be, as commands of debugfs.
std::string clamp_commands(const fs::path& tree, std::int64_t epoch) {
    std::string commands;
    for (const auto& entry : fs::recursive_directory_iterator(tree)) {
        const std::string name = entry.path().string();
        struct stat about {};
        check(::lstat(name.c_str(), &about), "looking at '", name, "'");
        if (about.st_mtim.tv_sec > epoch) {
            const std::string inside = "/" + entry.path().lexically_relative(tree).string();
            commands += str("sif ", quoted(inside), " mtime @", epoch, "\n");
        }
    }
    return commands + str("sif / mtime @", epoch, "\n");
}

long number_behind(std::string_view line, std::string_view name, long otherwise) {
    if (!line.starts_with(name)) {
        return otherwise;
    }
    const auto start = line.find_first_of("0123456789");
    long value = otherwise;
    if (start != std::string_view::npos) {
        std::from_chars(line.data() + start, line.data() + line.size(), value);
    }
    return value;
}

// mke2fs copies the times of the source, of which two are when the tree was made.
void set_times(StageContext& context, const RootVolume& volume, std::string commands,
               const fs::path& script) {
    constexpr long root_inode = 2;
    constexpr long first_inode = 11;
    long all = 0;
    long unused = 0;
    run_e2fs(context, volume, {"dumpe2fs", "-h", volume.device()}, [&](std::string_view line) {
        all = number_behind(line, "Inode count:", all);
        unused = number_behind(line, "Free inodes:", unused);
        return false;
    });
    for (long inode = root_inode; inode <= all - unused; ++inode) {
        if (inode == root_inode || inode >= first_inode) {
            for (const char* time : {"atime", "ctime"}) {
                commands += str("sif <", inode, "> ", time, " @", volume.epoch, "\n");
            }
        }
    }
    put_file(script, commands);
    run_e2fs(context, volume, {"debugfs", "-w", "-f", script.string(), volume.device()},
             [](std::string_view line) { return !line.starts_with("debugfs: sif"); });
}

// mke2fs counts for quotas before it copies; tune2fs counts what is there. Then everything is
// looked at once: an image that needs repair must never leave the builder.
void add_quotas(StageContext& context, const RootVolume& volume) {
    run_e2fs(context, volume,
             {"tune2fs", "-O", "project,quota", "-Q", "usrquota,prjquota", volume.device()});
    run_e2fs(context, volume, {"e2fsck", "-f", "-n", volume.device()});
}

}  // namespace

void make_disk_start(StageContext& context, const fs::path& folder) {
    const DiskLayout layout;
    const fs::path core = folder / "core.img";
    const fs::path efi = folder / "efi";
    const fs::path esp = folder / "esp.img";
    // The drive is the one that the firmware started, the partition that of the layout.
    constexpr const char* prefix = "(,gpt3)/boot/grub";
    make_grub(context, {"i386-pc", "", core, {"biosdisk", "vbe", "ext2", "search_fs_uuid"}, prefix});
    // A signed GRUB has its prefix built in; $cmdpath is "(hd0,gpt2)/EFI/BOOT".
    make_efi_folder(context, efi / "programs");
    put_file(efi / "grub.cfg",
             "regexp --set=1:disk '^\\(([^,)]+)' \"$cmdpath\"\n"
             "set root=$disk,gpt3\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n");
    make_esp(context, {efi / "programs", efi / "grub.cfg", static_cast<int>(layout.esp.size * sector_bytes >> 20)}, esp);
    put_file(folder / "boot.img", make_boot_code(read_file("/usr/lib/grub/i386-pc/boot.img"), layout.bios.start));
    const fs::path start = folder / "start.img";
    put_file(start, "");
    fs::resize_file(start, (layout.root.start - layout.bios.start) * sector_bytes);
    write_at(start, 0, make_boot_core(read_file(core), layout.bios));
    copy_sparse_at(esp, start, (layout.esp.start - layout.bios.start) * sector_bytes);
    for (const fs::path& part : {core, efi, esp}) {
        fs::remove_all(part);
    }
}

void make_disk_kit(StageContext& context, const fs::path& folder) {
    fs::create_directories(folder);
    make_disk_start(context, folder);
    on_host(context, {"zstd", "-q", "-12", "-T1", "--rm", (folder / "start.img").string()});
    put_file(folder / "partitions", make_partition_script(DiskLayout(), ""));
    std::string options;
    for (const std::string& word : ext4_options) {
        options += word + " ";
    }
    put_file(folder / "mke2fs", str(options, "-O ", features, ",quota,project -E quotatype=usrquota:prjquota\n"));
    put_file(folder / "grub.cfg", make_boot_menu(context, boot_places(context.tree, "@UUID@")));
}

void run_raw(StageContext& context) {
    const auto epoch = epoch_of(context);
    const DiskLayout layout = make_disk_layout(context.options.at("disk_size").get<int>());
    const fs::path work = context.out.parent_path() / "disk";
    const fs::path tree = work / "tree";
    for (const char* folder : {"tree", "upper", "work"}) {
        fs::create_directories(work / folder);
    }
    const RootVolume volume{context.out / "disk.raw", layout.root, make_uuid(context.id, "root"),
                            epoch, work / "mke2fs.conf"};
    put_file(volume.config, mke2fs_config);
    put_file(volume.disk, "");
    fs::resize_file(volume.disk, layout.sectors * sector_bytes);
    std::string commands;
    {
        const LayerMount mount({context.tree}, work / "upper", work / "work", tree);
        empty_mount_points(tree);
        add_boot_files(context, tree, volume.uuid);
        context.progress(-1, "filling the file system");
        fill_file_system(context, volume, tree);
        // mke2fs gives the root directory no attributes, and that of an empty upper layer has none.
        commands = str("ea_set / ", label_name, " ", label_of(context.tree), "\n") +
                   clamp_commands(tree, epoch);
    }
    set_times(context, volume, std::move(commands), work / "times");
    add_quotas(context, volume);
    ToolCall table;
    table.argv = {"sfdisk", "--quiet", "--no-tell-kernel", "--wipe", "never", volume.disk.string()};
    table.input = make_partition_script(layout, context.id);
    context.tools.run(table);
    make_disk_start(context, work);
    write_at(volume.disk, 0, read_file(work / "boot.img"));
    copy_sparse_at(work / "start.img", volume.disk, layout.bios.start * sector_bytes);
    fs::remove_all(work);
}

namespace {

// -m 1: what is converted in parallel lands in the order in which it was finished.
void convert(StageContext& context, const fs::path& from, const char* format, const fs::path& to,
             const std::vector<std::string>& options) {
    ToolCall call;
    call.argv = {"qemu-img", "convert", "-p", "-f", "raw", "-O", format};
    call.argv.insert(call.argv.end(), options.begin(), options.end());
    call.argv.insert(call.argv.end(), {from.string(), to.string()});
    call.on_line = [&context](std::string_view line) {
        const auto start = line.find('(');
        double percent = 0;
        if (start != std::string_view::npos) {
            std::from_chars(line.data() + start + 1, line.data() + line.size(), percent);
            context.progress(percent / 100, "converting");
        }
        return start == std::string_view::npos;
    };
    context.tools.run(call);
}

void make_vmdk(StageContext& context, const fs::path& disk, const fs::path& to) {
    convert(context, disk, "vmdk", to,
            {"-m", "1", "-o", "subformat=streamOptimized,adapter_type=lsilogic"});
    const std::string uuid = make_uuid(context.id, "image");
    patch_vmdk(to, uuid);
    put_file(to.parent_path() / "uuid", uuid);  // for the description of a machine
}

void make_qcow2(StageContext& context, const fs::path& disk, const fs::path& to) {
    convert(context, disk, "qcow2", to, {"-c", "-o", "compression_type=zstd"});
}

}  // namespace

void run_qcow2(StageContext& context) {
    make_qcow2(context, context.artifacts.at("raw") / "disk.raw", context.out / "disk.qcow2");
}

void run_vmdk(StageContext& context) {
    make_vmdk(context, context.artifacts.at("raw") / "disk.raw", context.out / "disk.vmdk");
}

void run_vdi(StageContext& context) {
    const fs::path to = context.out / "disk.vdi";
    convert(context, context.artifacts.at("raw") / "disk.raw", "vdi", to, {"-m", "1"});
    patch_vdi(to, make_uuid(context.id, "image"), make_uuid(context.id, "modification"));
}

// The raw disk with Vagrant's well-known public key for the operator, which `vagrant up` replaces.
void run_vagrant_disk(StageContext& context) {
    const auto epoch = epoch_of(context);
    const fs::path work = context.out.parent_path() / "vagrant";
    const DiskLayout layout = make_disk_layout(context.options.at("disk_size").get<int>());
    const RootVolume volume{context.out / "disk.raw", layout.root, "", epoch, work / "mke2fs.conf"};
    copy_sparse(context.artifacts.at("raw") / "disk.raw", volume.disk);
    put_file(volume.config, mke2fs_config);
    put_file(work / "key", vagrant_public_key);
    const std::string file = "/etc/credstore/gearbox.operator_key";
    std::string commands = str("write ", (work / "key").string(), " ", file, "\n");
    commands += str("sif ", file, " mode 0100600\nsif ", file, " uid 0\nsif ", file, " gid 0\n");
    commands += str("ea_set ", file, " ", label_name, " system_u:object_r:etc_t:s0\n");
    for (const char* time : {"atime", "ctime", "mtime"}) {
        commands += str("sif ", file, " ", time, " @", epoch, "\n");
        commands += str("sif /etc/credstore ", time, " @", epoch, "\n");
    }
    put_file(work / "commands", commands);
    run_e2fs(context, volume,
             {"debugfs", "-w", "-f", (work / "commands").string(), volume.device()});
    // debugfs does not count for quotas: they are counted anew.
    run_e2fs(context, volume, {"tune2fs", "-O", "^project,^quota", volume.device()});
    add_quotas(context, volume);
    fs::remove_all(work);
}

void run_vagrant_vmdk(StageContext& context) {
    make_vmdk(context, context.artifacts.at("vagrant-disk") / "disk.raw",
              context.out / "disk.vmdk");
}

void run_vagrant_qcow2(StageContext& context) {
    make_qcow2(context, context.artifacts.at("vagrant-disk") / "disk.raw",
               context.out / "disk.qcow2");
}

}  // namespace gearbox::builder::stages
