#include "sys/selinux.h"

#include "base/error.h"

#include <selinux/selinux.h>

namespace gearbox::sys {

bool is_selinux_enforcing() {
    return ::is_selinux_enabled() > 0 && ::security_getenforce() > 0;
}

std::string label_of(int fd) {
    char* text = nullptr;
    check(static_cast<int>(::fgetfilecon(fd, &text)), "reading a label");
    const std::string label = text;
    ::freecon(text);
    return label;
}

bool is_label(const std::string& label) {
    return ::security_check_context(label.c_str()) == 0;
}

bool is_allowed(const std::string& source, const std::string& target, const char* object_class,
                const char* permission) {
    const security_class_t number = ::string_to_security_class(object_class);
    const access_vector_t wanted = number == 0 ? 0 : ::string_to_av_perm(number, permission);
    if (wanted == 0) {
        return false;
    }
    av_decision decision{};
    check(::security_compute_av(source.c_str(), target.c_str(), number, wanted, &decision),
          "asking the SELinux policy about '", source, "'");
    return (decision.allowed & wanted) == wanted;
}

CreateLabel::CreateLabel(const std::string& label) : active_(!label.empty()) {
    if (active_) {
        check(::setfscreatecon(label.c_str()), "labelling new files '", label, "'");
    }
}

CreateLabel::~CreateLabel() {
    if (active_) {
        ::setfscreatecon(nullptr);
    }
}

}  // namespace gearbox::sys
