"""The bash SDK and the helper commands, without a gear."""

import os
import pathlib
import re
import subprocess
import tempfile
import unittest

from gear import SOURCE

SDK = SOURCE / "sdk/bash/sdk"
HELPERS = SOURCE / "sdk/bin"


def bash(script, flags="-eu", **env):
    command = ["bash", flags, "-c", f"source {SDK}; {script}"]
    path = f"{HELPERS}:{os.environ['PATH']}"
    return subprocess.run(command, capture_output=True, text=True, env={"PATH": path, "HOME": "/nonexistent", **env})


class Sdk(unittest.TestCase):
    def prints(self, script, expected, **env):
        done = bash(script, **env)
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, expected, ""), script)

    def test_messages(self):
        self.prints("client_result $'one\\ntwo'", "CLIENT_RESULT: one\nCLIENT_RESULT: two\n")
        self.prints("client_error ''", "CLIENT_ERROR: \n")
        self.prints("cart_data user=a; cart_props x=y", "CART_DATA: user=a\nCART_PROPERTIES: x=y\n")
        self.prints("add_domain_env_var_unique A=b", "ENV_VAR_ADD_UNIQUE: A=b\n")
        done = bash("error 'it broke' 119; echo not reached")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (119, "", "it broke\n"))

    def test_paths(self):
        for script, expected in (
            ("path_append /a:/b /c", "/a:/b:/c"),
            ("path_append /a:/b:/c /b", "/a:/c:/b"),
            ("path_append '' /c", "/c"),
            ("path_prepend /a:/b /b", "/b:/a"),
            ("path_remove /a:/b:/c /a:/c", "/b"),
            ("path_remove /a /a", ""),
        ):
            self.prints(script, expected)

    def test_secrets(self):
        self.assertRegex(bash("generate_password").stdout, r"\A[a-np-zA-NP-Z1-9_][a-np-zA-NP-Z1-9_-]{11}\n\Z")
        self.assertRegex(bash("generate_username").stdout, r"\Aadmin[a-np-zA-NP-Z1-9]{7}\n\Z")
        self.assertRegex(bash("random_string 40 a-f").stdout, r"\A[a-f]{40}\n\Z")
        self.assertNotEqual(bash("random_string").stdout, bash("random_string").stdout)

    def test_versions(self):
        for left, right, expected in (("1.2", "1.2", 0), ("1.10", "1.9", 1), ("1.2", "1.2.1", 2), ("08", "8.0", 0)):
            self.assertEqual(bash(f"version_comp {left} {right}", "-u").returncode, expected, (left, right))
        for version, inside in (("0.9", 1), ("1.0", 0), ("1.5", 0), ("2", 0), ("2.0.1", 1)):
            self.assertEqual(bash(f"version_in_range {version} 1 2", "-u").returncode, inside, version)
        self.prints("if version_in_range 1.5 1 2; then echo in; fi", "in\n")

    def test_set_env_var(self):
        with tempfile.TemporaryDirectory() as directory:
            bash(f"set_env_var NAME 'a b' {directory}")
            self.assertEqual(pathlib.Path(directory, "NAME").read_text(), "a b\n")
            self.assertEqual(bash(f"set_env_var NAME '' {directory}").returncode, 64)
            self.assertEqual(bash("set_env_var NAME value /nonexistent").returncode, 64)

    def test_primary_cartridge(self):
        with tempfile.TemporaryDirectory() as home:
            primary = pathlib.Path(home, "php")
            (primary / "metadata").mkdir(parents=True)
            (primary / "env").mkdir()
            (primary / "metadata/manifest.yml").write_text((SOURCE / "php/metadata/manifest.yml").read_text())
            (primary / "env/OPENSHIFT_PHP_IDENT").write_text("redhat:php:8.4:0.1.0\n")
            (primary / "env/OPENSHIFT_PHP_PATH_ELEMENT").write_text("/first\n")
            other = pathlib.Path(home, "other/env")
            other.mkdir(parents=True)
            (other / "OPENSHIFT_OTHER_PATH_ELEMENT").write_text("/second\n")
            (other / "OPENSHIFT_OTHER_LD_LIBRARY_PATH_ELEMENT").write_text("/lib\n")
            env = {"HOME": home, "OPENSHIFT_PRIMARY_CARTRIDGE_DIR": f"{primary}/"}
            self.prints("primary_cartridge_name", "redhat-php-8.4", **env)
            self.prints("primary_cartridge_short_name", "PHP\n", **env)
            self.prints("primary_cartridge_private_ip_name", "IP\n", **env)
            self.prints("primary_cartridge_private_port_name", "PORT\n", **env)
            self.prints("get_gear_path", "/first:/second", **env)
            self.prints("get_gear_ld_library_path", "/lib", **env)
            self.prints("has_web_proxy || echo no", "no\n", **env)

    def test_deployment_markers(self):
        with tempfile.TemporaryDirectory() as home:
            for stamp, flag in (("2024-01-01_00-00-00.000", "false"), ("2024-01-02_00-00-00.000", "true")):
                pathlib.Path(home, stamp).mkdir()
                pathlib.Path(home, stamp, "metadata.json").write_text('{"hot_deploy": %s, "id": "1"}' % flag)
            env = {"OPENSHIFT_DEPLOYMENTS_DIR": home + "/"}
            self.prints("hot_deploy_marker_is_present && echo hot", "hot\n", **env)
            self.prints("force_clean_build_enabled_for_latest_deployment || echo no", "no\n", **env)

    def test_process_that_ends(self):
        self.prints("sleep 0.2 & p=$!; process_alive $p && echo up; wait_gone $p 5 && echo gone", "up\ngone\n")
        self.prints("process_alive 999999999 || echo none", "none\n")
        self.prints("sleep 5 & p=$!; wait_gone $p 0 || echo late; kill $p", "late\n")

    def test_pause_takes_time_and_one_pipe(self):
        self.prints("begin=${EPOCHREALTIME/./}; pause .1; ((${EPOCHREALTIME/./} - begin >= 100000)) && echo waited", "waited\n")
        self.prints("pause .001; first=$pause_fd; pause .001; [[ $pause_fd == $first ]] && echo same", "same\n")

    def test_service_does_not_inherit_the_pause(self):
        with tempfile.TemporaryDirectory() as logs:
            bash("pause .001; start_service demo bash -c 'echo /proc/$$/fd/*'", OPENSHIFT_LOG_DIR=logs)
            bash(f"until [[ -s {logs}/demo.log ]]; do pause .01; done")
            numbers = [path.rsplit("/", 1)[1] for path in pathlib.Path(logs, "demo.log").read_text().split()[1:]]
            self.assertEqual([number for number in numbers if number not in ("0", "1", "2", "255", "3")], [])

    def test_service_does_not_hold_the_caller(self):
        with tempfile.TemporaryDirectory() as logs:
            done = bash("start_service demo bash -c 'echo out; echo err >&2; sleep 3'; echo started",
                        OPENSHIFT_LOG_DIR=logs)
            self.assertEqual(done.stdout, "started\n")
            subprocess.run(["timeout", "5", "bash", "-c",
                            f"until grep -q err {logs}/demo.log; do sleep .05; done"], check=True)


class Logshifter(unittest.TestCase):
    TIME = rb"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ "

    def shift(self, data, **env):
        subprocess.run([HELPERS / "logshifter", "-tag", "my-app"], input=data, check=True,
                       env={"OPENSHIFT_LOG_DIR": self.logs, **env})

    def setUp(self):
        directory = tempfile.TemporaryDirectory()
        self.addCleanup(directory.cleanup)
        self.logs = directory.name

    def test_appends(self):
        self.shift(b"one\n")
        self.shift(b"two\nthree")
        self.assertRegex(pathlib.Path(self.logs, "my-app.log").read_bytes(), b"\\A%sone\n%stwo\n%sthree\\Z" % (self.TIME, self.TIME, self.TIME))

    def test_line_that_comes_in_pieces(self):
        process = subprocess.Popen([HELPERS / "logshifter", "-tag", "a"], stdin=subprocess.PIPE, env={"OPENSHIFT_LOG_DIR": self.logs})
        file = pathlib.Path(self.logs, "a.log")
        for piece in (b"one\n\ntw", b"o ", b"\n", b"three\n"):
            before = file.stat().st_size if file.exists() else 0
            process.stdin.write(piece)
            process.stdin.flush()
            subprocess.run(["timeout", "5", "bash", "-c", f"until [ $(stat -c %s {file} || echo 0) -gt {before} ]; do sleep .02; done"],
                           check=True, stderr=subprocess.DEVNULL)
        process.stdin.close()
        process.wait(5)
        self.assertRegex(file.read_bytes(), b"\\A%sone\n%s\n%stwo \n%sthree\n\\Z" % (self.TIME, self.TIME, self.TIME, self.TIME))

    def test_without_times(self):
        self.shift(b"one\n", LOGSHIFTER_MY_APP_TIMES="no")
        self.assertEqual(pathlib.Path(self.logs, "my-app.log").read_bytes(), b"one\n")

    def test_no_setting_lets_it_grow_without_bounds(self):
        for files, size in (("9999", "10M"), ("10", "999G"), ("0", "1G")):
            self.shift(b"x\n", LOGSHIFTER_MY_APP_MAX_FILESIZE=size, LOGSHIFTER_MY_APP_MAX_FILES=files)
            os.truncate(f"{self.logs}/my-app.log", 200 << 20)  # sparse
            self.shift(b"x\n", LOGSHIFTER_MY_APP_MAX_FILESIZE=size, LOGSHIFTER_MY_APP_MAX_FILES=files)
            self.assertLess(os.path.getsize(f"{self.logs}/my-app.log"), 100)
            self.assertLessEqual(len(os.listdir(self.logs)), 2)

    def test_keeps_within_its_bounds(self):
        line = b"x" * 99 + b"\n"
        for _ in range(40):
            self.shift(line * 10, LOGSHIFTER_MY_APP_MAX_FILESIZE="2K", LOGSHIFTER_MY_APP_MAX_FILES="3")
        names = sorted(os.listdir(self.logs))
        self.assertEqual(names, ["my-app.log", "my-app.log.1", "my-app.log.2"])
        self.assertLessEqual(sum(os.path.getsize(f"{self.logs}/{name}") for name in names), 3 * 2048)

    def test_goes_on_without_a_place_to_write(self):
        self.shift(b"lost\n", OPENSHIFT_LOG_DIR="/nonexistent")

    def test_goes_on_after_the_file_is_removed(self):
        process = subprocess.Popen([HELPERS / "logshifter", "-tag", "a"], stdin=subprocess.PIPE,
                                   env={"OPENSHIFT_LOG_DIR": self.logs})
        file = pathlib.Path(self.logs, "a.log")
        wait = f"until [ -s {file} ]; do sleep .02; done"
        process.stdin.write(b"one\n")
        process.stdin.flush()
        subprocess.run(["timeout", "5", "bash", "-c", wait], check=True)
        file.unlink()
        process.stdin.write(b"two\n")
        process.stdin.close()
        process.wait(5)
        self.assertRegex(file.read_bytes(), b"\\A%stwo\n\\Z" % self.TIME)


class Helpers(unittest.TestCase):
    def test_oo_erb_says_what_is_missing(self):
        with tempfile.TemporaryDirectory() as empty:
            done = subprocess.run(["/bin/bash", HELPERS / "oo-erb"], capture_output=True, text=True, env={"PATH": empty})
        self.assertEqual(done.returncode, 127)
        self.assertIn("apt-get install ruby", done.stderr)

    def test_oo_cgroup_read(self):
        done = bash("oo-cgroup-read memory.limit_in_bytes", OPENSHIFT_GEAR_MEMORY_MB="512")
        self.assertRegex(done.stdout, r"\A\d+\n\Z")
        self.assertEqual(bash("oo-cgroup-read ../../etc/passwd").returncode, 64)
        self.assertEqual(bash("oo-cgroup-read no.such_figure").returncode, 1)

    def test_verbs_of_manifests(self):
        """What a manifest says of the steps of a deployment is what its bin/control has."""
        steps = ("pre-repo-archive", "update-configuration", "pre-build", "build", "deploy", "post-deploy")
        seen = 0
        for path in sorted(SOURCE.glob("*/metadata/manifest.yml")):
            said = re.search(r"^Deployment-Verbs: \[(.*)\]$", path.read_text(), re.MULTILINE)
            if said:
                control = (path.parents[1] / "bin/control").read_text()
                has = [step for step in steps if re.search(rf"^{step}\)", control, re.MULTILINE)]
                self.assertEqual([word for word in said[1].split(", ") if word], has, path)
                seen += 1
        self.assertGreater(seen, 9)

    def test_install_is_reproducible(self):
        commits = set()
        for _ in range(2):
            with tempfile.TemporaryDirectory() as directory:
                done = subprocess.run([SOURCE / "install.sh", directory], check=True, capture_output=True, text=True)
                commits.add(done.stdout)
        self.assertEqual(len(commits), 1)


if __name__ == "__main__":
    unittest.main()
