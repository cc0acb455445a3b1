// Texts that are compared with files in tests/data. UPDATE_GOLDEN=1 rewrites them and skips.
#pragma once
#include "base/file.h"
#include "support/paths.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <filesystem>
#include <string>

inline void expect_golden(const std::string& name, const std::string& actual) {
    const std::filesystem::path path = gearbox::test::test_data(name);
    if (std::getenv("UPDATE_GOLDEN") != nullptr) {
        std::filesystem::create_directories(path.parent_path());
        gearbox::write_file_atomically(path, actual);
        GTEST_SKIP() << "rewrote " << path;
    }
    EXPECT_EQ(gearbox::find_file(path).value_or("(no such file)"), actual)
        << "differs from " << path << "; UPDATE_GOLDEN=1 rewrites it";
}
