#include "rest/links.h"

namespace gearbox::rest {

Links& Links::add(const char* name, const char* rel, const char* method, const std::string& href,
                  std::initializer_list<Parameter> required,
                  std::initializer_list<Parameter> optional) {
    if (!view_.links) {
        return *this;
    }
    Json needed = Json::array();
    for (const Parameter& p : required) {
        needed.push_back({{"name", p.name},
                          {"type", p.type},
                          {"description", p.description},
                          {"valid_options", p.valid_options},
                          {"invalid_options", Json::array()}});
    }
    Json possible = Json::array();
    for (const Parameter& p : optional) {
        possible.push_back({{"name", p.name},
                            {"type", p.type},
                            {"description", p.description},
                            {"valid_options", p.valid_options},
                            {"default_value", p.default_value}});
    }
    links_[name] = {{"rel", rel},
                    {"method", method},
                    {"href", view_.base + "/" + href},
                    {"required_params", std::move(needed)},
                    {"optional_params", std::move(possible)}};
    return *this;
}

void Links::put_into(Json& object) {
    if (view_.links) {
        object["links"] = std::move(links_);
    }
}

}  // namespace gearbox::rest
