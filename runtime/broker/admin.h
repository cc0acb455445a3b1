// What an operator may ask over the control socket (uid 0 only; the control server checks).
#pragma once
#include "base/json.h"
#include "broker/broker.h"

#include <string>
#include <vector>

namespace gearbox {

struct AdminVerb {
    const char* name;
    const char* arguments;
    const char* summary;
    Json (*run)(Broker& broker, const Json& args);
};

/// THE list of administrative verbs.
const std::vector<AdminVerb>& admin_verbs();

}  // namespace gearbox
