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
    command
        .add_option("--set", options.settings,
                    "KEY=VALUE: a setting of '%addon gearbox' instead of the recipe's")
        ->allow_extra_args(false)
        ->take_all();
    if (name != "check") {
        command.add_option("--format", options.format,
                           "what to make, comma-separated (the recipe's, or iso); see 'formats'");
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
    command
        .add_option("--lock", options.lock,
                    "lock file of an earlier build: the same packages and bytes, or an error")
        ->check(CLI::ExistingFile);
    auto* from = command
                     .add_option("--from", options.from,
                                 "a raw disk of an earlier build, or the folder with it: what disks are made into is made of it, by anybody")
                     ->check(CLI::ExistingPath);
    command.add_flag("--offline", options.offline,
                     "packages from the cache alone; says which are missing");
    command.add_option("--sign", options.sign, "minisign's secret key to sign the checksums with")
        ->check(CLI::ExistingFile);
    command.add_option("--until", options.until, "last stage to run")->excludes(from);
    command.add_option("--fresh", options.fresh, "do this stage and those after it again")->excludes(from);
    command.add_option("--keep", options.keep, "builds whose results stay in the cache")
        ->capture_default_str()
        ->check(CLI::Range(1, 100));
    command.add_flag("--keep-failed", options.keep_failed,
                     "what a failing stage left stays; on a terminal, a shell in its tree");
    command.add_option("--progress", options.progress, "text, or json: one event a line")
        ->capture_default_str()
        ->check(CLI::IsMember({"text", "json"}));
    command.add_option("--report", options.report,
                       "times of the stages (stages.json beside the image)");
    command.add_option("--log", options.log,
                       "output of the tools (gearbox-build.log beside the image)");
}

void add_image_options(CLI::App& command, const gearbox::builder::BuilderCommand& row,
                       CommandLineOptions& options) {
    if (row.wants == Wants::image || row.wants == Wants::machine) {
        command.add_option("image", options.image, "an image of any format")
            ->required()
            ->check(CLI::ExistingFile);
    }
    if (row.wants == Wants::image) {
        command.add_flag("--packages", options.packages, "list the packages");
    }
    if (row.wants == Wants::machine) {
        command
            .add_option("--firmware", options.firmware,
                        "bios, uefi or uefi-secure alone (the first two, if the image starts with both)")
            ->check(CLI::IsMember({"bios", "uefi", "uefi-secure"}));
        command.add_option("--output,-o", options.output,
                           "folder for pictures, logs and report.json (build/test)");
        command
            .add_option("--timeout", options.timeout, "seconds from the start to the login prompt")
            ->capture_default_str()
            ->check(CLI::Range(10, 86400));
    }
    if (row.wants == Wants::images) {
        command.add_option("a", options.image, "an image, or a folder of images")
            ->required()
            ->check(CLI::ExistingPath);
        auto* other = command.add_option("b", options.other, "what it should be the same as")
                          ->check(CLI::ExistingPath);
        command
            .add_flag("--signature", options.signature,
                      "check the signature of the checksums, and the files, instead")
            ->excludes(other);
        command
            .add_option("--key", options.public_key,
                        "public key that the signature must be by (the one beside the checksums)")
            ->check(CLI::ExistingFile);
    }
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
            add_image_options(*sub, command, options);
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
