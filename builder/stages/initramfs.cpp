// The initramfs: busybox, a few programs more, the kernel modules that reach the medium, and livecd/initramfs/init.
// A disk makes the same for kernels that it gets later: livecd/overlay/usr/libexec/gearbox/kernels.
#include "kernel_modules.h"
#include "stages/stages.h"

#include "base/error.h"
#include "base/file.h"

#include <archive.h>
#include <archive_entry.h>

#include <sys/stat.h>
#include <memory>
#include <set>
#include <vector>

namespace gearbox::builder::stages {

namespace fs = std::filesystem;

namespace {

struct FreeReader {
    void operator()(archive* reader) const { archive_read_free(reader); }
};
struct FreeWriter {
    void operator()(archive* writer) const { archive_write_free(writer); }
};
struct FreeEntry {
    void operator()(archive_entry* entry) const { archive_entry_free(entry); }
};

void check_archive(archive* handle, la_ssize_t rc, const char* doing) {
    if (rc < ARCHIVE_WARN) {
        fail(ErrorKind::internal, doing, ": ", archive_error_string(handle));
    }
}

// A module may be compressed as .xz, .zst or .gz; busybox' insmod reads only plain ones.
std::string unpacked(const fs::path& path) {
    const std::unique_ptr<archive, FreeReader> reader(archive_read_new());
    archive_read_support_filter_all(reader.get());
    archive_read_support_format_raw(reader.get());
    archive_entry* entry = nullptr;
    check_archive(reader.get(), archive_read_open_filename(reader.get(), path.c_str(), 1 << 16),
                  "opening a kernel module");
    check_archive(reader.get(), archive_read_next_header(reader.get(), &entry),
                  "reading a kernel module");
    std::string data;
    char buffer[1 << 16];
    for (;;) {
        const la_ssize_t got = archive_read_data(reader.get(), buffer, sizeof buffer);
        check_archive(reader.get(), got, "unpacking a kernel module");
        if (got == 0) {
            return data;
        }
        data.append(buffer, static_cast<std::size_t>(got));
    }
}

/// A compressed cpio archive; the same calls make the same bytes.
class Cpio {
public:
    Cpio(const fs::path& path, int level, std::int64_t epoch)
        : writer_(archive_write_new()), epoch_(epoch) {
        archive* writer = writer_.get();
        check_archive(writer, archive_write_set_format_cpio_newc(writer), "choosing cpio");
        check_archive(writer, archive_write_add_filter_zstd(writer), "choosing zstd");
        check_archive(writer,
                      archive_write_set_filter_option(writer, "zstd", "compression-level",
                                                      std::to_string(level).c_str()),
                      "choosing the level");
        check_archive(writer, archive_write_open_filename(writer, path.c_str()),
                      "creating the initramfs");
    }

    void folder(const std::string& name) { add(name, AE_IFDIR, 0755, ""); }
    void file(const std::string& name, const std::string& data, unsigned mode = 0644) {
        add(name, AE_IFREG, mode, data);
    }
    void close() { check_archive(writer_.get(), archive_write_close(writer_.get()), "finishing"); }

private:
    void add(const std::string& name, unsigned type, unsigned mode, const std::string& data) {
        const std::unique_ptr<archive_entry, FreeEntry> entry(archive_entry_new());
        archive_entry_set_pathname(entry.get(), name.c_str());
        archive_entry_set_filetype(entry.get(), type);
        archive_entry_set_perm(entry.get(), static_cast<mode_t>(mode));
        archive_entry_set_nlink(entry.get(), type == AE_IFDIR ? 2 : 1);
        archive_entry_set_mtime(entry.get(), epoch_, 0);
        archive_entry_set_size(entry.get(), static_cast<la_int64_t>(data.size()));
        check_archive(writer_.get(), archive_write_header(writer_.get(), entry.get()),
                      "writing the initramfs");
        check_archive(writer_.get(), archive_write_data(writer_.get(), data.data(), data.size()),
                      "writing the initramfs");
    }

    std::unique_ptr<archive, FreeWriter> writer_;
    std::int64_t epoch_;
};

// Shared libraries that a program of the tree needs, as paths in the tree.
std::vector<std::string> libraries_of(StageContext& context, const std::string& program) {
    std::vector<std::string> found;
    ToolCall call;
    call.argv = {"ldd", program};
    call.root = context.tree;
    call.on_line = [&found](std::string_view line) {
        const auto start = line.find('/');
        const auto end = line.find(" (");
        if (start != std::string_view::npos && end != std::string_view::npos) {
            found.emplace_back(line.substr(start, end - start));
        }
        return true;
    };
    context.tools.run(call);
    return found;
}

// With the libraries that they need, each once.
void add_programs(Cpio& cpio, StageContext& context, const std::vector<std::string>& programs) {
    std::set<std::string> made;
    const auto add_folders = [&](const fs::path& folder) {
        std::string name;
        for (const fs::path& part : folder) {
            name += (name.empty() ? "" : "/") + part.string();
            if (made.insert(name).second) {
                cpio.folder(name);
            }
        }
    };
    const auto add = [&](const std::string& path, const std::string& name) {
        if (!made.insert(name).second) {
            return;
        }
        add_folders(fs::path(name).parent_path());
        // The canonical path, so that a link (/lib) does not lead out of the tree.
        const fs::path inside = context.tree / "usr" / fs::path(path).relative_path();
        const fs::path direct = context.tree / fs::path(path).relative_path();
        cpio.file(name, read_file(fs::exists(inside) ? inside : direct), 0755);
    };
    for (const std::string& program : programs) {
        for (const std::string& library : libraries_of(context, program)) {
            add(library, library.substr(1));
        }
        add(program, "bin/" + fs::path(program).filename().string());
    }
}

}  // namespace

void run_initramfs(StageContext& context) {
    const fs::path& source = context.sources.at("initramfs");
    const fs::path modules = only_file(context.tree / "usr/lib/modules", "");
    const auto wanted = parse_name_list(read_file(source / "modules"));
    const ModuleIndex index(read_file(modules / "modules.dep"),
                            read_file(modules / "modules.builtin"));
    Cpio cpio(context.out / "initrd.img", context.options.at("level").get<int>(),
              epoch_of(context));
    for (const char* folder : {"dev", "m", "proc", "root", "run", "sys"}) {
        cpio.folder(folder);
    }
    cpio.file("init", read_file(source / "init"), 0755);
    add_programs(cpio, context, parse_name_list(read_file(source / "programs")));
    std::string order;
    const auto files = index.load_order(wanted);
    double done = 0;
    for (const std::string& file : files) {
        const std::string name = module_name(file) + ".ko";
        context.progress(done++ / static_cast<double>(files.size()), name);
        cpio.file("m/" + name, unpacked(modules / file));
        order += name + "\n";
    }
    cpio.file("m/order", order);
    cpio.close();
}

}  // namespace gearbox::builder::stages
