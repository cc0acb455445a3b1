"""The life of an application of each of our cartridges, those that other scenarios are about (php, mysql) aside: created,
pushed to, restarted, killed, saved, restored into another application, deleted."""

import subprocess
import time

from appliance import CLOUD_DOMAIN, expect, expect_in, expect_true

NODE = r"""
const http = require('http'), net = require('net'), env = process.env;
http.createServer((request, response) => {
  const redis = net.connect(env.OPENSHIFT_REDIS_PORT, env.OPENSHIFT_REDIS_HOST, () =>
    redis.write(`AUTH ${env.OPENSHIFT_REDIS_PASSWORD}\r\nGET note\r\nQUIT\r\n`));
  let text = '';
  redis.on('data', (data) => { text += data; });
  redis.on('error', (error) => response.end(String(error)));
  redis.on('end', () => response.end('node says ' + text));
}).listen(env.OPENSHIFT_NODEJS_PORT, env.OPENSHIFT_NODEJS_IP);
"""
PYTHON = """
import subprocess

def application(environ, start_response):
    note = subprocess.run(["psql", "-XAtc", "SELECT text FROM note"], capture_output=True, text=True)
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [("python says " + note.stdout + note.stderr).encode()]
"""
WORKER = "worker: while :; do echo kept by $DYNO >$OPENSHIFT_DATA_DIR/note; sleep 1; done\n"
PROCFILE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"procfile says " + open(os.environ["OPENSHIFT_DATA_DIR"] + "note", "rb").read())
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
CRON = "#!/bin/bash\ndate >>$OPENSHIFT_REPO_DIR/tick.txt\n"

# cartridges → what is pushed, what a session stores, what the page is then
LIVES = {
    "nodejs": {"cartridges": ["nodejs", "redis"], "files": {"server.js": NODE},
               "store": "redis-cli $REDIS_CLI set note kept-by-redis",
               "page": ("node says", "kept-by-redis")},
    "python": {"cartridges": ["python", "postgresql"], "files": {"wsgi.py": PYTHON},
               "store": "psql -qc \"CREATE TABLE note (text text); INSERT INTO note VALUES ('kept-by-postgresql')\"",
               "page": ("python says", "kept-by-postgresql")},
    "procfile": {"cartridges": ["procfile"], "files": {"Procfile": "web: python3 server.py\n" + WORKER, "server.py": PROCFILE},
                 "store": "for i in $(seq 300); do [ -f $OPENSHIFT_DATA_DIR/note ] && exit; sleep 1; done; exit 1",
                 "page": ("procfile says", "kept by worker.1")},
    "static": {"cartridges": ["static", "cron"],
               "files": {"index.html": "static says kept-by-git\n", ".openshift/cron/minutely/tick": CRON},
               "store": "true", "page": ("static says", "kept-by-git")},
}
state = {}


def in_gear(appliance, app, command, stdin=b""):
    return appliance.machine.ssh(command, user=app["id"], key=appliance.users["olga"].key, timeout=600, stdin=stdin).stdout


def create(appliance, name, cartridges):
    reply = appliance.make_user("olga").api("POST", "/domain/olga/applications",
                                            {"name": name, "cartridges": cartridges}, timeout=1200)
    expect(reply.status, 201, reply.text)
    return reply.json["data"]


def assert_page(appliance, app, parts, patience=0):
    deadline = time.monotonic() + patience
    while True:
        page = appliance.web(app).get("/")
        if (page.status == 200 and all(part in page.text for part in parts)) or time.monotonic() > deadline:
            break
        time.sleep(1)
    expect(page.status, 200, page.text[:2000])
    for part in parts:
        expect_in(part, page.text)


def live(appliance, name):
    life = LIVES[name]
    app = create(appliance, name, life["cartridges"])
    assert_page(appliance, app, ["is running"])
    user = appliance.users["olga"]
    tree = user.clone(app)
    for path, text in life["files"].items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
        (tree / path).chmod(0o755 if text.startswith("#!") else 0o644)
    user.push(tree, "Say something of our own")
    in_gear(appliance, app, life["store"])
    assert_page(appliance, app, life["page"])
    expect(user.api("POST", f"/application/{app['id']}/events", {"event": "restart"}).status, 200)
    assert_page(appliance, app, life["page"])
    uid = appliance.facts_of(app)["uid"]
    killed = appliance.sudo(f"for p in $(pgrep -U {uid}); do read -r name </proc/$p/comm; "
                            "[ $name = gear-init ] || { kill -9 $p; echo $name; }; done 2>/dev/null; true")
    expect_true(killed.strip(), "nothing ran")
    assert_page(appliance, app, life["page"], patience=240)
    state[name] = app


def restore(appliance, name):
    """What was saved of one application, in another with another name."""
    app, life = state[name], LIVES[name]
    saved = in_gear(appliance, app, "snapshot")
    again = create(appliance, f"{name}2", life["cartridges"])
    in_gear(appliance, again, "restore INCLUDE_GIT", saved)
    assert_page(appliance, again, life["page"])
    return again


def delete(appliance, app):
    facts = appliance.facts_of(app)
    expect(appliance.users["olga"].api("DELETE", f"/application/{app['id']}").status, 200)
    uid, id_ = facts["uid"], facts["gear"]
    left = appliance.sudo(f"pgrep -l -U {uid}; ls -d {facts['home']} 2>/dev/null; getent passwd {id_}; "
                          f"ip -o link | grep 'gb{uid}[@:]'; find /sys/fs/cgroup -name '*{id_}*'; "
                          f"find / /var/lib/openshift -xdev -user {uid} -print -quit 2>/dev/null; true")
    expect(left, "", "left over")


def check_static_with_cron(appliance):
    live(appliance, "static")


def check_nodejs_with_redis(appliance):
    live(appliance, "nodejs")


def check_python_with_postgresql(appliance):
    live(appliance, "python")


def check_procfile_with_a_worker(appliance):
    live(appliance, "procfile")


def check_domains_of_databases(appliance):
    for name, program in (("nodejs", "valkey-server"), ("python", "postgres")):
        uid = appliance.facts_of(state[name])["uid"]
        found = {line.split()[0].split(":")[2] for line in appliance.sudo(f"ps -o label=,comm= -U {uid}").splitlines()
                 if line.split()[1] == program}
        expect(found, {"gear_db_t"}, program)


MANIFEST = """Name: echo
Cartridge-Short-Name: ECHO
Version: '1.0'
Cartridge-Version: 0.0.1
Cartridge-Vendor: acme
Categories: [web_framework]
Endpoints: [{Private-IP-Name: IP, Private-Port-Name: PORT, Private-Port: 8080, Mappings: [{Frontend: '', Backend: ''}]}]
"""
CONTROL = """#!/bin/bash
cd "$OPENSHIFT_REPO_DIR"
case $1 in
start) setsid python3 -m http.server --bind "$OPENSHIFT_ECHO_IP" "$OPENSHIFT_ECHO_PORT" </dev/null &>/dev/null & ;;
stop) pkill -f http.server ;;
esac
exit 0
"""


def check_a_cartridge_of_somebody_else_by_its_address(appliance):
    """The archive is served by an application of the appliance itself: there is no network but that."""
    user = appliance.users["olga"]
    tree = user.directory / "static"
    work = user.directory / "cartridge"
    for path, text in {"metadata/manifest.yml": MANIFEST, "bin/control": CONTROL, "template/index.html": "echo says hello\n"}.items():
        (work / "echo-1" / path).parent.mkdir(parents=True, exist_ok=True)
        (work / "echo-1" / path).write_text(text)
    subprocess.run(["tar", "-czf", tree / "echo.tar.gz", "-C", work, "echo-1"], check=True)
    user.push(tree, "Offer a cartridge")
    address = f"http://static-olga.{CLOUD_DOMAIN}/echo.tar.gz"
    expect_in("on offer: acme-echo-1.0", appliance.sudo(f"gearbox admin cartridge import {address}"))
    echo = create(appliance, "echo", ["acme-echo"])
    assert_page(appliance, echo, ["echo says hello"], patience=60)
    expect_in("echo-olga", appliance.sudo("gearbox admin cartridge list"))
    refused = appliance.machine.sudo("gearbox admin cartridge remove acme-echo", check=False)
    expect_in("is used by echo-olga", refused.stderr)
    delete(appliance, echo)
    appliance.sudo("gearbox admin cartridge remove acme-echo")
    expect(appliance.sudo("ls -A /var/lib/gearbox/cartridges"), "")


def check_cron_has_run(appliance):
    deadline = time.monotonic() + 90
    while appliance.web(state["static"]).get("/tick.txt").status != 200:
        expect_true(time.monotonic() < deadline, "the job of every minute has not run")
        time.sleep(2)


def check_restored_into_others_and_deleted(appliance):
    for name in LIVES:
        again = restore(appliance, name)
        delete(appliance, state[name])
        assert_page(appliance, again, LIVES[name]["page"])
        delete(appliance, again)


def check_no_denial_after_the_cartridges(appliance):
    expect(appliance.machine.denials(), [], "denials")
