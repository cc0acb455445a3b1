"""Names of applications by the appliance's own DNS server, its own name by mDNS."""

import socket
import struct
import time

from appliance import expect, expect_in, expect_not_in, expect_true

# Sends one question by UDP (bash's /dev/udp) or TCP and prints the answer in hex. No part of a name may have 10
# characters: that byte would end a line, and bash writes line by line.
ASK = r"""
ask() {
    question=$(printf '%s' "$5" | awk -F. '{ for (i = 1; i <= NF; i++) printf "\\x%02x%s", length($i), $i }')
    exec 3<>"/dev/$1/$2/$3"
    [ "$1" = udp ] || printf "\\x00\\x$(printf '%02x' $((18 + ${#5})))" >&3
    printf "\\x12\\x34\\x01\\x00\\x00\\x01\\x00\\x00\\x00\\x00\\x00\\x00${question}\\x00\\x00\\x$4\\x00\\x01" >&3
    timeout 10 dd bs=512 count=1 <&3 2>/dev/null | od -An -v -tx1 | tr -d ' \n'
}
"""
A, AAAA = "01", "1c"
LOOPBACK, CARD, OTHER = "7f000001", "0a00020f", "0a00024d"  # 127.0.0.1, 10.0.2.15 and 10.0.2.77
# Runs alone: nobody reaches the machine from outside before it has its first address again.
CHANGE = r"""
follows() {
    for try in $(seq 120); do
        grep -q "http://$1/broker" /run/issue.d/gearbox.issue && systemctl -q is-active "gearbox-dns@$1" && return
        sleep .5
    done
}
card=$(ip -oneline -4 address show to 10.0.2.15 | awk '{ print $2 }')
mkdir -p /run/systemd/network
printf '[Match]\nName=%s\n[Network]\nAddress=10.0.2.77/24\n' "$card" >/run/systemd/network/00-changed.network
networkctl reload
follows 10.0.2.77
sleep 1
{
    cat /run/issue.d/gearbox.issue
    echo "name=$(ask udp 10.0.2.77 53 01 blog-ann.gearbox.localhost)"
    echo "machine=$(ask udp 10.0.2.77 5353 01 gearbox.local)"
    echo "broker=$(curl -s -o /dev/null -w '%{http_code}' http://10.0.2.77/broker/rest/api)"
    echo "before=$(systemctl is-active gearbox-dns@10.0.2.15)"
} >/root/changed.new 2>&1
rm /run/systemd/network/00-changed.network
networkctl reload
follows 10.0.2.15
mv /root/changed.new /root/changed
"""


def ask(appliance, address, name, kind=A, protocol="udp", port=53):
    reply = appliance.sudo(f"bash -s {protocol} {address} {port} {kind} {name}", stdin=ASK + 'ask "$@"\n').strip()
    reply = reply[4:] if protocol == "tcp" else reply
    expect(reply[:4], "1234", f"id of the answer for {name} at {address}")
    return {"status": int(reply[7], 16), "answers": int(reply[12:16], 16), "last": reply[-8:]}


def check_a_name_has_the_address_at_which_it_was_asked_for(appliance):
    for name in ("blog-ann.gearbox.localhost", "gearbox.localhost", "no-such.gearbox.localhost"):
        for address, shown in (("127.0.0.1", LOOPBACK), ("10.0.2.15", CARD)):
            expect(ask(appliance, address, name), {"status": 0, "answers": 1, "last": shown}, f"{name} at {address}")
    answer = ask(appliance, "10.0.2.15", "blog-ann.gearbox.localhost", protocol="tcp")
    expect(answer, {"status": 0, "answers": 1, "last": CARD})


def check_loopback_answers_by_tcp_too(appliance):
    answer = ask(appliance, "127.0.0.1", "blog-ann.gearbox.localhost", protocol="tcp")
    expect(answer, {"status": 0, "answers": 1, "last": LOOPBACK})


def check_other_machines_are_answered(appliance):
    name = b"".join(bytes([len(part)]) + part for part in b"blog-ann.gearbox.localhost".split(b".")) + b"\0"
    question = struct.pack("!HHHHHH", 0x1234, 0x0100, 1, 0, 0, 0) + name + struct.pack("!HH", 1, 1)
    with socket.create_connection(("127.0.0.1", appliance.ports[53]), timeout=30) as connection:
        connection.sendall(struct.pack("!H", len(question)) + question)
        reply = b""
        while len(reply) < 2 or len(reply) < 2 + int.from_bytes(reply[:2], "big"):
            got = connection.recv(512)
            expect_true(got, "an answer from outside of the guest")
            reply += got
    expect(reply[2:4].hex(), "1234")
    expect(reply[-4:].hex(), CARD)


def check_there_is_no_address_of_version_6_and_no_error(appliance):
    answer = ask(appliance, "10.0.2.15", "blog-ann.gearbox.localhost", AAAA)
    expect((answer["status"], answer["answers"]), (0, 0))


def check_it_answers_for_nobody_else(appliance):
    refused = 5
    for name in ("example.org", "localhost.example.org", "gearbox.localhost.example.org"):
        expect(ask(appliance, "10.0.2.15", name)["status"], refused, name)


def check_the_appliance_itself_uses_it(appliance):
    expect_in("127.0.0.1", appliance.sudo("getent ahostsv4 some-app.gearbox.localhost"))


def check_the_servers_are_confined(appliance):
    processes = appliance.sudo("ps -eo label,comm")
    expect_in(":dnsmasq_t:", processes)
    expect_in(":avahi_t:", processes)
    for line in processes.splitlines():
        expect_true(not line.endswith("dnsmasq") or ":dnsmasq_t:" in line, line)


def check_the_machine_tells_its_name_by_mdns(appliance):
    answer = ask(appliance, "10.0.2.15", "gearbox.local", port=5353)
    expect(answer, {"status": 0, "answers": 1, "last": CARD})


def check_the_certificate_is_for_that_name_too(appliance):
    shown = appliance.sudo("openssl x509 -noout -ext subjectAltName -in /var/lib/gearbox/tls/router.pem")
    expect_in("DNS:gearbox.local", shown)


def check_the_console_tells_how_to_find_names(appliance):
    console = appliance.machine.console()
    expect_in("DNS at 10.0.2.15, mDNS gearbox.local", console)
    expect_in("10.0.2.15 gearbox.localhost APP-DOMAIN.gearbox.localhost", console)


def check_a_server_follows_its_address(appliance):
    appliance.sudo("ip address add 192.0.2.7/32 dev lo label lo:names scope global"
                   " && systemctl start gearbox-welcome && sleep 3")
    expect(ask(appliance, "192.0.2.7", "x-y.gearbox.localhost")["last"], "c0000207")
    appliance.sudo("ip address del 192.0.2.7/32 dev lo && systemctl start gearbox-welcome && sleep 3")
    state = appliance.sudo("systemctl is-active gearbox-dns@192.0.2.7 || true").strip()
    expect(state, "inactive")


def check_names_welcome_and_router_follow_another_address_of_the_card(appliance):
    appliance.sudo("cat >/root/change.sh; setsid -f bash /root/change.sh </dev/null >/dev/null 2>&1", stdin=ASK + CHANGE)
    time.sleep(5)
    appliance.machine.wait_ssh(180)
    said = appliance.sudo("for try in $(seq 120); do [ -e /root/changed ] && break; sleep .5; done; cat /root/changed; rm /root/change*",
                          timeout=180)
    for part in ("http://10.0.2.77/broker", "DNS at 10.0.2.77", "broker=200", "before=inactive"):
        expect_in(part, said)
    expect_not_in("10.0.2.15", said)
    found = dict(line.split("=", 1) for line in said.splitlines() if line.startswith(("name=", "machine=")))
    expect({name: reply[-8:] for name, reply in found.items()}, {"name": OTHER, "machine": OTHER})
    expect(ask(appliance, "10.0.2.15", "blog-ann.gearbox.localhost")["last"], CARD)
    expect_in("http://10.0.2.15/broker", appliance.sudo("cat /run/issue.d/gearbox.issue"))
    expect(appliance.machine.denials(), [], "denials")
