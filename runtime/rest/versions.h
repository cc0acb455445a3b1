// What older versions of the interface show differently (broker contract, 28).
#pragma once
#include "rest/message.h"

#include <string>

namespace gearbox::rest {

/// Turns a reply of the newest version into that of an older one:
///   up to 1.3   a domain that still holds applications is 400
///   up to 1.4   what was deleted is answered with 204 and no body
///   up to 1.5   domains have their name as id, applications their id as uuid; a bad namespace is at
///               fault in the field "id", results carry the field "result"
void translate(Reply& reply, double version, const std::string& method);

}  // namespace gearbox::rest
