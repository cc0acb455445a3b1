"""Two users' applications side by side: how they are locked in, and what a deletion leaves."""

import json
import re

from appliance import expect, expect_in, expect_not_in, expect_true

state = {}


def gears(appliance):
    return [(app, appliance.facts_of(app)) for app in state["apps"]]


def pair_of(uid):
    """The contract's uid-th pair of 1024 categories."""
    first, rest = 0, uid - 1
    while rest >= 1023 - first:
        rest -= 1023 - first
        first += 1
    return f"s0:c{first},c{first + 1 + rest}"


def check_two_applications_of_two_users(appliance):
    state["apps"] = []
    for login in ("carol", "dave"):
        user = appliance.make_user(login)
        reply = user.api("POST", f"/domain/{login}/applications", {"name": "site", "cartridges": ["php"]})
        expect(reply.status, 201, reply.text)
        state["apps"].append(reply.json["data"])
        tree = user.clone(state["apps"][-1])
        (tree / "who.php").write_text(f"<?php echo '{login}', ' ', posix_getuid();\n")
        user.push(tree, "Say who")
    for app, login in zip(state["apps"], ("carol", "dave")):
        expect_in(login, appliance.web(app).get("/who.php").text)


def check_processes_carry_the_gears_label(appliance):
    for app, facts in gears(appliance):
        lines = appliance.sudo(f"ps -o label=,pid=,comm= -U {facts['uid']}").splitlines()
        expect_true(len(lines) >= 2, lines)
        level = pair_of(facts["uid"])
        for line in lines:
            domain = {"gear-init": "gear_init_t"}.get(line.split()[2], "gear_t")
            expect(line.split()[0], f"system_u:system_r:{domain}:{level}", line)


def check_files_carry_the_gears_label(appliance):
    for app, facts in gears(appliance):
        level = pair_of(facts["uid"])
        wrong = [line for line in appliance.sudo(f"find {facts['home']} -printf '%Z %P\\n'").splitlines()
                 if line.split(" ")[0] != f"system_u:object_r:{type_of(line.split(' ', 1)[1])}:{level}"]
        expect(wrong, [], "files with another label")


def type_of(path):
    """What the type of a file is, by its place in the home."""
    places = (("git", "gear_repository_t"), ("app-root/logs", "gear_log_t"), ("php/logs", "gear_log_t"),
              ("php/bin", "gear_cartridge_t"), ("php/metadata", "gear_cartridge_t"), ("php/hooks", "gear_cartridge_t"))
    return next((name for place, name in places if path == place or path.startswith(place + "/")), "gear_file_t")


def check_pid_one_is_gear_init_without_privileges(appliance):
    for app, facts in gears(appliance):
        found = appliance.sudo(
            f"for p in $(pgrep -U {facts['uid']}); do grep -qE '^NSpid:.*[[:space:]]1$' /proc/$p/status && "
            "{ cat /proc/$p/comm /proc/$p/status; }; done; true")
        expect_true(found.startswith("gear-init"), found[:200])
        for line in ("CapEff:\t0000000000000000", "CapBnd:\t0000000000000000", "NoNewPrivs:\t1", "Seccomp:\t2"):
            expect_in(line, found)


def check_core_dumps_stay_in_the_gear(appliance):
    expect_not_in("|", appliance.sudo("cat /proc/sys/kernel/core_pattern"))
    for app, facts in gears(appliance):
        key = appliance.users[app["domain_id"]].key
        crash = "cd $OPENSHIFT_DATA_DIR; { sh -c 'kill -SEGV $$'; } 2>/dev/null; ls | grep -c ^core; rm -f core*"
        for command, dumps in ((crash, "0"), ("ulimit -c unlimited; " + crash, "1")):
            done = appliance.machine.ssh(command, user=app["id"], key=key)
            expect(done.stdout.strip(), dumps, command)


def check_cgroup_has_its_limits(appliance):
    for app, facts in gears(appliance):
        base = appliance.sudo(f"find /sys/fs/cgroup -type d -name 'gear-{facts['gear']}'").strip()
        expect_true(base, "no cgroup of the gear")
        expect(appliance.sudo(f"cd {base} && cat memory.high memory.swap.max").split(), ["max", "0"])
        expect(appliance.sudo(f"ls {base} | grep -c '^io.weight' || true").strip(), "0", "files in RAM, by a loop device")
        values = appliance.sudo(f"cd {base} && cat memory.max pids.max cpu.max cgroup.procs").splitlines()
        expect(values[0], str(512 * 1024 * 1024))
        expect(values[1], "250")
        expect(values[2], "200000 100000")
        pids = set(appliance.sudo(f"pgrep -U {facts['uid']}").split())
        expect(pids - set(values[3:]), set(), "processes of the gear outside of its cgroup")


def check_what_gears_use_is_told(appliance):
    told = {gear["id"]: gear for gear in json.loads(appliance.sudo("gearbox admin gear list --output json"))}
    for app, facts in gears(appliance):
        use = told[facts["gear"]]
        base = appliance.sudo(f"find /sys/fs/cgroup -type d -name 'gear-{facts['gear']}'").strip()
        running = len(appliance.sudo(f"cat {base}/cgroup.procs").split())
        # Threads count, too.
        expect_true(running <= use["processes"] <= 250, (running, use))
        expect_true(1 << 20 < use["memory_bytes"] < 512 << 20, use)
        burnt = in_gear(appliance, app, "perl -e '1 while (times)[0] < 1'")
        expect(burnt, "")
        after = {gear["id"]: gear for gear in json.loads(appliance.sudo("gearbox admin gear list --output json"))}[facts["gear"]]
        expect_true(after["cpu_us"] >= use["cpu_us"] + 900_000, (use, after))


def check_disk_space_and_files_are_limited(appliance):
    app, facts = gears(appliance)[0]
    expect(appliance.sudo("findmnt -no FSTYPE /var/lib/openshift").strip(), "ext4")
    appliance.sudo("printf '[size.tiny]\ndisk_mb = 64\nfiles = 2000\nmemory_mb = 256\nopen_files = 1234\n"
                   "swap_mb = 32\npids = 200\ncpu_percent = 150\n' >>/etc/gearbox/gearboxd.toml"
                   " && systemctl restart gearboxd && sleep 1")
    appliance.sudo(f"gearbox admin app resize {facts['gear']} tiny")
    full = in_gear(appliance, app, "cd app-root/data; head -c 100M /dev/zero >big; stat -c %s big; rm big; quota")
    expect_in("Disk quota exceeded", full)
    expect_in(" 65536 ", full)
    many = in_gear(appliance, app, "cd app-root/data; mkdir many; for i in {1..2100}; do : >many/$i || break; done 2>&1;"
                                   "ls many | wc -l; rm -r many")
    expect_in("Disk quota exceeded", many)
    base = appliance.sudo(f"find /sys/fs/cgroup -type d -name 'gear-{facts['gear']}'").strip()
    def limits():
        return appliance.sudo(f"cd {base} && cat memory.max memory.swap.max pids.max cpu.max").splitlines()
    expect(limits(), [str(256 << 20), str(32 << 20), "200", "150000 100000"], "at once, on the running gear")
    open_files = appliance.sudo(f"for p in $(pgrep -U {facts['uid']}); do grep '^Max open files' /proc/$p/limits; done")
    expect({tuple(line.split()[3:5]) for line in open_files.splitlines()}, {("1234", "1234")}, "at once, of all processes")
    expect_in("carol", appliance.web(app).get("/who.php").text, "the gears outlived the daemon")
    appliance.sudo(f"gearbox admin app resize {facts['gear']} small")
    expect(limits(), [str(512 << 20), "0", "250", "200000 100000"], "as before")


def check_a_gear_can_be_frozen_and_its_plan_read(appliance):
    app, facts = gears(appliance)[0]
    appliance.sudo("gearbox admin gear freeze site-carol")
    expect_in("frozen", appliance.sudo("gearbox admin gear list"))
    base = appliance.sudo(f"find /sys/fs/cgroup -type d -name 'gear-{facts['gear']}'").strip()
    expect_in("frozen 1", appliance.sudo(f"cat {base}/cgroup.events"))
    appliance.sudo("gearbox admin gear freeze site-carol")
    expect_in("the gear is frozen", in_gear(appliance, app, "echo inside"), "refused, not held up")
    appliance.sudo("gearbox admin gear thaw site-carol")
    expect_in("carol", appliance.web(app).get("/who.php").text)
    user = appliance.users["carol"]
    for event, state_after in (("reload", "started"), ("tidy", "started"), ("stop", "stopped"), ("start", "started")):
        appliance.sudo("gearbox admin gear freeze site-carol")
        expect_in("frozen 1", appliance.sudo(f"cat {base}/cgroup.events"))
        expect(user.api("POST", f"/application/{app['id']}/events", {"event": event}).status, 200, event)
        expect_in("frozen 0", appliance.sudo(f"cat {base}/cgroup.events"), event)
        expect(appliance.sudo(f"cat {facts['home']}/app-root/runtime/.state").strip(), state_after, event)
    expect_in("carol", appliance.web(app).get("/who.php").text)
    expect_in(f"gear_init_t:{pair_of(facts['uid'])}", appliance.sudo("gearbox admin gear plan site-carol"))


def check_what_ends_is_started_again(appliance):
    app, facts = gears(appliance)[0]
    appliance.sudo("sleep 6")  # a look of the daemon, every 5 s: only what has been seen is missed
    appliance.sudo(f"pkill -9 -U {facts['uid']} apache2; sleep 1; ! pgrep -U {facts['uid']} apache2")
    # The server and at least one worker.
    back = appliance.sudo(f"for i in $(seq 90); do [ \"$(pgrep -c -U {facts['uid']} apache2)\" -ge 2 ] && break; sleep 0.5; done; "
                          f"pgrep -c -U {facts['uid']} apache2").strip()
    expect_true(int(back) >= 2, back)
    expect_in("carol", appliance.web(app).get("/who.php").text)
    expect_in("php had ended and was started again", in_gear(appliance, app, "cat app-root/logs/gearbox.log"))


def check_a_gear_that_wants_too_much_memory_is_told_so(appliance):
    app, facts = gears(appliance)[0]
    user = appliance.users["carol"]
    appliance.sudo("sleep 6")  # a look of the daemon: kills before it are not news
    base = appliance.sudo(f"find /sys/fs/cgroup -type d -name 'gear-{facts['gear']}'").strip()
    expect(in_gear(appliance, app, "perl -e '$x = \"x\" x 700_000_000; print 1'"), "")
    expect_not_in("oom_kill 0\n", appliance.sudo(f"cat {base}/memory.events"))
    said = "out of memory: 1 process was killed, all together may use 512 MB"
    appliance.sudo(f"for i in $(seq 60); do grep -q 'out of memory' {facts['home']}/app-root/logs/gearbox.log && break; sleep 0.5; done")
    lines = user.api("GET", f"/application/{app['id']}/logs").json["data"]["lines"]
    expect_in(said, json.dumps(lines), "what gearbox tail shows")
    shown = user.api("GET", f"/application/{app['id']}/gear_groups").json["data"][0]["gears"][0]
    expect_true(shown["oom_kills"] >= 1, f"what 'gearbox app show' tells: {shown}")
    expect_in(f"event='out-of-memory' gear='{facts['gear']}'", appliance.sudo("journalctl -b -u gearboxd -o cat --no-pager"))
    expect_in("carol", appliance.web(app).get("/who.php").text, "the others of the gear live on")


def in_gear(appliance, app, script):
    """Runs a script inside the gear, through ssh as its owner would."""
    user = appliance.users[app["domain_id"]]
    done = user.appliance.machine.ssh(script, user=app["id"], key=user.key, check=False)
    return done.stdout + done.stderr


def check_the_view_from_inside(appliance):
    (app, facts), (other, others) = gears(appliance)
    view = in_gear(appliance, app, "id -u; cat /proc/self/attr/current; echo; ls /proc | grep -c '^[0-9]'; "
                                   "touch /usr/x 2>&1; ls /var/lib/openshift; cat /etc/shadow 2>&1; ls /sys 2>&1 | wc -l; "
                                   "cat /proc/net/dev | tail -n +3 | cut -d: -f1 | tr -d ' ' | sort | tr '\\n' ' '")
    expect_in(f"{facts['uid']}\n", view)
    expect_in(f"gear_session_t:{pair_of(facts['uid'])}", view)
    expect_in("Read-only file system", view)
    expect_in(facts["gear"], view)
    expect_not_in(others["gear"], view)
    expect_in("eth0 lo", view)


def check_the_other_gear_and_the_host_are_out_of_reach(appliance):
    (app, facts), (other, others) = gears(appliance)
    address = appliance.sudo("grep -h 'site-dave.gearbox' /var/lib/gearbox/router/routes.map").split()[1]
    host, port = address.rsplit(":", 1)
    tried = in_gear(appliance, app, f"for t in {host}/{port} 10.0.2.15/22 127.0.0.1/4080 10.0.2.2/80; do "
                                    "timeout 3 bash -c \"</dev/tcp/$t\" 2>/dev/null && echo reached $t; done; echo end")
    expect(tried.strip(), "end")
    expect_in("dave", appliance.web(other).get("/who.php").text)


def check_deletion_leaves_nothing_and_disturbs_nobody(appliance):
    (app, facts), (other, _) = gears(appliance)
    user = appliance.users["carol"]
    expect(user.api("DELETE", f"/application/{app['id']}").status, 200)
    gear, uid = facts["gear"], facts["uid"]
    left = appliance.sudo(
        f"pgrep -l -U {uid}; ls -d {facts['home']} 2>/dev/null; getent passwd {gear} {uid}; getent group {gear}; "
        f"grep {gear} /proc/self/mountinfo; ip -o link | grep 'gb{uid}[@:]'; "
        f"find /sys/fs/cgroup -name '*{gear}*'; grep -r 'site-carol' /var/lib/gearbox/router/; "
        f"ls /var/lib/gearbox/gears 2>/dev/null | grep {gear}; find / /var/lib/openshift -xdev -user {uid} -print -quit 2>/dev/null; true")
    expect(left, "", "left over")
    expect(appliance.web(app).get("/who.php").status, 404)
    expect_in("dave", appliance.web(other).get("/who.php").text)
    expect(user.api("GET", f"/application/{app['id']}").status, 404)


def check_no_denial_after_the_gears(appliance):
    expect(appliance.machine.denials(), [], "denials")
