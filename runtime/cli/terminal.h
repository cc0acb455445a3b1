// Talking with the person: questions, tables, results as text or JSON.
#pragma once
#include "base/json.h"

#include <iosfwd>
#include <string>
#include <vector>

namespace gearbox::cli {

struct Streams {
    std::istream& in;
    std::ostream& out;
    std::ostream& err;
    bool interactive;  ///< in is a terminal: questions may be asked
    bool live;         ///< err is a terminal: lines may be redrawn
};

class Terminal {
public:
    explicit Terminal(Streams streams) : streams_(streams) {}

    bool is_interactive() const { return streams_.interactive; }
    bool is_live() const { return streams_.live; }

    void line(const std::string& text);
    void note(const std::string& text);  ///< on the error stream: not part of the result
    /// Redraws the current line of the error stream; only when is_live().
    void redraw(const std::string& text);
    void json(const Json& value);
    void table(const std::vector<std::string>& head,
               const std::vector<std::vector<std::string>>& rows);

    /// The answer, or fallback for an empty one. Throws Error(invalid) naming the option that
    /// answers instead when nobody can be asked.
    std::string ask(const std::string& question, const std::string& fallback,
                    const std::string& option);
    bool confirm(const std::string& question, const std::string& option);
    /// Without echo.
    std::string ask_secret(const std::string& question, const std::string& option);
    /// The first line of the input stream, for --password-stdin.
    std::string read_line();

private:
    void require_person(const std::string& question, const std::string& option) const;
    Streams streams_;
};

}  // namespace gearbox::cli
