#include "inspect.h"

#include "efi_signature.h"
#include "guest_disk.h"
#include "monitor.h"
#include "root_images.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <algorithm>
#include <cstdlib>
#include <fstream>
#include <map>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

struct KindRow {
    ImageKind kind;
    const char* name;
    const char* qemu;  ///< QEMU's name of the disk's format; "" if it is none
};
constexpr KindRow kinds[] = {{ImageKind::iso, "iso", ""},
                             {ImageKind::raw, "raw", "raw"},
                             {ImageKind::qcow2, "qcow2", "qcow2"},
                             {ImageKind::vmdk, "vmdk", "vmdk"},
                             {ImageKind::vdi, "vdi", "vdi"},
                             {ImageKind::ova, "ova", "vmdk"},
                             {ImageKind::vagrant_virtualbox, "vagrant-virtualbox", "vmdk"},
                             {ImageKind::vagrant_libvirt, "vagrant-libvirt", "qcow2"},
                             {ImageKind::tar, "tar", ""},
                             {ImageKind::oci, "oci", ""}};

const KindRow& row_of(ImageKind kind) {
    return *std::find_if(std::begin(kinds), std::end(kinds),
                         [kind](const KindRow& row) { return row.kind == kind; });
}

// NAME=value or NAME="value" of a file of lines.
std::map<std::string, std::string> variables(const std::string& text) {
    std::map<std::string, std::string> found;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        const auto equals = line.find('=');
        if (line.empty() || line.front() == '#' || equals == std::string::npos) {
            continue;
        }
        std::string value = line.substr(equals + 1);
        if (value.size() >= 2 && value.front() == '"' && value.back() == '"') {
            value = value.substr(1, value.size() - 2);
        }
        found[line.substr(0, equals)] = value;
    }
    return found;
}

std::vector<std::string> split_lines(const std::string& text) {
    std::vector<std::string> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) {
        lines.push_back(line);
    }
    return lines;
}

// Those of our paths that the archive has; that it lacks some is no error.
void unpack_tar(const fs::path& archive, const fs::path& folder) {
    std::vector<std::string> argv{"tar",           "--extract",      "--zstd",
                                  "--file",        archive.string(), "--directory",
                                  folder.string(), "--no-same-owner"};
    for (const std::string& path : inspected_paths()) {
        argv.push_back("./" + path);
    }
    const ToolResult result = run_tool(argv);
    if (!fs::exists(folder / "var/lib/dpkg/status")) {
        fail(ErrorKind::invalid, "'", archive.string(), "' has no system: ", result.err);
    }
}

std::string member_text(const fs::path& archive, const std::string& name) {
    return run_tool_checked({"tar", "--extract", "--to-stdout", "--file", archive.string(), name});
}

std::string digest_path(const Json& descriptor) {
    const auto digest = take<std::string>(descriptor, "digest");
    return "blobs/sha256/" + digest.substr(digest.find(':') + 1);
}

// The image has one layer. Returns its archive.
fs::path read_oci(const fs::path& file, const fs::path& work, const fs::path& folder) {
    const Json index = parse_json(member_text(file, "index.json"));
    const Json manifest = parse_json(member_text(file, digest_path(index.at("manifests").at(0))));
    const std::string blob = digest_path(manifest.at("layers").at(0));
    run_tool_checked(
        {"tar", "--extract", "--file", file.string(), "--directory", work.string(), blob});
    unpack_tar(work / blob, folder);
    return work / blob;
}

std::vector<std::string> describe_medium(const fs::path& iso) {
    const ToolResult told =
        run_tool({"xorriso", "-indev", iso.string(), "-report_el_torito", "plain", "-toc"});
    return split_lines(told.out + told.err);
}

std::vector<std::string> boots_of(const std::vector<std::string>& description) {
    std::vector<std::string> boots;
    for (const std::string& line : description) {
        const bool image = line.starts_with("El Torito boot img");
        if (image && line.find(" BIOS ") != std::string::npos) {
            boots.emplace_back("BIOS");
        }
        if (image && line.find(" UEFI ") != std::string::npos) {
            boots.emplace_back("UEFI");
        }
    }
    return boots;
}

void read_iso(const fs::path& file, const fs::path& work, const fs::path& folder,
              ImageReport& report) {
    const std::vector<std::string> description = describe_medium(file);
    report.boots = boots_of(description);
    for (const std::string& line : description) {
        if (line.starts_with("Volume id    : '") && report.partitions.empty()) {
            const auto name = line.substr(16, line.rfind('\'') - 16);
            report.partitions.push_back({"/", "medium", "iso9660", name, report.bytes});
        }
    }
    const fs::path live = work / "live";
    const fs::path efi = work / "efi";
    run_tool_checked({"xorriso", "-osirrox", "on", "-indev", file.string(), "-extract", "/live",
                      live.string(), "-extract", "/EFI/BOOT", efi.string()});
    // The medium's folders are nobody's to write to.
    fs::permissions(live, fs::perms::owner_all);
    fs::permissions(efi, fs::perms::owner_all);
    fs::rename(live / "vmlinuz", efi / "vmlinuz");
    report.efi_programs = read_efi_programs(efi);
    std::string errors;
    for (const std::string_view name : root_images) {
        const fs::path image = live / str(name, ".squashfs");
        report.partitions.push_back({str("/live/", name, ".squashfs"), std::string(name), "squashfs", "", fs::file_size(image)});
        std::vector<std::string> argv{"unsquashfs", "-quiet", "-no-progress",  "-no-xattrs",
                                      "-force",     "-dest",  folder.string(), image.string()};
        argv.insert(argv.end(), inspected_paths().begin(), inspected_paths().end());
        errors += run_tool(argv).err;
    }
    if (!fs::exists(folder / "var/lib/dpkg/status")) {
        fail(ErrorKind::invalid, "'", file.string(), "' has no system: ", errors);
    }
}

// The disk in an OVA or a box.
fs::path unpack_disk(const fs::path& file, const fs::path& work) {
    for (const std::string& name :
         split_lines(run_tool_checked({"tar", "--list", "--file", file.string()}))) {
        if (name.ends_with(".vmdk") || name == "box.img") {
            run_tool_checked({"tar", "--extract", "--sparse", "--file", file.string(),
                              "--directory", work.string(), name});
            return work / name;
        }
    }
    fail(ErrorKind::invalid, "'", file.string(), "' has no disk");
}

std::string joined(const std::vector<std::string>& texts, const char* otherwise) {
    std::string all;
    for (const std::string& text : texts) {
        all += (all.empty() ? "" : ", ") + text;
    }
    return all.empty() ? otherwise : all;
}

}  // namespace

const char* to_string(ImageKind kind) {
    return row_of(kind).name;
}

ImageKind find_kind(std::string_view start,
                    const std::function<std::vector<std::string>()>& members) {
    const auto at = [start](std::size_t offset, std::string_view magic) {
        return start.size() >= offset && start.substr(offset).starts_with(magic);
    };
    // A medium has the partition tables of a disk, too.
    if (at(32769, "CD001")) {
        return ImageKind::iso;
    }
    if (at(0, "QFI\xfb")) {
        return ImageKind::qcow2;
    }
    if (at(0, "KDMV")) {
        return ImageKind::vmdk;
    }
    if (at(64, "\x7f\x10\xda\xbe")) {
        return ImageKind::vdi;
    }
    if (at(512, "EFI PART")) {
        return ImageKind::raw;
    }
    if (at(0, "\x28\xb5\x2f\xfd")) {
        return ImageKind::tar;
    }
    if (at(257, "ustar")) {
        const auto names = members();
        const auto has = [&names](std::string_view suffix) {
            return std::any_of(names.begin(), names.end(), [suffix](const std::string& name) {
                return name.ends_with(suffix);
            });
        };
        if (has("oci-layout")) {
            return ImageKind::oci;
        }
        if (has("metadata.json") && has("box.img")) {
            return ImageKind::vagrant_libvirt;
        }
        if (has("metadata.json") && has("box.ovf")) {
            return ImageKind::vagrant_virtualbox;
        }
        if (has(".ovf")) {
            return ImageKind::ova;
        }
    }
    fail(ErrorKind::invalid,
         "this is no image that gearbox-build makes (gearbox-build formats lists them)");
}

const std::vector<std::string>& inspected_paths() {
    static const std::vector<std::string> paths{"var/lib/dpkg/status", "usr/lib/os-release",
                                                "etc/selinux/config", "etc/selinux/default/policy",
                                                image_about};
    return paths;
}

std::string read_start(const fs::path& file, std::size_t bytes) {
    std::ifstream in(file, std::ios::binary);
    std::string start(bytes, '\0');
    in.read(start.data(), static_cast<std::streamsize>(bytes));
    if (in.bad() || !fs::is_regular_file(file)) {
        fail(ErrorKind::not_found, "'", file.string(), "' is no file that can be read");
    }
    start.resize(static_cast<std::size_t>(in.gcount()));
    return start;
}

std::vector<EfiProgram> read_efi_programs(const fs::path& folder) {
    std::vector<EfiProgram> programs;
    const bool shim = fs::exists(folder / "grubx64.efi");
    std::vector<fs::path> kernels;
    for (const auto& entry : fs::directory_iterator(folder)) {
        if (entry.path().filename().string().starts_with("vmlinuz")) {
            kernels.push_back(entry.path());
        }
    }
    std::sort(kernels.begin(), kernels.end());
    const auto add = [&programs](const char* role, const fs::path& file) {
        programs.push_back({role, find_signers(find_file(file).value_or(""))});
    };
    add(shim ? "shim" : "GRUB", folder / "BOOTX64.EFI");
    if (shim) {
        add("GRUB", folder / "grubx64.efi");
    }
    for (const fs::path& kernel : kernels) {
        add("kernel", kernel);
    }
    return programs;
}

bool starts_securely(const ImageReport& report) {
    const auto& programs = report.efi_programs;
    return programs.size() > 2 && programs.front().role == "shim" &&
           std::all_of(programs.begin(), programs.end(),
                       [](const EfiProgram& program) { return !program.signers.empty(); });
}

void take_tree(const fs::path& folder, ImageReport& report) {
    // A link of the image would lead to a file of this host.
    const auto text = [&folder](const char* name) {
        return fs::is_symlink(folder / name) ? "" : find_file(folder / name).value_or("");
    };
    report.packages = parse_dpkg_status(text("var/lib/dpkg/status"));
    for (const InstalledPackage& package : report.packages) {
        constexpr std::string_view prefix = "linux-image-";
        // Not the package that only depends on the newest.
        if (package.name.starts_with(prefix) &&
            std::isdigit(static_cast<unsigned char>(package.name[prefix.size()])) != 0) {
            report.kernels.push_back(package.name.substr(prefix.size()));
        }
    }
    report.system = variables(text("usr/lib/os-release"))["PRETTY_NAME"];
    auto selinux = variables(text("etc/selinux/config"));
    report.selinux = selinux["SELINUX"];
    std::error_code none;
    for (const auto& entry : fs::directory_iterator(folder / "etc/selinux/default/policy", none)) {
        report.policy =
            str(selinux["SELINUXTYPE"], ", version ", entry.path().extension().string().substr(1));
    }
    if (const std::string about = text(image_about); !about.empty()) {
        report.about = parse_json(about);
    }
}

std::vector<std::string> medium_boots(const fs::path& iso) { return boots_of(describe_medium(iso)); }

ImageFile open_image_file(const fs::path& file, const fs::path& work) {
    ImageFile image;
    image.kind = find_kind(read_start(file, std::size_t{64} << 10), [&file] {
        return split_lines(run_tool_checked({"tar", "--list", "--file", file.string()}));
    });
    image.format = row_of(image.kind).qemu;
    const bool packed = !image.format.empty() && image.format != to_string(image.kind);
    image.file = packed ? unpack_disk(file, work) : fs::absolute(file);
    return image;
}

OpenedImage open_image(const fs::path& file, const fs::path& work) {
    OpenedImage image;
    const ImageFile opened = open_image_file(file, work);
    ImageReport& report = image.report;
    report.file = file;
    report.kind = opened.kind;
    report.bytes = fs::file_size(file);
    const fs::path tree = work / "inspected";
    fs::create_directory(tree);
    image.format = opened.format;
    if (report.kind == ImageKind::iso) {
        read_iso(file, work, tree, report);
    } else if (report.kind == ImageKind::oci) {
        image.archive = read_oci(file, work, tree);
    } else if (report.kind == ImageKind::tar) {
        image.archive = opened.file;
        unpack_tar(file, tree);
    } else {
        image.disk = opened.file;
        image.guest = open_guest_disk(image.disk, image.format);
        read_guest_disk(*image.guest, tree, report);
    }
    take_tree(tree, report);
    return image;
}

ImageReport inspect_image(const fs::path& file) {
    const TempDir work;
    return open_image(file, work.path()).report;
}

Json to_json(const ImageReport& report, bool with_packages) {
    Json partitions = Json::array();
    for (const ImagePartition& partition : report.partitions) {
        partitions.push_back({{"name", partition.name},
                              {"role", partition.role},
                              {"file_system", partition.file_system},
                              {"label", partition.label},
                              {"bytes", partition.bytes}});
    }
    Json programs = Json::array();
    for (const EfiProgram& program : report.efi_programs) {
        programs.push_back({{"role", program.role}, {"signers", program.signers}});
    }
    Json json{{"file", report.file.string()}, {"kind", to_string(report.kind)},
              {"secure_boot", starts_securely(report)}, {"efi_programs", programs},
              {"bytes", report.bytes},        {"capacity", report.capacity},
              {"partitions", partitions},     {"boots", report.boots},
              {"system", report.system},      {"kernels", report.kernels},
              {"selinux", report.selinux},    {"policy", report.policy},
              {"about", report.about},        {"package_count", report.packages.size()}};
    if (with_packages) {
        json["packages"] = to_json(report.packages);
    }
    return json;
}

std::string to_text(const ImageReport& report, bool with_packages) {
    std::string text;
    const auto line = [&text](std::string name, const std::string& value) {
        name.resize(12, ' ');
        text += name + value + "\n";
    };
    const auto about = [&report](const char* key) {
        return find<std::string>(report.about, key).value_or("unknown");
    };
    line("file", report.file.string());
    line("kind", to_string(report.kind));
    line("size", format_bytes(report.bytes) +
                     (report.capacity == 0 ? "" : ", a disk of " + format_bytes(report.capacity)));
    line("tree", about("tree"));
    line("recipe", about("recipe"));
    line("version", about("version") + ", built by gearbox-build " + about("builder"));
    for (const ImagePartition& partition : report.partitions) {
        line("partition", str(partition.name, "  ", partition.role, "  ",
                              partition.file_system.empty() ? "-" : partition.file_system,
                              partition.label.empty() ? "" : "  '" + partition.label + "'", "  ",
                              format_bytes(partition.bytes)));
    }
    line("boots", joined(report.boots, "not by itself"));
    if (!report.efi_programs.empty()) {
        std::string signers;
        for (const EfiProgram& program : report.efi_programs) {
            signers += str(signers.empty() ? "" : "; ", program.role, " ",
                           program.signers.empty() ? "by nobody" : "by " + joined(program.signers, ""));
        }
        line("Secure Boot", str(starts_securely(report) ? "yes" : "no", ", signed are: ", signers));
    }
    line("system", report.system);
    line("kernel", joined(report.kernels, "none"));
    line("SELinux", (report.selinux.empty() ? "off" : report.selinux) +
                        (report.policy.empty() ? "" : ", policy " + report.policy));
    line("packages", std::to_string(report.packages.size()));
    if (with_packages) {
        for (const InstalledPackage& package : report.packages) {
            line("", package.name + " " + package.version);
        }
    }
    return text;
}

}  // namespace gearbox::builder
