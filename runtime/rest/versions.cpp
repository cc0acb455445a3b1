#include "rest/versions.h"

namespace gearbox::rest {

namespace {

template <typename Change>
void for_each_of(Reply& reply, const std::string& type, Change change) {
    if (reply.type == type && reply.data.is_object()) {
        change(reply.data);
    } else if (reply.type == type + "s" && reply.data.is_array()) {
        for (Json& entry : reply.data) {
            change(entry);
        }
    }
}

}  // namespace

void translate(Reply& reply, double version, const std::string& method) {
    if (version >= 1.6) {
        return;
    }
    for_each_of(reply, "domain", [](Json& domain) {
        domain["id"] = domain["name"];
        domain.erase("name");
    });
    for_each_of(reply, "application", [](Json& application) {
        application["uuid"] = application["id"];
    });
    for (Message& message : reply.messages) {
        if (message.severity == "result") {
            message.field = "result";
        } else if (message.exit_code == exit_code::namespace_name && message.field == "name") {
            message.field = "id";
        } else if (message.exit_code == exit_code::domain_not_empty && version <= 1.3) {
            reply.status = 400;
        }
    }
    if (version <= 1.4 && method == "DELETE" && reply.status == 200) {
        reply.status = 204;
    }
}

}  // namespace gearbox::rest
