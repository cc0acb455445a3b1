// The tree as a stack of overlay layers: each stage that changes the tree writes only its own
// layer, so that keeping and restoring a stage's result costs nothing.
#pragma once
#include <filesystem>
#include <vector>

namespace gearbox::builder {

/// Our own mount namespace: mounts end with us, however we end, and nobody else sees them. In a user namespace unless we are
/// root: then device files, foreign owners and labels cannot be made. Of a process with one thread.
void enter_private_mounts();

/// A mounted stack. Its point is made with it, and removed with it.
class LayerMount {
public:
    /// lowers: bottom first. With upper (and work, an empty folder beside it) changes go there;
    /// without, the mount is read-only.
    LayerMount(const std::vector<std::filesystem::path>& lowers, const std::filesystem::path& upper,
               const std::filesystem::path& work, const std::filesystem::path& point);
    LayerMount(const LayerMount&) = delete;
    LayerMount& operator=(const LayerMount&) = delete;
    ~LayerMount();

private:
    std::filesystem::path point_;
};

}  // namespace gearbox::builder
