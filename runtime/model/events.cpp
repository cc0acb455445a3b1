#include "model/events.h"

#include <algorithm>
#include <iterator>
#include <utility>

namespace gearbox {

namespace {

template <typename Named>
void replace_named(std::vector<Named>& to, std::vector<Named>& more) {
    for (Named& one : more) {
        std::erase_if(to, [&](const Named& other) { return other.name == one.name; });
        to.push_back(std::move(one));
    }
}

}  // namespace

void append(ScriptMessages& to, ScriptMessages more) {
    for (const auto list : {&ScriptMessages::results, &ScriptMessages::messages, &ScriptMessages::errors, &ScriptMessages::debug,
                            &ScriptMessages::attributes}) {
        std::move((more.*list).begin(), (more.*list).end(), std::back_inserter(to.*list));
    }
    replace_named(to.cart_data, more.cart_data);
    replace_named(to.domain_variables, more.domain_variables);
}

}  // namespace gearbox
