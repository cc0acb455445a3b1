// The only file that includes httplib.h. Compiles with cpp-httplib 0.11 (Debian 12) and 0.18 (13).
#include "rest/server.h"

#include "base/log.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <condition_variable>
#include <fstream>
#include <functional>
#include <list>
#include <mutex>
#include <thread>

namespace gearbox::rest {

namespace {

constexpr std::size_t most_headers = 100;
// A create runs for as long as its cartridges do, and every kept-alive connection has a thread:
// threads are made when needed and end when idle, so that long requests never keep others waiting.
constexpr int threads_factor = 8;
constexpr std::chrono::seconds idle_thread{10};

class ElasticPool final : public httplib::TaskQueue {
public:
    explicit ElasticPool(std::size_t most) : most_(most) {}

    // void in 0.11, bool in 0.18.
    using Accepted = decltype(std::declval<httplib::TaskQueue&>().enqueue(std::function<void()>()));
    Accepted enqueue(std::function<void()> task) override {
        const std::lock_guard lock(mutex_);
        tasks_.push_back(std::move(task));
        if (idle_ < tasks_.size() && running_ < most_) {
            ++running_;
            std::thread([this] { work(); }).detach();
        }
        changed_.notify_one();
        return static_cast<Accepted>(true);
    }

    void shutdown() override {
        std::unique_lock lock(mutex_);
        is_closing_ = true;
        changed_.notify_all();
        changed_.wait(lock, [&] { return running_ == 0; });
    }

private:
    void work() {
        std::unique_lock lock(mutex_);
        for (;;) {
            ++idle_;
            changed_.wait_for(lock, idle_thread, [&] { return !tasks_.empty() || is_closing_; });
            --idle_;
            if (tasks_.empty()) {
                break;  // idle for long enough, or closing with nothing left to do
            }
            const auto task = std::move(tasks_.front());
            tasks_.pop_front();
            lock.unlock();
            task();
            lock.lock();
        }
        --running_;
        changed_.notify_all();
    }

    const std::size_t most_;
    std::mutex mutex_;
    std::condition_variable changed_;
    std::list<std::function<void()>> tasks_;
    std::size_t running_ = 0;
    std::size_t idle_ = 0;
    bool is_closing_ = false;
};

HttpRequest convert(const httplib::Request& from) {
    HttpRequest to;
    to.method = from.method;
    to.path = from.path;
    const auto question = from.target.find('?');
    if (question != std::string::npos) {
        to.query = from.target.substr(question + 1, from.target.find('#', question) - question - 1);
    }
    for (const auto& [name, value] : from.headers) {
        to.headers.emplace(to_lower(name), value);
    }
    to.body = from.body;
    return to;
}

void fill(httplib::Response& to, const HttpResponse& from) {
    to.status = from.status;
    for (const auto& [name, value] : from.headers) {
        to.set_header(name.c_str(), value);
    }
    if (from.file.empty()) {
        to.set_content(from.body, from.content_type.c_str());
        return;
    }
    // In pieces: a download must not be in memory as a whole, however many ask for it.
    const auto stream = std::make_shared<std::ifstream>(from.file, std::ios::binary | std::ios::ate);
    const auto size = static_cast<std::size_t>(std::max<std::streamoff>(stream->tellg(), 0));
    to.set_content_provider(
        size, from.content_type.c_str(),
        [stream](std::size_t offset, std::size_t length, httplib::DataSink& sink) {
            std::array<char, 64 * 1024> piece;
            stream->seekg(static_cast<std::streamoff>(offset));
            stream->read(piece.data(), static_cast<std::streamsize>(std::min(length, piece.size())));
            return stream->gcount() > 0 &&
                   sink.write(piece.data(), static_cast<std::size_t>(stream->gcount()));
        });
}

}  // namespace

struct Server::State {
    explicit State(Dispatcher& d) : dispatcher(d) {}

    void configure(const RestSettings& settings, std::chrono::seconds patience);

    Dispatcher& dispatcher;
    httplib::Server http;
    int port = 0;
};

void Server::State::configure(const RestSettings& settings, std::chrono::seconds patience) {
    const httplib::Server::Handler serve = [this](const httplib::Request& request,
                                                  httplib::Response& response) {
        fill(response, request.headers.size() > most_headers
                           ? Dispatcher::refuse_early(431)
                           : dispatcher.handle(convert(request)));
    };
    // One handler for everything: routing, 404 and 405 are the dispatcher's.
    http.Get(".*", serve);
    http.Post(".*", serve);
    http.Put(".*", serve);
    http.Patch(".*", serve);
    http.Delete(".*", serve);
    http.Options(".*", serve);
    // What the library refuses by itself (413, 414, 400) gets the envelope too.
    http.set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (response.body.empty()) {
            fill(response, Dispatcher::refuse_early(response.status));
        }
    });
    http.set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
            log::error("an exception left the dispatcher", log::field("path", request.path));
            fill(response, Dispatcher::refuse_early(500));
        });
    http.set_payload_max_length(static_cast<std::size_t>(settings.max_body_bytes));
    http.set_read_timeout(patience.count());
    http.set_write_timeout(patience.count());
    http.set_keep_alive_timeout(patience.count());
    http.set_keep_alive_max_count(1000);
    http.set_tcp_nodelay(true);
    const auto most = static_cast<std::size_t>(settings.threads) * threads_factor;
    http.new_task_queue = [most] { return new ElasticPool(most); };
}

Server::Server(Dispatcher& dispatcher, const RestSettings& settings, std::chrono::seconds patience)
    : state_(std::make_unique<State>(dispatcher)) {
    state_->configure(settings, patience);
    const int wanted = static_cast<int>(settings.listen_port);
    if (wanted == 0) {
        state_->port = state_->http.bind_to_any_port(settings.listen_address.c_str());
    } else if (state_->http.bind_to_port(settings.listen_address.c_str(), wanted)) {
        state_->port = wanted;
    } else {
        state_->port = -1;
    }
    if (state_->port < 0) {
        fail(ErrorKind::unavailable, "listening on ", settings.listen_address, ":", wanted,
             ": the address is not there or in use");
    }
}

Server::~Server() { stop(); }

int Server::port() const { return state_->port; }

void Server::run() { state_->http.listen_after_bind(); }

void Server::stop() { state_->http.stop(); }

}  // namespace gearbox::rest
