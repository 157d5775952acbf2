// Memory for keys: locked (never swapped), left out of core dumps, wiped before it is given back.
//
// Where the process may not lock memory (RLIMIT_MEMLOCK), it is wiped all the same. Thread-safe; one buffer belongs to one thread at a time.
#pragma once

#include <cstddef>
#include <span>
#include <string_view>
#include <utility>

namespace weber::gitops {

class SecretBytes {
public:
    SecretBytes() = default;
    explicit SecretBytes(std::size_t size); // zeros
    static SecretBytes copy_of(std::string_view bytes);
    ~SecretBytes() { release(); }
    SecretBytes(SecretBytes&& o) noexcept : data_(std::exchange(o.data_, nullptr)), size_(std::exchange(o.size_, 0)) {}
    SecretBytes& operator=(SecretBytes&& o) noexcept {
        std::swap(data_, o.data_);
        std::swap(size_, o.size_);
        return *this;
    }
    SecretBytes(const SecretBytes&) = delete; // copies are made on purpose or not at all
    SecretBytes& operator=(const SecretBytes&) = delete;

    [[nodiscard]] unsigned char* data() { return data_; }
    [[nodiscard]] const unsigned char* data() const { return data_; }
    [[nodiscard]] std::size_t size() const { return size_; }
    [[nodiscard]] bool empty() const { return size_ == 0; }
    [[nodiscard]] std::string_view view() const { return {reinterpret_cast<const char*>(data_), size_}; }
    [[nodiscard]] std::span<unsigned char> span() { return {data_, size_}; }

private:
    void release();
    unsigned char* data_ = nullptr;
    std::size_t size_ = 0;
};

// Overwrites memory that held key material, so that no compiler leaves it out.
void wipe(void* data, std::size_t size);

// Wipes a string's buffer when it goes out of scope: for text that libraries only take or give as strings.
template <class Text>
class WipedAtEnd {
public:
    explicit WipedAtEnd(Text& text) : text_(text) {}
    ~WipedAtEnd() { wipe(text_.data(), text_.size()); }
    WipedAtEnd(const WipedAtEnd&) = delete;
    WipedAtEnd& operator=(const WipedAtEnd&) = delete;

private:
    Text& text_;
};

} // namespace weber::gitops
