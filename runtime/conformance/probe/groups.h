// The functions that attempts.def names, each in the namespace of its group.
#pragma once
#include "conformance/probe/outcome.h"
#include "conformance/probe/targets.h"

#define ATTEMPT(group, function, ...)         \
    namespace gearbox::probe::group {         \
    Outcome function(const Targets& targets); \
    }
#include "conformance/attempts.def"
#undef ATTEMPT
