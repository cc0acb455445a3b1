#include "broker/gear_sizes.h"

namespace gearbox {

std::string listed(const std::vector<std::string>& words) {
    std::string out;
    for (const std::string& word : words) {
        out += str(out.empty() ? "" : ", ", word);
    }
    return out;
}

void check_sizes(const std::vector<std::string>& sizes, const Settings& settings, const char* field,
                 Problems& problems) {
    for (const std::string& size : sizes) {
        if (!settings.has_size(size)) {
            problems.add(str("The gear size '", shown(size), "' is not valid. Valid sizes: ",
                             listed(settings.size_names())),
                         exit_code::gear_sizes, field);
        }
    }
}

}  // namespace gearbox
