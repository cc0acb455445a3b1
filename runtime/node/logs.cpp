#include "node/logs.h"

#include "base/str.h"

#include <algorithm>
#include <charconv>
#include <map>

namespace gearbox {

namespace {

constexpr std::size_t window = 64 * 1024;     // bytes of one file at a time
constexpr std::size_t most_text = 512 * 1024;  // bytes in one page
constexpr std::size_t most_files = 32;
constexpr std::size_t line_limit = 4096;

// Where reading goes on.
struct LogPlace {
    std::uint64_t inode = 0;
    std::int64_t offset = 0;
};
using LogPlaces = std::map<std::string, LogPlace>;

bool is_plain(const std::string& name) {
    return name.size() <= 100 && name.find_first_not_of("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._@+-") ==
                                     std::string::npos;
}

bool is_rotated(const std::string& name) {
    const auto dot = name.rfind('.');
    return dot != std::string::npos && dot + 1 < name.size() &&
           name.find_first_not_of("0123456789", dot + 1) == std::string::npos;
}

template <class Number>
bool take_number(std::string_view text, Number& out) {
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), out);
    return error == std::errc() && end == text.data() + text.size();
}

// "app-root/logs/php.log:INODE:OFFSET,…"; what is not so was not made here and is left out.
LogPlaces parse_places(std::string_view text) {
    LogPlaces out;
    while (!text.empty() && out.size() < most_files) {
        const std::string_view entry = text.substr(0, text.find(','));
        text.remove_prefix(std::min(text.size(), entry.size() + 1));
        const auto second = entry.rfind(':');
        const auto first = entry.substr(0, second).rfind(':');
        LogPlace place;
        if (second != std::string_view::npos && first != std::string_view::npos &&
            take_number(entry.substr(first + 1, second - first - 1), place.inode) &&
            take_number(entry.substr(second + 1), place.offset) && place.offset >= 0) {
            out[std::string(entry.substr(0, first))] = place;
        }
    }
    return out;
}

std::string to_text(const LogPlaces& places) {
    std::string out;
    for (const auto& [path, place] : places) {
        out += str(out.empty() ? "" : ",", path, ":", place.inode, ":", place.offset);
    }
    return out;
}

// The complete lines at the begin of data; how many bytes they take. A line as long as the window is complete.
std::size_t take_lines(std::string_view data, std::vector<std::string_view>& out) {
    std::size_t taken = 0;
    for (auto end = data.find('\n'); end != std::string_view::npos; end = data.find('\n', taken)) {
        out.push_back(data.substr(taken, end - taken));
        taken = end + 1;
    }
    if (taken == 0 && data.size() >= window) {
        out.push_back(data);
        taken = data.size();
    }
    return taken;
}

class PageMaker {
public:
    explicit PageMaker(const GearFiles& files) : files_(files) {}

    bool is_full() const { return size_ > most_text; }

    // What the file has from there on; how far that is.
    std::optional<LogPlace> add(const std::string& path, const std::string& shown, std::int64_t begin) {
        const auto part = files_.find_part(path, begin, window);
        if (!part) {
            return std::nullopt;
        }
        std::vector<std::string_view> found;
        const std::size_t taken = take_lines(part->data, found);
        add(shown, found);
        return LogPlace{part->inode, part->begin + static_cast<std::int64_t>(taken)};
    }

    // The last lines of the file, all of those that are complete.
    std::optional<LogPlace> add_end(const std::string& path, int count) {
        const auto part = files_.find_part(path, -static_cast<std::int64_t>(window), window);
        if (!part) {
            return std::nullopt;
        }
        std::vector<std::string_view> found;
        const std::size_t taken = take_lines(part->data, found);
        if (part->begin > 0 && !found.empty()) {
            found.erase(found.begin());  // its begin was not read
        }
        found.erase(found.begin(), found.end() - std::min<std::ptrdiff_t>(count, std::ssize(found)));
        add(path, found);
        return LogPlace{part->inode, part->begin + static_cast<std::int64_t>(taken)};
    }

    std::vector<LogLine> lines;

private:
    void add(const std::string& path, const std::vector<std::string_view>& texts) {
        for (const std::string_view text : texts) {
            lines.push_back({path, visible_line(text)});
            size_ += lines.back().text.size();
        }
    }

    const GearFiles& files_;
    std::size_t size_ = 0;
};

// 0 when no character begins there.
std::size_t length_of_character(std::string_view text) {
    const auto byte = [&](std::size_t i) { return static_cast<unsigned char>(text[i]); };
    const unsigned lead = byte(0);
    const std::size_t length = lead < 0x80 ? 1 : lead >= 0xc2 && lead < 0xe0 ? 2 : (lead & 0xf0) == 0xe0 ? 3 : lead >= 0xf0 && lead < 0xf5 ? 4 : 0;
    if (length == 0 || length > text.size()) {
        return 0;
    }
    for (std::size_t i = 1; i < length; ++i) {
        if ((byte(i) & 0xc0) != 0x80) {
            return 0;
        }
    }
    // Longer than need be, halves of pairs, beyond the last one.
    const bool is_wrong = (lead == 0xe0 && byte(1) < 0xa0) || (lead == 0xed && byte(1) > 0x9f) ||
                          (lead == 0xf0 && byte(1) < 0x90) || (lead == 0xf4 && byte(1) > 0x8f);
    return is_wrong ? 0 : length;
}

bool is_control(std::string_view character) {
    const auto is_between = [&](std::string_view first, std::string_view last) {
        return character.size() == first.size() && character >= first && character <= last;
    };
    return (character.size() == 1 && static_cast<unsigned char>(character[0]) < 0x20 && character != "\t") || character == "\x7f" ||
           is_between("\xc2\x80", "\xc2\x9f") ||                                                // C1
           is_between("\xe2\x80\xa8", "\xe2\x80\xae") || is_between("\xe2\x81\xa6", "\xe2\x81\xa9");  // separators, directions
}

}  // namespace

std::string visible_line(std::string_view text) {
    constexpr char digits[] = "0123456789abcdef";
    if (text.ends_with('\r')) {
        text.remove_suffix(1);
    }
    const bool is_long = text.size() > line_limit;
    text = text.substr(0, line_limit);
    std::string out;
    while (!text.empty()) {
        const std::size_t length = length_of_character(text);
        const std::string_view character = text.substr(0, std::max<std::size_t>(1, length));
        if (length == 0 || is_control(character)) {
            for (const char c : character) {
                const auto byte = static_cast<unsigned char>(c);
                out += {'\\', 'x', digits[byte >> 4], digits[byte & 15]};
            }
        } else {
            out += character;
        }
        text.remove_prefix(character.size());
    }
    return is_long ? out + " (cut)" : out;
}

LogPage read_logs(const GearFiles& files, const std::vector<std::string>& directories, const std::string& after, int lines) {
    const LogPlaces before = parse_places(after);
    LogPlaces now;
    PageMaker page(files);
    for (const std::string& directory : directories) {
        for (const std::string& name : files.list(directory)) {
            if (!is_plain(name) || is_rotated(name) || now.size() >= most_files) {
                continue;
            }
            const std::string path = str(directory, "/", name);
            const auto known = before.find(path);
            std::optional<LogPlace> place;
            if (after.empty()) {
                place = page.add_end(path, lines);
            } else if (page.is_full()) {
                place = known == before.end() ? std::nullopt : std::optional(known->second);
            } else if (known == before.end()) {
                place = page.add(path, path, 0);
            } else {
                const auto part = files.find_part(path, 0, 0);
                const bool is_other = part && part->inode != known->second.inode;
                const auto old = is_other ? files.find_part(path + ".1", 0, 0) : std::nullopt;
                if (old && old->inode == known->second.inode) {
                    page.add(path + ".1", path, known->second.offset);
                }
                place = page.add(path, path, is_other ? 0 : known->second.offset);
            }
            if (place) {
                now[path] = *place;
            }
        }
    }
    // Never empty, which would mean to begin anew.
    return {std::move(page.lines), now.empty() ? "none" : to_text(now)};
}

}  // namespace gearbox
