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
sed -i '/^\[mirror\]$/a pip = "https://pypi.org:8443/simple"\npip_files = "https://files.pythonhosted.org:8443"' /etc/gearbox/gearboxd.toml
printf '\n[network]\nhost_ports = ["8443"]\n' >>/etc/gearbox/gearboxd.toml
systemctl restart gearboxd
"""
APPLICATION = """
import demo
def application(environ, start_response):
    start_response("200 OK", [("Content-Type", "text/plain")])
    return [demo.text.encode()]
"""


def check_the_appliance_has_what_bounds_the_cache(appliance):
    expect(appliance.sudo("systemctl is-active gearbox-mirror gearbox-mirror-clean").split(), ["active", "active"])
    expect_in("CACHE_MB=", appliance.sudo("cat /run/gearbox/mirror.env"))


def check_a_registry_is_there(appliance):
    appliance.sudo(PREPARE, stdin=REGISTRY.read_text())
    appliance.sudo(CONFIGURE)
    deadline = time.monotonic() + 120
    while appliance.machine.sudo("systemctl is-active gearbox-mirror gearbox-mirror-clean", check=False).stdout.split() != ["active", "active"]:
        expect_true(time.monotonic() < deadline, "the mirror has not started again")
        time.sleep(1)


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
        expect(user.api("DELETE", f"/application/{app['id']}").status, 200)


def check_what_is_kept_is_the_mirrors(appliance):
    kept = appliance.sudo("find /var/cache/gearbox-mirror -name '*.data' -printf '%u %Z\\n' | sort -u")
    expect(kept, "gearbox-mirror system_u:object_r:gearbox_mirror_cache_t:s0\n")


def check_no_denial_after_the_registries(appliance):
    expect(appliance.machine.denials(), [], "denials")
