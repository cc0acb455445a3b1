// Which archive the build host itself uses, from its apt sources.
#pragma once
#include "kickstart.h"

#include <filesystem>
#include <optional>
#include <string>
#include <vector>

namespace gearbox::builder {

/// One line of sources.list, or one combination of a deb822 stanza.
struct AptSource {
    std::string uri;
    std::string suite;
};

/// Lines "deb [options] URI SUITE COMPONENT…"; others are ignored.
std::vector<AptSource> parse_sources_list(const std::string& text);

/// Stanzas with Types, URIs, Suites; disabled ones and those without "deb" are ignored.
std::vector<AptSource> parse_deb822(const std::string& text);

/// Everything in etc_apt/sources.list and etc_apt/sources.list.d.
std::vector<AptSource> load_apt_sources(const std::filesystem::path& etc_apt);

/// The archive that would serve the suite: a Debian mirror of any release serves all of them. A
/// security suite is looked for among security archives only, any other among the rest.
std::optional<std::string> find_mirror(const std::vector<AptSource>& sources,
                                       const std::string& suite);

}  // namespace gearbox::builder
