#include "base/json.h"

namespace gearbox {

Json parse_json(std::string_view text) {
    static constexpr int max_depth = 64;
    const Json::parser_callback_t bounded = [](int depth, Json::parse_event_t, Json&) {
        if (depth > max_depth) {
            fail(ErrorKind::invalid, "JSON nested deeper than ", max_depth, " levels");
        }
        return true;
    };
    try {
        return Json::parse(text, bounded);
    } catch (const Json::parse_error& error) {
        fail(ErrorKind::invalid, "broken JSON at byte ", error.byte);
    } catch (const Json::out_of_range&) {
        fail(ErrorKind::invalid, "JSON with a number that is out of range");
    }
}

std::string to_text(const Json& value) {
    return value.dump(-1, ' ', false, Json::error_handler_t::replace);
}

}  // namespace gearbox
