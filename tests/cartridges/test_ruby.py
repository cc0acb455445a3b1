"""The ruby cartridge in a hand-made gear: real Puma."""

import subprocess
import unittest

from gear import BASE, ScriptFailed
from web import Web

RACK = "run ->(env) { [200, { 'content-type' => 'text/plain' }, [%s]] }\n"
RUBY = BASE / "usr/bin/ruby"


def installed():
    if not RUBY.exists() or not (BASE / "usr/bin/puma").exists():
        return None
    done = subprocess.check_output(["chroot", BASE, "/usr/bin/ruby", "-e", "puts RUBY_VERSION"], text=True)
    return ".".join(done.split(".")[:2])


class Ruby(Web, unittest.TestCase):
    cart, version, title = "ruby", installed(), "Ruby"
    ok = {"config.ru": RACK % "'ok'"}
    environment = {"config.ru": RACK % "%w[LOWER OPENSHIFT_APP_NAME].map { |n| \"#{n}=#{ENV[n]}\" }.join(\"\\n\")"}
    broken = {
        "syntax": ({"config.ru": "run ->( {"}, r"(?s)did not start: the server ended at once.*syntax error"),
        "module": ({"config.ru": "require 'no_such_thing'"}, "CLIENT_ERROR: .*no_such_thing"),
        "exit": ({"config.ru": "abort 'has had enough'"}, "has had enough"),
        "silence": ({"config.ru": "sleep 99"}, r"nothing listens on 127\.\S+:8080 after 8 seconds"),
        "nothing": ({"README": "x"}, "nothing to run"),
    }
    SMALL_GEM = {"greet.gemspec": "Gem::Specification.new { |s| s.name = 'greet'; s.version = '1.0'; s.summary = 's'; "
                                  "s.authors = ['a']; s.files = ['lib/greet.rb'] }",
                 "lib/greet.rb": "GREETING = 'hello'"}

    def test_gems_of_the_repository(self):
        self.write({f"gem/{name}": text for name, text in self.SMALL_GEM.items()})
        gemfile = "gem 'rack'\ngem 'greet', path: 'gem'\n"
        output = self.push({"Gemfile": gemfile, "config.ru": "require 'greet'\n" + RACK % "GREETING"})
        self.assertNotIn("Installing", output)
        self.assertEqual(self.get(), "hello")
        self.write({"gem/lib/greet.rb": "GREETING = 'hello again'"})
        self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "hello again")

    def test_missing_gem_says_what_to_do(self):
        output = self.push_fails({**self.ok, "Gemfile": "source 'https://localhost'\ngem 'no-such-thing'\n"})
        self.assertRegex(output, "(?s)CLIENT_ERROR: Gems are missing: .*no-such-thing")
        self.assertIn("vendor/cache", output)

    def test_assets_of_rails_and_the_marker_against_them(self):
        task = "namespace(:assets) { task(:precompile) { File.write('public/app.css', ENV['RAILS_ENV']) } }\n"
        files = {**self.ok, "Rakefile": task, "app/assets/app.scss": "", "public/keep": ""}
        compiled = self.gear.home_on_host / "app-root/runtime/repo/public/app.css"
        self.assertIn("Compiling assets", self.push(files))
        self.assertEqual(compiled.read_text(), "production")
        output = self.push({".openshift/markers/disable_asset_compilation": ""})
        self.assertIn("Assets are not compiled: the marker disable_asset_compilation is there", output)
        self.assertFalse(compiled.exists())
        (self.repo / ".openshift/markers/disable_asset_compilation").unlink()
        self.assertNotIn("assets", self.push({"Rakefile": "task(:other) {}\n"}))
        with self.assertRaisesRegex(ScriptFailed, "(?s)no colour.*rake assets:precompile has failed"):
            self.push({"Rakefile": "namespace(:assets) { task(:precompile) { abort 'no colour' } }\n"})

    def test_marker_disable_auto_install(self):
        self.write({**self.ok, "Gemfile": "gem 'no-such-thing'\n", ".openshift/markers/disable_auto_install": ""})
        self.gear.check_out(self.repo)
        output = self.control("build")
        self.assertIn("Dependencies are not installed: the marker disable_auto_install is there", output)
        self.assertNotIn("Installing", output)

    def test_broken_hot_deployment_is_refused(self):
        self.push(self.ok)
        self.write({"config.ru": "require 'no_such_thing'"})
        with self.assertRaisesRegex(ScriptFailed, "(?s)no_such_thing.*goes on with the old one"):
            self.gear.hot_deploy(self.repo)
        self.assertEqual(self.get(), "ok")

    def test_https(self):
        self.push({"config.ru": "require 'rack'\n" + RACK % "Rack::Request.new(env).scheme"})
        self.assertEqual(self.get("/", "-H", "X-Forwarded-Proto: https"), "https")

    def test_thread_dump(self):
        self.push(self.ok)
        self.assertIn("app-root/logs/ruby.log", self.control("threaddump"))
        self.wait_for_log("Thread #<Thread:")
        self.assertEqual(self.get(), "ok")


if __name__ == "__main__":
    unittest.main()
