// Commands in gears, without gears: what they say is set, what they are given is kept.
#pragma once
#include "node/gear_stream.h"

#include <algorithm>
#include <functional>
#include <map>
#include <memory>
#include <mutex>
#include <string>
#include <vector>

namespace gearbox::test {

class FakeSessions final : public GearSessions {
public:
    /// What a command does.
    struct Act {
        std::string output;
        std::string remarks;
        int status = 0;
        std::size_t takes = SIZE_MAX;  ///< bytes of its input, before it ends
        std::function<void()> before = {};  ///< called before it gives anything
    };

    std::map<std::string, Act> acts;  ///< by command
    std::vector<std::string> log;     ///< "GEAR LOGIN COMMAND", and how they ended: "finished", "given up"
    std::string input;                ///< of the last one

    std::unique_ptr<GearStream> open(const GearId& gear, const std::string& command, const std::string& login) override {
        note(gear.text() + " " + login + " " + command);
        const std::lock_guard lock(mutex_);
        input.clear();
        return std::make_unique<Stream>(*this, acts[command]);
    }

    void note(const std::string& what) {
        const std::lock_guard lock(mutex_);
        log.push_back(what);
    }

private:
    class Stream final : public GearStream {
    public:
        Stream(FakeSessions& owner, Act act) : owner_(owner), act_(std::move(act)) {}
        ~Stream() override {
            if (!is_finished_) {
                owner_.note("given up");
            }
        }
        std::size_t read(char* to, std::size_t most) override {
            if (act_.before) {
                act_.before();
            }
            const std::size_t count = std::min(most, act_.output.size() - at_);
            act_.output.copy(to, count, at_);
            at_ += count;
            return count;
        }
        bool write(std::string_view bytes) override {
            owner_.input += bytes;
            return owner_.input.size() <= act_.takes;
        }
        int finish() override {
            is_finished_ = true;
            owner_.note("finished");
            return act_.status;
        }
        std::string said() const override { return act_.remarks; }

    private:
        FakeSessions& owner_;
        Act act_;
        std::size_t at_ = 0;
        bool is_finished_ = false;
    };

    std::mutex mutex_;
};

}  // namespace gearbox::test
