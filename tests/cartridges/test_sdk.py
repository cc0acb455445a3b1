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
        for function, line in (
            ("client_message", "CLIENT_MESSAGE"), ("client_internal_error", "CLIENT_INTERNAL_ERROR"), ("client_debug", "CLIENT_DEBUG"),
            ("client_out X", "X"), ("set_app_info", "APP_INFO"), ("send_attr", "ATTR"), ("add_domain_ssh_key", "SSH_KEY_ADD"),
            ("add_app_ssh_key name", "APP_SSH_KEY_ADD: name"), ("add_domain_env_var", "ENV_VAR_ADD"),
            ("add_domain_env_var_unique", "ENV_VAR_ADD_UNIQUE"), ("app_remove_env_var", "APP_ENV_VAR_REMOVE"),
        ):
            self.prints(f"{function} 'a=b'", f"{line}: a=b\n".replace("name: ", "name "))
        self.prints("add_broker_auth_key", "BROKER_AUTH_KEY_ADD: \n")
        done = bash("warning 'look out'; echo reached")
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, "reached\n", "look out\n"))
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
            self.prints("build_path", "/first:/second:/bin:/usr/bin:/usr/sbin", **env)
            self.prints("build_ld_library_path", "/lib", **env)
            self.prints("has_web_proxy || echo no", "no\n", **env)
            (other.parent / "metadata").mkdir()
            (other.parent / "metadata/manifest.yml").write_text("Categories:\n- web_proxy\n")
            self.prints("has_web_proxy && echo yes", "yes\n", **env)

    GEAR = {"OPENSHIFT_GEAR_UUID": "5f", "OPENSHIFT_NAMESPACE": "acme", "OPENSHIFT_GEAR_DNS": "shop-acme.example",
            "OPENSHIFT_PRIMARY_CARTRIDGE_DIR": "/var/lib/openshift/5f/php/", "OPENSHIFT_PHP_PROXY_PORT": "38031"}

    def test_gears_of_the_application(self):
        line = "5f,acme,shop-acme.example,shop-acme.example,38031,linux\n"
        for script in ("web_gears", "all_gears", "oo-gear-registry web", "oo-gear-registry read --type all"):
            self.prints(script, line, **self.GEAR)
        self.prints("proxy_gears; app_web_to_proxy_ratio_and_colocated_gears", "1 \n", **self.GEAR)
        self.assertEqual(bash("oo-gear-registry any", **self.GEAR).returncode, 3)

    def test_deployment_markers(self):
        with tempfile.TemporaryDirectory() as home:
            for stamp, flag in (("2024-01-01_00-00-00.000", "false"), ("2024-01-02_00-00-00.000", "true")):
                pathlib.Path(home, stamp).mkdir()
                pathlib.Path(home, stamp, "metadata.json").write_text('{"hot_deploy": %s, "id": "1"}' % flag)
            env = {"OPENSHIFT_DEPLOYMENTS_DIR": home + "/"}
            self.prints("hot_deploy_marker_is_present && echo hot", "hot\n", **env)
            self.prints("force_clean_build_enabled_for_latest_deployment || echo no", "no\n", **env)
            self.prints("hot_deploy_enabled_for_latest_deployment && echo hot", "hot\n", **env)
            marker = pathlib.Path(home, ".openshift/markers/use_npm")
            marker.parent.mkdir(parents=True)
            marker.touch()
            self.prints("marker_present use_npm && echo yes; marker_present other || echo no", "yes\nno\n", OPENSHIFT_REPO_DIR=home + "/")

    def test_pid_files(self):
        with tempfile.TemporaryDirectory() as home:
            file = f"{home}/pid"
            self.prints(f"(sleep .1; echo 1 >{file}) & wait_for_pid_file {file}; cat {file}", "1\n")
            self.prints(f"sleep 9 & echo $! >{file}; process_running none {file} && echo up; kill $!; wait $! || true; "
                        f"process_running no-such-name {file} || echo down", "up\ndown\n")
            self.prints("wait_for_stop 999999999; echo gone", "gone\n")
            self.assertIn("Waiting for stop", bash("sleep .3 & wait_for_stop $!").stdout)
            self.assertIn("Running Processes", bash("print_user_running_processes $(id -u)").stdout)
            pad = bash("pad_string abc 8 x-z").stdout
            self.assertRegex(pad, r"\Aabc[xyz]{5}\n\Z")
            self.prints("pad_string abcdef 3", "abcdef\n")

    def test_httpd(self):
        """A program that is called httpd, and whose arguments name its configuration."""
        with tempfile.TemporaryDirectory() as home:
            def says(script, expected):  # from a file: what is looked for in command lines is not in this one
                pathlib.Path(home, "script").write_text(script)
                self.prints(f". {home}/script", expected)

            run = f"ln -s /usr/bin/perl {home}/httpd; cd {home}; touch conf; "
            server = f"'{home}/httpd' -e '$SIG{{WINCH}} = sub {{ exit }}; sleep 1 while 1' -- -f {home}/conf & s=$!; sleep .2; "
            says(run + server + "pid_is_httpd $s && echo httpd; pid_is_httpd $$ || echo other; "
                 f"echo rubbish >pid; ensure_valid_httpd_pid_file pid {home}/conf; [[ $(<pid) == $s ]] && echo rebuilt; "
                 f"ensure_valid_httpd_process pid {home}/conf; ensure_httpd_restart_succeed pid {home}/conf; [[ -f pid ]] && echo kept; "
                 "shutdown_httpd_graceful pid >/dev/null; wait $s && echo ended; ensure_httpd_restart_succeed pid; [[ -f pid ]] || echo forgotten",
                 "httpd\nother\nrebuilt\nkept\nended\nforgotten\n")
            # The shell tells of a child that was killed, sooner or later.
            says(f"cd {home}; {server} exec 2>/dev/null; echo $$ >pid; ensure_valid_httpd_process pid {home}/conf; wait $s || echo status $?; "
                 "[[ -f pid ]] || echo removed", "status 137\nremoved\n")
            says(f"killall_matching_httpds || echo nothing given; killall_matching_httpds {home}/no-such; echo fine", "nothing given\nfine\n")
            self.prints("shutdown_httpd_graceful 999999999", "CLIENT_MESSAGE: Warning: HTTPD (999999999) not running. Skipping stop.\n")
            marker = pathlib.Path(home, ".openshift/markers/enable_public_server_status")
            marker.parent.mkdir(parents=True)
            marker.touch()
            status = f"write_server_status {home}/status.conf"
            self.prints(f"{status}; grep -c server-status {home}/status.conf", "2\n", OPENSHIFT_REPO_DIR=home)
            marker.unlink()
            self.prints(f"{status}; [[ -e {home}/status.conf ]] || echo gone", "gone\n", OPENSHIFT_REPO_DIR=home)
            self.prints(f"write_httpd_passenv {home}/env; grep -x 'PassEnv \\(MINE\\|PWD\\)' {home}/env", "PassEnv MINE\n", MINE="1")
            self.prints(f"printf 'Listen 1\\nPassEnv OLD\\n' >{home}/conf; update_httpd_passenv {home}/conf; grep -c 'OLD\\|Listen\\|MINE' {home}/conf",
                        "2\n", MINE="1")
            self.prints(f"update_httpd_passenv {home}/none", f"CLIENT_ERROR: HTTP Configuration for PassEnv failed: {home}/none missing\n")

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
    def test_facter(self):
        if pathlib.Path("/usr/bin/facter").exists():
            self.skipTest("the operator's own facter answers")
        facts = bash("facter", OPENSHIFT_GEAR_MEMORY_MB="512").stdout
        self.assertRegex(facts, r"(?m)^architecture => x86_64$")
        self.assertEqual(bash("facter memorysize_mb operatingsystem", OPENSHIFT_GEAR_MEMORY_MB="512").stdout,
                         "memorysize_mb => 512.00\noperatingsystem => Debian\n")
        self.assertRegex(bash("facter processorcount").stdout, r"\A[1-9]\d*\n\Z")
        self.assertEqual(bash("facter no_such_fact").stdout, "\n")

    def test_oo_ssh(self):
        """What ssh is asked."""
        with tempfile.TemporaryDirectory() as directory:
            program = pathlib.Path(directory, "ssh")
            program.write_text('#!/bin/bash\nprintf "%s\\n" "$@"\n')
            program.chmod(0o755)
            done = bash(f"PATH={directory}:$PATH; oo-ssh gear@host 'a b'", OPENSHIFT_APP_SSH_KEY="/var/key")
            words = done.stdout.splitlines()
            self.assertEqual((words[-2:], words[words.index("-i") + 1]), (["gear@host", "a b"], "/var/key"))
            self.assertIn("StrictHostKeyChecking=no", words)
            self.assertRegex(bash("oo-ssh host").stderr, "this is no gear")

    def test_names_of_red_hat(self):
        for script, said in (("scl enable ruby193 v8 'echo a  $((6 * 7))'", "a 42\n"), ("scl enable ruby193 -- printf '%s,' 'a b' c", "a b,c,")):
            self.assertEqual(bash(script).stdout, said, script)
        self.assertRegex(bash("httpd -v").stdout, "^Server version: Apache")
        self.assertEqual(bash("scl enable ruby193 'exit 5'").returncode, 5)
        self.assertEqual(bash("scl --list").returncode, 64)

    def test_commands_have_their_v2_names(self):
        """By their links in /usr/bin they find what they need."""
        with tempfile.TemporaryDirectory() as directory:
            subprocess.run([SOURCE / "install.sh", directory], check=True, capture_output=True)
            top = pathlib.Path(directory)
            hook = top / "usr/libexec/gearbox/gear-hook"
            hook.write_text('#!/bin/bash\necho hook $*\n')
            hook.chmod(0o755)
            says = lambda *words: subprocess.run(words, capture_output=True, text=True)
            for words, said in ((["gear", "status"], "hook command status\n"), (["rhc-list-ports"], "hook command ports\n"),
                                (["oo-lists-ports"], "hook command ports\n"), (["gear", "prereceive"], "hook pre-receive\n"),
                                (["gear", "postreceive"], "hook post-receive\n"),
                                (["gear", "rotate-out"], "Nothing to do: the application has one gear\n")):
                self.assertEqual(says(top / "usr/bin" / words[0], *words[1:]).stdout, said, words)
            refused = says(top / "usr/bin/gear", "build")
            self.assertEqual(refused.returncode, 64)
            self.assertIn("gear deploy [REF]", refused.stderr)
            self.assertIn("postreceive are git's hooks", says(top / "usr/bin/gear").stdout)
            self.assertTrue((top / "usr/lib/openshift/cartridge_sdk/ruby/sdk.rb").exists())

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
