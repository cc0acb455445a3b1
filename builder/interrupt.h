// Ctrl-C and SIGTERM: noted by the handler, thrown at the next safe place, so that everything that
// a build had open is undone on the way out.
#pragma once
#include "base/error.h"

namespace gearbox::builder {

class Interrupted final : public Error {
public:
    Interrupted() : Error(ErrorKind::unavailable, "interrupted") {}
};

/// Once, at the start of main.
void install_interrupt_handlers();

/// Throws Interrupted if a signal has come.
void throw_if_interrupted();

}  // namespace gearbox::builder
