"""The cron cartridge in a hand-made gear, with a clock that the test sets."""

import os
import time
import unittest

from gear import UID, Gear

FREQUENCIES = ("minutely", "hourly", "daily", "weekly", "monthly")
MINUTE, HOUR, DAY = 60, 3600, 86400
# What a gear's account puts between the clock and the beginning of its minutes, hours …
SHIFT = UID % 60 * 61
# A Monday that begins neither a month nor a year.
MONDAY = 1709510400 + SHIFT


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
class Cron(unittest.TestCase):
    def setUp(self):
        self.gear = Gear(app="Shop1", carts=(("cron", "1.4"),))
        self.addCleanup(self.gear.close)
        if os.environ.get("GEARBOX_TEST_TIMES"):
            self.addCleanup(self.gear.print_times)
        self.output = self.gear.add_cartridge("cron", "1.4")
        self.data = self.gear.home_on_host / "app-root/data"
        self.logs = self.gear.home_on_host / "app-root/logs"
        self.variable("OPENSHIFT_CRON_CLOCK", f"{self.gear.home}/app-root/data/clock")
        self.set_clock(MONDAY + 10 * HOUR)

    def variable(self, name, value):
        (self.gear.home_on_host / ".env/user_vars" / name).write_text(value + "\n")

    def set_clock(self, seconds):
        new = self.data / "clock.new"
        new.write_text(f"{seconds}\n")
        new.chmod(0o644)
        new.rename(self.data / "clock")
        self.now = seconds

    def job(self, frequency, name, text, mode=0o755):
        path = self.gear.home_on_host / "app-root/runtime/repo/.openshift/cron" / frequency / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
        path.chmod(mode)
        return path

    def counting_jobs(self):
        for frequency in FREQUENCIES:
            self.job(frequency, "count.sh", f'#!/bin/bash\necho {frequency} >>"$OPENSHIFT_DATA_DIR/runs"\n')

    def runs(self):
        path = self.data / "runs"
        return sorted(path.read_text().split(), key=FREQUENCIES.index) if path.exists() else []

    def eventually(self, condition, seconds=30):
        end = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), end, "did not happen in time")
            time.sleep(.05)

    def assert_runs(self, *expected):
        """These and no others have run since the last question."""
        self.eventually(lambda: len(self.runs()) >= len(expected))
        time.sleep(.5)
        self.assertEqual(self.runs(), list(expected))
        (self.data / "runs").unlink(missing_ok=True)

    def test_frequencies(self):
        self.counting_jobs()
        self.gear.control("cron", "start")
        self.assert_runs()
        for seconds, expected in ((59, ()), (1, ("minutely",)), (30, ()), (30, ("minutely",)),
                                  (HOUR, ("minutely", "hourly")), (DAY, ("minutely", "hourly", "daily"))):
            self.set_clock(self.now + seconds)
            self.assert_runs(*expected)
        self.set_clock(MONDAY + 7 * DAY - 1)
        self.assert_runs("minutely", "hourly", "daily")
        self.set_clock(MONDAY + 7 * DAY)
        self.assert_runs("minutely", "hourly", "daily", "weekly")
        # 1 April 2024, a Monday too
        self.set_clock(MONDAY + 28 * DAY)
        self.assert_runs(*FREQUENCIES)

    def test_a_sleep_is_no_burst_and_a_set_clock_repeats_nothing(self):
        self.counting_jobs()
        self.gear.control("cron", "start")
        self.set_clock(self.now + 100 * DAY)
        self.assert_runs(*FREQUENCIES)
        self.set_clock(self.now - 30)
        self.assert_runs()
        self.set_clock(self.now + 30)
        self.assert_runs()
        self.set_clock(self.now - 1000 * DAY)
        self.assert_runs(*FREQUENCIES)
        self.set_clock(self.now + MINUTE)
        self.assert_runs("minutely")

    def test_daily_once_a_day_over_restarts(self):
        self.counting_jobs()
        self.gear.control("cron", "start")
        self.set_clock(self.now + DAY)
        self.assert_runs("minutely", "hourly", "daily")
        for _ in range(2):
            self.gear.control("cron", "restart")
            self.assert_runs()
        self.gear.control("cron", "stop")
        self.set_clock(self.now + DAY)
        self.gear.control("cron", "start")
        self.assert_runs("hourly", "daily")

    def test_which_files_are_jobs(self):
        text = '#!/bin/bash\necho "${0##*/}" >>"$OPENSHIFT_DATA_DIR/names"\n'
        for name in ("10_first", "20.second.sh", "job.sh", "x~", "x,", "x.rpmsave", "x.swp", ".hidden", "denied"):
            self.job("minutely", name, text)
        self.job("minutely", "README", text, mode=0o644)
        self.job("minutely", "jobs.deny", "denied\n", mode=0o644)
        (self.job("minutely", "x", text).parent / "directory").mkdir()
        names = self.data / "names"
        self.gear.script("cron", "run-jobs", "minutely")
        self.assertEqual(names.read_text().split(), ["10_first", "20.second.sh", "job.sh", "x"])
        names.unlink()
        self.job("minutely", "jobs.allow", "denied\njob.sh\njob\n", mode=0o644)
        self.gear.script("cron", "run-jobs", "minutely")
        self.assertEqual(names.read_text().split(), ["job.sh"])
        names.unlink()
        self.gear.script("cron", "run-jobs", "weekly")
        self.assertEqual(self.gear.script("cron", "run-jobs", "yearly", check=False).returncode, 64)

    def test_a_job_is_run_like_any_script_of_the_gear(self):
        self.job("daily", "a.sh", '#!/bin/bash\necho "$(id -u) $PWD $OPENSHIFT_APP_NAME $(umask) $(wc -c)"; echo wrong >&2; exit 3\n')
        self.job("daily", "b.sh", "#!/bin/bash\necho next\n")
        self.gear.script("cron", "run-jobs", "daily")
        log = [line.split(" ", 1)[-1] for line in (self.logs / "cron_daily.log").read_text().splitlines()]
        self.assertEqual(log, ["a.sh", f"{UID} {self.gear.home} Shop1 0077 0", "wrong", "a.sh ended with status 3",
                               "b.sh", "next"])
        self.assertFalse((self.logs / "cron_hourly.log").exists())

    def test_one_run_of_a_frequency_at_a_time(self):
        self.job("minutely", "long", '#!/bin/bash\necho minutely >>"$OPENSHIFT_DATA_DIR/runs"\n'
                                     'until [[ -e $OPENSHIFT_DATA_DIR/end ]]; do sleep .05; done\n')
        self.job("hourly", "short", '#!/bin/bash\necho hourly >>"$OPENSHIFT_DATA_DIR/runs"\n')
        self.gear.control("cron", "start")
        self.set_clock(self.now + HOUR)
        self.assert_runs("minutely", "hourly")
        self.set_clock(self.now + MINUTE)
        self.eventually(lambda: "left out" in (self.logs / "cron_minutely.log").read_text())
        self.assert_runs()
        (self.data / "end").touch()
        self.eventually(lambda: "timeout" not in self.gear.processes())
        self.set_clock(self.now + MINUTE)
        self.assert_runs("minutely")

    def test_what_a_job_leaves_behind_keeps_no_lock(self):
        self.job("minutely", "daemon", '#!/bin/bash\nsetsid sleep 1000 >/dev/null 2>&1 &\n'
                                       'echo minutely >>"$OPENSHIFT_DATA_DIR/runs"\n')
        for _ in range(2):
            self.gear.script("cron", "run-jobs", "minutely")
            self.assert_runs("minutely")

    def test_time_limit(self):
        self.variable("OPENSHIFT_CRON_TIME_LIMIT", "1")
        self.job("minutely", "endless", '#!/bin/bash\ntrap "" TERM INT HUP\nsleep 1000 & sleep 1001\n')
        self.gear.script("cron", "run-jobs", "minutely")
        self.assertIn("was ended after 1 seconds", (self.logs / "cron_minutely.log").read_text())
        self.eventually(lambda: "sleep" not in self.gear.processes())

    def test_verbs_repeat(self):
        enabled = self.gear.home_on_host / "cron/run/jobs.enabled"
        self.assertEqual(self.gear.control("cron", "status"), "CLIENT_RESULT: Cron is stopped\n")
        self.assertIn("already stopped", self.gear.control("cron", "stop"))
        self.gear.control("cron", "start")
        self.assertIn("already running", self.gear.control("cron", "start"))
        self.assertEqual(self.gear.control("cron", "status"), "CLIENT_RESULT: Cron is running\n")
        self.assertTrue(enabled.exists())
        for verb in ("tidy", "reload", "pre-build", "no-such-verb"):
            self.gear.control("cron", verb)
        self.gear.control("cron", "stop")
        self.assertFalse(enabled.exists())
        self.assertEqual(self.gear.control("cron", "status"), "CLIENT_RESULT: Cron is stopped\n")

    def test_stop_ends_the_jobs_too(self):
        self.job("minutely", "long", "#!/bin/bash\ntrap 'echo told to end; exit' TERM\nsleep 1000 & wait\n")
        self.gear.control("cron", "start")
        self.set_clock(self.now + MINUTE)
        self.eventually(lambda: "sleep" in self.gear.processes())
        self.gear.control("cron", "stop")
        self.assertEqual([name for name in self.gear.processes() if name not in ("perl", "ps")], [])
        self.assertIn("told to end", (self.logs / "cron_minutely.log").read_text())

    def test_killed(self):
        """Another process that has its number now is left alone."""
        self.gear.control("cron", "start")
        self.gear.shell("pid=$(<cron/run/cron.pid); kill -KILL $pid; while [ -e /proc/$pid ]; do sleep .05; done")
        self.assertEqual(self.gear.control("cron", "status"), "CLIENT_RESULT: Cron is stopped\n")
        self.gear.shell("setsid sleep 1000 >/dev/null 2>&1 & echo $! >cron/run/cron.pid")
        self.gear.control("cron", "stop")
        self.assertIn("sleep", self.gear.processes())
        self.gear.control("cron", "start")
        self.assertEqual(self.gear.control("cron", "status"), "CLIENT_RESULT: Cron is running\n")

    def test_waiting_costs_nothing(self):
        (self.gear.home_on_host / ".env/user_vars/OPENSHIFT_CRON_CLOCK").unlink()
        to_minute = MINUTE - (time.time() - SHIFT) % MINUTE
        if to_minute < 10:  # the scheduler does something at the begin of each of the gear's minutes
            time.sleep(to_minute)
        self.gear.control("cron", "start")
        self.eventually(lambda: sorted(self.gear.processes()) == ["bash", "perl", "ps"])
        figures = "cut -d' ' -f 14-17 /proc/$(<cron/run/cron.pid)/stat; cut -d' ' -f 10 /proc/$(<cron/run/cron.pid)/stat"
        before = self.gear.shell(figures)
        time.sleep(2)
        self.assertEqual(self.gear.shell(figures), before)

    def test_what_the_user_is_told(self):
        self.assertIn(".openshift/cron/minutely", self.output)


if __name__ == "__main__":
    unittest.main()
