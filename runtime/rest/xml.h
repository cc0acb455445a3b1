// Replies as XML, for clients that ask for it (broker contract, 1): the envelope's members as
// elements below <response>, with dashes in the place of underscores.
#pragma once
#include "base/json.h"
#include "rest/message.h"

#include <string>

namespace gearbox::rest {

/// The envelope as an XML document. Lists have one element an entry, called like the list in the
/// singular; data is wrapped in an element called like its type; null is nil="true". Characters that
/// XML cannot have become '?', keys that are no names become <entry key="…">.
std::string to_xml(const Json& envelope);

/// Whether the client would rather have XML: by the path's suffix, else by Accept.
bool prefers_xml(const HttpRequest& request);

}  // namespace gearbox::rest
