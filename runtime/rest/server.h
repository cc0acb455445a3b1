// The HTTP listener: plain HTTP on loopback, behind the router.
#pragma once
#include "base/settings.h"
#include "rest/dispatcher.h"

#include <chrono>
#include <memory>

namespace gearbox::rest {

class Server {
public:
    /// Binds; throws Error(unavailable) if the address is taken. patience: how long a connection may
    /// be silent in the middle of a request, or before the next one; a body has four times as long.
    Server(Dispatcher& dispatcher, const RestSettings& settings,
           std::chrono::seconds patience = std::chrono::seconds(15));
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
