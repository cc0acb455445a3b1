#include "diagnostics.h"

#include "base/str.h"

#include <algorithm>

namespace gearbox::builder {

std::string to_text(const Location& at) {
    return str(at.file, ":", at.line, ":", at.column);
}

std::string to_text(const Problem& problem) {
    std::string text = str(to_text(problem.at), ": error: ", problem.what);
    if (!problem.hint.empty()) {
        text += str("\n    ", problem.hint);
    }
    return text;
}

void Problems::add(const Location& at, std::string what, std::string hint) {
    list_.push_back({at, std::move(what), std::move(hint)});
}

std::string Problems::text() const {
    std::string text;
    for (const Problem& problem : list_) {
        text += to_text(problem) + "\n";
    }
    return text;
}

namespace {

// Optimal string alignment: Levenshtein plus swaps of neighbours, the commonest typing error.
std::size_t distance(std::string_view a, std::string_view b) {
    std::vector<std::vector<std::size_t>> cost(a.size() + 1,
                                               std::vector<std::size_t>(b.size() + 1));
    for (std::size_t i = 0; i <= a.size(); ++i) {
        for (std::size_t j = 0; j <= b.size(); ++j) {
            if (i == 0 || j == 0) {
                cost[i][j] = i + j;
                continue;
            }
            const std::size_t change = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] =
                std::min({cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change});
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1]) {
                cost[i][j] = std::min(cost[i][j], cost[i - 2][j - 2] + 1);
            }
        }
    }
    return cost[a.size()][b.size()];
}

}  // namespace

std::optional<std::string> find_nearest(std::string_view word,
                                        const std::vector<std::string>& candidates) {
    std::optional<std::string> best;
    std::size_t best_distance = std::max<std::size_t>(1, word.size() / 3) + 1;
    for (const std::string& candidate : candidates) {
        const std::size_t far = distance(word, candidate);
        if (far < best_distance) {
            best = candidate;
            best_distance = far;
        }
    }
    return best;
}

std::string did_you_mean(std::string_view word, const std::vector<std::string>& candidates,
                         std::string otherwise) {
    const auto nearest = find_nearest(word, candidates);
    return nearest ? str("did you mean '", *nearest, "'?") : std::move(otherwise);
}

std::string join_names(const std::vector<std::string>& names) {
    std::string text;
    for (std::size_t i = 0; i < names.size(); ++i) {
        text += i == 0 ? "" : i + 1 == names.size() ? " and " : ", ";
        text += names[i];
    }
    return text;
}

}  // namespace gearbox::builder
