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

fs::path sums_of_image(const fs::path& image) {
    return image.string() + ".sha256";
}

fs::path signature_of(const fs::path& sums) {
    return sums.string() + ".minisig";
}

fs::path public_key_of(const fs::path& sums) {
    return sums.filename() == sums_file ? sums.parent_path() / "minisign.pub"
                                        : fs::path(sums.string() + ".pub");
}

void sign_outputs(const fs::path& sums, const fs::path& secret_key, const std::string& comment) {
    ToolOptions options;
    if (const char* password = std::getenv("GEARBOX_SIGN_PASSWORD")) {
        options.input = str(password, "\n");
    }
    const std::string key = secret_key.string();
    const std::string signature = signature_of(sums).string();
    const std::vector<std::string> calls[] = {
        {"-S", "-s", key, "-m", sums.string(), "-x", signature, "-t", comment, "-c",
         "signature by gearbox-build"},
        {"-R", "-f", "-s", key, "-p", public_key_of(sums).string()}};
    for (const auto& arguments : calls) {
        const ToolResult result = minisign(arguments, options);
        if (result.status != 0) {
            fs::remove(signature);
            fail(ErrorKind::invalid, "signing with '", key, "': ", result.err,
                 "(a key with a password needs GEARBOX_SIGN_PASSWORD)");
        }
    }
}

std::vector<std::string> check_signature(const fs::path& sums, const fs::path& public_key) {
    const fs::path signature = signature_of(sums);
    if (!fs::exists(signature)) {
        fail(ErrorKind::not_found, "there is no '", signature.string(), "'");
    }
    const ToolResult result = minisign(
        {"-V", "-q", "-p", public_key.string(), "-m", sums.string(), "-x", signature.string()});
    if (result.status != 0) {
        return {str("the signature of ", sums.filename().string(),
                    " is not by this key: ", result.err)};
    }
    std::vector<std::string> problems;
    const fs::path folder = sums.parent_path();
    std::istringstream in(read_file(sums));
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
