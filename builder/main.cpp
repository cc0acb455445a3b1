// gearbox-build: from a kickstart recipe to a bootable image.
#include "commands.h"
#include "interrupt.h"

#include "base/error.h"

#include <CLI/CLI.hpp>

#include <csignal>
#include <iostream>

namespace {

using gearbox::builder::CommandLineOptions;
using gearbox::builder::Wants;

void add_options(CLI::App& command, const std::string& name, CommandLineOptions& options) {
    command.add_option("recipe", options.recipe, "kickstart file (.ks)")->required();
    command.add_option("--deb", options.deb, "Gearbox's own package to install")
        ->check(CLI::ExistingFile);
    command.add_option("--mirror", options.mirror,
                       "archive for repositories without --baseurl, instead of the host's mirror");
    if (name != "check") {
        command
            .add_option("--format", options.format, "what to make, comma-separated; see 'formats'")
            ->capture_default_str();
    }
    if (name == "plan") {
        command.add_flag("--json", options.json, "machine-readable");
    }
    if (name != "build") {
        return;
    }
    command.add_option(
        "--output,-o", options.output,
        "the image (build/RECIPE.iso); the folder, for several formats (build/images)");
    command.add_option("--cache", options.cache, "results of stages")->capture_default_str();
    command.add_option("--until", options.until, "last stage to run");
    command.add_option("--fresh", options.fresh, "do this stage and those after it again");
    command.add_option("--keep", options.keep, "builds whose results stay in the cache")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    command.add_option("--progress", options.progress, "text, or json: one event a line")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "json"}));
    command.add_option("--report", options.report,
                       "times of the stages (stages.json beside the image)");
    command.add_option("--log", options.log,
                       "output of the tools (gearbox-build.log beside the image)");
}

}  // namespace

int main(int argc, char** argv) {
    CommandLineOptions options;
    CLI::App app("Builds Gearbox images from kickstart recipes.", "gearbox-build");
    app.require_subcommand(1);
    app.set_version_flag("--version", GEARBOX_VERSION);
    for (const auto& command : gearbox::builder::builder_commands()) {
        CLI::App* sub = app.add_subcommand(command.name, command.summary);
        if (command.wants == Wants::recipe) {
            add_options(*sub, command.name, options);
        } else {
            sub->add_flag("--json", options.json, "machine-readable");
        }
    }
    CLI11_PARSE(app, argc, argv);
    std::signal(SIGPIPE, SIG_IGN);
    gearbox::builder::install_interrupt_handlers();
    try {
        for (const auto& command : gearbox::builder::builder_commands()) {
            if (app.got_subcommand(command.name)) {
                return command.run(options);
            }
        }
    } catch (const gearbox::builder::Interrupted&) {
        std::cerr
            << "\ngearbox-build: interrupted; what was finished is kept, the rest is removed\n";
        return 130;
    } catch (const std::exception& error) {
        std::cerr << "gearbox-build: " << error.what() << "\n";
        return 1;
    }
    return 1;
}
