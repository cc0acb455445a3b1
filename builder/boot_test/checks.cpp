#include "boot_test/checks.h"

#include "base/error.h"

#include <algorithm>
#include <functional>

namespace gearbox::builder {

namespace fs = std::filesystem;
using namespace std::chrono_literals;
using Clock = std::chrono::steady_clock;

namespace {

// GRUB's last line below a menu that is there, and the prompt of a console.
constexpr const char* menu_text = "highlighted entry will be executed automatically";
constexpr const char* prompt_text = "login:";

// The application that is made for the test: an account of its own, with a domain of the same name.
constexpr const char* client = "gearbox --config /tmp/boottest/config ";

bool says(const Bench& bench, const char* text) {
    return bench.machine.console().find(text) != std::string::npos;
}

// All that is waited for shares the time: an image that shows no menu does not get it once more for its prompt.
void wait_until(Bench& bench, const char* what, const std::function<bool()>& done) {
    while (!done()) {
        if (const std::string refusal = find_refusal(bench.machine.console()); !refusal.empty()) {
            fail(ErrorKind::unavailable, "the firmware does not start the image: ", refusal);
        }
        if (Clock::now() > bench.started + bench.limit) {
            const std::string text = bench.machine.console();
            fail(ErrorKind::unavailable, what, " did not come within ", bench.limit.count(), " s; the console ",
                 text.empty() ? "is empty"
                              : "ends with: " + text.substr(text.size() - std::min<std::size_t>(text.size(), 600)));
        }
        bench.machine.wait(100ms);
    }
}

std::string take_picture(Bench& bench, const char* name) {
    const std::string stem = str(to_string(bench.machine.spec().firmware), "-", name);
    return bench.machine.take_picture(bench.pictures / stem).filename().string();
}

std::string see_menu(Bench& bench) {
    wait_until(bench, "the boot menu",
               [&bench] { return says(bench, menu_text) || says(bench, prompt_text); });
    return says(bench, menu_text) ? take_picture(bench, "menu")
                                  : "none shown: the recipe's bootloader --timeout may be 0";
}

std::string see_welcome(Bench& bench) {
    wait_until(bench, "the login prompt", [&bench] { return says(bench, prompt_text); });
    return "prompt on the serial console";
}

std::string log_in(Bench& bench) {
    bench.started = Clock::now();  // anew: sshd is not what the limit is about
    wait_until(bench, "a login by ssh",
               [&bench] { return bench.guest.try_run("true", "", 60s).status == 0; });
    return "gearbox, by a key that the machine was given";
}

std::string see_firmware(Bench& bench) {
    const std::string state = bench.guest.run(
        "if [ ! -e /sys/firmware/efi ]; then echo bios; "
        "elif od -An -tu1 -j4 -N1 /sys/firmware/efi/efivars/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c | "
        "grep -q 1; then echo uefi-secure; sudo -n journalctl -k -o cat | grep '^Kernel is locked down'; "
        "else echo uefi; fi");
    return judge_firmware(bench.machine.spec().firmware, state);
}

std::string see_units(Bench& bench) {
    // Its status says whether units failed; which ones, the next command.
    bench.guest.try_run("systemctl is-system-running --wait", "", 600s);
    const std::string picture = take_picture(bench, "welcome");
    const std::string failed = bench.guest.run("systemctl --failed --no-legend --plain");
    if (!failed.empty()) {
        fail(ErrorKind::internal, "failed units: ", failed);
    }
    return picture;
}

std::string see_selinux(Bench& bench) {
    std::string state = bench.guest.run("/usr/sbin/getenforce");
    state.erase(state.find_last_not_of('\n') + 1);
    if (state != "Enforcing") {
        fail(ErrorKind::internal, "SELinux is ", state);
    }
    return "enforcing";
}

Page require_page(const Bench& bench, const std::string& host, const char* path) {
    Page page = bench.guest.get(host, path);
    if (page.status != 200) {
        fail(ErrorKind::internal, "status ", page.status, " of http://", host, path, ": ",
             page.body.substr(0, 300));
    }
    return page;
}

std::string ask_broker(Bench& bench) {
    const Page page = require_page(bench, "localhost", "/broker/rest/api");
    const auto links = take<Json>(parse_json(page.body), "data");
    return str(links.size(), " links");
}

std::string make_application(Bench& bench) {
    const std::string password = "only for this test\n";
    bench.guest.run("mkdir /tmp/boottest");
    bench.guest.run("sudo -n gearbox admin user create boottest --password-stdin", password);
    bench.guest.run(str(client,
                        "setup --server localhost --trust --login boottest --domain "
                        "boottest --ssh-key /tmp/boottest/key --password-stdin"),
                    password);
    bench.guest.run(str(client, "app create site static"));
    const Json shown = parse_json(bench.guest.run(str(client, "app show site --output json")));
    bench.page_host = host_of(take<std::string>(shown, "app_url"));
    return bench.page_host + ", of the cartridge 'static'";
}

std::string see_page(Bench& bench) {
    return str(require_page(bench, bench.page_host, "/").body.size(), " bytes through the router");
}

// The attempts provoke denials; those before are kept for the last check.
std::string try_to_break_out(Bench& bench) {
    bench.denials = bench.guest.new_denials();
    const ToolResult done =
        bench.guest.try_run(str(client, "conformance site --output json"), "", 900s);
    bench.guest.new_denials();
    if (done.out.empty()) {
        fail(ErrorKind::internal, "status ", done.status, ": ", done.err);
    }
    return judge_conformance(parse_json(done.out));
}

std::string delete_application(Bench& bench) {
    bench.guest.run(str(client, "app delete site --confirm"));
    const int status = bench.guest.get(bench.page_host, "/").status;
    if (status != 404) {
        fail(ErrorKind::internal, "its page still has status ", status);
    }
    return "its page is gone";
}

std::string see_denials(Bench& bench) {
    for (std::string& line : bench.guest.new_denials()) {
        bench.denials.push_back(std::move(line));
    }
    std::string text;
    for (const std::string& line : bench.denials) {
        text += "\n" + line;
    }
    if (!text.empty()) {
        fail(ErrorKind::internal, "SELinux denied:", text);
    }
    return "none, but those that the attempts above provoke";
}

}  // namespace

std::string find_refusal(std::string_view console) {
    // EDK2's words for an image without a loader, for one that Secure Boot refuses, and shim's for GRUB.
    const std::pair<std::string_view, std::string_view> refusals[] = {
        {"BdsDxe: ", ": Access Denied"}, {"BdsDxe: No bootable option", ""}, {"Verification failed: ", "Security Violation"},
        {"UEFI Interactive Shell", ""}};
    while (!console.empty()) {
        const std::string_view line = console.substr(0, console.find('\n'));
        for (const auto& [begin, end] : refusals) {
            if (line.starts_with(begin) && line.ends_with(end)) {
                return std::string(line);
            }
        }
        console.remove_prefix(std::min(line.size() + 1, console.size()));
    }
    return "";
}

std::string judge_firmware(Firmware started, std::string_view state) {
    const std::string_view found = state.substr(0, state.find('\n'));
    if (found != to_string(started)) {
        fail(ErrorKind::internal, "the system was started by '", found, "'");
    }
    if (started != Firmware::uefi_secure) {
        return std::string(found);
    }
    std::string_view locked = state.substr(std::min(found.size() + 1, state.size()));
    locked = locked.substr(0, locked.find('\n'));
    if (locked.empty()) {
        fail(ErrorKind::internal, "Secure Boot is on, but the kernel is not locked down");
    }
    return str("Secure Boot is on; ", locked);
}

std::string host_of(std::string_view url) {
    const auto scheme = url.find("://");
    const auto start = scheme == std::string_view::npos ? 0 : scheme + 3;
    return std::string(url.substr(start, url.find_first_of(":/", start) - start));
}

const std::vector<BootCheck>& boot_checks() {
    static const std::vector<BootCheck> table{
        {"menu", "the boot menu is shown", false, see_menu},
        {"welcome", "the login prompt comes within --timeout", true, see_welcome},
        {"login", "the operator can log in", true, log_in},
        {"firmware", "it is the one that the machine has, and Secure Boot holds", false, see_firmware},
        {"units", "everything has started, and no unit failed", false, see_units},
        {"SELinux", "it is enforcing", false, see_selinux},
        {"broker", "it answers over http", false, ask_broker},
        {"application", "one is made with the command line client", false, make_application},
        {"page", "the router serves the application's page", false, see_page},
        {"conformance", "nothing breaks out of the application's gear", false, try_to_break_out},
        {"deletion", "the application and its page go away", false, delete_application},
        {"denials", "SELinux denied nothing that should work", false, see_denials},
    };
    return table;
}

std::string judge_conformance(const Json& result) {
    std::string open;
    std::size_t stopped = 0;
    std::size_t absent = 0;
    for (const Json& attempt : take<Json>(result, "attempts")) {
        const auto verdict = take<std::string>(attempt, "verdict");
        stopped += verdict == "blocked" ? 1 : 0;
        absent += verdict == "absent" ? 1 : 0;
        if (verdict != "blocked" && verdict != "absent") {
            const std::string detail = find<std::string>(attempt, "detail").value_or("");
            open += str("\n", take<std::string>(attempt, "group"), "/",
                        take<std::string>(attempt, "name"), ": ", verdict,
                        detail.empty() ? "" : " (" + detail + ")");
        }
    }
    if (!open.empty() || stopped == 0) {
        fail(ErrorKind::internal, stopped, " attempts stopped, not these:", open);
    }
    if (!take<bool>(result, "enforcing")) {
        fail(ErrorKind::internal, "SELinux took no part in it");
    }
    return str(stopped, " attempts stopped, ", absent, " not possible there");
}

}  // namespace gearbox::builder
