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
        write_file_atomically(folder / sums_file, hash_text("image") + "  image.iso\n");
        make_key("key");
    }
    void make_key(const std::string& name) {
        const std::string key = (keys.path() / name).string();
        run_tool_checked({"minisign", "-G", "-W", "-s", key, "-p", key + ".pub"});
    }
    TempDir made;
    TempDir keys;
    fs::path folder = made.path();
};

TEST_F(SignatureTest, SignsAndFindsWhatWasChanged) {
    sign_outputs(folder, keys.path() / "key", "images of a test");
    const std::string signature = read_file(folder / signature_file);
    EXPECT_THAT(signature, HasSubstr("trusted comment: images of a test\n"));
    EXPECT_THAT(check_signature(folder, folder / public_key_file), IsEmpty());
    EXPECT_EQ(read_file(folder / public_key_file).substr(0, 20), "untrusted comment: m");

    // The same bytes each time, so a signed folder can be compared.
    sign_outputs(folder, keys.path() / "key", "images of a test");
    EXPECT_EQ(read_file(folder / signature_file), signature);

    make_key("other");
    EXPECT_THAT(check_signature(folder, keys.path() / "other.pub"),
                ElementsAre(HasSubstr("not by this key")));
    write_file_atomically(folder / "image.iso", "changed");
    EXPECT_THAT(check_signature(folder, folder / public_key_file),
                ElementsAre("image.iso has another SHA-256"));
    fs::remove(folder / "image.iso");
    EXPECT_THAT(check_signature(folder, folder / public_key_file),
                ElementsAre("image.iso is missing"));
    write_file_atomically(folder / sums_file, "");
    EXPECT_THAT(check_signature(folder, folder / public_key_file),
                ElementsAre(HasSubstr("not by this key")));
}

TEST_F(SignatureTest, NothingIsLeftOfASignatureThatFailed) {
    EXPECT_THROW(sign_outputs(folder, folder / "image.iso", "c"), Error);
    EXPECT_FALSE(fs::exists(folder / signature_file));
    EXPECT_THROW(check_signature(folder, keys.path() / "key.pub"), Error);
}

}  // namespace
}  // namespace gearbox::builder
