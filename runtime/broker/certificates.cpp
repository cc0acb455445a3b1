#include "broker/certificates.h"

#include "base/owned.h"
#include "broker/problems.h"

#include <openssl/err.h>
#include <openssl/pem.h>
#include <openssl/x509.h>

#include <vector>

namespace gearbox {

namespace {

using Bio = Owned<BIO, BIO_free>;
using Certificate = Owned<X509, X509_free>;
using Key = Owned<EVP_PKEY, EVP_PKEY_free>;

constexpr std::size_t longest_pem = 64 * 1024;
constexpr std::size_t longest_chain = 10;

[[noreturn]] void refuse_certificate(const std::string& text) {
    refuse(ErrorKind::invalid, text, exit_code::certificate, "ssl_certificate");
}

[[noreturn]] void refuse_key(const std::string& text) {
    refuse(ErrorKind::invalid, text, exit_code::private_key, "private_key");
}

Bio reader(const std::string& text) {
    return Bio(BIO_new_mem_buf(text.data(), static_cast<int>(text.size())));
}

std::vector<Certificate> parse_chain(const std::string& pem, std::int64_t now) {
    std::vector<Certificate> chain;
    if (pem.size() <= longest_pem) {
        const Bio in = reader(pem);
        while (X509* next = PEM_read_bio_X509(in.get(), nullptr, nullptr, nullptr)) {
            chain.emplace_back(next);
            if (chain.size() > longest_chain) {
                refuse_certificate("The SSL certificate's chain is too long");
            }
        }
        ERR_clear_error();  // the end of the text counts as an error
    }
    if (chain.empty()) {
        refuse_certificate("Invalid SSL certificate: it is no X.509 certificate in PEM format");
    }
    time_t time = now;
    for (const Certificate& certificate : chain) {
        if (X509_cmp_time(X509_get0_notAfter(certificate.get()), &time) < 0) {
            refuse_certificate("Invalid SSL certificate: it has expired");
        }
    }
    return chain;
}

int give_pass_phrase(char* buffer, int size, int, void* text) {
    const auto& phrase = *static_cast<const std::string*>(text);
    const auto length = std::min(phrase.size(), static_cast<std::size_t>(size));
    phrase.copy(buffer, length);
    return static_cast<int>(length);
}

Key parse_key(const std::string& pem, std::string pass_phrase) {
    Key key;
    if (pem.size() <= longest_pem) {
        const Bio in = reader(pem);
        key.reset(PEM_read_bio_PrivateKey(in.get(), nullptr, give_pass_phrase, &pass_phrase));
        ERR_clear_error();
    }
    if (!key) {
        refuse_key("Invalid private key: it is no key in PEM format, or the pass phrase is wrong");
    }
    constexpr int weakest_rsa = 2048;
    const int type = EVP_PKEY_get_base_id(key.get());
    if (type == EVP_PKEY_RSA && EVP_PKEY_get_bits(key.get()) < weakest_rsa) {
        refuse_key("Invalid private key: RSA keys need at least 2048 bits");
    }
    if (type != EVP_PKEY_RSA && type != EVP_PKEY_EC) {
        refuse_key("Invalid private key: it must be an RSA or EC key");
    }
    return key;
}

}  // namespace

std::string make_router_certificate(const std::string& chain_pem, const std::string& key_pem,
                                    const std::string& pass_phrase, std::int64_t now) {
    const std::vector<Certificate> chain = parse_chain(chain_pem, now);
    const Key key = parse_key(key_pem, pass_phrase);
    if (X509_check_private_key(chain.front().get(), key.get()) != 1) {
        ERR_clear_error();
        refuse_key("Invalid private key: it does not belong to the certificate");
    }
    const Bio out(BIO_new(BIO_s_mem()));
    for (const Certificate& certificate : chain) {
        PEM_write_bio_X509(out.get(), certificate.get());
    }
    PEM_write_bio_PrivateKey(out.get(), key.get(), nullptr, nullptr, 0, nullptr, nullptr);
    char* data = nullptr;
    const long length = BIO_get_mem_data(out.get(), &data);
    return {data, static_cast<std::size_t>(length)};
}

}  // namespace gearbox
