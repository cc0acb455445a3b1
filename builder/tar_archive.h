// A tar archive whose bytes depend on its contents only: what OVA files, Vagrant boxes and OCI
// archives are.
#pragma once
#include <cstdint>
#include <filesystem>
#include <memory>
#include <string>

struct archive;

namespace gearbox::builder {

class TarArchive {
public:
    /// ustar, because VirtualBox refuses pax. `epoch` is the time of every entry. Throws
    /// Error(internal).
    TarArchive(const std::filesystem::path& path, std::int64_t epoch);

    void text(const std::string& name, const std::string& data);
    /// A file of less than 8 GiB. Throws Error(invalid), SysError.
    void file(const std::string& name, const std::filesystem::path& from);
    void close();

private:
    void begin(const std::string& name, std::uint64_t size);
    void add(std::string_view data);

    struct Free {
        void operator()(archive* writer) const;
    };
    std::unique_ptr<archive, Free> writer_;
    std::int64_t epoch_;
};

}  // namespace gearbox::builder
