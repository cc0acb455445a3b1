// The HTTP listener: plain HTTP on loopback, behind the router.
#pragma once
#include "base/settings.h"
#include "rest/dispatcher.h"

#include <memory>

namespace gearbox::rest {

class Server {
public:
    /// Binds; throws Error(unavailable) if the address is taken.
    Server(Dispatcher& dispatcher, const RestSettings& settings);
    ~Server();
    Server(const Server&) = delete;
    Server& operator=(const Server&) = delete;

    int port() const;
    /// Serves until stop(); call from a thread of its own or the main one.
    void run();
    /// From any thread; requests that run are finished.
    void stop();

private:
    struct State;  // keeps httplib.h, which is slow to compile, in one source file
    std::unique_ptr<State> state_;
};

}  // namespace gearbox::rest
