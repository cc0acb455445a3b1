#include "boot_test/machine.h"

#include "interrupt.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <boost/process.hpp>
#include <boost/process/extend.hpp>

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include <algorithm>
#include <csignal>
#include <utility>

namespace gearbox::builder {

namespace bp = boost::process;
namespace fs = std::filesystem;
using namespace std::chrono_literals;

struct Machine::Process {
    bp::child child;
};

bool can_use_kvm() {
    std::string kernel;
    std::error_code none;
    for (const auto& entry : fs::directory_iterator("/boot", none)) {
        const std::string file = entry.path().string();
        if (file.starts_with("/boot/vmlinuz-") && ::access(file.c_str(), R_OK) == 0) {
            kernel = std::max(kernel, file);
        }
    }
    if (kernel.empty() || ::access("/dev/kvm", R_OK | W_OK) != 0) {
        return false;
    }
    ToolOptions options;
    options.deadline = 15s;
    try {
        const ToolResult result = run_tool(
            {"qemu-system-x86_64", "-machine",   "q35",  "-accel",      "kvm",     "-cpu",
             "host",               "-smp",       "2",    "-m",          "256",     "-nodefaults",
             "-display",           "none",       "-serial", "stdio",    "-no-reboot", "-kernel",
             kernel,               "-append",    "console=ttyS0 panic=-1"},
            options);
        return result.out.find("Unable to mount root") != std::string::npos;
    } catch (const Error&) {
        throw_if_interrupted();
        return false;
    }
}

int find_free_port() {
    const UniqueFd listener(
        check(::socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0), "looking for a free port"));
    sockaddr_in address{};
    address.sin_family = AF_INET;
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    socklen_t size = sizeof address;
    auto* const generic = reinterpret_cast<sockaddr*>(&address);
    check(::bind(listener.get(), generic, size), "looking for a free port");
    check(::getsockname(listener.get(), generic, &size), "looking for a free port");
    return ntohs(address.sin_port);
}

Machine::Machine(MachineSpec spec) : spec_(std::move(spec)) {
    const auto die_with_us = [parent = ::getpid()](auto&) {
        ::prctl(PR_SET_PDEATHSIG, SIGKILL);
        if (::getppid() != parent) {  // who is gone before that tells nobody
            ::_exit(1);
        }
    };
    process_ = std::make_unique<Process>();
    process_->child = bp::child(
        "/usr/bin/env", bp::args(machine_arguments(spec_)),
        bp::std_in<bp::null, (bp::std_out & bp::std_err)>(spec_.work / "qemu.log").string(),
        bp::extend::on_exec_setup = die_with_us);
    const auto end = std::chrono::steady_clock::now() + 30s;
    std::error_code none;
    while (!control_) {
        throw_if_interrupted();
        try {
            control_ = Qmp::connect(spec_.work / "qmp");
        } catch (const Error&) {
            throw_if_interrupted();  // else it ended as soon as it had the socket
        }
        if (!control_ && process_->child.wait_for(50ms, none)) {
            fail_ended();
        }
        if (std::chrono::steady_clock::now() > end) {
            fail(ErrorKind::unavailable, "QEMU does not answer on its control socket");
        }
    }
}

Machine::~Machine() {
    // Nothing in it is worth a clean end: what it wrote is in files that have no name. Not
    // child.terminate(): after that, child.wait() would not wait.
    std::error_code none;
    if (process_->child.running(none)) {
        ::kill(process_->child.id(), SIGKILL);
        process_->child.wait(none);
    }
}

std::string Machine::console() const {
    return plain_text(find_file(spec_.work / "console.log").value_or(""));
}

void Machine::wait(std::chrono::milliseconds time) {
    throw_if_interrupted();
    if (!control_->wait(time)) {
        throw_if_interrupted();  // Ctrl-C reaches QEMU, too
        fail_ended();
    }
}

fs::path Machine::take_picture(const fs::path& stem) {
    const fs::path file = fs::absolute(stem);
    try {
        const fs::path png = file.string() + ".png";
        control_->command("screendump", {{"filename", png.string()}, {"format", "png"}});
        return png;
    } catch (const Refused&) {  // before QEMU 7.1, or made without libpng
        const fs::path ppm = file.string() + ".ppm";
        control_->command("screendump", {{"filename", ppm.string()}});
        return ppm;
    }
}

void Machine::fail_ended() {
    std::string said = find_file(spec_.work / "qemu.log").value_or("");
    const std::string console = this->console();
    said += console.substr(console.size() - std::min<std::size_t>(console.size(), 1000));
    fail(ErrorKind::unavailable, "QEMU ended: ", said.empty() ? "it said nothing" : said);
}

}  // namespace gearbox::builder
