#include "commands.h"

#include "boot_test/boot_test.h"
#include "compare.h"
#include "executor.h"
#include "formats.h"
#include "given_images.h"
#include "host.h"
#include "inspect.h"
#include "layers.h"
#include "lock.h"
#include "manifest.h"
#include "recipe.h"
#include "recipe_tables.h"
#include "signature.h"
#include "stage.h"

#include "base/defer.h"
#include "base/error.h"
#include "base/file.h"

#include <unistd.h>
#include <algorithm>
#include <cstdlib>
#include <iostream>
#include <optional>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

constexpr int exit_good = 0;
constexpr int exit_failed = 1;
constexpr int exit_recipe = 2;

std::optional<fs::path> find_folder(const char* variable) {
    const char* const value = std::getenv(variable);
    return value != nullptr && *value != '\0' ? std::optional<fs::path>(value) : std::nullopt;
}

struct Checked {
    Recipe recipe;
    HostOptions host;
    Facts facts;
    std::optional<LockFile> lock;
    bool folder = false;  ///< what is made goes into one
};

// Several formats go into a folder, and so does one if that is what was named.
bool wants_folder(const CommandLineOptions& options, const std::vector<std::string>& formats) {
    return formats.size() > 1 || options.output.string().ends_with("/") ||
           fs::is_directory(options.output);
}

std::vector<std::string> formats_of(const CommandLineOptions& options,
                                    const std::vector<std::string>& of_recipe) {
    std::vector<std::string> formats{"iso"};
    if (!options.format.empty()) {
        formats = parse_formats(options.format);
    } else if (!of_recipe.empty()) {
        formats = of_recipe;
    }
    return formats;
}

// The recipe with everything known about it; nothing if it has problems, which are printed.
std::optional<Checked> load_checked(const CommandLineOptions& options) {
    Problems problems;
    Checked checked;
    checked.recipe = load_recipe(
        options.recipe, [](const fs::path& path) { return find_file(path); }, problems,
        options.settings);
    checked.host = {options.deb, options.mirror, load_apt_sources("/etc/apt")};
    if (!options.lock.empty()) {
        checked.lock = read_lock_file(options.lock);
        checked.host.mirrors = checked.lock->mirrors;
    }
    if (problems.empty()) {
        checked.facts = collect_facts(checked.recipe, checked.host, problems);
        const auto formats = formats_of(options, checked.recipe.image.formats);
        checked.folder = wants_folder(options, formats);
        checked.facts.formats = with_companions(formats);
        checked.facts.given = given_stages(options.from);
    }
    if (problems.empty()) {
        return checked;
    }
    const auto count = problems.list().size();
    std::cerr << problems.text() << count << (count == 1 ? " problem" : " problems") << " in "
              << options.recipe.string() << "\n";
    return std::nullopt;
}

int run_check(const CommandLineOptions& options) {
    const auto checked = load_checked(options);
    if (!checked) {
        return exit_recipe;
    }
    std::cout << options.recipe.string() << " is valid: " << checked->recipe.files.size()
              << " files, " << checked->recipe.packages.size() << " packages\n";
    return exit_good;
}

int run_plan(const CommandLineOptions& options) {
    const auto checked = load_checked(options);
    if (!checked) {
        return exit_recipe;
    }
    const BuildPlan plan = make_plan(checked->recipe, checked->facts, stage_table());
    std::cout << (options.json ? to_json(plan).dump(2) + "\n" : to_text(plan));
    return exit_good;
}

// Of the stages that this build has.
void check_stage_name(const BuildPlan& plan, const char* option, const std::string& name) {
    std::vector<std::string> names;
    for (const StageStep& step : plan.steps) {
        names.push_back(step.stage);
    }
    if (!name.empty() && std::find(names.begin(), names.end(), name) == names.end()) {
        fail(ErrorKind::invalid, option, ": there is no stage '", name, "'; ",
             did_you_mean(name, names, "there are " + join_names(names)));
    }
}

// Says where everything goes; returns the folder for what a build tells about itself.
fs::path place_outputs(const CommandLineOptions& options, const Checked& checked,
                       BuildRequest& request) {
    const auto& formats = checked.facts.formats;
    if (!checked.folder) {
        const Format& only = find_format(formats.front());  // companions are the table's last
        const fs::path output =
            options.output.empty()
                ? fs::path("build") / (options.recipe.stem().string() + only.suffix)
                : options.output;
        // Behind the whole name: other images may be in the folder, even of the same stem.
        for (const std::string& format : formats) {
            request.outputs[format] = output.string() + find_format(format).suffix;
        }
        request.outputs[only.name] = output;
        request.manifest = manifest_of_image(output);
        request.sums = sums_of_image(output);
        return fs::absolute(output).parent_path();
    }
    const fs::path folder = options.output.empty() ? fs::path("build/images") : options.output;
    const std::string name = image_name(checked.recipe.image.title, checked.facts.version);
    for (const std::string& format : formats) {
        request.outputs[format] = folder / (name + find_format(format).suffix);
    }
    request.manifest = folder / manifest_file;
    request.sums = folder / sums_file;
    return fs::absolute(folder) / "";
}

BuildRequest make_request(const CommandLineOptions& options, const Checked& checked) {
    BuildRequest request;
    request.sources = collect_sources(checked.recipe, checked.host);
    request.cache = options.cache;
    const fs::path folder = place_outputs(options, checked, request);
    fs::create_directories(folder);
    request.report = options.report.empty() ? folder / "stages.json" : options.report;
    request.log = options.log.empty() ? folder / "gearbox-build.log" : options.log;
    request.until = options.until;
    request.fresh = options.fresh;
    request.keep = options.keep;
    request.keep_failed = options.keep_failed;
    request.lock = checked.lock;
    request.given = !options.from.empty();
    request.lock_file = folder / "gearbox-build.lock";
    request.lock_mirror = checked.lock ? options.mirror : "";
    request.mirrors = checked.facts.mirrors;
    request.offline = options.offline;
    return request;
}

void require_plan_of_lock(const fs::path& path, const LockFile& lock, const BuildPlan& plan) {
    std::string text;
    for (const std::string& difference : find_plan_differences(lock, plan)) {
        text += "\n  " + difference;
    }
    if (!text.empty()) {
        fail(ErrorKind::conflict, "this is not what '", path.string(), "' was made of:", text);
    }
}

int run_build(const CommandLineOptions& options) {
    // Before anything else: as somebody else than root even reading the files can fail.
    // What the recipe's own formats need, the stage 'host-check' looks for.
    require_good_host(options.cache, formats_of(options, {}), given_stages(options.from));
    const auto checked = load_checked(options);
    if (!checked) {
        return exit_recipe;
    }
    const BuildPlan plan = make_plan(checked->recipe, checked->facts, stage_table());
    if (checked->lock) {
        require_plan_of_lock(options.lock, *checked->lock, plan);
    }
    check_stage_name(plan, "--until", options.until);
    check_stage_name(plan, "--fresh", options.fresh);
    BuildRequest request = make_request(options, *checked);
    const bool json = options.progress == "json";
    const auto monitor = json ? make_json_monitor(std::cout)
                              : make_text_monitor(std::cout, ::isatty(STDOUT_FILENO) == 1);
    enter_private_mounts();
    Store store(request.cache);
    BuildLog log(request.log);
    HostTools tools(log, checked->recipe.image.source_date_epoch);
    if (!json && ::isatty(STDIN_FILENO) == 1 && ::isatty(STDOUT_FILENO) == 1) {
        request.look_at_failed = [&tools](const fs::path& tree) {
            std::cout
                << "\na shell in the tree as the stage left it, without a network; 'exit' ends it"
                << std::endl;
            tools.shell(tree);
        };
    }
    if (!json) {
        std::cout << "building " << join_names(checked->facts.formats)
                  << "; what the tools say goes to " << fs::proximate(log.path()).string()
                  << std::endl;
    }
    // What is given, and what is made of it, is this build's alone: in the cache it would be of the packages of another tree.
    std::optional<Store> given;
    const Defer forget([&] {
        if (given) {
            given.reset();
            store.discard(request.cache);
        }
    });
    if (request.given) {
        request.cache = store.create_pending("given");
        given.emplace(request.cache);
        take_images(options.from, request.lock, plan, *given);
    }
    Executor executor(plan, stage_table(), request, given ? *given : store, tools, log, *monitor);
    if (!executor.run()) {
        return exit_failed;
    }
    if (!options.sign.empty() && options.until.empty()) {
        sign_outputs(request.sums, options.sign, "images of the tree " + root_tree_id(plan));
    }
    return exit_good;
}

int run_stages(const CommandLineOptions& options) {
    // An empty recipe shows which options a stage reads.
    Recipe recipe;
    recipe.repositories.push_back({"debian", "trixie", {"main"}, "", false, {}});
    recipe.pre.emplace_back();
    recipe.post.emplace_back();
    Facts facts;
    facts.has_deb = true;
    facts.mirrors["debian"] = "";
    Json rows = Json::array();
    for (const Stage& stage : stage_table()) {
        std::vector<std::string> names;
        const auto wanted = stage.options(recipe, facts).value_or(Json::object());
        for (const auto& [key, value] : wanted.items()) {
            names.push_back(key);
        }
        static constexpr const char* kinds[] = {"check", "layer", "artifact"};
        rows.push_back({{"stage", stage.name},
                        {"kind", kinds[static_cast<int>(stage.kind)]},
                        {"summary", stage.summary},
                        {"options", names},
                        {"inputs", stage.inputs}});
    }
    if (options.json) {
        std::cout << rows.dump(2) << "\n";
        return exit_good;
    }
    for (const Json& row : rows) {
        std::string name = row["stage"].get<std::string>();
        name.resize(12, ' ');
        std::string kind = row["kind"].get<std::string>();
        kind.resize(9, ' ');
        std::cout << name << kind << row["summary"].get<std::string>() << "\n";
        const auto line = [](const char* title, const Json& list) {
            if (!list.empty()) {
                std::cout << "                     " << title << ": "
                          << join_names(list.get<std::vector<std::string>>()) << "\n";
            }
        };
        line("options", row["options"]);
        line("inputs", row["inputs"]);
    }
    return exit_good;
}

int run_inspect(const CommandLineOptions& options) {
    const ImageReport report = inspect_image(options.image);
    std::cout << (options.json ? to_json(report, options.packages).dump(2) + "\n"
                               : to_text(report, options.packages));
    return exit_good;
}

int run_test(const CommandLineOptions& options) {
    BootTestRequest request;
    request.image = options.image;
    request.firmware = options.firmware;
    request.output = options.output.empty() ? fs::path("build/test") : options.output;
    request.limit = std::chrono::seconds(options.timeout);
    request.json = options.json;
    return run_boot_test(request) ? exit_good : exit_failed;
}

// Exit codes are those of diff(1).
int run_verify(const CommandLineOptions& options) {
    constexpr int exit_different = 1;
    constexpr int exit_trouble = 2;
    try {
        std::vector<std::string> found;
        std::string good;
        if (options.signature) {
            const fs::path sums = fs::is_directory(options.image) ? options.image / sums_file
                                                                  : sums_of_image(options.image);
            const fs::path key =
                options.public_key.empty() ? public_key_of(sums) : options.public_key;
            found = check_signature(sums, key);
            good = str("signed by ", key.string(), ", and all files are as signed");
            if (options.public_key.empty()) {
                good += "; that key is from beside the images: --key takes one that you trust";
            }
        } else if (options.other.empty()) {
            fail(ErrorKind::invalid,
                 "two images or folders to compare, or --signature and one of them");
        } else if (fs::is_directory(options.image) != fs::is_directory(options.other)) {
            fail(ErrorKind::invalid, "two images, or two folders, but not one of each");
        } else {
            found = fs::is_directory(options.image) ? compare_outputs(options.image, options.other)
                                                    : compare_images(options.image, options.other);
            good = "the same bytes";
        }
        if (options.json) {
            std::cout << Json{{"same", found.empty()}, {"differences", found}}.dump(2) << "\n";
            return found.empty() ? exit_good : exit_different;
        }
        for (const std::string& sentence : found) {
            std::cout << sentence << "\n";
        }
        if (found.empty()) {
            std::cout << good << "\n";
        }
        return found.empty() ? exit_good : exit_different;
    } catch (const std::exception& error) {
        std::cerr << "gearbox-build: " << error.what() << "\n";
        return exit_trouble;
    }
}

int run_formats(const CommandLineOptions& options) {
    Json rows = Json::array();
    for (const Format& format : format_table()) {
        rows.push_back(
            {{"format", format.name}, {"stage", format.stage}, {"summary", format.summary}});
        if (!options.json) {
            std::string name = format.name;
            name.resize(20, ' ');
            std::cout << name << format.summary << "\n";
        }
    }
    if (options.json) {
        std::cout << rows.dump(2) << "\n";
    }
    return exit_good;
}

int run_language(const CommandLineOptions&) {
    std::cout << describe_language();
    return exit_good;
}

}  // namespace

fs::path default_cache() {
    if (const auto cache = find_folder("GEARBOX_CACHE")) {
        return *cache / "image";
    }
    const fs::path home = find_folder("HOME").value_or("/root");
    return find_folder("XDG_CACHE_HOME").value_or(home / ".cache") / "gearbox/image";
}

const std::vector<BuilderCommand>& builder_commands() {
    static const std::vector<BuilderCommand> table{
        {"build", Wants::recipe, "build the image, reusing what is still valid", run_build},
        {"plan", Wants::recipe, "print what a build would do; touches nothing", run_plan},
        {"check", Wants::recipe, "check a recipe and everything it includes", run_check},
        {"inspect", Wants::image, "say what is in an image, without booting it", run_inspect},
        {"test", Wants::machine, "boot an image and look whether it works", run_test},
        {"verify", Wants::images, "explain how two images differ, or check a signature",
         run_verify},
        {"formats", Wants::nothing, "list what can be built", run_formats},
        {"stages", Wants::nothing, "list the stages with their options", run_stages},
        {"language", Wants::nothing, "describe the recipe language as Markdown", run_language},
    };
    return table;
}

}  // namespace gearbox::builder
