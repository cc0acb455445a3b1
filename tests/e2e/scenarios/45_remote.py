"""ssh commands of the platform, in the enforcing image: snapshots, deployments, ports, files."""

import contextlib
import io
import ipaddress
import re
import socket
import subprocess
import tarfile
import time
import urllib.request

from appliance import expect, expect_in, expect_true
from qemu import free_ports

state = {}


def run(user, *words, stdin=b"", program="ssh", port="-p", status=0):
    """A client program of OpenSSH as the user; returns what it wrote as bytes."""
    command = [*program.split(), "-F", "none", "-i", str(user.key), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
               "-o", "StrictHostKeyChecking=accept-new", "-o", "LogLevel=ERROR",
               "-o", f"UserKnownHostsFile={user.directory}/known_hosts", port, str(user.appliance.ports[22]), *words]
    done = subprocess.run(command, input=stdin, capture_output=True, timeout=600)
    expect(done.returncode, status, f"{' '.join(words)}: {done.stderr.decode(errors='replace')}")
    return done


def gear(user, command, **options):
    return run(user, f"{state['app']['id']}@127.0.0.1", command, **options)


def page(appliance):
    return appliance.web(state["app"]).get("/").text


def check_deploy_and_go_back(appliance):
    user = appliance.make_user("ivan")
    made = user.api("POST", "/domain/ivan/applications", {"name": "tool", "cartridges": ["php", "mysql"]})
    expect(made.status, 201, made.text)
    state["app"] = made.json["data"]
    expect(user.api("PUT", f"/application/{state['app']['id']}", {"keep_deployments": 3}).status, 200)
    tree = user.clone(state["app"])
    for text in ("first", "second"):
        (tree / "index.php").write_text(f"<?php echo '{text}';\n")
        user.push(tree, text)
    expect(page(appliance), "second")
    kept = user.api("GET", f"/application/{state['app']['id']}/deployments").json["data"]
    expect(len(kept), 3)
    gear(user, f"gear activate --all {kept[1]['id']}")
    expect(page(appliance), "first")
    expect_in("success", gear(user, "gear deploy master").stdout.decode())
    expect(page(appliance), "second")


def labels(appliance):
    """Path → SELinux label, of all files of the gear."""
    lines = appliance.sudo(f"find {appliance.facts_of(state['app'])['home']} -printf '%P %Z\\n'").splitlines()
    return dict(line.rsplit(" ", 1) for line in lines)


def check_snapshot_and_restore_with_the_database(appliance):
    user = appliance.make_user("ivan")
    sql = ("mariadb --no-defaults -h $OPENSHIFT_MYSQL_DB_HOST -u $OPENSHIFT_MYSQL_DB_USERNAME "
           "-p$OPENSHIFT_MYSQL_DB_PASSWORD -N $OPENSHIFT_APP_NAME -e ")
    gear(user, sql + "'CREATE TABLE t (x INT); INSERT INTO t VALUES (42)'")
    archive = gear(user, "snapshot").stdout
    names = tarfile.open(fileobj=io.BytesIO(archive)).getnames()
    expect_true(f"./{state['app']['id']}/git/tool.git/HEAD" in names, "the repository is in the snapshot")
    gear(user, sql + "'UPDATE t SET x = 7'")
    before = labels(appliance)
    gear(user, "restore INCLUDE_GIT", stdin=archive)
    after = labels(appliance)
    expect({path: label for path, label in after.items() if before.get(path, label) != label}, {}, "other labels")
    expect_true(set(after.values()) <= set(before.values()), "a label that there was not")
    expect(gear(user, sql + "'SELECT x FROM t'").stdout, b"42\n")
    expect(page(appliance), "second")
    expect_in("nothing was changed", gear(user, "restore", stdin=b"junk", status=1).stderr.decode())


def check_files_by_scp_and_sftp(appliance):
    user = appliance.make_user("ivan")
    source, target = user.directory / "up", user.directory / "down"
    source.write_text("content\n")
    for protocol in ("-O", "-s"):
        remote = f"{state['app']['id']}@127.0.0.1:app-root/data/copied"
        run(user, protocol, str(source), remote, program="scp", port="-P")
        run(user, protocol, remote, str(target), program="scp", port="-P")
        expect(target.read_text(), "content\n", protocol)


def check_ports_are_forwarded(appliance):
    user = appliance.make_user("ivan")
    lines = dict(line.split(" -> ") for line in gear(user, "rhc-list-ports").stderr.decode().splitlines())
    expect(sorted(lines), ["mysql", "php"])
    (local,) = free_ports(1)
    command = ["ssh", "-F", "none", "-i", str(user.key), "-o", "BatchMode=yes", "-o", "LogLevel=ERROR",
               "-o", f"UserKnownHostsFile={user.directory}/known_hosts", "-N",
               "-L", f"127.0.0.1:{local}:{lines['php']}", "-p", str(appliance.ports[22]),
               f"{state['app']['id']}@127.0.0.1"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL) as tunnel:
        try:
            deadline = time.monotonic() + 60
            while time.monotonic() < deadline:
                with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", local), 5):
                    break
                time.sleep(0.2)
            with urllib.request.urlopen(f"http://127.0.0.1:{local}/", timeout=60) as reply:
                expect(reply.read(), b"second")
        finally:
            tunnel.terminate()


def check_nothing_else_is_forwarded(appliance):
    user = appliance.make_user("ivan")
    name = f"{state['app']['id']}@127.0.0.1"
    listed = gear(user, "rhc-list-ports").stderr.decode()
    own, port = re.search(r"php -> ([0-9.]+):(\d+)", listed).groups()
    neighbour = ipaddress.ip_address(own) + 2
    # As -L asks for it, at once.
    for target in (f"{neighbour}:{port}", f"{own}:22", "127.0.0.1:22"):
        refused = run(user, "-W", target, name, status=255)
        expect(refused.stdout, b"", target)
        expect_in("stdio forwarding failed", refused.stderr.decode(), target)
    refused = run(user, "-N", "-o", "ExitOnForwardFailure=yes", "-R", "9102:127.0.0.1:22", name, status=255)
    expect_in("remote port forwarding failed for listen port 9102", refused.stderr.decode())
    given = run(user, "-A", "-X", "-o", "SetEnv=LD_PRELOAD=/tmp/x.so", name,
                "echo ${SSH_AUTH_SOCK-none} ${DISPLAY-none} ${LD_PRELOAD-none}",
                program="ssh-agent env DISPLAY=:9 ssh")
    expect(given.stdout, b"none none none\n", "agent, X11, a library for the loader")


def check_a_ref_like_an_option_is_a_name(appliance):
    user = appliance.make_user("ivan")
    tree = user.clone(state["app"])
    user.git("push", "origin", "HEAD:refs/heads/--upload-pack=x", cwd=tree)
    refs = gear(user, "git --git-dir ~/git/tool.git for-each-ref --format='%(refname)' refs/heads").stdout.decode()
    expect(refs.split(), ["refs/heads/--upload-pack=x", "refs/heads/master"])
    expect(page(appliance), "second")
    user.git("push", "origin", ":refs/heads/--upload-pack=x", cwd=tree)


def check_helpers_of_v2(appliance):
    user = appliance.make_user("ivan")
    used = int(gear(user, "echo \"$(quota | awk ' NR == 3 { print $2 * 1024 }')\"").stdout)
    expect_true(used > 1_000_000, f"quota says {used} bytes")
    script = "printf '#!/usr/bin/oo-ruby\\nputs 6 * 7\\n' > /tmp/answer; chmod +x /tmp/answer; oo-exec-ruby /tmp/answer; /tmp/answer"
    expect(gear(user, script).stdout, b"42\n42\n")
    expect(gear(user, "echo '<%= ENV[\"OPENSHIFT_APP_NAME\"] %>' | /usr/bin/oo-erb").stdout.strip(), state["app"]["name"].encode())
    expect(gear(user, "ctl_all stop; cat ~/app-root/runtime/.state").stdout, b"stopped\n")
    expect(appliance.web(state["app"]).get("/").status, 503)
    gear(user, "ctl_all start")
    expect(page(appliance), "second")
    expect(user.api("DELETE", f"/application/{state['app']['id']}").status, 200)


def check_no_denial_after_the_commands(appliance):
    expect(appliance.machine.denials(), [], "denials")
