// The tables of the recipe language: what can be written, what it means, how it is described.
#pragma once
#include "options.h"
#include "recipe.h"

#include <vector>

namespace gearbox::builder {

struct RecipeCommand {
    CommandSpec spec;
    void (*apply)(const Arguments&, Recipe&, Problems&);
};

/// One row a command, in the order of the documentation.
const std::vector<RecipeCommand>& command_table();

struct AddonKey {
    const char* name;
    const char* value;  ///< what its value is, for messages and documentation
    const char* doc;
    bool repeatable;
    void (*apply)(const Word& value, Recipe&, Problems&);
};

/// Keys of `%addon gearbox`.
const std::vector<AddonKey>& addon_table();

/// The options behind the name of a section.
const CommandSpec& packages_spec();
const CommandSpec& pre_spec();
const CommandSpec& post_spec();

void apply_packages(const Section& section, Recipe& recipe, Problems& problems);
void apply_script(const Section& section, Recipe& recipe, Problems& problems);
void apply_addon(const Section& section, Recipe& recipe, Problems& problems);

}  // namespace gearbox::builder
