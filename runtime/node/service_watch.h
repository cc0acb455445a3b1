// When a service that has gone is started again: pure, one object a service.
#pragma once
#include <cstdint>

namespace gearbox {

class ServiceWatch {
public:
    enum class Verdict { fine, restart, give_up };

    /// What to do after a look at it. Only a service that has listened before is missed, and only
    /// when two looks in a row do not find it. Each restart that does not hold doubles the time until
    /// the next, from 10 s on; after five there is no other, and give_up is said once.
    Verdict look(std::int64_t now_ms, bool is_listening);

    int restarts() const { return restarts_; }
    bool has_given_up() const { return has_given_up_; }

private:
    Verdict miss(std::int64_t now_ms);

    bool was_listening_ = false;
    bool has_given_up_ = false;
    int missed_ = 0;    ///< looks in a row
    int failures_ = 0;  ///< restarts since it last held for a minute
    int restarts_ = 0;
    std::int64_t not_before_ = 0;
    std::int64_t listening_since_ = 0;
};

}  // namespace gearbox
