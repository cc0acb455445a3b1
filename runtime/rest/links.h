// Link objects (broker contract, 7).
#pragma once
#include "base/json.h"
#include "rest/message.h"

#include <initializer_list>
#include <string>

namespace gearbox::rest {

struct Parameter {
    const char* name;
    const char* type;
    const char* description;
    Json valid_options = Json::array();
    Json default_value = nullptr;
};

/// Collects the links of one object; empty and free of cost when the caller wants none.
class Links {
public:
    explicit Links(const View& view) : view_(view) {}

    /// href is below the base: "domain/d1".
    Links& add(const char* name, const char* rel, const char* method, const std::string& href,
               std::initializer_list<Parameter> required = {},
               std::initializer_list<Parameter> optional = {});

    /// Sets object["links"] unless they are not wanted.
    void put_into(Json& object);
    Json take() { return std::move(links_); }

private:
    const View& view_;
    Json links_ = Json::object();
};

}  // namespace gearbox::rest
