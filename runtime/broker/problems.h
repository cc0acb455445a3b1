// What is wrong with a request, in the contract's terms: a text, an exit code and the field at
// fault. A request may have several problems; they are reported together.
#pragma once
#include "base/error.h"

#include <optional>
#include <string>
#include <vector>

namespace gearbox {

/// The exit codes of the contract's section 6 that the broker gives.
namespace exit_code {
constexpr int unspecified = 1;
constexpr int user_not_found = 99;
constexpr int application_exists = 100;
constexpr int application_not_found = 101;
constexpr int namespace_exists = 103;  ///< also: domain limit reached
constexpr int gear_limit = 104;
constexpr int application_name = 105;
constexpr int namespace_name = 106;
constexpr int not_scalable = 100;
constexpr int alias_name = 105;
constexpr int login = 107;
constexpr int key_content = 108;
constexpr int cartridge = 109;
constexpr int gear_sizes = 110;
constexpr int moved = 112;
constexpr int key_type = 116;
constexpr int key_name = 117;
constexpr int key_not_found = 118;  ///< also: quickstart not found
constexpr int key_name_exists = 120;
constexpr int key_content_exists = 121;
constexpr int event = 126;
constexpr int domain_not_found = 127;
constexpr int domain_not_empty = 128;
constexpr int cartridge_not_found = 129;  ///< also: authorization not found
constexpr int member_not_found = 132;  ///< also: team not found
constexpr int members = 222;
constexpr int domain_unchanged = 133;
constexpr int gear_size = 134;
constexpr int cartridge_not_in_application = 135;
constexpr int cartridge_exists = 136;
constexpr int cartridge_fixed = 137;
constexpr int alias_exists = 140;
constexpr int account_deletion = 138;
constexpr int node_failure = 143;
constexpr int storage_not_allowed = 164;
constexpr int storage_not_a_number = 165;
constexpr int storage = 166;
constexpr int not_boolean = 167;
constexpr int scales = 168;
constexpr int name_not_resolvable = 170;
constexpr int private_key = 172;
constexpr int alias_not_found = 173;
constexpr int certificate = 174;
constexpr int certificates_not_allowed = 175;
constexpr int no_thread_dump = 180;
constexpr int dependency = 185;
constexpr int variables = 186;
constexpr int variable_name = 188;
constexpr int variable_value = 190;
constexpr int several_cartridges = 197;
constexpr int team_limit = 193;
constexpr int git_url = 216;
constexpr int deployment = -1;
constexpr int team = -1;
}  // namespace exit_code

struct Problem {
    std::string text;  ///< a sentence for the user
    std::optional<int> exit_code;
    std::string field;  ///< "" if it is about no parameter
};

/// A request that cannot be done, with everything that is wrong with it. Never empty.
class RequestError : public Error {
public:
    RequestError(ErrorKind kind, std::vector<Problem> problems);
    const std::vector<Problem>& problems() const { return problems_; }

private:
    std::vector<Problem> problems_;
};

[[noreturn]] void refuse(ErrorKind kind, std::string text, int code, std::string field = "");

/// Collects problems of kind invalid; check() throws if there are any.
class Problems {
public:
    void add(std::string text, int code, std::string field = "") {
        found_.push_back({std::move(text), code, std::move(field)});
    }
    bool empty() const { return found_.empty(); }
    void check() const {
        if (!found_.empty()) {
            throw RequestError(ErrorKind::invalid, found_);
        }
    }

private:
    std::vector<Problem> found_;
};

/// A user's text for a message: shortened, without control characters.
std::string shown(const std::string& text);

}  // namespace gearbox
