// SELinux: the state of the system, and labels for new files and programs of the calling thread.
#pragma once
#include <string>

namespace gearbox::sys {

bool is_selinux_enforcing();

/// While it lives, files that this thread creates get the label (setfscreatecon(3)). An empty label
/// does nothing: the policy "none".
class CreateLabel {
public:
    explicit CreateLabel(const std::string& label);
    CreateLabel(const CreateLabel&) = delete;
    CreateLabel& operator=(const CreateLabel&) = delete;
    ~CreateLabel();

private:
    bool active_;
};

/// The label of an open file.
std::string label_of(int fd);

/// The next exec of this thread runs with the label. Writes /proc/thread-self/attr/exec itself:
/// gear-init is linked statically and has no libselinux.
void set_exec_label(const std::string& label);

}  // namespace gearbox::sys
