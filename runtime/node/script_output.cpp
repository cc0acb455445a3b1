#include "node/script_output.h"

#include "base/str.h"

#include <algorithm>
#include <array>

namespace gearbox {

namespace {

using List = std::vector<std::string> ScriptMessages::*;
struct Prefix {
    std::string_view word;
    List list;
};
constexpr std::array<Prefix, 6> prefixes = {{
    {"CLIENT_RESULT:", &ScriptMessages::results},
    {"CLIENT_MESSAGE:", &ScriptMessages::messages},
    {"CLIENT_ERROR:", &ScriptMessages::errors},
    {"CLIENT_INTERNAL_ERROR:", &ScriptMessages::errors},
    {"CLIENT_DEBUG:", &ScriptMessages::debug},
    {"ATTR:", &ScriptMessages::attributes},
}};
constexpr std::array<std::string_view, 9> silent = {
    "CART_DATA:",       "CART_PROPERTIES:",    "APP_INFO:",
    "NOTIFY_ENDPOINT_", "SSH_KEY_ADD:",        "APP_SSH_KEY_ADD:",
    "ENV_VAR_ADD",      "APP_ENV_VAR_REMOVE:", "BROKER_AUTH_KEY_ADD:"};

// What is shown with other words around it must not move the cursor or ring the bell.
std::string without_controls(std::string_view text) {
    std::string out(text);
    std::replace_if(out.begin(), out.end(), [](char c) { return (c >= 0 && c < ' ' && c != '\n' && c != '\t') || c == 127; }, '?');
    return out;
}

std::string rest_of(std::string_view line, std::string_view word) {
    std::string_view rest = line.substr(word.size());
    if (rest.starts_with(' ')) {
        rest.remove_prefix(1);
    }
    return without_controls(rest);
}

constexpr std::string_view domain_variable = "ENV_VAR_ADD:";
constexpr std::string_view unique_variable = "ENV_VAR_ADD_UNIQUE:";

// "WORD: name=value"
std::optional<std::pair<std::string, std::string>> pair_of(std::string_view line,
                                                           std::string_view word) {
    if (!line.starts_with(word)) {
        return std::nullopt;
    }
    const std::string text = rest_of(line, word);
    const auto equals = text.find('=');
    if (equals == std::string::npos || equals == 0) {
        return std::nullopt;
    }
    return std::pair(text.substr(0, equals), text.substr(equals + 1));
}

template <typename Body>
void for_each_line(std::string_view text, const Body& body) {
    while (!text.empty()) {
        const auto end = text.find('\n');
        std::string_view line = text.substr(0, end);
        if (line.ends_with('\r')) {
            line.remove_suffix(1);
        }
        body(line);
        text.remove_prefix(end == std::string_view::npos ? text.size() : end + 1);
    }
}

std::string tail_of(std::string_view text) {
    constexpr std::size_t most = 2000;
    while (text.ends_with('\n')) {
        text.remove_suffix(1);
    }
    if (text.size() > most) {
        text.remove_prefix(text.size() - most);
        text.remove_prefix(std::min(text.size(), text.find('\n') + 1));
    }
    return without_controls(text);
}

}  // namespace

bool changes_programs(std::string_view name) {
    constexpr std::array<std::string_view, 5> starts = {"LD_", "GIT_", "BASH_", "PERL5", "PYTHON"};
    constexpr std::array<std::string_view, 5> names = {"PATH", "ENV", "IFS", "RUBYOPT", "NODE_OPTIONS"};
    return std::any_of(starts.begin(), starts.end(), [&](std::string_view start) { return name.starts_with(start); }) ||
           std::find(names.begin(), names.end(), name) != names.end();
}

void parse_script_output(std::string_view output, ScriptMessages& messages) {
    for_each_line(output, [&](std::string_view line) {
        for (const Prefix& prefix : prefixes) {
            if (line.starts_with(prefix.word)) {
                (messages.*prefix.list).push_back(rest_of(line, prefix.word));
                messages.blames_user |= prefix.word == "CLIENT_ERROR:";
                return;
            }
        }
        if (const auto pair = pair_of(line, "CART_DATA:")) {
            messages.cart_data.push_back({pair->first, pair->second});
        }
        for (const std::string_view word : {unique_variable, domain_variable}) {
            const auto pair = pair_of(line, word);
            const auto name = VariableName::parse(pair ? pair->first : "");
            if (name && changes_programs(name->text())) {
                messages.messages.push_back(str("NOTE: the variable ", name->text(), " is not passed on to other applications: it changes what programs are"));
            } else if (name) {
                messages.domain_variables.push_back({*name, pair->second, word == unique_variable});
            }
        }
    });
}

std::string failure_text(const ScriptMessages& messages, std::string_view out,
                         std::string_view err) {
    std::string text;
    for (const std::string& line : messages.errors) {
        text += str(text.empty() ? "" : "\n", line);
    }
    if (!text.empty()) {
        return text;
    }
    const std::string last = tail_of(err);
    return last.empty() ? tail_of(plain_output(out)) : last;
}

std::string plain_output(std::string_view output) {
    std::string plain;
    for_each_line(output, [&](std::string_view line) {
        for (const std::string_view word : silent) {
            if (line.starts_with(word)) {
                return;
            }
        }
        for (const Prefix& prefix : prefixes) {
            if (line.starts_with(prefix.word)) {
                const bool shown = prefix.list != &ScriptMessages::debug &&
                                   prefix.list != &ScriptMessages::attributes;
                plain += shown ? rest_of(line, prefix.word) + "\n" : "";
                return;
            }
        }
        plain += str(line, "\n");
    });
    return plain;
}

std::string payload_of(std::string_view output) {
    std::string payload;
    for_each_line(output, [&](std::string_view line) {
        if (!line.starts_with("CLIENT_")) {
            payload += str(line, "\n");
        }
    });
    return payload;
}

std::map<std::string, std::string> published_variables(std::string_view payload) {
    constexpr std::size_t most = 100;
    std::map<std::string, std::string> out;
    for_each_line(payload, [&](std::string_view line) {
        const auto equals = line.find('=');
        if (equals != std::string_view::npos && out.size() < most && VariableName::parse(line.substr(0, equals))) {
            out[std::string(line.substr(0, equals))] = line.substr(equals + 1);
        }
    });
    return out;
}

}  // namespace gearbox
