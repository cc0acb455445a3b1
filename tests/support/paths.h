// Where the files of this build are. Only paths.cpp is compiled with them: no other object depends on the folder that
// the source lies in, so that a compiler cache serves every clone.
#pragma once
#include <string>

namespace gearbox::test {

/// A file of the source tree, named from its top.
std::string source_path(const std::string& name);

/// A file below tests/data.
std::string test_data(const std::string& name);

/// A program of the build tree, named from its top ("runtime/gearboxd").
std::string built_program(const std::string& name);

}  // namespace gearbox::test
