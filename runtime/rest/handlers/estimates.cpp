// What an application would take, before it is made.
#include "rest/handlers/handlers.h"

#include "model/descriptor.h"
#include "rest/links.h"
#include "rest/payloads.h"
#include "rest/present.h"

namespace gearbox::rest::handlers {

namespace {

// The API's code for every bad estimate.
constexpr int estimate = 130;

// Line ends may come as the two characters \n: the descriptor is a query parameter.
std::string with_line_ends(std::string text) {
    for (auto at = text.find("\\n"); at != std::string::npos; at = text.find("\\n", at)) {
        text.replace(at, 2, "\n");
    }
    return text;
}

Descriptor descriptor_of(const Call& call) {
    Problems problems;
    const auto text = Fields(call.params, problems).text("descriptor", estimate);
    problems.check();
    if (!text) {
        refuse(ErrorKind::invalid, "Application 'descriptor' NOT specified", estimate, "descriptor");
    }
    try {
        return parse_descriptor(with_line_ends(*text));
    } catch (const Error& e) {
        refuse(e.kind(), e.text(), estimate, "descriptor");
    }
}

}  // namespace

Reply list_estimates(const Call& call) {
    Links links(call.view);
    links.add("GET_ESTIMATE", "Get application estimate", "GET", "estimates/application",
              {{"descriptor", "string", "Application requirements: YAML with Name and Requires"}});
    Json out = Json::object();
    links.put_into(out);
    return {200, "estimates", std::move(out), {}, {}};
}

Reply show_estimate(const Call& call) {
    if (call.part("object") != "application") {
        refuse(ErrorKind::invalid,
               "Invalid estimate object. Estimates only valid for objects: 'application'", estimate);
    }
    const Descriptor wanted = descriptor_of(call);
    Problems problems;
    const auto cartridges =
        choose_cartridges(wanted.requires_cartridges, call.broker.catalogue, problems);
    problems.check();
    Json components = Json::array();
    for (const Cartridge& cartridge : cartridges) {
        components.push_back({{"Name", cartridge.full_name()}});
    }
    // All cartridges of an application share its one gear.
    return {200, "application_estimates",
            Json::array({{{"components", std::move(components)}, {"gears", 1}}}), {}, {}};
}

}  // namespace gearbox::rest::handlers
