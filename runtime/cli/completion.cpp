// Completion scripts, made from the parser: what it accepts is what is completed.
#include "cli/command.h"

#include <algorithm>

namespace gearbox::cli {

namespace {

// One position in the command tree: the words that lead there and what may follow.
struct Node {
    std::string path;  ///< "app create", "" at the top
    std::string words;
};

void add_words(std::string& words, const std::string& word) {
    words += (words.empty() ? "" : " ") + word;
}

void collect(const CLI::App& parser, const std::string& path, std::vector<Node>& out) {
    Node node{path, ""};
    for (const CLI::App* child : parser.get_subcommands({})) {
        add_words(node.words, child->get_name());
    }
    for (const CLI::Option* option : parser.get_options()) {
        for (const std::string& name : option->get_lnames()) {
            add_words(node.words, "--" + name);
        }
    }
    out.push_back(node);
    for (const CLI::App* child : parser.get_subcommands({})) {
        collect(*child, path.empty() ? child->get_name() : path + " " + child->get_name(), out);
    }
}

std::string bash_script(const std::vector<Node>& nodes) {
    std::string out =
        "# bash completion of gearbox:  source <(gearbox completion bash)\n"
        "_gearbox() {\n"
        "    local current=${COMP_WORDS[COMP_CWORD]} path='' word words\n"
        "    for word in \"${COMP_WORDS[@]:1:COMP_CWORD-1}\"; do\n"
        "        case \"$word\" in -*) ;; *) path=\"${path:+$path }$word\" ;; esac\n"
        "    done\n"
        "    case \"$path\" in\n";
    // Longest first: 'app create blog' is completed like 'app create'.
    for (auto node = nodes.rbegin(); node != nodes.rend(); ++node) {
        const std::string pattern =
            node->path.empty() ? "*" : str("'", node->path, "'|'", node->path, " '*");
        out += str("        ", pattern, ") words='", node->words, "' ;;\n");
    }
    return out +
           "    esac\n"
           "    mapfile -t COMPREPLY < <(compgen -W \"$words\" -- \"$current\")\n"
           "}\n"
           "complete -o default -F _gearbox gearbox\n";
}

std::string fish_script(const std::vector<Node>& nodes) {
    std::string out = "# fish completion of gearbox:  gearbox completion fish | source\n"
                      "function __gearbox_at\n"
                      "    set -l words (commandline -opc)\n"
                      "    set -e words[1]\n"
                      "    string match -q -- \"$argv\" (string join ' ' (string match -v -- '-*' $words))\n"
                      "end\n";
    for (const Node& node : nodes) {
        out += str("complete -c gearbox -f -n '__gearbox_at ", node.path, "' -a '", node.words, "'\n");
        if (!node.path.empty() && node.words.find("--") != std::string::npos) {
            out += str("complete -c gearbox -f -n '__gearbox_at ", node.path, " \"*\"' -a '",
                       node.words, "'\n");
        }
    }
    return out;
}

}  // namespace

std::string completion_script(const std::string& shell, const CLI::App& parser) {
    std::vector<Node> nodes;
    collect(parser, "", nodes);
    std::stable_sort(nodes.begin(), nodes.end(),
                     [](const Node& a, const Node& b) { return a.path.size() < b.path.size(); });
    if (shell == "bash") {
        return bash_script(nodes);
    }
    if (shell == "zsh") {
        return "#compdef gearbox\nautoload -U +X bashcompinit && bashcompinit\n" + bash_script(nodes);
    }
    if (shell == "fish") {
        return fish_script(nodes);
    }
    fail(ErrorKind::invalid, "no completion for '", shell, "'; there is bash, zsh and fish");
}

Runner declare_completion(CLI::App& parser) {
    const auto shell = std::make_shared<std::string>();
    parser.add_option("SHELL", *shell, "bash, zsh or fish")->required();
    const CLI::App* top = &parser;
    while (top->get_parent() != nullptr) {
        top = top->get_parent();
    }
    return [shell, top](Session& session) {
        session.terminal().line(completion_script(*shell, *top));
        return 0;
    };
}

}  // namespace gearbox::cli
