// Accounts of gears. They are put into the password files with glibc's means (lckpwdf(3), putpwent(3)): useradd(8) reads
// and writes all of four files for each, which takes longer the more there are. The system's own tool removes them.
#pragma once
#include <sys/types.h>

#include <string>
#include <vector>

namespace gearbox::sys {

struct Account {
    std::string name;  ///< also the name of its group
    uid_t uid = 0;     ///< also its gid
    std::string home;
    std::string shell;
    std::string group;  ///< supplementary, for the rules of sshd and SELinux: see ensure_group
};

/// Makes a system group unless it is there.
void ensure_group(const std::string& name);

/// Creates what is missing of the account. Throws Error(conflict) if the uid or the name belongs to
/// somebody else.
void ensure_account(const Account& account);

struct AccountId {
    std::string name;
    uid_t id = 0;
};
/// All local accounts and groups.
std::vector<AccountId> account_ids();

/// 0 if there is no such user.
uid_t find_uid(const std::string& name);

/// Unknown is fine.
void destroy_account(const std::string& name);

}  // namespace gearbox::sys
