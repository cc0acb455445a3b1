// Problems in a recipe: collected, not thrown, so that one run shows all of them.
#pragma once
#include <optional>
#include <string>
#include <string_view>
#include <vector>

namespace gearbox::builder {

/// A place in a source file; line and column count from 1.
struct Location {
    std::string file;
    int line = 0;
    int column = 0;
};

std::string to_text(const Location& at);

/// What is wrong and, on a line of its own, what to do about it.
struct Problem {
    Location at;
    std::string what;
    std::string hint;
};

std::string to_text(const Problem& problem);

class Problems {
public:
    void add(const Location& at, std::string what, std::string hint = "");
    bool empty() const { return list_.empty(); }
    const std::vector<Problem>& list() const { return list_; }
    /// All of them in the order of the text, one or two lines each.
    std::string text() const;

private:
    std::vector<Problem> list_;
};

/// The candidate that was probably meant: few letters changed, swapped, missing or too many.
std::optional<std::string> find_nearest(std::string_view word,
                                        const std::vector<std::string>& candidates);

/// "did you mean 'x'?", or otherwise when nothing is near.
std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string otherwise);

/// "a, b and c".
std::string join_names(const std::vector<std::string>& names);

}  // namespace gearbox::builder
