#include "support/paths.h"

namespace gearbox::test {

std::string source_path(const std::string& name) {
    return GEARBOX_SOURCE "/" + name;
}
std::string test_data(const std::string& name) {
    return GEARBOX_SOURCE "/tests/data/" + name;
}
std::string built_program(const std::string& name) {
    return GEARBOX_BUILD "/" + name;
}

}  // namespace gearbox::test
