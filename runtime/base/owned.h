// A pointer to what a C library hands out, and takes back by a function of its own.
#pragma once
#include <memory>

namespace gearbox {

template <auto release>
struct Release {
    template <typename T>
    void operator()(T* object) const {
        release(object);
    }
};

template <typename T, auto release>
using Owned = std::unique_ptr<T, Release<release>>;

}  // namespace gearbox
