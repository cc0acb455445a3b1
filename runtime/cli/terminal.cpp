#include "cli/terminal.h"

#include "base/defer.h"

#include <termios.h>
#include <unistd.h>

#include <algorithm>
#include <iostream>

namespace gearbox::cli {

namespace {

// Columns of a UTF-8 text, counting code points.
std::size_t width_of(const std::string& text) {
    return static_cast<std::size_t>(std::count_if(
        text.begin(), text.end(), [](char c) { return (static_cast<unsigned char>(c) & 0xC0) != 0x80; }));
}

}  // namespace

void Terminal::line(const std::string& text) { streams_.out << text << "\n" << std::flush; }

void Terminal::note(const std::string& text) { streams_.err << text << "\n" << std::flush; }

void Terminal::redraw(const std::string& text) {
    streams_.err << "\r\033[K" << text << std::flush;
}

void Terminal::json(const Json& value) {
    streams_.out << value.dump(2, ' ', false, Json::error_handler_t::replace) << "\n" << std::flush;
}

void Terminal::table(const std::vector<std::string>& head,
                     const std::vector<std::vector<std::string>>& rows) {
    std::vector<std::size_t> widths;
    for (const std::string& title : head) {
        widths.push_back(width_of(title));
    }
    for (const auto& row : rows) {
        for (std::size_t i = 0; i < row.size(); ++i) {
            widths[i] = std::max(widths[i], width_of(row[i]));
        }
    }
    const auto print = [&](const std::vector<std::string>& row) {
        std::string text;
        for (std::size_t i = 0; i < row.size(); ++i) {
            text += row[i];
            if (i + 1 < row.size()) {
                text += std::string(widths[i] - width_of(row[i]) + 2, ' ');
            }
        }
        line(text);
    };
    print(head);
    for (const auto& row : rows) {
        print(row);
    }
}

void Terminal::require_person(const std::string& question, const std::string& option) const {
    if (!streams_.interactive) {
        fail(ErrorKind::invalid, "nobody to ask for '", question, "'; give it with ", option);
    }
}

std::string Terminal::ask(const std::string& question, const std::string& fallback,
                          const std::string& option) {
    require_person(question, option);
    streams_.err << question << (fallback.empty() ? "" : " [" + fallback + "]") << ": "
                 << std::flush;
    const std::string answer = read_line();
    return answer.empty() ? fallback : answer;
}

bool Terminal::confirm(const std::string& question, const std::string& option) {
    const std::string answer = ask(question + " (yes/no)", "no", option);
    return answer == "yes" || answer == "y";
}

std::string Terminal::ask_secret(const std::string& question, const std::string& option) {
    require_person(question, option);
    termios before{};
    const bool has_terminal = ::tcgetattr(STDIN_FILENO, &before) == 0;
    if (has_terminal) {
        termios silent = before;
        silent.c_lflag &= ~static_cast<tcflag_t>(ECHO);
        ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &silent);
    }
    const Defer restore([&] {
        if (has_terminal) {
            ::tcsetattr(STDIN_FILENO, TCSAFLUSH, &before);
            streams_.err << "\n" << std::flush;
        }
    });
    streams_.err << question << ": " << std::flush;
    return read_line();
}

std::string Terminal::read_line() {
    std::string text;
    std::getline(streams_.in, text);
    while (!text.empty() && (text.back() == '\r' || text.back() == '\n')) {
        text.pop_back();
    }
    return text;
}

}  // namespace gearbox::cli
