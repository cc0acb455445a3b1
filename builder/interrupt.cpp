#include "interrupt.h"

#include <csignal>

namespace gearbox::builder {

namespace {

volatile std::sig_atomic_t signalled = 0;

}  // namespace

void install_interrupt_handlers() {
    struct sigaction action {};
    action.sa_handler = [](int) { signalled = 1; };
    // Without SA_RESTART: waiting for a tool must end.
    for (const int signal : {SIGINT, SIGTERM, SIGHUP}) {
        check(::sigaction(signal, &action, nullptr), "installing a signal handler");
    }
}

void throw_if_interrupted() {
    if (signalled != 0) {
        throw Interrupted();
    }
}

}  // namespace gearbox::builder
