// A broker of canned answers, and a world in which the commands run against it.
#pragma once
#include "base/file.h"
#include "cli/command.h"

#include <gtest/gtest.h>

#include <map>
#include <sstream>

namespace gearbox::cli {

/// Answers by "METHOD path"; records what was asked. Shared by all its transports.
struct FakeBroker {
    struct Answer {
        int status = 200;
        Json data;
        std::vector<Message> messages;
    };
    std::map<std::string, Answer> answers;
    std::map<std::string, std::string> files;  ///< raw bodies by path
    std::vector<HttpRequest> requests;
    std::mutex mutex;
    bool trusted = true;       ///< the certificate is signed by the system's authorities
    std::string trusted_file;  ///< or by the one in this file

    HttpResponse answer(const TransportOptions& options, const HttpRequest& request) {
        const std::lock_guard lock(mutex);
        if (options.verify && !trusted && options.ca_file.empty()) {
            throw UntrustedError("unknown certificate");
        }
        requests.push_back(request);
        if (const auto file = files.find(request.path); file != files.end()) {
            return {200, file->second};
        }
        std::string path = request.path;
        const std::string base = "/broker/rest";
        path = path.rfind(base, 0) == 0 ? path.substr(base.size()) : path;
        const auto found = answers.find(request.method + " " + path);
        if (found == answers.end()) {
            return {404, R"({"status":"not_found","data":null,"messages":[]})"};
        }
        Json messages = Json::array();
        for (const Message& message : found->second.messages) {
            messages.push_back({{"severity", message.severity},
                                {"text", message.text},
                                {"field", nullptr},
                                {"exit_code", message.exit_code}});
        }
        return {found->second.status,
                to_text({{"data", found->second.data}, {"messages", messages}})};
    }

    /// The last request with this method and end of path, or null.
    const HttpRequest* last(const std::string& method, const std::string& path) const {
        for (auto it = requests.rbegin(); it != requests.rend(); ++it) {
            if (it->method == method && it->path.find(path) != std::string::npos) {
                return &*it;
            }
        }
        return nullptr;
    }
};

class FakeTransport final : public Transport {
public:
    FakeTransport(FakeBroker& broker, TransportOptions options)
        : broker_(broker), options_(std::move(options)) {}
    HttpResponse send(const HttpRequest& request) override {
        return broker_.answer(options_, request);
    }

private:
    FakeBroker& broker_;
    TransportOptions options_;
};

class CliTest : public ::testing::Test {
protected:
    /// Runs a command line; the exit status. Output is in out and err.
    int run(const std::vector<std::string>& words, const std::string& input = "",
            bool interactive = false) {
        std::istringstream in(input);
        std::ostringstream out_stream;
        std::ostringstream err_stream;
        const World world{{in, out_stream, err_stream, interactive, false},
                          [this](const TransportOptions& options) {
                              return std::make_unique<FakeTransport>(broker, options);
                          },
                          [this](const std::vector<std::string>& argv) {
                              executed = argv;
                              return 0;
                          },
                          [this](const std::vector<std::string>& argv, const Redirection& files) {
                              executed = argv;
                              redirected = files;
                              if (!files.output.empty()) {
                                  write_file_atomically(files.output, program_output);
                              }
                              return program_status;
                          },
                          directory.path().native(),
                          password,
                          [this](const std::string& host) {
                              const auto found = addresses.find(host);
                              return found == addresses.end() ? std::vector<std::string>()
                                                              : std::vector{found->second};
                          }};
        std::vector<std::string> args{"--config", config_directory()};
        args.insert(args.end(), words.begin(), words.end());
        const int status = run_cli(args, world);
        out = out_stream.str();
        err = err_stream.str();
        return status;
    }

    std::string config_directory() const { return (directory.path() / "config").native(); }
    ConfigStore store() const { return ConfigStore(config_directory()); }

    void set_up(Config config = {}) {
        config.server = config.server.empty() ? "https://gearbox.localhost:8443" : config.server;
        config.login = "demo";
        config.domain = "demo";
        config.ssh_port = 8022;
        config.http_port = 8080;
        store().save(config);
        store().save_token("t0");
    }

    static Json application(const std::string& name) {
        return {{"id", "0123456789abcdef01234567"},
                {"name", name},
                {"domain_id", "demo"},
                {"framework", "php-8.4"},
                {"app_url", "http://" + name + "-demo.gearbox.localhost/"},
                {"ssh_url", "ssh://0123456789abcdef01234567@" + name + "-demo.gearbox.localhost"},
                {"git_url", "ssh://0123456789abcdef01234567@" + name + "-demo.gearbox.localhost/~/git/" +
                                name + ".git/"},
                {"cartridges", Json::array()}};
    }

    TempDir directory;
    FakeBroker broker;
    std::string password;
    std::map<std::string, std::string> addresses;  ///< what the resolver knows
    std::string out;
    std::string err;
    std::vector<std::string> executed;
    Redirection redirected;
    int program_status = 0;
    std::string program_output = "archive";
};

}  // namespace gearbox::cli
