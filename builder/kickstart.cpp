#include "kickstart.h"

#include "base/str.h"

#include <algorithm>

namespace gearbox::builder {

namespace {

// Kickstart's sections besides section_names().
const std::vector<std::string>& installer_sections() {
    static const std::vector<std::string> names{"%anaconda", "%certificate", "%onerror",
                                                "%pre-install", "%traceback"};
    return names;
}

constexpr std::size_t deepest_include = 16;

bool is_blank(char c) {
    return c == ' ' || c == '\t' || c == '\r';
}

/// Collects the words of one line.
class Splitter {
public:
    Splitter(const SourceLine& line, Problems& problems) : line_(line), problems_(problems) {}

    std::vector<Word> split() {
        const std::string& text = line_.text;
        while (at_ < text.size()) {
            if (is_blank(text[at_])) {
                ++at_;
            } else if (text[at_] == '#') {
                break;
            } else {
                words_.push_back(next_word());
            }
        }
        return std::move(words_);
    }

private:
    Word next_word() {
        Word word{"", place(at_)};
        const std::string& text = line_.text;
        while (at_ < text.size() && !is_blank(text[at_])) {
            const char c = text[at_];
            if (c == '"' || c == '\'') {
                quoted(word, c);
            } else if (c == '\\' && at_ + 1 < text.size()) {
                word.text += text[at_ + 1];
                at_ += 2;
            } else {
                word.text += c;
                ++at_;
            }
        }
        return word;
    }

    void quoted(Word& word, char quote) {
        const std::string& text = line_.text;
        const std::size_t start = at_++;
        for (; at_ < text.size(); ++at_) {
            if (text[at_] == quote) {
                ++at_;
                return;
            }
            if (quote == '"' && text[at_] == '\\' && at_ + 1 < text.size()) {
                ++at_;
            }
            word.text += text[at_];
        }
        problems_.add(place(start), str("the quote ", quote, " is not closed on this line"),
                      str("add ", quote, " at the end of the value"));
    }

    Location place(std::size_t offset) const {
        return {line_.at.file, line_.at.line, line_.at.column + static_cast<int>(offset)};
    }

    const SourceLine& line_;
    Problems& problems_;
    std::size_t at_ = 0;
    std::vector<Word> words_;
};

std::vector<std::string> lines_of(const std::string& text) {
    std::vector<std::string> lines;
    std::size_t start = 0;
    while (start < text.size()) {
        const std::size_t end = std::min(text.find('\n', start), text.size());
        std::string line = text.substr(start, end - start);
        if (!line.empty() && line.back() == '\r') {
            line.pop_back();
        }
        lines.push_back(std::move(line));
        start = end + 1;
    }
    return lines;
}

class Loader {
public:
    Loader(const SourceReader& read, Problems& problems) : read_(read), problems_(problems) {}

    void load(const std::filesystem::path& path, const std::optional<Location>& from) {
        const auto text = readable(path, from);
        if (!text) {
            return;
        }
        kickstart_.files.push_back(path);
        stack_.push_back(path);
        const bool outside = !open_section_;
        int number = 0;
        for (const std::string& line : lines_of(*text)) {
            take_line({line, {path.string(), ++number, 1}});
        }
        if (outside && open_section_) {
            problems_.add(open_section_->at, str("'", open_section_->name, "' has no '%end'"),
                          "add a line '%end' after the last line of the section");
            close();
        }
        stack_.pop_back();
    }

    Kickstart take() { return std::move(kickstart_); }

private:
    std::optional<std::string> readable(const std::filesystem::path& path,
                                        const std::optional<Location>& from) {
        const Location at = from.value_or(Location{path.string(), 1, 1});
        if (std::find(stack_.begin(), stack_.end(), path) != stack_.end()) {
            problems_.add(at, str("'", path.string(), "' includes itself"),
                          "remove one of the '%include' lines");
            return std::nullopt;
        }
        if (stack_.size() >= deepest_include) {
            problems_.add(at, str("files include each other more than ", deepest_include, " deep"),
                          "include the files from one place");
            return std::nullopt;
        }
        auto text = read_(path);
        if (!text) {
            problems_.add(at, str("cannot read '", path.string(), "'"),
                          from ? "the path is relative to the file with the '%include'"
                               : "check the path of the recipe");
        }
        return text;
    }

    void take_line(const SourceLine& line) {
        const std::size_t start = line.text.find_first_not_of(" \t");
        const bool marked = start == 0 && line.text[0] == '%';
        if (!marked) {
            in_place(line);
            return;
        }
        std::vector<Word> words = split_words(line, problems_);
        const Word head = words.front();
        words.erase(words.begin());
        if (head.text == "%include") {
            include(head, words);
        } else if (head.text == "%end") {
            end(head);
        } else {
            begin(head, std::move(words));
        }
    }

    void in_place(const SourceLine& line) {
        if (open_section_) {
            open_section_->body.push_back(line);
            return;
        }
        std::vector<Word> words = split_words(line, problems_);
        if (!words.empty()) {
            kickstart_.commands.push_back({std::move(words)});
        }
    }

    void include(const Word& head, const std::vector<Word>& words) {
        if (words.size() != 1) {
            problems_.add(head.at, "'%include' needs exactly one file",
                          "write '%include base.ks', one line a file");
            return;
        }
        const auto base = stack_.back().parent_path();
        load((base / words[0].text).lexically_normal(), words[0].at);
    }

    void end(const Word& head) {
        if (!open_section_) {
            problems_.add(head.at, "'%end' without a section before it", "remove the line");
            return;
        }
        close();
    }

    void begin(const Word& head, std::vector<Word> words) {
        if (open_section_) {
            problems_.add(head.at,
                          str("'", head.text, "' starts inside '", open_section_->name,
                              "' of line ", open_section_->at.line),
                          str("end '", open_section_->name, "' with '%end' first"));
            close();
        }
        const auto& known = section_names();
        if (const auto& others = installer_sections();
            std::find(others.begin(), others.end(), head.text) != others.end()) {
            problems_.add(head.at, str("'", head.text, "' cannot be used in a recipe"),
                          "it is for an installer: '%pre' runs before the build, '%post' in the "
                          "finished tree");
        } else if (std::find(known.begin(), known.end(), head.text) == known.end()) {
            problems_.add(head.at, str("unknown section '", head.text, "'"),
                          did_you_mean(head.text, known, str("there are ", join_names(known))));
        }
        open_section_ = Section{head.text, head.at, std::move(words), {}};
    }

    void close() {
        kickstart_.sections.push_back(std::move(*open_section_));
        open_section_.reset();
    }

    const SourceReader& read_;
    Problems& problems_;
    Kickstart kickstart_;
    std::vector<std::filesystem::path> stack_;
    std::optional<Section> open_section_;
};

}  // namespace

const std::vector<std::string>& section_names() {
    static const std::vector<std::string> names{"%packages", "%pre",     "%post",
                                                "%addon",    "%include", "%end"};
    return names;
}

std::vector<Word> split_words(const SourceLine& line, Problems& problems) {
    return Splitter(line, problems).split();
}

Kickstart load_kickstart(const std::filesystem::path& path, const SourceReader& read,
                         Problems& problems) {
    Loader loader(read, problems);
    loader.load(path.lexically_normal(), std::nullopt);
    return loader.take();
}

}  // namespace gearbox::builder
