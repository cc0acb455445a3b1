# shellcheck shell=sh
# Sourced by firstboot: the host key and the operator's account of an image.

make_host_key() {
    key=/etc/ssh/ssh_host_ed25519_key
    [ -s $key ] || ssh-keygen -q -t ed25519 -N "" -C "" -f $key
}

hash_of_operator() { sed -n 's/^gearbox:\([^:]*\):.*/\1/p' /etc/shadow; }

# A random password for the console and ssh, made once: the console shows it at each start. It is kept with the hash that it
# gave, so that one which somebody has set since is neither replaced nor mistaken for it.
make_password() {
    kept=$state/operator-password
    if [ -s "$kept" ]; then
        operator_password=$(sed -n 1p "$kept")
        [ "$(sed -n 2p "$kept")" = "$(hash_of_operator)" ] || operator_password=''
        return
    fi
    operator_password=$(random_password)
    echo "gearbox:$operator_password" | chpasswd --crypt-method SHA512
    printf '%s\n' "$operator_password" "$(hash_of_operator)" >"$kept.new"
    mv "$kept.new" "$kept"
}

# A key only if the machine was given one as the systemd credential gearbox.operator_key (SMBIOS type 11, fw_cfg,
# /etc/credstore), and only as long as the account has none: on a disk, what somebody changed there stays.
make_operator() {
    grep -q '^OPERATOR=' "$runtime/credentials" 2>/dev/null && return
    make_password
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
