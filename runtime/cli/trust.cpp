#include "cli/trust.h"

#include "base/file.h"
#include "base/subprocess.h"
#include "cli/broker_client.h"

#include <openssl/bio.h>
#include <openssl/evp.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <memory>
#include <sstream>

namespace gearbox::cli {

std::string certificate_fingerprint(const std::string& pem) {
    const std::unique_ptr<BIO, decltype(&BIO_free)> bio(
        BIO_new_mem_buf(pem.data(), static_cast<int>(pem.size())), &BIO_free);
    const std::unique_ptr<X509, decltype(&X509_free)> certificate(
        PEM_read_bio_X509(bio.get(), nullptr, nullptr, nullptr), &X509_free);
    unsigned char digest[EVP_MAX_MD_SIZE];
    unsigned size = 0;
    if (!certificate || X509_digest(certificate.get(), EVP_sha256(), digest, &size) != 1) {
        fail(ErrorKind::invalid, "the server's authority is no PEM certificate");
    }
    constexpr char digits[] = "0123456789ABCDEF";
    std::string out;
    for (unsigned i = 0; i < size; ++i) {
        out += i == 0 ? "" : ":";
        out += digits[digest[i] >> 4];
        out += digits[digest[i] & 15];
    }
    return out;
}

SshPublicKey load_public_key(const std::filesystem::path& file) {
    const auto text = find_file(file);
    if (!text) {
        throw ExitError(exit_status::bad_key_file, str("there is no file '", file.native(), "'"));
    }
    if (text->find("PRIVATE KEY") != std::string::npos) {
        throw ExitError(exit_status::bad_key_file,
                        str("'", file.native(), "' is a private key; give the .pub file beside it"));
    }
    std::istringstream in(*text);
    SshPublicKey key;
    in >> key.type >> key.content;
    std::getline(in >> std::ws, key.comment);
    const bool known = key.type.rfind("ssh-", 0) == 0 || key.type.rfind("ecdsa-", 0) == 0 ||
                       key.type.rfind("sk-", 0) == 0;
    if (!known || key.content.empty()) {
        throw ExitError(exit_status::bad_key_file,
                        str("'", file.native(), "' is no ssh public key (TYPE BASE64 COMMENT)"));
    }
    return key;
}

std::optional<std::filesystem::path> find_default_key(const std::filesystem::path& home) {
    for (const char* const name : {"id_ed25519", "id_ecdsa", "id_rsa"}) {
        const auto file = home / ".ssh" / name;
        if (std::filesystem::exists(file) && std::filesystem::exists(file.native() + ".pub")) {
            return file;
        }
    }
    return std::nullopt;
}

void create_key(const std::filesystem::path& private_key, const std::string& comment) {
    run_tool_checked({"ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", comment, "-f",
                      private_key.native()});
}

}  // namespace gearbox::cli
