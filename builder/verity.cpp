#include "verity.h"

#include "hash.h"

#include "base/error.h"
#include "base/str.h"

#include <algorithm>
#include <fstream>
#include <utility>
#include <vector>

namespace gearbox::builder {

namespace {

std::string fill_block(std::string data) {
    const std::size_t rest = data.size() % verity_block_bytes;
    data.append(rest == 0 ? 0 : verity_block_bytes - rest, '\0');
    return data;
}

std::string hash_block(std::string_view block) {
    Sha256 hash;
    hash.add(block);
    return hash.finish_bytes();
}

}  // namespace

std::string Verity::text() const {
    return str(root, ":", blocks);
}

void VerityTree::add(std::string_view block) {
    digests_ += hash_block(fill_block(std::string(block)));
    ++blocks_;
}

std::string VerityTree::finish(Verity& verity) const {
    std::string tree;
    std::string digests = digests_;
    const std::size_t digest_bytes = hash_block("").size();
    while (digests.size() > digest_bytes) {
        const std::string level = fill_block(std::exchange(digests, ""));
        for (std::size_t at = 0; at < level.size(); at += verity_block_bytes) {
            digests += hash_block(std::string_view(level).substr(at, verity_block_bytes));
        }
        tree.insert(0, level);
    }
    verity = {to_hex(digests), blocks_};
    return tree;
}

Verity append_verity(const std::filesystem::path& image) {
    VerityTree tree;
    std::string block(verity_block_bytes, '\0');
    std::ifstream in(image, std::ios::binary);
    std::uint64_t bytes = 0;
    while (in.read(block.data(), static_cast<std::streamsize>(block.size())) || in.gcount() > 0) {
        tree.add(std::string_view(block).substr(0, static_cast<std::size_t>(in.gcount())));
        bytes += static_cast<std::uint64_t>(in.gcount());
    }
    Verity verity;
    const std::string text = tree.finish(verity);
    std::filesystem::resize_file(image, verity.blocks * verity_block_bytes);
    std::ofstream out(image, std::ios::binary | std::ios::app);
    out << text << std::flush;
    if (!in.eof() || !out) {
        fail(ErrorKind::internal, "writing the hash tree behind '", image.string(), "', ", bytes, " bytes long");
    }
    return verity;
}

}  // namespace gearbox::builder
