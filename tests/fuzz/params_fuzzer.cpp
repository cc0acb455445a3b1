// Request parameters: a JSON or form body, and a query string. The first byte chooses.
#include "rest/params.h"

#include <cstddef>
#include <cstdint>

extern "C" int LLVMFuzzerTestOneInput(const std::uint8_t* data, std::size_t size) {
    if (size == 0) {
        return 0;
    }
    const std::string text(reinterpret_cast<const char*>(data) + 1, size - 1);
    gearbox::rest::HttpRequest request;
    request.headers.emplace("content-type", data[0] % 2 == 0 ? "application/json"
                                                             : "application/x-www-form-urlencoded");
    (data[0] % 3 == 0 ? request.query : request.body) = text;
    try {
        // What was taken can be written again.
        static_cast<void>(gearbox::to_text(gearbox::rest::decode_params(request)));
    } catch (const gearbox::Error&) {
        return 0;
    }
    return 0;
}
