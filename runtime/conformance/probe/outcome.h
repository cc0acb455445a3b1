// What an attempt came to, and the few steps that most attempts are made of.
#pragma once
#include <sys/stat.h>

#include <string>
#include <vector>

namespace gearbox::probe {

enum class Result { denied, succeeded, absent };

struct Outcome {
    Result result = Result::denied;
    int code = 0;  ///< errno, 0 if that does not tell it
    std::string detail;
};

Outcome denied(int code, std::string detail = {});
Outcome succeeded(std::string detail = {});
/// Not to be had on this machine, so that nothing was tried.
Outcome absent(std::string detail);

/// For a call just made: below zero it was denied with errno. ENOSYS without a filter means that
/// the kernel does not have the call at all.
Outcome from_call(long rc, std::string detail = {});

/// "EPERM"; "" for 0.
std::string error_name(int code);

/// Whether a seccomp filter is on this process.
bool is_filtered();
/// The value of a line of /proc/self/status, "CapEff".
std::string status_field(const std::string& name);
/// The SELinux label of this process; "" where there is no SELinux.
std::string own_label();

/// Opens and closes. A device in the place of a file is a mask: "masked".
Outcome try_open(const std::string& path, int flags);
/// The same, and reads; nothing to read in what should hold something is a mask, too.
Outcome try_read(const std::string& path);
/// Makes the file and removes it again.
Outcome try_create(const std::string& path);
/// Renames there and back.
Outcome try_rename(const std::string& path);
Outcome try_list(const std::string& directory);
Outcome try_write(const std::string& path, const std::string& text);
/// Connects to a Unix socket; '@' in front: abstract.
Outcome try_connect(const std::string& path);
/// The first outcome that is not "no such file", or the last.
Outcome first_found(const std::vector<std::string>& paths, Outcome (*attempt)(const std::string&));

std::vector<std::string> list_directory(const std::string& path);
std::string read_text(const std::string& path);
/// Of the environment; "" if not there.
std::string variable(const char* name);

/// The gear's home without a slash at its end.
std::string home();
/// A directory that the gear may write.
std::string data_directory();
/// The gear's repository, "" if there is none.
std::string repository();

/// A path in the data directory (or another one), empty at first; removed with all in it at the
/// end.
class Scratch {
public:
    explicit Scratch(const std::string& name, const std::string& directory = data_directory());
    Scratch(const Scratch&) = delete;
    Scratch& operator=(const Scratch&) = delete;
    ~Scratch();
    const std::string& path() const { return path_; }
    /// Makes an empty file; false with errno if that fails.
    bool make_file(mode_t mode = 0600) const;

private:
    std::string path_;
};

struct Ran {
    int status = -1;     ///< exit code; 128 + signal; -1: not started
    std::string output;  ///< both streams
};
/// Runs a program with exactly these variables to its end.
Ran run(const std::vector<std::string>& argv, const std::vector<std::string>& environment);

}  // namespace gearbox::probe
