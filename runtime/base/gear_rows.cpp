#include "base/toml_file.h"

namespace gearbox {

namespace toml_file {

namespace {

constexpr std::int64_t mebi = 1048576;
constexpr std::int64_t million = 1000000;

}  // namespace

std::vector<Row> gear_rows(const std::string& prefix, GearSettings& g) {
    return {
        {prefix + "memory_mb", &g.memory_mb, 512, "Memory limit of a gear, MiB.", 32, mebi},
        {prefix + "swap_mb", &g.swap_mb, 0, "Swap space that it may use beside, MiB.", 0, mebi},
        {prefix + "pids", &g.pids, 250, "Processes and threads of a gear.", 16, million},
        {prefix + "cpu_percent", &g.cpu_percent, 200, "CPU time a gear may use, percent of one CPU.", 1,
         100000},
        {prefix + "cpu_weight", &g.cpu_weight, 100,
         "Share against the other gears when the CPU is short (cgroup v2 cpu.weight).", 1, 10000},
        {prefix + "io_weight", &g.io_weight, 100,
         "Share against the other gears when the disk is busy (cgroup v2 io.weight).", 1, 10000},
        {prefix + "tmp_mb", &g.tmp_mb, 128, "Size of a gear's private /tmp, /var/tmp and /dev/shm together, MiB; of a running gear from its next start on.", 1, mebi},
        {prefix + "open_files", &g.open_files, 4096, "Open files of one process.", 64, mebi},
        {prefix + "disk_mb", &g.disk_mb, 1024,
         "Disk space of a gear's files, MiB; the extra storage of its application comes on top.", 16,
         mebi},
        {prefix + "files", &g.files, 80000, "Files and directories that it may have.", 1000, 100 * million},
        {prefix + "network_mbit", &g.network_mbit, 1000,
         "Network bandwidth of a gear, Mbit/s in each direction, that to the router included; 0: no limit.", 0, 10000},
    };
}

}  // namespace toml_file

GearSettings with_limits(GearSettings size, const GearLimits& limits) {
    for (const toml_file::Row& row : toml_file::gear_rows("", size)) {
        if (const auto found = limits.find(row.key); found != limits.end()) {
            *std::get<std::int64_t*>(row.target) = found->second;
        }
    }
    return size;
}

}  // namespace gearbox
