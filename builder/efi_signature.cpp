#include "efi_signature.h"

#include "little_endian.h"

#include <openssl/pkcs7.h>
#include <openssl/x509.h>

#include <cstdint>
#include <memory>

namespace gearbox::builder {

namespace {

// PE Format, Microsoft: offsets from where the headers begin ("PE\0\0").
constexpr std::size_t at_headers = 0x3c;
constexpr std::size_t at_magic = 24;
constexpr std::size_t at_certificates = at_magic + 112 + 4 * 8;  // of a 64 bit program: the fifth directory
constexpr std::uint64_t pe32_plus = 0x20b;
constexpr std::size_t certificate_header = 8;  // length, revision, type
constexpr std::uint64_t pkcs_signed_data = 2;

void add_signers(std::string_view der, std::vector<std::string>& signers) {
    const auto* data = reinterpret_cast<const unsigned char*>(der.data());
    const std::unique_ptr<PKCS7, decltype(&PKCS7_free)> message(
        d2i_PKCS7(nullptr, &data, static_cast<long>(der.size())), &PKCS7_free);
    if (!message) {
        return;
    }
    STACK_OF(PKCS7_SIGNER_INFO)* list = PKCS7_get_signer_info(message.get());
    for (int i = 0; i < sk_PKCS7_SIGNER_INFO_num(list); ++i) {
        const PKCS7_SIGNER_INFO* signer = sk_PKCS7_SIGNER_INFO_value(list, i);
        char name[256];
        if (X509_NAME_get_text_by_NID(signer->issuer_and_serial->issuer, NID_commonName, name, sizeof name) > 0) {
            signers.emplace_back(name);
        }
    }
}

}  // namespace

std::vector<std::string> find_signers(std::string_view program) {
    std::vector<std::string> signers;
    const std::uint64_t headers = number_at(program, at_headers, 4);
    if (!program.starts_with("MZ") || program.size() < at_headers + 4 || headers > program.size() ||
        !program.substr(headers).starts_with(std::string_view("PE\0\0", 4)) ||
        number_at(program, headers + at_magic, 2) != pe32_plus) {
        return signers;
    }
    std::uint64_t at = number_at(program, headers + at_certificates, 4);  // an offset in the file
    const std::uint64_t end = at + number_at(program, headers + at_certificates + 4, 4);
    while (at < end && end <= program.size()) {
        const std::uint64_t size = number_at(program, at, 4);
        if (size <= certificate_header || size > end - at) {
            break;
        }
        if (number_at(program, at + 6, 2) == pkcs_signed_data) {
            add_signers(program.substr(at + certificate_header, size - certificate_header), signers);
        }
        at += (size + 7) / 8 * 8;
    }
    return signers;
}

}  // namespace gearbox::builder
