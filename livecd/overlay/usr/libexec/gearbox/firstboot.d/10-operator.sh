# shellcheck shell=sh
# Sourced by firstboot: the host key and the operator's account of a live machine.

make_host_key() {
    key=/etc/ssh/ssh_host_ed25519_key
    [ -s $key ] || ssh-keygen -q -t ed25519 -N "" -C "" -f $key
}

# A random password for the console and ssh; a key only if the machine was given one as the
# systemd credential gearbox.operator_key (SMBIOS type 11, fw_cfg, /etc/credstore), and only as long as
# the account has none: on a disk, what somebody changed there stays.
make_operator() {
    grep -q '^OPERATOR=' "$runtime/credentials" 2>/dev/null && return
    operator_password=$(random_password)
    echo "gearbox:$operator_password" | chpasswd --crypt-method SHA512
    credential OPERATOR gearbox
    credential OPERATOR_PASSWORD "$operator_password"
    [ -d /home/gearbox ] || install -d -m 0750 -o gearbox -g gearbox /home/gearbox
    given=${CREDENTIALS_DIRECTORY:-/nonexistent}/gearbox.operator_key
    if [ -s "$given" ] && [ ! -e /home/gearbox/.ssh/authorized_keys ]; then
        install -d -m 0700 -o gearbox -g gearbox /home/gearbox/.ssh
        install -m 0600 -o gearbox -g gearbox "$given" /home/gearbox/.ssh/authorized_keys
    fi
}

make_host_key
make_operator
