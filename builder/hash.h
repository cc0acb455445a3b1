// SHA-256 of texts, files and folders.
#pragma once
#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

struct evp_md_ctx_st;

namespace gearbox::builder {

class Sha256 {
public:
    Sha256();
    void add(std::string_view data);
    /// The number as hex digits. Nothing can be added afterwards.
    std::string finish();
    /// The same as its 32 bytes.
    std::string finish_bytes();

private:
    struct Free {
        void operator()(evp_md_ctx_st* context) const;
    };
    std::unique_ptr<evp_md_ctx_st, Free> context_;
};

/// Lower-case hex digits.
std::string to_hex(std::string_view bytes);

std::string hash_text(std::string_view text);

/// Throws SysError.
std::string hash_file(const std::filesystem::path& path);

/// Of a file, or of a folder's names, contents, link targets and which files are executable: what
/// git keeps. Not of times, owners and the rest of the modes.
std::string hash_path(const std::filesystem::path& path);

}  // namespace gearbox::builder
