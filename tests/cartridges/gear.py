"""A gear made by hand: what the node does for a cartridge, without the node.

Own mount, pid, net, ipc and uts namespaces, a root of its own (the host's /usr
read-only with the cartridges laid over it, a small /etc, private /tmp and
/proc), the v2 home layout, its own uid, no capabilities. Needs root.

GEARBOX_TEST_BASE names another root directory to take /usr and /etc from, for
instance a Debian 13 tree on a Debian 12 host.
"""

import atexit
import functools
import os
import pathlib
import re
import shutil
import stat
import subprocess
import tempfile
import time

HERE = pathlib.Path(__file__).resolve().parent
SOURCE = HERE.parent.parent / "cartridges"
BASE = pathlib.Path(os.environ.get("GEARBOX_TEST_BASE", "/"))
UID = 61234
UUID = "5f00c0ffee5f00c0ffee0001"


def endpoints(cartridge):
    """(name of the address, name of the port, port) of each endpoint in the manifest."""
    manifest = (SOURCE / cartridge / "metadata/manifest.yml").read_text()
    return re.findall(r"- Private-IP-Name: (\w+)\n +Private-Port-Name: (\w+)\n +Private-Port: (\d+)", manifest)


SET_UP = r"""
set -e
base=$1 root=$2 stage=$3 home=$4 uuid=$5 uid=$6 without=$7
mount --make-rprivate /
mount -t tmpfs -o mode=755 tmpfs "$root"
cd "$root"
mkdir -p usr etc tmp proc dev var/lib/openshift/"$uuid" var/tmp run old
for name in bin sbin lib lib64; do ln -s usr/$name $name; done
mount -t overlay overlay -o "ro,lowerdir=$without:$stage/usr:${base%/}/usr" usr
for name in ssl php perl python3 alternatives java-17-openjdk java-21-openjdk maven; do
    [ -d "${base%/}/etc/$name" ] && mkdir etc/$name && mount --rbind "${base%/}/etc/$name" etc/$name
done
for name in ld.so.cache mime.types localtime; do
    [ -e "${base%/}/etc/$name" ] && cp -L "${base%/}/etc/$name" etc/
done
printf 'root:x:0:0:root:/root:/bin/bash\n%s:x:%s:%s:OpenShift guest:/var/lib/openshift/%s:/bin/bash\n' \
    "$uuid" "$uid" "$uid" "$uuid" >etc/passwd
printf 'root:x:0:\n%s:x:%s:\n' "$uuid" "$uid" >etc/group
printf '127.0.0.1 localhost\n' >etc/hosts
mount -t tmpfs -o mode=1777 tmpfs tmp
mount -t tmpfs -o mode=755 tmpfs dev
for name in null zero full random urandom tty; do touch dev/$name; mount --bind /dev/$name dev/$name; done
ln -s /proc/self/fd dev/fd; ln -s /proc/self/fd/0 dev/stdin
ln -s /proc/self/fd/1 dev/stdout; ln -s /proc/self/fd/2 dev/stderr
mkdir -m 1777 dev/shm
mount --bind "$home" var/lib/openshift/"$uuid"
mount -t proc proc proc
ip link set lo up
hostname gear
pivot_root . old
umount -l /old
rmdir /old
mount -o remount,ro,bind /
echo ready
# PID 1: reaps what daemons leave behind.
exec perl -e '$SIG{TERM} = sub { exit 0 }; while (1) { select undef, undef, undef, 0.05 if waitpid(-1, 0) <= 0 }' >/dev/null
"""


@functools.cache
def installed():
    """A tree with what install.sh installs, for all gears of this process: they only read it."""
    tree = pathlib.Path(tempfile.mkdtemp(prefix="installed-", dir=os.environ.get("TMPDIR")))
    atexit.register(shutil.rmtree, tree, ignore_errors=True)
    tree.chmod(0o755)
    subprocess.run([SOURCE / "install.sh", tree], check=True, stdout=subprocess.DEVNULL)
    return tree


class ScriptFailed(AssertionError):
    """A script of the cartridge or of the application ended with an error."""


class Gear:
    def __init__(self, app="demo", carts=(("php", None),), memory_mb=512, without=()):
        """without: programs of /usr/bin that the gear shall not have."""
        self.app, self.carts, self.memory_mb = app, dict(carts), memory_mb
        self.work = pathlib.Path(tempfile.mkdtemp(prefix="gear-", dir=os.environ.get("TMPDIR")))
        self.work.chmod(0o755)
        self.home_on_host = self.work / "home"
        self.home = f"/var/lib/openshift/{UUID}"
        self.times = []
        self.keeper = None
        (self.work / "root").mkdir()
        (self.work / "without/bin").mkdir(parents=True)
        for name in without:
            os.mknod(self.work / "without/bin" / name, stat.S_IFCHR)  # a whiteout of overlayfs
        self._make_home()
        self._start_sandbox()

    # -- life ------------------------------------------------------------------

    def _make_home(self):
        home = self.home_on_host
        for name in (
            ".env/user_vars", ".ssh", "app-root/data", "app-root/logs", "app-deployments",
            "app-root/runtime/repo", "app-root/runtime/dependencies",
            "app-root/runtime/build-dependencies", "git",
        ):
            (home / name).mkdir(parents=True, exist_ok=True)
        for path in [home / "app-root", *(home / "app-root").rglob("*"), home / "app-deployments"]:
            os.chown(path, UID, UID)
        os.symlink("runtime/repo", home / "app-root/repo")
        os.chown(home, 0, UID)
        home.chmod(0o750)

    def _start_sandbox(self):
        command = ["unshare", "-m", "-p", "-n", "-i", "-u", "--fork", "--kill-child", "bash", "-c", SET_UP,
                   "gear", str(BASE), str(self.work / "root"), str(installed()),
                   str(self.home_on_host), UUID, str(UID), str(self.work / "without")]
        self.keeper = subprocess.Popen(command, stdout=subprocess.PIPE, text=True)
        if self.keeper.stdout.readline() != "ready\n":
            raise RuntimeError("the gear cannot be made")
        children = pathlib.Path(f"/proc/{self.keeper.pid}/task/{self.keeper.pid}/children")
        self.pid = int(children.read_text().split()[0])

    def close(self):
        if self.keeper:
            self.keeper.kill()
            self.keeper.wait()
            self.keeper.stdout.close()
        shutil.rmtree(self.work, ignore_errors=True)

    # -- environment and scripts -----------------------------------------------

    def environment(self, cart=None):
        home = self.home
        env = {
            "HOME": home, "OPENSHIFT_HOMEDIR": home + "/", "OPENSHIFT_APP_NAME": self.app,
            "OPENSHIFT_APP_UUID": UUID, "OPENSHIFT_GEAR_UUID": UUID, "OPENSHIFT_GEAR_NAME": self.app,
            "OPENSHIFT_APP_DNS": f"{self.app}-test.gearbox.localhost",
            "OPENSHIFT_GEAR_DNS": f"{self.app}-test.gearbox.localhost",
            "OPENSHIFT_NAMESPACE": "test", "OPENSHIFT_DATA_DIR": f"{home}/app-root/data/",
            "OPENSHIFT_REPO_DIR": f"{home}/app-root/runtime/repo/",
            "OPENSHIFT_DEPENDENCIES_DIR": f"{home}/app-root/runtime/dependencies/",
            "OPENSHIFT_BUILD_DEPENDENCIES_DIR": f"{home}/app-root/runtime/build-dependencies/",
            "OPENSHIFT_DEPLOYMENTS_DIR": f"{home}/app-deployments/",
            "OPENSHIFT_LOG_DIR": f"{home}/app-root/logs/", "OPENSHIFT_TMP_DIR": "/tmp/",
            "TMP": "/tmp/", "TMPDIR": "/tmp/", "TMP_DIR": "/tmp/",
            "OPENSHIFT_GEAR_MEMORY_MB": str(self.memory_mb),
            "OPENSHIFT_SECRET_TOKEN": "t" * 128, "OPENSHIFT_UMASK": "077",
            "OPENSHIFT_PRIMARY_CARTRIDGE_DIR": f"{home}/{next(iter(self.carts))}/",
            "OPENSHIFT_CARTRIDGE_SDK_BASH": "/usr/lib/openshift/cartridge_sdk/bash/sdk",
        }
        order = [name for name in self.carts if name != cart] + [cart]
        path = ""
        for name in order:
            directory = self.home_on_host / (name or "-") / "env"
            for file in sorted(directory.glob("*")) if directory.is_dir() else ():
                value = file.read_text().rstrip("\n")
                env[file.name] = value
                if file.name.endswith("_PATH_ELEMENT"):
                    path += value + ":"
        for file in (self.home_on_host / ".env/user_vars").glob("*"):
            env[file.name] = file.read_text().rstrip("\n")
        env["PATH"] = path + "/usr/libexec/gearbox/bin:/bin:/usr/bin:/usr/sbin"
        return env

    def run(self, *argv, cart=None, cwd=None, check=True, stdin=None):
        """Runs a program in the gear as its user, like every script of it."""
        enter = ["nsenter", "-t", str(self.pid), "-m", "-p", "-n", "-i", "-u",
                 "setpriv", f"--reuid={UID}", f"--regid={UID}", "--clear-groups",
                 "--bounding-set=-all", "--inh-caps=-all", "--no-new-privs", "env", "-i",
                 *(f"{name}={value}" for name, value in self.environment(cart).items()),
                 "bash", "-c", 'umask 077; cd "$1"; shift; exec "$@"', "gear", cwd or self.home, *argv]
        begin = time.monotonic()
        done = subprocess.run(enter, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True,
                              input=stdin or "", timeout=600)
        self.times.append((" ".join(argv)[-60:], time.monotonic() - begin))
        if check and done.returncode != 0:
            raise ScriptFailed(f"{argv} ended with {done.returncode}:\n{done.stdout}")
        return done

    def shell(self, script, **options):
        return self.run("bash", "-ec", script, **options).stdout

    def script(self, cart, name, *arguments, check=True):
        directory = f"{self.home}/{cart}"
        if not (self.home_on_host / cart / "bin" / name).exists():
            return None
        return self.run(f"{directory}/bin/{name}", *arguments, cart=cart, cwd=directory, check=check)

    def control(self, cart, verb, check=True):
        return self.script(cart, "control", verb, check=check).stdout

    def hook(self, name):
        path = f".openshift/action_hooks/{name}"
        if os.access(self.home_on_host / "app-root/runtime/repo" / path, os.X_OK):
            return self.run(f"{self.home}/app-root/runtime/repo/{path}").stdout
        return ""

    # -- what the platform does --------------------------------------------------

    def add_cartridge(self, name, version):
        """configure of the v2 contract; env/ is root's, except managed files."""
        target = self.home_on_host / name
        shutil.copytree(installed() / "usr/share/gearbox/cartridges" / name, target)
        env = target / "env"
        env.mkdir(exist_ok=True)
        short = name.upper()
        values = {f"OPENSHIFT_{short}_DIR": f"{self.home}/{name}/",
                  f"OPENSHIFT_{short}_IDENT": f"gearbox:{name}:{version}:0.1.0"}
        addresses = {}  # one for each distinct name
        for ip, port, number in endpoints(name):
            addresses.setdefault(ip, self.address(list(self.carts).index(name) + 1 + len(addresses)))
            values[f"OPENSHIFT_{short}_{ip}"] = addresses[ip]
            values[f"OPENSHIFT_{short}_{port}"] = number
        for key, value in values.items():
            (env / key).write_text(value + "\n")
        for path in [target, *target.rglob("*")]:
            os.chown(path, UID, UID)
        for path in [env, *env.iterdir(), target / "metadata", target / "metadata/manifest.yml"]:
            os.chown(path, 0, 0)
            path.chmod(0o755 if path.is_dir() else 0o644)
        managed = (target / "metadata/managed_files.yml").read_text()
        for path in re.findall(r"^- (env/\w+)$", managed, re.M):
            (target / path).touch()
            os.chown(target / path, UID, UID)
        done = [self.script(name, script, "--version", version) for script in ("setup", "install")]
        output = "".join(script.stdout for script in done if script)
        for path in env.iterdir():
            os.chown(path, 0, UID)
            path.chmod(0o640)
        return output

    def address(self, n):
        number = (127 << 24) + (UID << 7) + n
        return ".".join(str(number >> shift & 255) for shift in (24, 16, 8, 0))

    def step(self, cart, verb):
        """A verb of a deployment, which only those are asked that say so."""
        manifest = (SOURCE / cart / "metadata/manifest.yml").read_text()
        has = re.search(r"^Deployment-Verbs: \[(.*)\]$", manifest, re.MULTILINE)
        return "" if has and verb not in has[1].split(", ") else self.control(cart, verb)

    def check_out(self, tree):
        """The pushed tree in runtime/repo, as `git archive` would lay it out."""
        self.step(next(iter(self.carts)), "pre-repo-archive")
        repo = self.home_on_host / "app-root/runtime/repo"
        for path in repo.iterdir():
            shutil.rmtree(path) if path.is_dir() and not path.is_symlink() else path.unlink()
        shutil.copytree(tree, repo, symlinks=True, dirs_exist_ok=True)
        for path in [repo, *repo.rglob("*")]:
            os.chown(path, UID, UID, follow_symlinks=False)

    def deploy(self, tree):
        """A push without hot deployment: the order of the v2 contract, section 14."""
        primary, *others = self.carts
        output = "".join(self.control(cart, "stop") for cart in self.carts)
        self.check_out(tree)
        for verb in ("update-configuration", "pre-build"):
            output += self.step(primary, verb)
        output += self.hook("pre_build") + self.step(primary, "build") + self.hook("build")
        output += self.step(primary, "update-configuration")
        output += "".join(self.control(cart, "start") for cart in others)
        output += self.step(primary, "deploy") + self.hook("deploy")
        output += self.control(primary, "start")
        return output + self.step(primary, "post-deploy") + self.hook("post_deploy")

    def hot_deploy(self, tree):
        """A push with the marker hot_deploy, to a running application."""
        primary = next(iter(self.carts))
        self.check_out(tree)
        output = "".join(self.control(primary, verb) for verb in (
            "update-configuration", "pre-build", "build", "update-configuration", "deploy", "post-deploy"))
        return output + self.hook("post_deploy")

    def curl(self, *arguments):
        command = ["nsenter", "-t", str(self.pid), "-n", "curl", "-sS", "--max-time", "120", *arguments]
        begin = time.monotonic()
        done = subprocess.run(command, capture_output=True, text=True)
        self.times.append(("curl " + arguments[-1][-50:], time.monotonic() - begin))
        if done.returncode != 0:
            raise ScriptFailed(f"curl {arguments}: {done.stderr}")
        return done.stdout

    def processes(self):
        return self.run("ps", "-eo", "comm=", check=False).stdout.split()

    def print_times(self):
        for what, seconds in self.times:
            print(f"  {seconds:7.3f} s  {what}")
