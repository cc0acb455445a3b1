#include "verity.h"

#include "hash.h"

#include <gtest/gtest.h>

#include <string>

namespace gearbox::builder {
namespace {

std::string make_data(std::size_t blocks) {
    std::string data(blocks * verity_block_bytes, '\0');
    for (std::size_t i = 0; i < data.size(); ++i) {
        data[i] = static_cast<char>((i * i + (i >> 8)) & 255);
    }
    return data;
}

Verity make_tree(const std::string& data, std::string& tree) {
    VerityTree maker;
    for (std::size_t at = 0; at < data.size(); at += verity_block_bytes) {
        maker.add(std::string_view(data).substr(at, verity_block_bytes));
    }
    Verity verity;
    tree = maker.finish(verity);
    return verity;
}

// Expected: `veritysetup format --no-superblock --salt -` of cryptsetup 2.6.1 with the same data.
TEST(VerityTest, MakesTheTreeThatVeritysetupMakes) {
    std::string tree;
    const Verity verity = make_tree(make_data(300), tree);
    EXPECT_EQ(verity.text(), "b9204a129d603036a096c20fc2eb484d58bda8db3eb79995277d597c55dffefe:300");
    EXPECT_EQ(tree.size(), 4 * verity_block_bytes);
    EXPECT_EQ(hash_text(tree), "56f9c3ee351c83c1f55d8a34ad819df8f5e47f6fd25679f1dc26e12635af0054");
}

TEST(VerityTest, AnyOtherByteGivesAnotherRoot) {
    std::string data = make_data(130);
    std::string tree;
    const std::string before = make_tree(data, tree).root;
    data[129 * verity_block_bytes + 7] ^= 1;
    EXPECT_NE(make_tree(data, tree).root, before);
}

TEST(VerityTest, AShortLastBlockCountsAsFilledUp) {
    std::string data = make_data(3);
    data.resize(2 * verity_block_bytes + 5);
    std::string tree;
    const Verity cut = make_tree(data, tree);
    data.resize(3 * verity_block_bytes);
    EXPECT_EQ(cut.text(), make_tree(data, tree).text());
}

}  // namespace
}  // namespace gearbox::builder
