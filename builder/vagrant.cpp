#include "vagrant.h"

#include "ovf.h"

#include "base/json.h"
#include "base/str.h"

namespace gearbox::builder {

// Every Vagrant has it and takes it away from the machine. The newer ed25519 key is one that Vagrant 2.3 would leave there.
const char* const vagrant_public_key =
    "ssh-rsa "
    "AAAAB3NzaC1yc2EAAAABIwAAAQEA6NF8iallvQVp22WDkTkyrtvp9eWW6A8YVr+kz4TjGYe7gHzIw+niNltG"
    "EFHzD8+v1I2YJ6oXevct1YeS0o9HZyN1Q9qgCgzUFtdOKLv6IedplqoPkcmF0aYet2PkEDo3MlTBckFXPITA"
    "MzF8dJSIFo9D8HfdOV0IAdx4O7PtixWKn5y2hMNG0zQPyUecp4pzC6kivAIhyfHilFR61RGL+GPXQ2MWZWFY"
    "bAGjyiYJnAmCP3NOTd0jMZEnDkbUvxhMmBYSdETk1rRgm+R4LOzFUGaHqHDLKLX+FIPKcF96hrucXzcWyLbI"
    "bEgE98OHlnVYCzRdK8jlqm8tehUc9c9WhQ=="
    " vagrant insecure public key\n";

std::string libvirt_metadata(int gibibytes) {
    return to_text(
               Json{{"provider", "libvirt"}, {"format", "qcow2"}, {"virtual_size", gibibytes}}) +
           "\n";
}

std::string virtualbox_metadata() {
    return to_text(Json{{"provider", "virtualbox"}}) + "\n";
}

std::string box_vagrantfile() {
    std::string forwards;
    for (const PortForward& port : port_forwards()) {
        if (port.guest != 22) {  // Vagrant forwards that by itself
            forwards += str("  config.vm.network \"forwarded_port\", id: \"", port.name,
                            "\", guest: ", port.guest, ", host: ", port.host,
                            ", host_ip: \"127.0.0.1\", auto_correct: true\n");
        }
    }
    return str(
        "# Part of the box; a project's Vagrantfile overrides it.\n"
        "Vagrant.configure(\"2\") do |config|\n"
        "  config.vm.guest = :debian\n"  // Vagrant need not try what it might be: 25 commands
        "  config.ssh.username = \"gearbox\"\n"
        "  config.vm.synced_folder \".\", \"/vagrant\", disabled: true\n",
        forwards,
        "  config.vm.provider :virtualbox do |machine, override|\n"
        "    override.vm.base_mac = \"",
        vagrant_mac,
        "\"\n"
        "    machine.memory = 2048\n"
        "    machine.cpus = 2\n"
        "  end\n"
        "  config.vm.provider :libvirt do |machine|\n"
        "    machine.disk_bus = \"virtio\"\n"
        "    machine.memory = 2048\n"
        "    machine.cpus = 2\n"
        "  end\n"
        "end\n");
}

}  // namespace gearbox::builder
