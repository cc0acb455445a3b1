// What a build can deliver, and which stage makes it. THE list of formats is in formats.cpp.
#pragma once
#include "plan.h"

#include <set>
#include <string>
#include <vector>

namespace gearbox::builder {

struct Format {
    const char* name;
    const char* stage;   ///< that makes it
    const char* file;    ///< in the stage's folder
    const char* suffix;  ///< of its name beside other images
    const char* summary;
    bool with_others;  ///< goes into a folder of images even if nobody asked for it
};

const std::vector<Format>& format_table();

/// Throws Error(not_found).
const Format& find_format(const std::string& name);

/// The formats of a comma-separated list, each once, in the order of the table. Throws
/// Error(invalid), with `where` the list stands and what was meant.
std::vector<std::string> parse_formats(const std::string& list, const char* where = "--format");

/// The same with what goes into every folder of images.
std::vector<std::string> with_companions(const std::vector<std::string>& formats);

/// The stages whose results these formats need, their own included. What the given ones were made of is not.
std::set<std::string> needed_stages(const std::vector<std::string>& formats, const std::vector<Stage>& stages,
                                    const std::set<std::string>& given = {});

/// From the tree to the stage by what each is mainly made of: "tree → raw → vmdk → ova".
std::string conversion_path(const std::string& stage, const BuildPlan& plan);

/// Id of the tree that all the formats of this plan are made of: that of its highest layer.
std::string root_tree_id(const BuildPlan& plan);

}  // namespace gearbox::builder
