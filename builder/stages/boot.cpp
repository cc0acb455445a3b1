#include "stages/boot.h"

#include "base/error.h"
#include "base/file.h"

#include <map>
#include <utility>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

void on_host(StageContext& context, std::vector<std::string> argv) {
    ToolCall call;
    call.argv = std::move(argv);
    context.tools.run(call);
}

namespace {

constexpr const char* common_modules[] = {
    "part_msdos", "part_gpt",     "iso9660", "fat",     "normal",   "configfile",
    "search",     "search_label", "linux",   "serial",  "terminal", "echo",
    "test",       "reboot",       "halt",    "minicmd", "smbios",   "all_video"};

constexpr const char* signed_shim = "/usr/lib/shim/shimx64.efi.signed";
// What the firmware looks for, and what shim does. This GRUB is the one of Debian's own media.
constexpr std::pair<const char*, const char*> efi_programs[] = {
    {signed_shim, "BOOTX64.EFI"},
    {"/usr/lib/grub/x86_64-efi-signed/gcdx64.efi.signed", "grubx64.efi"}};

std::string fill_in(std::string text, const std::map<std::string, std::string>& values) {
    for (const auto& [name, value] : values) {
        const std::string mark = "@" + name + "@";
        for (auto at = text.find(mark); at != std::string::npos;
             at = text.find(mark, at + value.size())) {
            text.replace(at, mark.size(), value);
        }
    }
    return text;
}

}  // namespace

void make_grub(StageContext& context, const GrubImage& wanted) {
    std::vector<std::string> argv{"grub-mkimage",
                                  "-d",
                                  "/usr/lib/grub/i386-pc",
                                  "-O",
                                  wanted.format,
                                  "-o",
                                  wanted.image.string(),
                                  "-p",
                                  wanted.prefix};
    if (!wanted.early.empty()) {
        argv.insert(argv.end(), {"-c", wanted.early.string()});
    }
    argv.insert(argv.end(), std::begin(common_modules), std::end(common_modules));
    argv.insert(argv.end(), wanted.modules.begin(), wanted.modules.end());
    on_host(context, std::move(argv));
}

void make_efi_folder(StageContext& context, const fs::path& folder) {
    // Only Debian's own trusts GRUB and kernels that Debian has signed.
    if (read_file(signed_shim).find("Debian Secure Boot CA") == std::string::npos) {
        fail(ErrorKind::invalid, signed_shim, " would not start Debian's GRUB and kernel: it is not Debian's");
    }
    fs::create_directories(folder);
    for (const auto& [from, name] : efi_programs) {
        fs::copy_file(from, folder / name);
        set_time(folder / name, epoch_of(context));
    }
}

void make_esp(StageContext& context, const EfiPartition& wanted, const fs::path& esp) {
    put_file(esp, "");
    fs::resize_file(esp, static_cast<std::uintmax_t>(wanted.mebibytes) << 20);
    on_host(context, {"mkfs.vfat", "-i", "5ED0CAFE", "-n", "ESP", "--invariant", esp.string()});
    on_host(context, {"mmd", "-i", esp.string(), "::EFI", "::EFI/BOOT", "::boot", "::boot/grub"});
    const auto copy = [&](const fs::path& from, const std::string& to) {
        set_time(from, epoch_of(context));
        on_host(context, {"mcopy", "-m", "-i", esp.string(), from.string(), "::" + to});
    };
    for (const auto& [from, name] : efi_programs) {
        copy(wanted.programs / name, str("EFI/BOOT/", name));
    }
    copy(wanted.config, "boot/grub/grub.cfg");
}

std::string make_boot_menu(const StageContext& context, const BootPlaces& places) {
    const Json& options = context.options;
    const auto text = [&options](const char* key) { return options.at(key).get<std::string>(); };
    const std::string menu = read_file(context.sources.at("boot_menu"));
    // The first lines of the template are about the template.
    return fill_in(menu.substr(menu.starts_with("#") ? menu.find('\n') + 1 : 0),
                   {{"SEARCH", places.search},
                    {"KERNEL", places.kernel},
                    {"INITRD", places.initrd},
                    {"ROOT", places.root},
                    {"NAME", text("title")},
                    {"VERSION", text("version")},
                    {"TIMEOUT", std::to_string(options.at("timeout").get<int>())},
                    {"ARGUMENTS", text("arguments")}});
}

std::string make_early_config(const std::string& search) {
    return str("search --no-floppy --set=root ", search,
               "\nset prefix=($root)/boot/grub\nconfigfile $prefix/grub.cfg\n");
}

}  // namespace gearbox::builder::stages
