// The live root on a medium.
#pragma once
#include <array>
#include <string_view>

namespace gearbox::builder {

/// Its images, each put on the one before it (livecd/initramfs/init): /live/NAME.squashfs. "base" is what no stage after the
/// policy touches, the packages; "upper" the rest.
inline constexpr std::array<std::string_view, 2> root_images{"base", "upper"};

}  // namespace gearbox::builder
