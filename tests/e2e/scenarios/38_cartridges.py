"""The life of applications of cartridges without a database, and of one from elsewhere."""

import subprocess

from appliance import CLOUD_DOMAIN, expect, expect_in
from cartridge_life import OWNER, assert_page, create, delete, end, live, restore

# renamed into its place: a page that is read meanwhile shows the whole note
WORKER = "worker: cd $OPENSHIFT_DATA_DIR; while :; do echo kept by $DYNO >new; mv new note; sleep 1; done\n"
PROCFILE = """
import http.server, os
class Handler(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"procfile says " + open(os.environ["OPENSHIFT_DATA_DIR"] + "note", "rb").read())
http.server.HTTPServer((os.environ["HOST"], int(os.environ["PORT"])), Handler).serve_forever()
"""
CRON = "#!/bin/bash\necho for $OPENSHIFT_APP_NAME >>$OPENSHIFT_REPO_DIR/tick.txt\n"

# cartridges → what is pushed, what a session stores, what the page is then
LIVES = {
    "procfile": {"cartridges": ["procfile"], "files": {"Procfile": "web: python3 server.py\n" + WORKER, "server.py": PROCFILE},
                 "store": "for i in $(seq 300); do [ -f $OPENSHIFT_DATA_DIR/note ] && exit; sleep 1; done; exit 1",
                 "page": ("procfile says", "kept by worker.1")},
    "static": {"cartridges": ["static", "cron"],
               "files": {"index.html": "static says kept-by-git\n", ".openshift/cron/minutely/tick": CRON},
               "store": "true", "page": ("static says", "kept-by-git")},
}
state = {}


def check_static_with_cron(appliance):
    state["static"] = live(appliance, "static", LIVES["static"])


def check_procfile_with_a_worker(appliance):
    state["procfile"] = live(appliance, "procfile", LIVES["procfile"])


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
    user = appliance.users[OWNER]
    tree = user.directory / "static"
    work = user.directory / "cartridge"
    for path, text in {"metadata/manifest.yml": MANIFEST, "bin/control": CONTROL, "template/index.html": "echo says hello\n"}.items():
        (work / "echo-1" / path).parent.mkdir(parents=True, exist_ok=True)
        (work / "echo-1" / path).write_text(text)
    subprocess.run(["tar", "-czf", tree / "echo.tar.gz", "-C", work, "echo-1"], check=True)
    user.push(tree, "Offer a cartridge")
    address = f"http://static-{OWNER}.{CLOUD_DOMAIN}/echo.tar.gz"
    expect_in("on offer: acme-echo-1.0", appliance.sudo(f"gearbox admin cartridge import {address}"))
    echo = create(appliance, "echo", ["acme-echo"])
    assert_page(appliance, echo, ["echo says hello"], patience=60)
    expect_in(f"echo-{OWNER}", appliance.sudo("gearbox admin cartridge list"))
    refused = appliance.machine.sudo("gearbox admin cartridge remove acme-echo", check=False)
    expect_in(f"is used by echo-{OWNER}", refused.stderr)
    delete(appliance, echo)
    appliance.sudo("gearbox admin cartridge remove acme-echo")
    expect(appliance.sudo("ls -A /var/lib/gearbox/cartridges"), "")


def assert_cron_runs(appliance, app):
    assert_page(appliance, app, [f"for {app['name']}\n"], patience=90, path="/tick.txt")


def check_restored_into_others_and_deleted(appliance):
    """The minutes in which cron has to run pass meanwhile."""
    static = state["static"]
    restored = restore(appliance, static, LIVES["static"])
    assert_cron_runs(appliance, static)
    delete(appliance, static)
    end(appliance, state["procfile"], LIVES["procfile"])
    assert_cron_runs(appliance, restored)
    assert_page(appliance, restored, LIVES["static"]["page"])
    delete(appliance, restored)


def check_no_denial_after_the_cartridges(appliance):
    expect(appliance.machine.denials(), [], "denials")
