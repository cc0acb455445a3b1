// Runs a callable at scope exit.
#pragma once
#include <utility>

namespace gearbox {

template <typename Body>
class [[nodiscard]] Defer {
public:
    explicit Defer(Body body) : body_(std::move(body)) {}
    Defer(const Defer&) = delete;
    Defer& operator=(const Defer&) = delete;
    ~Defer() {
        if (armed_) {
            body_();
        }
    }
    /// The work is no longer needed (the operation succeeded).
    void cancel() { armed_ = false; }

private:
    Body body_;
    bool armed_ = true;
};

}  // namespace gearbox
