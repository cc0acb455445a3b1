// The key pair by which a gear proves to other machines who it is (cartridge contract, 5.3).
#pragma once
#include <string>

namespace gearbox {

struct SshKeyPair {
    std::string secret;  ///< a file as ssh-keygen(1) writes it, without a passphrase
    std::string shared;  ///< one line
};

/// Ed25519; takes well below a millisecond.
SshKeyPair make_ssh_key(const std::string& comment);

}  // namespace gearbox
