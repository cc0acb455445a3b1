// The API's documentation, made from the route table: a page for people, OpenAPI 3 for programs.
#pragma once
#include "base/json.h"

#include <string>

namespace gearbox::rest {

/// An OpenAPI 3.0 document with every route; served at /broker/rest/openapi.json.
Json make_openapi();
/// The same as Markdown: docs/api.md.
std::string api_markdown();

}  // namespace gearbox::rest
