#include "rest/xml.h"

#include "model/names.h"

#include <pugixml.hpp>

#include <algorithm>
#include <sstream>

namespace gearbox::rest {

namespace {

std::string dashed(std::string name) {
    std::replace(name.begin(), name.end(), '_', '-');
    return name;
}

std::string singular(const std::string& name) {
    if (name.ends_with("ies")) {
        return name.substr(0, name.size() - 3) + "y";
    }
    if (name.ends_with("aliases")) {
        return name.substr(0, name.size() - 2);
    }
    return name.ends_with('s') ? name.substr(0, name.size() - 1) : name + "-entry";
}

// The part of XML's names that our keys need: letters, digits, '-', '_' and '.', a letter first.
bool is_name(const std::string& text) {
    const auto is_letter = [](char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    return !text.empty() && is_letter(text.front()) &&
           std::all_of(text.begin(), text.end(), [&](char c) {
               return is_letter(c) || (c >= '0' && c <= '9') || c == '-' || c == '_' || c == '.';
           });
}

std::string printable(std::string text) {
    std::replace_if(text.begin(), text.end(),
                    [](char c) {
                        const auto byte = static_cast<unsigned char>(c);
                        return byte < 0x20 && c != '\t' && c != '\n' && c != '\r';
                    },
                    '?');
    return text;
}

void fill(pugi::xml_node node, const std::string& name, const Json& value);

void add(pugi::xml_node parent, const std::string& name, const Json& value) {
    if (is_name(name)) {
        fill(parent.append_child(name.c_str()), name, value);
        return;
    }
    pugi::xml_node entry = parent.append_child("entry");
    entry.append_attribute("key") = printable(name).c_str();
    fill(entry, "entry", value);
}

void fill(pugi::xml_node node, const std::string& name, const Json& value) {
    if (value.is_null()) {
        node.append_attribute("nil") = "true";
    } else if (value.is_object()) {
        for (const auto& [key, member] : value.items()) {
            add(node, dashed(key), member);
        }
    } else if (value.is_array()) {
        for (const Json& entry : value) {
            add(node, singular(name), entry);
        }
    } else {
        const std::string text = value.is_string() ? value.get<std::string>() : to_text(value);
        node.text().set(printable(text).c_str());
    }
}

// An object is wrapped, too: <data><domain>…</domain></data>.
void fill_data(pugi::xml_node node, const Json& envelope) {
    const Json& data = envelope.at("data");
    const std::string type =
        envelope.at("type").is_string() ? dashed(envelope.at("type").get<std::string>()) : "datum";
    if (data.is_array()) {
        for (const Json& entry : data) {
            add(node, singular(type), entry);
        }
    } else if (!data.is_null()) {
        add(node, type, data);
    }
}

// The quality that an Accept header gives the first of the media types that it names; 0 if none.
double quality_of(const std::string& accept, std::initializer_list<std::string_view> types) {
    double best = 0;
    std::istringstream ranges(to_lower(accept));
    for (std::string range; std::getline(ranges, range, ',');) {
        const auto semicolon = range.find(';');
        std::string type = range.substr(0, semicolon);
        std::erase(type, ' ');
        if (std::find(types.begin(), types.end(), type) == types.end()) {
            continue;
        }
        const auto q = range.find("q=", std::min(semicolon, range.size()));
        const double quality = q == std::string::npos ? 1 : std::strtod(range.c_str() + q + 2, nullptr);
        best = std::max(best, quality);
    }
    return best;
}

}  // namespace

std::string to_xml(const Json& envelope) {
    pugi::xml_document document;
    pugi::xml_node declaration = document.append_child(pugi::node_declaration);
    declaration.append_attribute("version") = "1.0";
    declaration.append_attribute("encoding") = "UTF-8";
    pugi::xml_node root = document.append_child("response");
    for (const auto& [name, value] : envelope.items()) {
        const pugi::xml_node node = root.append_child(dashed(name).c_str());
        name == "data" ? fill_data(node, envelope) : fill(node, dashed(name), value);
    }
    std::ostringstream out;
    document.save(out, "  ");
    return out.str();
}

bool prefers_xml(const HttpRequest& request) {
    if (request.path.ends_with(".xml") || request.path.ends_with(".json")) {
        return request.path.ends_with(".xml");
    }
    const std::string accept = request.header("accept");
    const double xml = quality_of(accept, {"application/xml", "text/xml"});
    // A browser names XML among much else: it gets what everybody gets.
    const double json = quality_of(accept, {"application/json", "text/json", "text/html"});
    return xml > json;
}

}  // namespace gearbox::rest
