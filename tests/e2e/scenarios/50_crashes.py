"""The daemon dies in the middle of create and delete: afterwards the whole application is there, or nothing."""

from appliance import expect, expect_true

# The first, the last, and those with most to undo; tests/functional/daemon_test.cpp takes every step, before and after.
CREATE = ("reserve/after", "create-gear/after", "deploy/before", "complete/before")
DELETE = ("mark/after", "destroy-gear/before", "forget/after")
WAIT = "for i in $(seq 240); do systemctl -q is-active gearboxd && exit 0; sleep 0.5; done; exit 1"


def set_fault(appliance, point):
    """Restarts the daemon with a fault point, or without one."""
    setting = f'\\n[testing]\\ncrash_at = "{point}"\\n' if point else ""
    appliance.sudo("test -f /run/gearboxd.toml.orig || cp /etc/gearbox/gearboxd.toml /run/gearboxd.toml.orig; "
                   "cat /run/gearboxd.toml.orig > /etc/gearbox/gearboxd.toml; "
                   f"printf '{setting}' >> /etc/gearbox/gearboxd.toml; "
                   "systemctl reset-failed gearboxd; systemctl restart gearboxd; " + WAIT, timeout=300)


def clear_fault_without_restart(appliance):
    appliance.sudo("cat /run/gearboxd.toml.orig > /etc/gearbox/gearboxd.toml")


def request(user, method, path, body=None):
    """The reply, or None when the connection broke with the daemon."""
    try:
        return user.api(method, path, body)
    except OSError:
        return None


def traces(appliance):
    """Everything on the system that belongs to some gear."""
    return appliance.sudo(
        "ls /var/lib/openshift; ls /var/lib/gearbox/gears; awk -F: '$3 >= 1000 && $3 < 7000' /etc/passwd; "
        "ip -o link | grep -o 'gb[0-9]*'; find /sys/fs/cgroup -type d -name 'gear-*'; "
        "cat /var/lib/gearbox/router/routes.map; ps -eo label,comm | grep 'system_r:gear_'; true")


def settled(appliance, user):
    """Applications of the user once the daemon is back and recovered."""
    appliance.sudo("systemctl reset-failed gearboxd 2>/dev/null; systemctl start gearboxd; " + WAIT, timeout=300)
    return user.api("GET", "/applications").json["data"]


def crash(appliance, user, point, method, path, body=None):
    set_fault(appliance, point)
    before = appliance.sudo("systemctl show -p NRestarts --value gearboxd").strip()
    clear_fault_without_restart(appliance)
    reply = request(user, method, path, body)
    expect_true(reply is None or reply.status >= 500, f"{point}: the daemon did not die: "
                                                       f"{reply and reply.text[:300]}")
    return before


def check_creation_leaves_all_or_nothing(appliance):
    user = appliance.make_user("grace")
    set_fault(appliance, "")
    empty = traces(appliance)
    wrong = []
    for step in CREATE:
        point = f"create-application/{step}"
        crash(appliance, user, point, "POST", "/domain/grace/applications",
              {"name": "crashy", "cartridges": ["php"]})
        found = settled(appliance, user)
        if found:
            page = appliance.web(found[0]).get("/")
            if page.status != 200:
                wrong.append(f"{point}: the application is there but answers {page.status}")
            expect(user.api("DELETE", f"/application/{found[0]['id']}").status, 200)
        if traces(appliance) != empty:
            wrong.append(f"{point}: left {set(traces(appliance).splitlines()) - set(empty.splitlines())}")
    expect_true(not wrong, "\n".join(wrong))


def check_deletion_is_finished_after_a_crash(appliance):
    user = appliance.make_user("grace")
    set_fault(appliance, "")
    empty = traces(appliance)
    wrong = []
    for step in DELETE:
        point = f"delete-application/{step}"
        made = user.api("POST", "/domain/grace/applications", {"name": "crashy", "cartridges": ["php"]})
        expect(made.status, 201, made.text)
        crash(appliance, user, point, "DELETE", f"/application/{made.json['data']['id']}")
        expect(settled(appliance, user), [], f"{point}: still there")
        if traces(appliance) != empty:
            wrong.append(f"{point}: left {set(traces(appliance).splitlines()) - set(empty.splitlines())}")
    expect_true(not wrong, "\n".join(wrong))


def check_the_daemon_is_well_afterwards(appliance):
    set_fault(appliance, "")
    expect(appliance.sudo("systemctl is-active gearboxd").strip(), "active")
    expect(appliance.machine.denials(), [], "denials")
