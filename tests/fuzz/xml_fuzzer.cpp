// XML replies: whatever JSON a reply holds, the document is whole; whatever Accept says, it is read.
#include "rest/xml.h"

#include <pugixml.hpp>

#include <cstddef>
#include <cstdint>
#include <cstdlib>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    const std::string text(reinterpret_cast<const char*>(data), size);
    gearbox::rest::HttpRequest request;
    request.headers.emplace("accept", text);
    static_cast<void>(gearbox::rest::prefers_xml(request));
    gearbox::Json value;
    try {
        value = gearbox::parse_json(text);
    } catch (const gearbox::Error&) {
        return 0;
    }
    const gearbox::Json envelope = {{"status", "ok"}, {"type", "things"}, {"data", value}, {"messages", {value}}};
    pugi::xml_document document;
    if (!document.load_string(gearbox::rest::to_xml(envelope).c_str())) {
        std::abort();
    }
    return 0;
}
