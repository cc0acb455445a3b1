"""The Ruby SDK in a hand-made gear, as scripts and the bash SDK use it."""

import json
import os
import unittest

from gear import BASE, Gear


@unittest.skipUnless(os.geteuid() == 0, "needs root to make a gear")
@unittest.skipUnless((BASE / "usr/bin/ruby").exists(), "needs ruby")
class RubySdk(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.gear = Gear(carts=(("static", "2.4"),))
        cls.addClassCleanup(cls.gear.close)
        cls.gear.add_cartridge("static", "2.4")

    def bash_sdk(self, expression):
        return self.gear.shell(f"source $OPENSHIFT_CARTRIDGE_SDK_BASH; ruby_sdk '{expression}'", cart="static")

    def test_primary_cartridge(self):
        self.assertEqual(self.bash_sdk("primary_cartridge_manifest[%q(Display-Name)]"), "Static files and single-page applications\n")
        self.assertEqual(self.bash_sdk("[primary_cartridge_short_name, primary_cartridge_private_ip_name, primary_cartridge_private_port_name, "
                                       "primary_cartridge.version, primary_cartridge.name].inspect"),
                         '["STATIC", "IP", "PORT", "2.4", "static"]\n')

    def test_deployments(self):
        self.assertEqual(self.bash_sdk("latest_deployment_metadata.inspect"), "nil\n")
        for stamp, hot in (("2024-01-01_00-00-00.000", False), ("2024-01-02_00-00-00.000", True)):
            directory = self.gear.home_on_host / "app-deployments" / stamp
            directory.mkdir()
            directory.chmod(0o755)
            file = directory / "metadata.json"
            file.write_text(json.dumps({"id": stamp[9], "hot_deploy": hot, "of_later_times": 1}))
            file.chmod(0o644)
        self.assertEqual(self.bash_sdk("[latest_deployment_metadata.id, latest_deployment_metadata.hot_deploy].inspect"), '["2", true]\n')

    def test_a_script_of_its_own(self):
        script = ("require ENV.fetch(%q(OPENSHIFT_CARTRIDGE_SDK_RUBY)); include OpenShift::CartridgeSdk; "
                  "print get_path_from_elements(%q(PATH_ELEMENT)), app_web_to_proxy_ratio_and_colocated_gears, version_comp(%q(1.10), %q(1.9))")
        said = self.gear.shell(f"export OPENSHIFT_CARTRIDGE_SDK_RUBY=/usr/lib/openshift/cartridge_sdk/ruby/sdk.rb OPENSHIFT_A_PATH_ELEMENT=/a "
                               f"OPENSHIFT_STATIC_PATH_ELEMENT=/s; oo-ruby -e '{script}'", cart="static")
        self.assertEqual(said, "/s:/a1 1")


if __name__ == "__main__":
    unittest.main()
