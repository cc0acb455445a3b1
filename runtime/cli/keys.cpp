// sshkey add, list, remove.
#include "base/percent.h"
#include "cli/command.h"
#include "cli/trust.h"

#include <memory>

namespace gearbox::cli {

Runner declare_key_add(CLI::App& parser) {
    struct Arguments {
        std::string name;
        std::string file;
    };
    const auto arguments = std::make_shared<Arguments>();
    parser.add_option("NAME", arguments->name, "what to call it")->required();
    parser.add_option("FILE", arguments->file, "the public key, e.g. ~/.ssh/id_ed25519.pub")->required();
    return [arguments](Session& session) {
        const SshPublicKey key = load_public_key(arguments->file);
        const Reply reply = session.broker().post(
            "/user/keys",
            {{"name", arguments->name}, {"type", key.type}, {"content", key.content}});
        if (!session.print_json(reply.data)) {
            session.terminal().line(str("key '", arguments->name, "' added"));
        }
        return 0;
    };
}

Runner declare_key_list(CLI::App&) {
    return [](Session& session) {
        const Json keys = session.broker().get("/user/keys").data;
        if (session.print_json(keys)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& key : keys) {
            const auto content = take<std::string>(key, "content");
            const std::string shown =
                content.size() > 24 ? "…" + content.substr(content.size() - 24) : content;
            rows.push_back({take<std::string>(key, "name"), take<std::string>(key, "type"), shown});
        }
        session.terminal().table({"NAME", "TYPE", "KEY"}, rows);
        return 0;
    };
}

Runner declare_key_show(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name)->required();
    return [name](Session& session) {
        const Json key = session.broker().get("/user/keys/" + percent_encode(*name)).data;
        if (!session.print_json(key)) {
            session.terminal().line(str(take<std::string>(key, "type"), " ",
                                        take<std::string>(key, "content"), " ", *name));
        }
        return 0;
    };
}

Runner declare_key_remove(CLI::App& parser) {
    const auto name = std::make_shared<std::string>();
    parser.add_option("NAME", *name)->required();
    return [name](Session& session) {
        const Reply reply = session.broker().remove("/user/keys/" + percent_encode(*name));
        if (!session.print_json(reply.data)) {
            session.terminal().line(str("key '", *name, "' removed"));
        }
        return 0;
    };
}

}  // namespace gearbox::cli
