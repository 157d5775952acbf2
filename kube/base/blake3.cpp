#include "kube/base/blake3.h"

#include <algorithm>
#include <array>
#include <bit>
#include <cstdint>
#include <utility>
#include <vector>

#include "kube/base/digest.h"

namespace weber::kube {

namespace {

using Words = std::array<std::uint32_t, 8>;
using Block = std::array<std::uint32_t, 16>;

constexpr Words kStart{0x6A09E667, 0xBB67AE85, 0x3C6EF372, 0xA54FF53A, 0x510E527F, 0x9B05688C, 0x1F83D9AB, 0x5BE0CD19};
constexpr std::array<std::size_t, 16> kOrder{2, 6, 3, 10, 7, 0, 4, 13, 1, 11, 12, 5, 9, 14, 15, 8}; // of a message's words in the next round
constexpr std::size_t kBlock = 64, kChunk = 1024;
enum Flag : std::uint32_t { kChunkStart = 1, kChunkEnd = 2, kParent = 4, kRoot = 8 };

void mix(Block& v, std::size_t a, std::size_t b, std::size_t c, std::size_t d, std::uint32_t x, std::uint32_t y) {
    v[a] += v[b] + x;
    v[d] = std::rotr(v[d] ^ v[a], 16);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 12);
    v[a] += v[b] + y;
    v[d] = std::rotr(v[d] ^ v[a], 8);
    v[c] += v[d];
    v[b] = std::rotr(v[b] ^ v[c], 7);
}

// A compression that is still to be done: whether it is the last of all is known only at the end.
struct Pending {
    Words chaining = kStart;
    Block message{};
    std::uint64_t counter = 0;
    std::uint32_t length = 0, flags = 0;

    [[nodiscard]] Words compress(std::uint32_t more = 0) const {
        Block v;
        std::ranges::copy(chaining, v.begin());
        std::copy_n(kStart.begin(), 4, v.begin() + 8);
        v[12] = static_cast<std::uint32_t>(counter);
        v[13] = static_cast<std::uint32_t>(counter >> 32);
        v[14] = length;
        v[15] = flags | more;
        Block m = message;
        for (int round = 0; round < 7; ++round) {
            for (std::size_t i = 0; i < 4; ++i) mix(v, i, i + 4, i + 8, i + 12, m[2 * i], m[2 * i + 1]);
            for (std::size_t i = 0; i < 4; ++i) mix(v, i, 4 + (i + 1) % 4, 8 + (i + 2) % 4, 12 + (i + 3) % 4, m[8 + 2 * i], m[9 + 2 * i]);
            Block next;
            for (std::size_t i = 0; i < 16; ++i) next[i] = m[kOrder[i]];
            m = next;
        }
        Words out;
        for (std::size_t i = 0; i < 8; ++i) out[i] = v[i] ^ v[i + 8];
        return out;
    }
};

Block words_of(std::string_view block) {
    Block out{};
    for (std::size_t i = 0; i < block.size(); ++i) out[i / 4] |= std::uint32_t{static_cast<unsigned char>(block[i])} << (8 * (i % 4));
    return out;
}

Pending last_of_chunk(std::string_view chunk, std::uint64_t index) {
    Pending p{.counter = index, .flags = kChunkStart};
    for (; chunk.size() > kBlock; chunk.remove_prefix(kBlock)) {
        p.message = words_of(chunk.substr(0, kBlock));
        p.length = kBlock;
        p.chaining = p.compress();
        p.flags = 0;
    }
    p.message = words_of(chunk);
    p.length = static_cast<std::uint32_t>(chunk.size());
    p.flags |= kChunkEnd;
    return p;
}

Pending parent_of(const Words& left, const Words& right) {
    Pending p{.length = kBlock, .flags = kParent};
    std::ranges::copy(left, p.message.begin());
    std::ranges::copy(right, p.message.begin() + 8);
    return p;
}

} // namespace

std::string blake3_hex(std::string_view data) {
    std::vector<Words> whole; // subtrees that are full, the largest first
    std::uint64_t index = 0;
    for (; data.size() > kChunk; data.remove_prefix(kChunk)) {
        Words subtree = last_of_chunk(data.substr(0, kChunk), index++).compress();
        for (std::uint64_t chunks = index; chunks % 2 == 0; chunks /= 2) {
            subtree = parent_of(whole.back(), subtree).compress();
            whole.pop_back();
        }
        whole.push_back(subtree);
    }
    Pending last = last_of_chunk(data, index);
    for (; !whole.empty(); whole.pop_back()) last = parent_of(whole.back(), last.compress());
    std::string bytes;
    for (const std::uint32_t word : last.compress(kRoot))
        for (int i = 0; i < 4; ++i) bytes.push_back(static_cast<char>(word >> (8 * i)));
    return hex_encode(bytes);
}

} // namespace weber::kube
