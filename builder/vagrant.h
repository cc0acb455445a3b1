// What stands in a Vagrant box beside its disk. Pure.
#pragma once
#include <string>

namespace gearbox::builder {

/// The line of authorized_keys for the well-known key that Vagrant logs in with once and then replaces
/// (github.com/hashicorp/vagrant, keys/vagrant.pub).
extern const char* const vagrant_public_key;

/// metadata.json of the provider 'libvirt'. `gibibytes`: of the disk, rounded up.
std::string libvirt_metadata(int gibibytes);
/// metadata.json of the provider 'virtualbox'.
std::string virtualbox_metadata();

/// The Vagrantfile in the box, for both providers: who logs in, what is forwarded.
std::string box_vagrantfile();

/// The network card's address in the OVF of a box, which its Vagrantfile repeats.
inline constexpr const char* vagrant_mac = "0800272BEA12";

}  // namespace gearbox::builder
