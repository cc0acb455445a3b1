// What an ssh client asks for. A repository that is let through is the gear's own.
#include "base/error.h"
#include "base/base64.h"
#include "node/session_command.h"

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    gearbox::GearSpec spec;
    spec.application_name = *gearbox::ApplicationName::parse("shop");
    const std::string home = "/var/lib/openshift/5f0000000000000000000101";
    try {
        using Kind = gearbox::SessionCommand::Kind;
        const gearbox::SessionCommand command = gearbox::parse_session_command(text, spec, home);
        const bool is_git = command.kind == Kind::receive_pack || command.kind == Kind::upload_pack;
        if (command.argv.empty() || (is_git && command.argv.back() != home + "/git/shop.git")) {
            std::abort();
        }
    } catch (const gearbox::Error&) {
        return 0;
    }
    static_cast<void>(gearbox::decode_base64(text));
    static_cast<void>(gearbox::make_terminal_session({1, 1, text}, spec));
    return 0;
}
