#include "node/session_command.h"

#include "base/base64.h"
#include "base/error.h"
#include "node/paths.h"

#include <algorithm>
#include <sstream>

namespace gearbox {

namespace {

// Names are expanded in the gear: $1 are tail's options, the rest patterns. With an empty IFS the
// expansion of an unquoted word does nothing but file names.
constexpr const char* tail_program = R"(shopt -s nullglob
IFS=' '
read -ra options <<<"$1"
shift
IFS=
cd "$HOME" || exit
files=()
for pattern in "$@"; do
    files+=($pattern)
done
if ((${#files[@]} == 0)); then
    echo "no such log file" >&2
    exit 1
fi
exec tail -f "${options[@]}" -- "${files[@]}"
)";

bool is_path_character(char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') || c == '.' ||
           c == '_' || c == '-' || c == '/' || c == '~';
}

bool is_pattern(std::string_view word) {
    return !word.empty() && word.front() != '/' && word.front() != '-' &&
           word.find("..") == std::string_view::npos &&
           std::all_of(word.begin(), word.end(), [](char c) {
               return is_path_character(c) || c == '*' || c == '?' || c == '[' || c == ']' ||
                      c == '+' || c == ',';
           });
}

// "git-receive-pack 'PATH'": the path, if the text is exactly that.
std::optional<std::string> quoted_path(std::string_view text, std::string_view name) {
    for (const char hyphen : {'-', ' '}) {
        const std::string start = str("git", hyphen, name, " '");
        if (text.starts_with(start) && text.ends_with('\'') && text.size() > start.size() + 1) {
            return std::string(text.substr(start.size(), text.size() - start.size() - 1));
        }
    }
    return std::nullopt;
}

// All that clients write for it: ~/git/app.git/, /~/git/app.git, git/app.git, the whole path.
std::string check_repository(std::string path, const GearSpec& spec, const std::string& home) {
    const std::string whole = str(home, "/", home::repository(spec));
    if (!std::all_of(path.begin(), path.end(), is_path_character)) {
        fail(ErrorKind::invalid, "the path of the repository has characters that cannot be");
    }
    while (path.ends_with('/')) {
        path.pop_back();
    }
    for (const std::string_view start : {std::string_view("/~/"), std::string_view("~/")}) {
        if (path.starts_with(start)) {
            path.erase(0, start.size());
            break;
        }
    }
    if (path != whole && path != home::repository(spec)) {
        fail(ErrorKind::forbidden, "there is no repository '", path, "' here; it is '~/",
             home::repository(spec), "/'");
    }
    return whole;
}

SessionCommand make_tail(const std::string& text) {
    std::istringstream words(text);
    std::string word;
    words >> word;
    std::string options;
    SessionCommand out{SessionCommand::Kind::program,
                       {"/bin/bash", "-c", tail_program, "tail", ""}};
    while (words >> word) {
        if (word == "--opts") {
            words >> word;
            options = decode_base64(word).value_or("");
        } else if (is_pattern(word)) {
            out.argv.push_back(word);
        } else {
            fail(ErrorKind::invalid, "tail takes relative file names and patterns only");
        }
    }
    if (out.argv.size() == 5) {
        out.argv.insert(out.argv.end(), {"*/log*/*", "app-root/logs/*"});
    }
    out.argv[4] = options;
    return out;
}

}  // namespace

SessionCommand make_terminal_session(const Terminal& terminal, const GearSpec& spec, const std::string& note) {
    const auto count = [](int asked, int usual) {
        constexpr int most = 10000;
        return asked > 0 && asked < most ? asked : usual;
    };
    const std::string& type = terminal.type;
    const bool named =
        !type.empty() && type.size() <= 32 && std::all_of(type.begin(), type.end(), [](char c) {
            return is_path_character(c) && c != '/' && c != '~';
        });
    const std::string program =
        str("stty rows ", count(terminal.rows, 24), " cols ", count(terminal.columns, 80),
            R"(; [ -z "$GEARBOX_NOTE" ] || echo "$GEARBOX_NOTE"; unset GEARBOX_NOTE; exec /bin/bash --noprofile --rcfile ${OPENSHIFT_CARTRIDGE_SDK_BASH%/*}/rhcsh -i)");
    return {SessionCommand::Kind::shell,
            {"/usr/bin/script", "-qec", program, "/dev/null"},
            {{"TERM", named ? type : "dumb"},
             {"GEARBOX_NOTE", note},
             {"GEARBOX_PROMPT",
              str("[", spec.dns, " \\W]\\> ")}}};
}

SessionCommand parse_session_command(const std::optional<std::string>& command,
                                     const GearSpec& spec, const std::string& home) {
    if (!command || command->empty() || *command == "rhcsh") {
        return {SessionCommand::Kind::shell, {"/bin/bash", "--noprofile", "--norc"}};
    }
    const std::string& text = *command;
    if (text.find('\0') != std::string::npos) {
        fail(ErrorKind::invalid, "the command has a NUL character");
    }
    if (text.starts_with("git-receive-pack") || text.starts_with("git receive-pack")) {
        const auto path = quoted_path(text, "receive-pack");
        if (!path) {
            fail(ErrorKind::invalid, "git-receive-pack takes one quoted path");
        }
        return {SessionCommand::Kind::receive_pack,
                {"/usr/bin/git-receive-pack", check_repository(*path, spec, home)}};
    }
    if (text.starts_with("git-upload-pack") || text.starts_with("git upload-pack")) {
        const auto path = quoted_path(text, "upload-pack");
        if (!path) {
            fail(ErrorKind::invalid, "git-upload-pack takes one quoted path");
        }
        return {SessionCommand::Kind::upload_pack,
                {"/usr/bin/git-upload-pack", check_repository(*path, spec, home)}};
    }
    // sshd's word for its own server, which would run outside of the gear.
    if (text == "internal-sftp") {
        return {SessionCommand::Kind::program, {"/usr/lib/openssh/sftp-server"}};
    }
    if (text == "tail" || text.starts_with("tail ")) {
        return make_tail(text);
    }
    constexpr std::string_view shell = "rhcsh ";
    if (text.starts_with(shell)) {
        return {SessionCommand::Kind::program, {"/bin/bash", "-c", text.substr(shell.size())}};
    }
    if (text == "binary-deploy" || text.starts_with("binary-deploy ")) {
        return {SessionCommand::Kind::program, {"/bin/bash", "-c", "oo-" + text}};
    }
    return {SessionCommand::Kind::program, {"/bin/bash", "-c", text}};
}

}  // namespace gearbox
