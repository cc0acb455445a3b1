// alias add, list, remove, update-cert, delete-cert.
#include "base/file.h"
#include "base/percent.h"
#include "cli/target.h"

#include <memory>

namespace gearbox::cli {

namespace {

struct AliasArguments {
    Target target;
    std::string alias;
    std::string certificate;
    std::string key;
    std::string pass_phrase;
};

std::shared_ptr<AliasArguments> add_alias_arguments(CLI::App& parser) {
    const auto arguments = std::make_shared<AliasArguments>();
    add_first_target(parser, arguments->target);
    parser.add_option("ALIAS", arguments->alias, "a host name, e.g. www.example.org")->required();
    return arguments;
}

std::string alias_path(Session& session, const AliasArguments& arguments) {
    return str(path_of(session, arguments.target), "/alias/", percent_encode(arguments.alias));
}

}  // namespace

Runner declare_alias_add(CLI::App& parser) {
    const auto arguments = add_alias_arguments(parser);
    return [arguments](Session& session) {
        const Reply reply = session.broker().post(path_of(session, arguments->target) + "/aliases",
                                                  {{"id", arguments->alias}});
        return finish(session, reply, str("alias '", arguments->alias, "' added"));
    };
}

Runner declare_alias_remove(CLI::App& parser) {
    const auto arguments = add_alias_arguments(parser);
    return [arguments](Session& session) {
        const Reply reply = session.broker().remove(alias_path(session, *arguments));
        return finish(session, reply, str("alias '", arguments->alias, "' removed"));
    };
}

Runner declare_alias_list(CLI::App& parser) {
    const auto target = std::make_shared<Target>();
    add_target(parser, *target);
    return [target](Session& session) {
        const Json aliases = session.broker().get(path_of(session, *target) + "/aliases").data;
        if (session.print_json(aliases)) {
            return 0;
        }
        std::vector<std::vector<std::string>> rows;
        for (const Json& alias : aliases) {
            const bool has = find<bool>(alias, "has_private_ssl_certificate").value_or(false);
            rows.push_back({take<std::string>(alias, "id"), has ? "yes" : "no",
                            find<std::string>(alias, "certificate_added_at").value_or("-")});
        }
        session.terminal().table({"ALIAS", "CERTIFICATE", "ADDED"}, rows);
        return 0;
    };
}

Runner declare_alias_update_cert(CLI::App& parser) {
    const auto arguments = add_alias_arguments(parser);
    parser.add_option("--certificate", arguments->certificate, "file with the chain in PEM")->required();
    parser.add_option("--private-key", arguments->key, "file with its key in PEM")->required();
    parser.add_option("--passphrase", arguments->pass_phrase, "of the key")
        ->envname("GEARBOX_PASSPHRASE");
    return [arguments](Session& session) {
        const Reply reply = session.broker().put(
            alias_path(session, *arguments),
            {{"ssl_certificate", read_file(arguments->certificate)},
             {"private_key", read_file(arguments->key)},
             {"pass_phrase", arguments->pass_phrase}});
        return finish(session, reply, str("certificate of '", arguments->alias, "' set"));
    };
}

Runner declare_alias_delete_cert(CLI::App& parser) {
    const auto arguments = add_alias_arguments(parser);
    return [arguments](Session& session) {
        const Reply reply = session.broker().put(alias_path(session, *arguments), Json::object());
        return finish(session, reply, str("certificate of '", arguments->alias, "' removed"));
    };
}

}  // namespace gearbox::cli
