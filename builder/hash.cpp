#include "hash.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/str.h"

#include <openssl/evp.h>

#include <fcntl.h>
#include <unistd.h>
#include <algorithm>
#include <vector>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

void check_openssl(int rc) {
    if (rc != 1) {
        fail(ErrorKind::internal, "computing a SHA-256");
    }
}

}  // namespace

void Sha256::Free::operator()(evp_md_ctx_st* context) const {
    EVP_MD_CTX_free(context);
}

Sha256::Sha256() : context_(EVP_MD_CTX_new()) {
    check_openssl(EVP_DigestInit_ex(context_.get(), EVP_sha256(), nullptr));
}

void Sha256::add(std::string_view data) {
    check_openssl(EVP_DigestUpdate(context_.get(), data.data(), data.size()));
}

std::string Sha256::finish_bytes() {
    unsigned char bytes[EVP_MAX_MD_SIZE];
    unsigned length = 0;
    check_openssl(EVP_DigestFinal_ex(context_.get(), bytes, &length));
    return {reinterpret_cast<const char*>(bytes), length};
}

std::string Sha256::finish() {
    return to_hex(finish_bytes());
}

std::string to_hex(std::string_view bytes) {
    static constexpr char digits[] = "0123456789abcdef";
    std::string hex;
    for (const char c : bytes) {
        const auto byte = static_cast<unsigned char>(c);
        hex += digits[byte >> 4];
        hex += digits[byte & 15];
    }
    return hex;
}

std::string hash_text(std::string_view text) {
    Sha256 hash;
    hash.add(text);
    return hash.finish();
}

std::string hash_file(const fs::path& path) {
    const std::string name = path.string();
    const UniqueFd fd(check(::open(name.c_str(), O_RDONLY | O_CLOEXEC), "opening '", name, "'"));
    Sha256 hash;
    std::vector<char> buffer(1 << 18);
    for (;;) {
        const ssize_t got =
            check(::read(fd.get(), buffer.data(), buffer.size()), "reading '", name, "'");
        if (got == 0) {
            return hash.finish();
        }
        hash.add({buffer.data(), static_cast<std::size_t>(got)});
    }
}

std::string hash_path(const fs::path& path) {
    if (!fs::is_directory(path)) {
        return hash_file(path);
    }
    std::vector<fs::path> entries;
    for (const auto& entry : fs::recursive_directory_iterator(path)) {
        entries.push_back(entry.path());
    }
    std::sort(entries.begin(), entries.end());
    Sha256 hash;
    for (const fs::path& entry : entries) {
        const auto status = fs::symlink_status(entry);
        const bool runs = (status.permissions() & fs::perms::owner_exec) != fs::perms::none;
        std::string content = "folder";
        if (fs::is_symlink(status)) {
            content = "link " + fs::read_symlink(entry).string();
        } else if (!fs::is_directory(status)) {
            content = str(runs ? "program " : "file ", hash_file(entry));
        }
        hash.add(str(entry.lexically_relative(path).string(), '\n', content, '\n'));
    }
    return hash.finish();
}

}  // namespace gearbox::builder
