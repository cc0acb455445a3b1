// The real minisign: what is signed is checked, and what was changed is found.
#include "signature.h"

#include "hash.h"

#include "base/error.h"
#include "base/file.h"
#include "base/subprocess.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

namespace gearbox::builder {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;
using testing::IsEmpty;
namespace fs = std::filesystem;

class SignatureTest : public testing::Test {
protected:
    SignatureTest() {
        write_file_atomically(folder / "image.iso", "image");
        write_file_atomically(sums, hash_text("image") + "  image.iso\n");
        make_key("key");
    }
    void make_key(const std::string& name) {
        const std::string key = (keys.path() / name).string();
        run_tool_checked({"minisign", "-G", "-W", "-s", key, "-p", key + ".pub"});
    }
    TempDir made;
    TempDir keys;
    fs::path folder = made.path();
    fs::path sums = folder / sums_file;
};

TEST_F(SignatureTest, SignsAndFindsWhatWasChanged) {
    sign_outputs(sums, keys.path() / "key", "images of a test");
    const std::string signature = read_file(signature_of(sums));
    EXPECT_THAT(signature, HasSubstr("trusted comment: images of a test\n"));
    EXPECT_THAT(check_signature(sums, public_key_of(sums)), IsEmpty());
    EXPECT_EQ(read_file(public_key_of(sums)).substr(0, 20), "untrusted comment: m");

    // The same bytes each time, so a signed folder can be compared.
    sign_outputs(sums, keys.path() / "key", "images of a test");
    EXPECT_EQ(read_file(signature_of(sums)), signature);

    make_key("other");
    EXPECT_THAT(check_signature(sums, keys.path() / "other.pub"),
                ElementsAre(HasSubstr("not by this key")));
    write_file_atomically(folder / "image.iso", "changed");
    EXPECT_THAT(check_signature(sums, public_key_of(sums)),
                ElementsAre("image.iso has another SHA-256"));
    fs::remove(folder / "image.iso");
    EXPECT_THAT(check_signature(sums, public_key_of(sums)), ElementsAre("image.iso is missing"));
    write_file_atomically(sums, "");
    EXPECT_THAT(check_signature(sums, public_key_of(sums)),
                ElementsAre(HasSubstr("not by this key")));
}

// Two images of one folder with keys of their own.
TEST_F(SignatureTest, SignsASingleImage) {
    make_key("other");
    for (const char* name : {"one.iso", "two.iso"}) {
        write_file_atomically(folder / name, name);
        const fs::path beside = sums_of_image(folder / name);
        write_file_atomically(beside, str(hash_text(name), "  ", name, "\n"));
        sign_outputs(beside, keys.path() / (name == std::string("one.iso") ? "key" : "other"),
                     "an image of a test");
    }
    write_file_atomically(folder / "two.iso", "changed");
    const fs::path one = folder / "one.iso.sha256";
    const fs::path two = folder / "two.iso.sha256";
    EXPECT_THAT(check_signature(one, public_key_of(one)), IsEmpty());
    EXPECT_THAT(check_signature(two, public_key_of(two)),
                ElementsAre("two.iso has another SHA-256"));
    EXPECT_THAT(check_signature(one, public_key_of(two)),
                ElementsAre(HasSubstr("not by this key")));
}

TEST_F(SignatureTest, NothingIsLeftOfASignatureThatFailed) {
    EXPECT_THROW(sign_outputs(sums, folder / "image.iso", "c"), Error);
    EXPECT_FALSE(fs::exists(signature_of(sums)));
    EXPECT_THROW(check_signature(sums, keys.path() / "key.pub"), Error);
}

}  // namespace
}  // namespace gearbox::builder
