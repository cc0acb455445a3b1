"""Packages that builds of two tenants fetch through the mirror, from a registry in the appliance itself: there is no network."""

import pathlib
import time

from appliance import expect, expect_in, expect_true

REGISTRY = pathlib.Path(__file__).resolve().parents[2] / "functional/registry.py"
# An address that counts as the internet. The mirror may connect to it, as to all ports in network.host_ports.
PREPARE = """
set -e
ip addr add 203.0.113.9/32 dev lo
mkdir /root/registry
cd /root/registry
cat >registry.py
openssl req -x509 -newkey rsa:2048 -nodes -keyout ca.key -out ca.pem -subj /CN=test -days 2
openssl req -newkey rsa:2048 -nodes -keyout key.pem -out request -subj /CN=test
echo subjectAltName=DNS:pypi.org,DNS:files.pythonhosted.org >names
openssl x509 -req -in request -CA ca.pem -CAkey ca.key -CAcreateserial -days 2 -extfile names -out cert.pem
cat ca.pem >>/etc/ssl/certs/ca-certificates.crt
echo 203.0.113.9 pypi.org files.pythonhosted.org >>/etc/hosts
mkdir www
systemd-run --unit=test-registry python3 -B /root/registry/registry.py /root/registry/www /root/registry/cert.pem /root/registry/key.pem 203.0.113.9 8443
"""
CONFIGURE = r"""
sed -i '/^\[mirror\]$/a pip = "https://pypi.org:8443/simple"\npip_files = "https://files.pythonhosted.org:8443"\ncache_mb = 4' /etc/gearbox/gearboxd.toml
printf '\n[network]\nhost_ports = ["8443"]\n' >>/etc/gearbox/gearboxd.toml
systemctl restart gearboxd
"""
APPLICATION = """
import demo
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [demo.text.encode()]
"""
state = {}


def wait_for_the_mirror(appliance):
    """It starts again with the daemon, which other scenarios restart."""
    deadline = time.monotonic() + 120
    while appliance.machine.sudo("systemctl is-active gearbox-mirror gearbox-mirror-clean", check=False).stdout.split() != ["active", "active"]:
        expect_true(time.monotonic() < deadline, "the mirror has not started again")
        time.sleep(1)


def check_the_mirror_has_a_directory_for_it(appliance):
    wait_for_the_mirror(appliance)
    expect(appliance.sudo("stat -c '%U %a %C' /var/lib/openshift/.registries"),
           "gearbox-mirror 700 system_u:object_r:gearbox_mirror_cache_t:s0\n")


def check_a_registry_is_there(appliance):
    appliance.sudo(PREPARE, stdin=REGISTRY.read_text())
    appliance.sudo(CONFIGURE)
    wait_for_the_mirror(appliance)


def check_the_second_tenant_gets_what_the_first_has_fetched(appliance):
    for login in "paula", "peter":
        user = appliance.make_user(login)
        python = next(c["name"] for c in user.api("GET", "/cartridges").json["data"] if c["name"].startswith("python-"))
        reply = user.api("POST", f"/domain/{login}/applications", {"name": "packages", "cartridges": [python]}, timeout=1200)
        expect(reply.status, 201, reply.text)
        app = reply.json["data"]
        tree = user.clone(app)
        (tree / "requirements.txt").write_text("demo\n")
        (tree / "wsgi.py").write_text(APPLICATION)
        expect_in("Successfully installed demo-1.0", user.push(tree, "Use a package").stderr)
        expect(appliance.web(app).get("/").text, "from the registry")
        asked = appliance.sudo("grep -c whl /root/registry/www/log")
        expect(asked.strip(), "1", f"the registry's requests for the file after {login}'s build")
        state[login] = app


def check_no_more_is_kept_than_the_quota_and_the_rest_is_served(appliance):
    app, user = state["paula"], appliance.users["paula"]
    appliance.sudo("cd /root/registry/www/files.pythonhosted.org; for i in 1 2 3 4 5 6 7 8; do head -c 1M /dev/zero >$i-1.0; done")
    sizes = appliance.machine.ssh(
        "for i in 1 2 3 4 5 6 7 8; do curl -sS http://100.127.255.254/pip-files/$i-1.0 | wc -c; done", user=app["id"], key=user.key, timeout=600)
    expect(sizes.stdout.split(), ["1048576"] * 8, sizes.stderr)
    kept = int(appliance.sudo("du -sm /var/lib/openshift/.registries").split()[0])
    expect_true(2 <= kept <= 4, f"{kept} MiB are kept")


def check_what_is_kept_is_the_mirrors(appliance):
    kept = appliance.sudo("find /var/lib/openshift/.registries -name '*.data' -printf '%u %Z\\n' | sort -u")
    expect(kept, "gearbox-mirror system_u:object_r:gearbox_mirror_cache_t:s0\n")


def check_the_applications_can_be_deleted(appliance):
    for login, app in state.items():
        expect(appliance.users[login].api("DELETE", f"/application/{app['id']}").status, 200)


def check_no_denial_after_the_registries(appliance):
    appliance.sudo("systemctl stop test-registry; ip addr del 203.0.113.9/32 dev lo")  # other scenarios look at the machine's addresses
    expect(appliance.machine.denials(), [], "denials")
