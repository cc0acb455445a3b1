// SELinux: the state of the system, and labels for new files and programs of the calling thread.
#pragma once
#include <string>

namespace gearbox::sys {

bool is_selinux_enforcing();

/// Whether the loaded policy knows such a label.
bool is_label(const std::string& label);

/// Whether the loaded policy lets a process of the one label do that to an object of the other, its constraints
/// included: "process", "transition". False for classes and permissions that it does not know.
bool is_allowed(const std::string& source, const std::string& target, const char* object_class,
                const char* permission);

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
