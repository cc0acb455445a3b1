// An internet with the mirror of downloads: the real Apache with runtime/mirror/mirror.conf.
#pragma once
#include "internet_fixture.h"

#include <filesystem>
#include <optional>
#include <string>

namespace gearbox::test {

class MirrorTest : public NetworkTest {
protected:
    void SetUp() override {
        namespace fs = std::filesystem;
        if (!fs::exists("/usr/lib/apache2/modules/mod_proxy_connect.so") || !fs::exists("/usr/bin/htcacheclean")) {
            GTEST_SKIP() << "no Apache, or no htcacheclean";
        }
        tool("getent passwd gearbox-mirror >/dev/null || useradd --system --no-create-home gearbox-mirror");
        tool("mkdir -p /usr/share/gearbox; mount -t tmpfs -o mode=0755 gearbox /usr/share/gearbox");
        tool(str("cp -r ", source_path("runtime/mirror/."), " /usr/share/gearbox"));
        fs::create_directories("/var/lib/gearbox/mirror/wordpress.org");
        fs::create_directories("/run/gearbox/httpd");
        tool("chown gearbox-mirror /run/gearbox/httpd");
        add("wordpress.org/hello.txt", "hello\n");
        settings.mirror.enabled = true;
        NetworkTest::SetUp();
        start_mirror();
    }
    void TearDown() override {
        if (apache_) {
            stop_mirror();
            NetworkTest::TearDown();
            tool("umount /usr/share/gearbox");
        }
        for (const char* directory : {"/var/lib/gearbox/mirror", "/run/gearbox/httpd", cache}) {
            std::filesystem::remove_all(directory);
        }
    }

    /// As gearbox-mirror.service, with what the daemon has written for it.
    void start_mirror() {
        sys::Program program;
        program.path = "/bin/sh";
        program.argv = {"sh", "-c",
                        "set -a; eval \"$(sed 's/^REGISTRIES=\\(.*\\)/REGISTRIES=\"\\1\"/' /run/gearbox/mirror.env)\";"
                        "exec setpriv --reuid gearbox-mirror --regid gearbox-mirror --clear-groups --no-new-privs"
                        " apache2 -D FOREGROUND $REGISTRIES -f /usr/share/gearbox/mirror.conf"};
        program.environment = {"PATH=/usr/sbin:/usr/bin:/bin", "RUNTIME_DIRECTORY=/run/gearbox/httpd"};
        program.descriptors = {{2, 1}, {2, 2}};
        apache_.emplace(sys::spawn(program));
        tool("for i in $(seq 100); do ss -ltn | grep -q :4083 && exit 0; sleep 0.1; done; exit 1");
    }
    void stop_mirror() {
        apache_->kill(SIGTERM);
        apache_->wait();
    }

    static void add(const std::string& name, const std::string& text) {
        write_file_atomically("/var/lib/gearbox/mirror/" + name, text, 0644);
    }

    std::string run(const GearId& in, Purpose purpose, const std::string& program) const {
        const GearRecord record = agent->context().store.gear(in);
        const GearResult result = agent->runner().run(record, purpose, {"/bin/bash", "-c", program});
        return result.out + result.err;
    }
    std::string run(Purpose purpose, const std::string& program) const { return run(gear, purpose, program); }
    /// What a build gets by curl, and the status.
    std::string get(const std::string& options) const {
        return run(Purpose::build, "curl -sS --max-time 5 --path-as-is -w '%{http_code}' " + options);
    }

    static constexpr const char* cache = "/var/lib/openshift/.registries";

private:
    std::optional<sys::Child> apache_;
};

}  // namespace gearbox::test
