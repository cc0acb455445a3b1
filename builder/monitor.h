// What a build shows while it runs.
#pragma once
#include "plan.h"

#include <cstdint>
#include <memory>
#include <ostream>
#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct StageFailure {
    std::string stage;
    std::string id;
    std::string error;
    std::string hint;
    std::string log;  ///< file name
    std::vector<std::string> tail;
    std::string kept{};  ///< folder with what the stage made until then; empty: none
};

struct BuiltImage {
    std::string format;
    std::string output;
    std::string sha256;
    std::uintmax_t bytes = 0;
};

struct BuildResult {
    std::vector<BuiltImage> images;  ///< none if the build ended before them, as asked
    std::string tree;                ///< id of the root tree that all of them are made of
    double seconds = 0;
};

/// The result as JSON; `output`, `sha256` and `bytes` are those of the first image.
Json to_json(const BuildResult& result);

/// Called by the executor from one thread, in this order: plan, then for each stage that is looked
/// at either cached or begin, progress…, done; at the end finished, or failed.
class Monitor {
public:
    virtual ~Monitor() = default;
    virtual void plan(const std::vector<std::string>& stages) = 0;
    virtual void cached(const StageStep& step) = 0;
    virtual void begin(const StageStep& step) = 0;
    /// fraction below 0: not known.
    virtual void progress(double fraction, const std::string& detail) = 0;
    virtual void done(const StageStep& step, double seconds, std::uintmax_t bytes) = 0;
    virtual void failed(const StageFailure& failure) = 0;
    virtual void finished(const BuildResult& result) = 0;
};

/// One line a stage. On a terminal the line of the running stage is redrawn with the elapsed time
/// and, where the size of the work is known, a bar.
std::unique_ptr<Monitor> make_text_monitor(std::ostream& out, bool terminal);

/// One JSON object a line, with "event".
std::unique_ptr<Monitor> make_json_monitor(std::ostream& out);

std::string format_bytes(std::uintmax_t bytes);  ///< "312 MB"

}  // namespace gearbox::builder
