#include "signature.h"

#include "hash.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <cstdlib>
#include <sstream>

namespace gearbox::builder {

namespace fs = std::filesystem;

namespace {

ToolResult minisign(std::vector<std::string> arguments, const ToolOptions& options = {}) {
    arguments.insert(arguments.begin(), "minisign");
    try {
        return run_tool(arguments, options);
    } catch (const Error&) {
        fail(ErrorKind::unavailable, "minisign is missing: apt-get install minisign");
    }
}

}  // namespace

void sign_outputs(const fs::path& folder, const fs::path& secret_key, const std::string& comment) {
    ToolOptions options;
    if (const char* password = std::getenv("GEARBOX_SIGN_PASSWORD")) {
        options.input = str(password, "\n");
    }
    const std::string key = secret_key.string();
    const std::string sums = (folder / sums_file).string();
    const std::string signature = (folder / signature_file).string();
    const std::vector<std::string> calls[] = {
        {"-S", "-s", key, "-m", sums, "-x", signature, "-t", comment, "-c",
         "signature by gearbox-build"},
        {"-R", "-f", "-s", key, "-p", (folder / public_key_file).string()}};
    for (const auto& arguments : calls) {
        const ToolResult result = minisign(arguments, options);
        if (result.status != 0) {
            fs::remove(signature);
            fail(ErrorKind::invalid, "signing with '", key, "': ", result.err,
                 "(a key with a password needs GEARBOX_SIGN_PASSWORD)");
        }
    }
}

std::vector<std::string> check_signature(const fs::path& folder, const fs::path& public_key) {
    if (!fs::exists(folder / signature_file)) {
        fail(ErrorKind::not_found, "'", folder.string(), "' has no '", signature_file, "'");
    }
    const ToolResult result =
        minisign({"-V", "-q", "-p", public_key.string(), "-m", (folder / sums_file).string(), "-x",
                  (folder / signature_file).string()});
    if (result.status != 0) {
        return {str("the signature of ", sums_file, " is not by this key: ", result.err)};
    }
    std::vector<std::string> problems;
    std::istringstream in(read_file(folder / sums_file));
    for (std::string hash, name; in >> hash >> name;) {
        if (!fs::exists(folder / name)) {
            problems.push_back(name + " is missing");
        } else if (hash_file(folder / name) != hash) {
            problems.push_back(name + " has another SHA-256");
        }
    }
    return problems;
}

}  // namespace gearbox::builder
