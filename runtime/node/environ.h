// The environment of programs in a gear (cartridge contract, 5). Values are literal: no shell
// syntax.
#pragma once
#include "base/settings.h"
#include "node/gear_files.h"
#include "node/gear_record.h"

#include <cstdint>
#include <map>
#include <string>
#include <vector>

namespace gearbox {

using Environment = std::map<std::string, std::string>;

/// Writes ~/.env of a new gear, and its user variables.
void write_gear_variables(const GearFiles& files, const GearSpec& spec, const std::string& home);
/// What the gear may use: OPENSHIFT_GEAR_MEMORY_MB of the contract; for quota(1) of the gear GEARBOX_DISK_MB and
/// GEARBOX_FILES; GEARBOX_CPU_PERCENT, of one processor.
void write_resource_variables(const GearFiles& files, const GearSettings& limits, std::int64_t disk_mb);
/// Where variables of the user, and those that cartridges of the domain give, are kept.
constexpr const char* user_variables = ".env/user_vars";
constexpr const char* domain_variables = ".env/domain_vars";
/// Replaces everything in that directory.
void write_variables(const GearFiles& files, const std::string& directory,
                     const std::vector<EnvironmentVariable>& variables);
void write_deployment_variables(const GearFiles& files, const DeploymentSettings& settings);
void write_variable(const GearFiles& files, const std::string& directory, const std::string& name,
                    const std::string& value);

/// With such a variable a value is a program, or says where programs are.
bool leads_to_programs(std::string_view name);
/// Of names that the gear has: its own, and a few that are a cartridge's to say.
bool may_redefine(const RecordedCartridge& cartridge, const std::string& name);

/// For a session or an action hook; for a script of a cartridge its own variables win.
Environment make_environment(const GearFiles& files, const GearRecord& record,
                             const Settings& settings, const std::string& for_cartridge = {});

std::vector<std::string> to_pairs(const Environment& environment);

}  // namespace gearbox
