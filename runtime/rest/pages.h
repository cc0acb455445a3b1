// What is there beside the REST interface: the landing page, the client to download, the certificate
// authority, the interface's description.
#pragma once
#include "rest/message.h"

#include <optional>

namespace gearbox::rest {

/// Empty if the request is for no page. Only names listed here are served: no part of the path ever
/// becomes a file name.
std::optional<HttpResponse> find_page(const HttpRequest& request, const Settings& settings);

}  // namespace gearbox::rest
