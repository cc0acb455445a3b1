#!/usr/bin/env python3
"""`make demo`: from the source to WordPress answering in a gear of the booted image.

    demo.py            build what changed, boot (or reuse the running machine), deploy, tell
    demo.py --stop     end the machine
"""

import argparse
import contextlib
import http.client
import json
import pathlib
import shlex
import subprocess
import sys
import time

TOP = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(TOP / "tests" / "e2e"))
import qemu  # noqa: E402  (found through the path above)
from display import Display, StageError  # noqa: E402

BUILD = TOP / "build"
DEMO = BUILD / "demo"
VM = DEMO / "vm"
ISO = BUILD / "gearbox.iso"
DEB = BUILD / "deb" / "trixie" / "gearbox_0.1.0_amd64.deb"
CLONE = DEMO / "wordpress"
DOMAIN = "demo"
APPLICATION = "wordpress"
HOST = f"{APPLICATION}-{DOMAIN}.gearbox.localhost"
LEFTOVERS = ("env", "ssh_config", "state.json")
BOOT_SECONDS = 600


def build_programs(display):
    with display.stage("Building the programs"):
        display.run(["make", "-C", str(TOP), "build"], display.ninja_line)


def build_package(display):
    with display.stage("Building the package for Debian 13"):
        display.run([str(TOP / "packages" / "build-deb"), "trixie"], display.ninja_line)


def build_image(display):
    """Returns the image's SHA-256."""
    digest = ""

    def on_line(line):
        nonlocal digest
        try:
            event = json.loads(line)
        except ValueError:
            return
        if event.get("event") == "plan":
            on_line.count = len(event["stages"])
        elif event.get("event") in ("begin", "cached"):
            on_line.number += 1
            on_line.stage = event["stage"]
            display.progress(on_line.number / on_line.count, event["stage"])
        elif event.get("event") == "progress" and event.get("fraction") is not None:
            display.progress((on_line.number - 1 + event["fraction"]) / on_line.count,
                             f"{on_line.stage} {event['fraction'] * 100:.0f} %")
        elif event.get("event") == "failed":
            raise StageError(f"stage '{event['stage']}': {event['error']}\n{event.get('hint', '')}\n"
                             f"its log: {event.get('log', '')}")
        elif event.get("event") == "finished":
            digest = event["sha256"]
            display.progress(1, f"{event['bytes'] / 1e6:.0f} MB")

    on_line.count, on_line.number, on_line.stage = 1, 0, ""
    with display.stage("Making the image"):
        display.run([str(BUILD / "bin" / "gearbox-build"), "build", str(TOP / "kickstart" / "livecd.ks"),
                     "--deb", str(DEB), "--output", str(ISO),
                     "--progress", "json"], on_line)
    return digest


def load_state():
    with contextlib.suppress(OSError, ValueError):
        return json.loads((DEMO / "state.json").read_text())
    return {}


def save_state(**state):
    (DEMO / "state.json").write_text(json.dumps(state) + "\n")


def boot(display, digest):
    """The running machine of this very image, or a new one."""
    running = qemu.Machine.attach(VM)
    if running is not None and load_state().get("image") == digest:
        with display.stage("Using the machine that is running"):
            running.wait_ssh(60)
        return running
    if running is not None:
        stop()
    with display.stage("Booting the image"):
        machine = qemu.Machine(ISO, VM)
        machine.start()
        display.progress(None, "KVM" if machine.use_kvm else "emulated (no working KVM)")
        try:
            machine.wait_ssh(BOOT_SECONDS)
        except qemu.MachineError:
            machine.stop()
            raise
        machine.detach()
        # A new machine knows nothing of the old one's session, key and repository.
        for old in (DEMO / "config", CLONE):
            subprocess.run(["rm", "-rf", "--", str(old)], check=True)
        save_state(image=digest)
    return machine


def get(port, host, path):
    """Status and text of a page, by the forwarded port and without asking any DNS."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=60)
    with contextlib.closing(connection):
        connection.request("GET", path, headers={"Host": f"{host}:{port}"})
        answer = connection.getresponse()
        return answer.status, answer.getheader("Location", ""), answer.read().decode(errors="replace")


def wait_for_broker(display, machine):
    with display.stage("Waiting for the broker"):
        deadline = time.monotonic() + BOOT_SECONDS
        while True:
            with contextlib.suppress(OSError, http.client.HTTPException):
                if get(machine.ports[80], "gearbox.localhost", "/broker/rest/api")[0] == 200:
                    return
            if time.monotonic() > deadline:
                raise StageError("the broker does not answer; its journal:\n" + machine.sudo(
                    "journalctl -u gearboxd -u gearbox-router -n 20 --no-pager", check=False).stdout)
            time.sleep(0.5)


def read_credentials(machine):
    text = machine.sudo("cat /run/gearbox/credentials").stdout
    return dict(word.split("=", 1) for word in shlex.split(text))


def write_hints(machine, credentials):
    values = {
        "URL": f"http://{HOST}:{machine.ports[80]}/",
        "BROKER": f"https://gearbox.localhost:{machine.ports[443]}",
        "LOGIN": credentials["LOGIN"],
        "PASSWORD": credentials["PASSWORD"],
        "SSH_PORT": machine.ports[22],
        "HTTP_PORT": machine.ports[80],
        "HTTPS_PORT": machine.ports[443],
    }
    text = "".join(f"{name}={shlex.quote(str(value))}\n" for name, value in values.items())
    (DEMO / "env").write_text(text)
    (DEMO / "env").chmod(0o600)
    machine.write_ssh_config(DEMO / "ssh_config")
    return values


def client(*words):
    return [str(BUILD / "bin" / "gearbox"), "--config", str(DEMO / "config"), *words]


def set_up_client(display, machine, credentials):
    with display.stage("Setting up the client"):
        command = client("setup", "--server", f"gearbox.localhost:{machine.ports[443]}", "--trust",
                         "--login", credentials["LOGIN"], "--password-stdin", "--domain", DOMAIN,
                         "--ssh-key", str(DEMO / "config" / "id_ed25519"),
                         "--ssh-port", str(machine.ports[22]), "--http-port", str(machine.ports[80]))
        done = subprocess.run(command, input=credentials["PASSWORD"] + "\n", text=True,
                              capture_output=True, check=False)
        display.log.write(done.stdout + done.stderr)
        if done.returncode != 0:
            raise StageError(done.stderr.strip())


def create_application(display):
    shown = subprocess.run(client("app", "show", APPLICATION), capture_output=True, check=False)
    if shown.returncode == 0:
        return

    def on_line(line):
        words = line.split()
        if words and words[0] in ("done", "running") and len(words) > 3:
            display.progress(None, " ".join(words[1:-2]))

    with display.stage("Creating the WordPress application"):
        display.run(client("app", "create", APPLICATION, "--from-code", "wordpress"), on_line)
        display.progress(None, "")


def push_change(display):
    """One change of the theme, committed and pushed as a person would."""
    if CLONE.exists():
        return
    with display.stage("Pushing a change by git"):
        display.run(client("git-clone", APPLICATION, str(CLONE)))
        style = CLONE / ".openshift" / "themes" / "gearbox" / "style.css"
        with style.open("a", encoding="utf-8") as sheet:
            sheet.write("\n/* Pushed by make demo. */\n")
        git = ["git", "-C", str(CLONE), "-c", "user.name=Demo", "-c", "user.email=demo@gearbox.localhost"]
        display.run([*git, "commit", "-q", "-a", "-m", "Tell where this style sheet comes from"])
        display.run([*git, "push", "-q"],
                    lambda line: display.progress(None, line.replace("remote:", "").strip()))
        display.progress(None, "")


def check_site(display, machine):
    with display.stage("Opening the site"):
        path, shown = "/", ""
        for _ in range(5):
            status, location, text = get(machine.ports[80], HOST, path)
            if status == 200:
                shown = text
                break
            if status not in (301, 302) or f"//{HOST}:{machine.ports[80]}/" not in location:
                raise StageError(f"'{path}' of {HOST} answers {status} {location}\n{text[:500]}")
            path = "/" + location.split("/", 3)[3]
        if "WordPress" not in shown and "wp-" not in shown:
            raise StageError(f"what answers at {HOST} is not WordPress:\n{shown[:500]}")
        display.progress(None, f"answers {status} at {path}")


def tell(machine, credentials, values):
    relative = DEMO.relative_to(TOP)
    operator = credentials.get("OPERATOR", "gearbox")
    print(f"""
WordPress is running:   {values['URL']}

  push again            cd {relative}/wordpress; edit, git commit -a, git push
  client                build/bin/gearbox --config {relative}/config app list
  broker                {values['BROKER']}/broker/rest/api   (login {values['LOGIN']}, password {values['PASSWORD']})
  console login         {operator}, password {credentials.get('OPERATOR_PASSWORD', '(see the console)')}
  ssh                   ssh -F {relative}/ssh_config appliance
  for scripts           {relative}/env, {relative}/ssh_config
  log                   {relative}/demo.log
  end it                make demo-stop""")


def stop():
    machine = qemu.Machine.attach(VM)
    for name in LEFTOVERS:
        (DEMO / name).unlink(missing_ok=True)
    if machine is None:
        return False
    machine.stop()
    return True


def demonstrate():
    display = Display(DEMO / "demo.log")
    print(f"Gearbox demo; the log is {display.log_path.relative_to(TOP)}")
    started = time.monotonic()
    try:
        build_programs(display)
        build_package(display)
        digest = build_image(display)
        machine = boot(display, digest)
        wait_for_broker(display, machine)
        credentials = read_credentials(machine)
        values = write_hints(machine, credentials)
        set_up_client(display, machine, credentials)
        create_application(display)
        push_change(display)
        check_site(display, machine)
    except (StageError, qemu.MachineError, OSError) as error:
        display.log.write(f"\n{error}\n")
        print(f"\n{error}\n\nThe whole log: {display.log_path}", file=sys.stderr)
        return 1
    print(f"  {'Done':<34} {time.monotonic() - started:7.1f} s")
    tell(machine, credentials, values)
    return 0


def main():
    parser = argparse.ArgumentParser(description="Build, boot, deploy: see the top of this file.")
    parser.add_argument("--stop", action="store_true", help="end the machine that is running")
    if parser.parse_args().stop:
        print("the demo machine has ended" if stop() else "no demo machine is running")
        return 0
    return demonstrate()


if __name__ == "__main__":
    sys.exit(main())
