// How much may be added to the disk of all gears.
#include "node/disk_limit.h"

#include <gmock/gmock.h>

namespace gearbox {

namespace {

using ::testing::HasSubstr;

TEST(Storage, TheReserveStaysFree) {
    const NodeStorage storage{.all_mb = 1000, .free_mb = 100, .reserve_mb = 90};
    EXPECT_EQ(find_shortage(storage, 0), "");
    EXPECT_EQ(find_shortage(storage, 10), "");
    EXPECT_THAT(find_shortage(storage, 11), HasSubstr("100 of its 1000 MB are free, 90 have to stay free, and this takes 11;"));
    EXPECT_THAT(find_shortage({.all_mb = 1000, .free_mb = 89, .reserve_mb = 90}, 0),
                HasSubstr("89 of its 1000 MB are free, 90 have to stay free; delete"));
}

TEST(Storage, ASmallDiskKeepsATenth) {
    NodeSettings node = make_default_settings().node;
    node.gear_base = "/";
    node.reserve_mb = 1;
    const NodeStorage storage = look_at_storage(node);
    EXPECT_GT(storage.all_mb, 10);
    EXPECT_LE(storage.free_mb, storage.all_mb);
    EXPECT_EQ(storage.reserve_mb, 1);
    node.reserve_mb = storage.all_mb;
    EXPECT_EQ(look_at_storage(node).reserve_mb, storage.all_mb / 10);
    node.reserve_mb = 0;
    EXPECT_EQ(find_shortage(look_at_storage(node), 0), "");
}

TEST(Storage, LittleIsLeftFromNineTenthsOn) {
    const sys::DiskQuota quota{1000 << 20, 80'000};
    EXPECT_EQ(find_tightness({(900 << 20) - 1, 71'999}, quota), "");
    EXPECT_EQ(find_tightness({900 << 20, 0}, quota),
              "WARNING: the files of this gear take 900 of its 1000 MB: delete some, or ask for more storage");
    EXPECT_EQ(find_tightness({0, 72'000}, quota),
              "WARNING: there are 72000 of at most 80000 files in this gear: delete some, or ask for more storage");
    EXPECT_THAT(find_tightness({1000 << 20, 80'000}, quota), HasSubstr("take 1000 of its 1000 MB, and there are 80000 of at most"));
    // 0 is no limit.
    EXPECT_EQ(find_tightness({900 << 20, 72'000}, {0, 0}), "");
}

}  // namespace

}  // namespace gearbox
