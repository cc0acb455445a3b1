// The only file that includes httplib.h. Compiles with cpp-httplib 0.11 (Debian 12) and 0.18 (13).
#include "rest/server.h"

#include "base/log.h"
#include "rest/params.h"

#include <httplib.h>

#include <algorithm>
#include <array>
#include <atomic>
#include <condition_variable>
#include <exception>
#include <fstream>
#include <functional>
#include <limits>
#include <list>
#include <memory>
#include <mutex>
#include <thread>

namespace gearbox::rest {

namespace {

constexpr std::size_t most_headers = 100;
// A create runs for as long as its cartridges do, and every kept-alive connection has a thread:
// threads are made when needed and end when idle, so that long requests never keep others waiting.
constexpr int threads_factor = 8;
constexpr std::chrono::seconds idle_thread{10};
// A body may take as many times the patience for one read.
constexpr int whole_body_factor = 4;
constexpr std::chrono::hours longest_archive{1};

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

HttpRequest convert(const httplib::Request& from, std::string body) {
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
    to.body = std::move(body);
    return to;
}

// The whole body, or the status to refuse it with. The library's own limits are for one read: a byte
// now and then would go on for ever.
std::pair<int, std::string> read_body(const httplib::ContentReader& reader, std::size_t most_bytes,
                                      std::chrono::seconds longest) {
    const auto end = std::chrono::steady_clock::now() + longest;
    int status = 0;
    std::string body;
    const bool is_whole = reader([&](const char* data, std::size_t size) {
        const bool is_late = std::chrono::steady_clock::now() >= end;
        status = body.size() + size > most_bytes ? 413 : is_late ? 408 : 0;
        body.append(data, status == 0 ? size : 0);
        return status == 0;
    });
    return {is_whole || status != 0 ? status : 400, std::move(body)};
}

void fill_head(httplib::Response& to, const HttpResponse& from) {
    to.status = from.status;
    for (const auto& [name, value] : from.headers) {
        to.set_header(name.c_str(), value);
    }
}

// In chunks, whose end is not sent when something goes wrong: the client sees that it has not everything.
void fill_pieces(httplib::Response& to, const HttpResponse& from) {
    to.set_chunked_content_provider(
        from.content_type.c_str(), [pieces = from.pieces](std::size_t, httplib::DataSink& sink) {
            try {
                const std::string piece = pieces();
                if (piece.empty()) {
                    sink.done();
                    return true;
                }
                return sink.write(piece.data(), piece.size());
            } catch (const Error& error) {
                log::warning("a reply breaks off: ", error.text());
                return false;
            }
        });
}

void fill(httplib::Response& to, const HttpResponse& from) {
    fill_head(to, from);
    if (from.pieces) {
        fill_pieces(to, from);
        return;
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

// The library cuts every reply to a Range that was asked for, whatever its status. A server may ignore
// ranges (RFC 9110, 14.2). The request is the library's own and not const there.
void ignore_ranges(const httplib::Request& request) {
    const_cast<httplib::Request&>(request).ranges.clear();
}

// The library reads no body with GET and OPTIONS, nor a chunked one with DELETE: it would take it for the
// next request, which on a connection of the router could be another client's.
bool has_body(const httplib::Request& request) {
    const std::string length = request.get_header_value("Content-Length");
    return request.has_header("Transfer-Encoding") || (!length.empty() && length != "0");
}

// The rest of a body that was given up must not be taken for the next request. The library closes the
// connection when a content provider fails: this one fails after everything is sent.
void fill_and_close(httplib::Response& to, const HttpResponse& from) {
    fill_head(to, from);
    to.set_header("Connection", "close");
    to.set_content_provider(
        from.body.size(), from.content_type.c_str(),
        [body = from.body](std::size_t, std::size_t, httplib::DataSink& sink) {
            sink.write(body.data(), body.size());
            return false;
        });
}

// A body as it comes, in full or not at all. given: whether all of it was taken.
PieceReader read_archive(const httplib::ContentReader& reader, std::chrono::seconds longest, bool& given) {
    return [&reader, longest, &given](const std::function<bool(std::string_view)>& receiver) {
        const auto end = std::chrono::steady_clock::now() + longest;
        bool is_wanted = true;
        std::exception_ptr failure;
        given = reader([&](const char* data, std::size_t size) {
            try {
                is_wanted = std::chrono::steady_clock::now() < end && receiver({data, size});
            } catch (const Error&) {
                failure = std::current_exception();  // not through the library
                is_wanted = false;
            }
            return is_wanted;
        });
        if (failure) {
            std::rethrow_exception(failure);
        }
        if (std::chrono::steady_clock::now() >= end) {
            throw HttpError(408, "The archive did not come in time");
        }
        if (!given && is_wanted) {
            throw HttpError(400, "The archive breaks off");
        }
    };
}

}  // namespace

struct Server::State {
    explicit State(Dispatcher& d) : dispatcher(d) {}

    void configure(const RestSettings& settings, std::chrono::seconds patience);

    void serve_archive(httplib::Response& response, HttpRequest request, const httplib::ContentReader* reader);

    Dispatcher& dispatcher;
    httplib::Server http;
    int port = 0;
    int most_archives = 0;
    std::atomic<int> archives = 0;  ///< that come or go
    std::atomic<bool> begun = false;
    std::atomic<bool> ended = false;
    std::atomic<bool> stopping = false;
};

// They last: others must find a thread, however many of them there are.
void Server::State::serve_archive(httplib::Response& response, HttpRequest request, const httplib::ContentReader* reader) {
    const std::shared_ptr<void> place(nullptr, [this](void*) { --archives; });
    if (++archives > most_archives) {
        HttpResponse refused = Dispatcher::refuse_early(503);
        refused.headers.emplace_back("Retry-After", "60");
        fill_and_close(response, refused);
        return;
    }
    bool is_given = reader == nullptr;
    const PieceReader upload = reader == nullptr ? PieceReader() : read_archive(*reader, longest_archive, is_given);
    HttpResponse answer = dispatcher.handle(request, reader == nullptr ? nullptr : &upload);
    if (answer.pieces) {
        answer.pieces = [pieces = std::move(answer.pieces), place] { return pieces(); };
    }
    is_given ? fill(response, answer) : fill_and_close(response, answer);
}

void Server::State::configure(const RestSettings& settings, std::chrono::seconds patience) {
    const auto answer = [this](const HttpRequest& request) {
        return request.headers.size() > most_headers ? Dispatcher::refuse_early(431) : dispatcher.handle(request);
    };
    const httplib::Server::Handler serve = [this, answer](const httplib::Request& request,
                                                          httplib::Response& response) {
        ignore_ranges(request);
        if (has_body(request)) {
            fill_and_close(response, Dispatcher::refuse_early(400));
            return;
        }
        HttpRequest plain = convert(request, "");
        if (Dispatcher::archive_of(plain) == Archive::in_reply) {
            serve_archive(response, std::move(plain), nullptr);
        } else {
            fill(response, answer(plain));
        }
    };
    const auto most_bytes = static_cast<std::size_t>(settings.max_body_bytes);
    const httplib::Server::HandlerWithContentReader serve_body =
        [this, answer, most_bytes, patience](const httplib::Request& request, httplib::Response& response,
                                             const httplib::ContentReader& reader) {
            ignore_ranges(request);
            if (request.method == "DELETE" && !request.has_header("Content-Length") && has_body(request)) {
                fill_and_close(response, Dispatcher::refuse_early(400));
                return;
            }
            HttpRequest plain = convert(request, "");
            if (Dispatcher::archive_of(plain) == Archive::in_request) {
                serve_archive(response, std::move(plain), &reader);
                return;
            }
            auto [status, body] = read_body(reader, most_bytes, patience * whole_body_factor);
            if (status == 400 && response.status >= 400) {
                status = response.status;  // what the library found wrong
            }
            if (status != 0) {
                fill_and_close(response, Dispatcher::refuse_early(status));
            } else {
                plain.body = std::move(body);
                fill(response, answer(plain));
            }
        };
    // One handler for everything: routing, 404 and 405 are the dispatcher's.
    http.Get(".*", serve);
    http.Post(".*", serve_body);
    http.Put(".*", serve_body);
    http.Patch(".*", serve_body);
    http.Delete(".*", serve_body);
    http.Delete(".*", serve);  // without Content-Length
    http.Options(".*", serve);
    // What the library refuses by itself (413, 414, 400) gets the envelope too.
    http.set_error_handler([](const httplib::Request&, httplib::Response& response) {
        if (response.body.empty() && !response.has_header("Connection")) {
            fill(response, Dispatcher::refuse_early(response.status));
        }
    });
    http.set_exception_handler(
        [](const httplib::Request& request, httplib::Response& response, std::exception_ptr) {
            log::error("an exception left the dispatcher", log::field("path", request.path));
            fill(response, Dispatcher::refuse_early(500));
        });
    // Bodies are counted where they are read: archives may be larger.
    http.set_payload_max_length(std::numeric_limits<std::size_t>::max());
    http.set_read_timeout(patience.count());
    http.set_write_timeout(patience.count());
    http.set_keep_alive_timeout(patience.count());
    http.set_keep_alive_max_count(1000);
    http.set_tcp_nodelay(true);
    const auto most = static_cast<std::size_t>(settings.threads) * threads_factor;
    most_archives = static_cast<int>(most / 2);
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

void Server::run() {
    state_->begun = true;
    if (!state_->stopping) {
        state_->http.listen_after_bind();
    }
    state_->ended = true;
}

// httplib forgets to stop what does not listen yet.
void Server::stop() {
    state_->stopping = true;
    while (state_->begun && !state_->ended && !state_->http.is_running()) {
        std::this_thread::yield();
    }
    state_->http.stop();
}

}  // namespace gearbox::rest
