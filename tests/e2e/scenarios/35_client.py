"""The gearbox command as a person uses it: set up by fingerprint, create, push, look, delete."""

import hashlib
import json
import os
import pathlib
import pty
import subprocess
import threading

from appliance import expect, expect_in, expect_true

CLIENT = pathlib.Path(__file__).resolve().parents[3] / "build/bin/gearbox"
LOGIN = "heidi"
state = {}


def gearbox(appliance, *words, status=0, stdin="", timeout=900):
    command = [str(CLIENT), "--config", str(state["directory"] / "config"), *words]
    done = subprocess.run(command, input=stdin, text=True, errors="replace", capture_output=True, timeout=timeout)
    expect(done.returncode, status, f"status of gearbox {' '.join(words)}: {done.stdout}{done.stderr}")
    return done


def setup(appliance, *more, password, status=0):
    return gearbox(appliance, "setup", "--server", f"gearbox.localhost:{appliance.ports[443]}", "--login", LOGIN,
                   "--password-stdin", "--domain", LOGIN, "--ssh-key", str(state["directory"] / "key"),
                   "--ssh-port", str(appliance.ports[22]), "--http-port", str(appliance.ports[80]), *more,
                   stdin=password + "\n", status=status)


def page(appliance, path="/"):
    return appliance.web({"name": "site", "domain_id": LOGIN}).get(path)


def check_setup_asks_before_it_trusts(appliance):
    state["directory"] = appliance.workdir / "client"
    subprocess.run(["rm", "-rf", str(state["directory"])], check=True)
    state["directory"].mkdir()
    appliance.machine.sudo(f"gearbox admin user create {LOGIN} --password-stdin", stdin="secret of heidi\n")
    asked = setup(appliance, password="secret of heidi", status=1)
    shown = appliance.sudo("openssl x509 -in /var/lib/gearbox/tls/ca.crt -noout -fingerprint -sha256")
    expect_in(shown.strip().split("=")[1], asked.stderr, "the authority's fingerprint")
    expect_in("--trust", asked.stderr)
    expect_in("password is not right", setup(appliance, "--trust", password="wrong", status=1).stderr)
    setup(appliance, "--trust", password="secret of heidi")


def check_setup_is_one_short_conversation(appliance):
    """On a terminal, with nothing given: server, trust, login, password, and the domain is found."""
    config = state["directory"] / "asked"
    command = [str(CLIENT), "--config", str(config), "setup", "--ssh-key", str(state["directory"] / "key"),
               "--ssh-port", str(appliance.ports[22])]
    pid, terminal = pty.fork()
    if pid == 0:
        try:
            os.environ["HOME"] = str(state["directory"])
            os.execv(command[0], command)
        finally:
            os._exit(127)  # it must not go on as a second run of the scenarios
    shown = ""
    for question, answer in (("Server", f"gearbox.localhost:{appliance.ports[443]}"), ("Trust it?", "yes"),
                             ("Login", LOGIN), ("Password", "secret of heidi"), ("Set up for", "")):
        while question not in shown:
            try:
                shown += os.read(terminal, 4096).decode(errors="replace")
            except OSError:
                break
        expect_in(question, shown)
        if answer:
            os.write(terminal, (answer + "\n").encode())
    _, status = os.waitpid(pid, 0)
    expect(os.waitstatus_to_exitcode(status), 0, shown)
    expect_true("secret of heidi" not in shown, "the password is not echoed")
    expect_in(f"domain '{LOGIN}'", shown)


def check_the_client_can_be_downloaded(appliance):
    def fetch(path):
        reply = appliance.http("GET", path, headers={"Host": "gearbox.localhost"})
        expect(reply.status, 200, path)
        return reply.body

    name = "gearbox-linux-amd64.tar.gz"
    bundle = fetch(f"/client/{name}")
    digest = hashlib.sha256(bundle).hexdigest()
    expect(fetch(f"/client/{name}.sha256").decode().split(), [digest, name])
    expect_in(digest, fetch("/client/").decode())
    where = state["directory"] / "downloaded"
    where.mkdir()
    (where / name).write_bytes(bundle)
    subprocess.run(["tar", "xzf", name], cwd=where, check=True)
    done = subprocess.run([str(where / "gearbox/gearbox"), "--config", str(state["directory"] / "config"), "account"],
                          capture_output=True, text=True, timeout=60, env={"PATH": "/usr/bin:/bin"})
    expect_in(LOGIN, done.stdout, done.stderr)


def check_create_shows_progress_and_what_is_next(appliance):
    made = gearbox(appliance, "app", "create", "site", "php")
    expect_in("Create the gear", made.stderr, "steps")
    expect_in(f"http://site-{LOGIN}.gearbox.localhost:{appliance.ports[80]}/", made.stdout)
    expect_in("gearbox git-clone site", made.stdout)
    expect(page(appliance).status, 200)


def check_statuses_are_those_of_rhc(appliance):
    expect_in("did you mean 'php'", gearbox(appliance, "app", "create", "x", "phpp", status=154).stderr)
    gearbox(appliance, "app", "show", "none", status=101)
    gearbox(appliance, "app", "show", "site", "-n", "nowhere", status=127)
    gearbox(appliance, "app", "craete", status=2)


def check_clone_commit_push(appliance):
    tree = state["directory"] / "site"
    gearbox(appliance, "git-clone", "site", str(tree))
    (tree / "index.php").write_text("<?php echo 'pushed by hand';\n")
    git = ["git", "-C", str(tree), "-c", "user.name=Heidi", "-c", "user.email=heidi@example.org"]
    subprocess.run([*git, "commit", "-q", "-a", "-m", "Say so"], check=True)
    pushed = subprocess.run([*git, "push"], capture_output=True, text=True, errors="replace", timeout=600)
    expect(pushed.returncode, 0, pushed.stderr)
    expect_in("remote:", pushed.stderr)
    expect(page(appliance).text, "pushed by hand")


def check_ssh_and_tail(appliance):
    gear = json.loads(gearbox(appliance, "app", "show", "site", "--output", "json").stdout)["id"]
    expect(gearbox(appliance, "ssh", "site", "--", "id", "-un").stdout.strip(), gear)
    gearbox(appliance, "ssh", "site", "--", "exit 7", status=7)
    command = [str(CLIENT), "--config", str(state["directory"] / "config"), "tail", "site"]
    with subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True) as tail:
        watchdog = threading.Timer(120, tail.kill)
        watchdog.start()
        page(appliance, "/seen-in-the-log")
        line = next((line for line in tail.stdout if "/seen-in-the-log" in line), "")
        watchdog.cancel()
        tail.terminate()
    expect_in("/seen-in-the-log", line)


def check_other_host_names(appliance):
    gearbox(appliance, "alias", "add", "site", "www.example.org")
    web = appliance.web({"name": "site", "domain_id": LOGIN})
    web.host = "www.example.org"
    expect(web.get().text, "pushed by hand")
    expect_in("already registered", gearbox(appliance, "alias", "add", "site", "www.example.org", status=1).stderr)
    certificate, key = state["directory"] / "chain.pem", state["directory"] / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes",
                    "-days", "30", "-subj", "/CN=www.example.org", "-keyout", str(key), "-out", str(certificate)],
                   check=True, capture_output=True)
    words = ("alias", "update-cert", "site", "www.example.org", "--certificate", str(certificate),
             "--private-key", str(key))
    expect_in("not authorized", gearbox(appliance, *words, status=1).stderr)
    appliance.sudo(f"gearbox admin user set {LOGIN} --allow-private-certificates")
    gearbox(appliance, *words)
    shown = subprocess.run(["openssl", "s_client", "-connect", f"127.0.0.1:{appliance.ports[443]}", "-servername",
                            "www.example.org"], stdin=subprocess.DEVNULL, capture_output=True, text=True, timeout=60)
    expect_in("CN = www.example.org", shown.stdout)
    gearbox(appliance, "alias", "remove", "site", "www.example.org")
    expect(web.get().status, 404)


def check_variables_members_and_snapshots(appliance):
    gearbox(appliance, "env", "set", "LEVEL=debug", "-a", "site")
    expect_in("LEVEL=debug", gearbox(appliance, "env", "list", "site").stdout)
    appliance.make_user("walter")
    gearbox(appliance, "member", "add", "walter", "-r", "edit")
    walter = appliance.users["walter"]
    expect([d["name"] for d in walter.api("GET", "/domains").json["data"]], ["walter", LOGIN])
    gear = json.loads(gearbox(appliance, "app", "show", "site", "--output", "json").stdout)
    walter.clone({"id": gear["id"], "name": "site"})
    gearbox(appliance, "member", "remove", "walter")
    archive = state["directory"] / "site.tar.gz"
    gearbox(appliance, "snapshot", "save", "site", "-f", str(archive))
    gearbox(appliance, "snapshot", "restore", "site", "-f", str(archive))
    expect(page(appliance).text, "pushed by hand")
    expect_in("activated", gearbox(appliance, "ssh", "site", "--", "gear", "deployments").stdout)
    gearbox(appliance, "app", "tidy", "site")
    expect(page(appliance).text, "pushed by hand")
    expect(gearbox(appliance, "ssh", "site", "--", "find ~/git/*.git/objects -path '*/objects/??/*'").stdout, "", "not packed")


def check_no_attempt_breaks_out_of_the_gear(appliance):
    """The probe's attempts are refused, and SELinux writes down those that it refused: they are not denials to mend."""
    expect(appliance.machine.denials(), [], "denials before")
    done = subprocess.run([str(CLIENT), "--config", str(state["directory"] / "config"), "conformance", "site", "--heavy",
                           "--output", "json"], text=True, capture_output=True, timeout=900)
    result = json.loads(done.stdout)
    wrong = [f"{a['group']}/{a['name']}: {a['verdict']} {a['errno']} {a['detail']}" for a in result["attempts"]
             if a["verdict"] not in ("blocked", "absent")]
    expect(wrong, [], "what the table does not explain")
    expect((result["enforcing"], result["stopped"], done.returncode), (True, True, 0))
    expect_true(result["totals"]["blocked"] >= 250, result["totals"])
    print("     " + ", ".join(f"{layer} {count}" for layer, count in sorted(result["layers"].items())))
    for line in appliance.machine.denials():
        expect_true("scontext=system_u:system_r:gear_session_t:" in line or "callbacks suppressed" in line, line)
    appliance.machine.forget_denials()
    expect(page(appliance).text, "pushed by hand", "the application lives on")


def check_stop_start_delete(appliance):
    gearbox(appliance, "app", "stop", "site")
    expect(json.loads(gearbox(appliance, "app", "show", "site", "--output", "json").stdout)["state"], "stopped")
    expect(page(appliance).status, 503)
    gearbox(appliance, "app", "start", "site")
    expect(page(appliance).text, "pushed by hand")
    admin = lambda *words: appliance.sudo("gearbox admin app " + " ".join(words))  # noqa: E731
    expect_in("site", admin("list"))
    admin("stop", f"site-{LOGIN}")
    expect(page(appliance).status, 503)
    admin("start", f"site-{LOGIN}")
    admin("restart", f"site-{LOGIN}")
    expect(page(appliance).text, "pushed by hand")
    expect_in("there is no application", appliance.sudo("gearbox admin app stop no-such 2>&1 || true"))
    gearbox(appliance, "app", "delete", "site", status=1)
    gearbox(appliance, "app", "delete", "site", "--confirm")
    expect(page(appliance).status, 404)


def check_logout_ends_the_session(appliance):
    token = (state["directory"] / "config/token").read_text().strip()
    gearbox(appliance, "logout")
    reply = appliance.http("GET", "/broker/rest/user", headers={
        "Host": "gearbox.localhost", "Authorization": f"Bearer {token}"})
    expect(reply.status, 401)
    expect_true("GEARBOX_PASSWORD" in gearbox(appliance, "account", status=1).stderr, "what to do instead")
