#include "options.h"

#include "base/str.h"

#include <charconv>

namespace gearbox::builder {

std::string Arguments::text(const std::string& name, std::string otherwise) const {
    const auto found = options.find(name);
    return found == options.end() ? std::move(otherwise) : found->second.text;
}

std::vector<std::string> Arguments::list(const std::string& name) const {
    return split_list(text(name));
}

int Arguments::number(const std::string& name, int otherwise) const {
    return find_number(text(name)).value_or(otherwise);
}

std::optional<int> find_number(const std::string& text) {
    int value = 0;
    const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
    if (error != std::errc{} || end != text.data() + text.size()) {
        return std::nullopt;
    }
    return value;
}

std::vector<std::string> split_list(const std::string& text) {
    std::vector<std::string> parts;
    std::string part;
    for (const char c : text + ",") {
        if (c != ',') {
            if (c != ' ' && c != '\t') {
                part += c;
            }
        } else if (!part.empty()) {
            parts.push_back(std::move(part));
            part.clear();
        }
    }
    return parts;
}

namespace {

class Matcher {
public:
    Matcher(const CommandSpec& spec, const Location& at, Problems& problems)
        : spec_(spec), problems_(problems) {
        result_.at = at;
    }

    Arguments match(const std::vector<Word>& words) {
        for (std::size_t i = 0; i < words.size(); ++i) {
            if (!words[i].text.starts_with("--")) {
                operand(words[i]);
            } else if (option(words[i], i + 1 < words.size() ? &words[i + 1] : nullptr)) {
                ++i;
            }
        }
        check_required();
        return std::move(result_);
    }

private:
    void operand(const Word& word) {
        if (*spec_.operand == '\0') {
            problems_.add(word.at, str("'", spec_.name, "' does not take '", word.text, "'"),
                          "options start with '--'");
            return;
        }
        result_.operands.push_back(word);
    }

    // True if the option's value was the next word.
    bool option(const Word& word, const Word* next) {
        const auto equals = word.text.find('=');
        const std::string name = word.text.substr(0, equals);
        const OptionSpec* spec = find_option(name, word.at);
        if (spec == nullptr) {
            return false;
        }
        if (result_.options.contains(name)) {
            problems_.add(word.at, str("'", name, "' is given twice"), "keep one of the two");
        }
        if (spec->takes == Takes::nothing) {
            if (equals != std::string::npos) {
                problems_.add(word.at, str("'", name, "' takes no value"),
                              str("write '", name, "'"));
            }
            result_.options[name] = {"", word.at};
            return false;
        }
        if (equals != std::string::npos) {
            value(*spec, {word.text.substr(equals + 1), word.at});
            return false;
        }
        if (next == nullptr || next->text.starts_with("--")) {
            problems_.add(word.at, str("'", name, "' needs a value"),
                          str("write '", name, "=VALUE'"));
            return false;
        }
        value(*spec, *next);
        return true;
    }

    const OptionSpec* find_option(const std::string& name, const Location& at) {
        std::vector<std::string> names;
        for (const OptionSpec& spec : spec_.options) {
            if (name == spec.name) {
                return &spec;
            }
            names.emplace_back(spec.name);
        }
        problems_.add(at, str("'", spec_.name, "' has no option '", name, "'"),
                      did_you_mean(name, names,
                                   names.empty() ? "it takes no options"
                                                 : str("it has ", join_names(names))));
        return nullptr;
    }

    void value(const OptionSpec& spec, Word word) {
        if (word.text.empty()) {
            problems_.add(word.at, str("'", spec.name, "' is empty"),
                          "give it a value or remove it");
        } else if (spec.takes == Takes::number && !find_number(word.text)) {
            problems_.add(word.at,
                          str("'", spec.name, "' must be a number, not '", word.text, "'"));
        }
        result_.options[spec.name] = std::move(word);
    }

    void check_required() {
        if (spec_.operand_required && result_.operands.empty()) {
            problems_.add(result_.at, str("'", spec_.name, "' needs ", spec_.operand));
        }
        for (const OptionSpec& spec : spec_.options) {
            if (spec.required && !result_.options.contains(spec.name)) {
                problems_.add(result_.at, str("'", spec_.name, "' needs '", spec.name, "'"),
                              spec.doc);
            }
        }
    }

    const CommandSpec& spec_;
    Problems& problems_;
    Arguments result_;
};

}  // namespace

Arguments match_arguments(const CommandSpec& spec, const Location& at,
                          const std::vector<Word>& words, Problems& problems) {
    return Matcher(spec, at, problems).match(words);
}

}  // namespace gearbox::builder
