// An immutable, shared piece of text: one allocation, one pointer, copying is a counter increment.
// Keys and scalars of `Node` are Texts.
//
// Thread-safety: the counter is atomic; distinct Text objects that share a buffer may be used from
// distinct threads. One Text object must not be assigned while another thread reads it.
#pragma once

#include <cstdint>
#include <cstring>
#include <functional>
#include <new>
#include <string>
#include <string_view>
#include <utility>

#include "kube/base/ref_count.h"
#include "kube/base/text_hash.h"

namespace weber::kube {

class Text {
public:
    Text() = default; // the empty text, no allocation
    explicit Text(std::string_view s) : rep_(s.empty() ? nullptr : make(s)) {}
    Text(const Text& o) : rep_(o.rep_) { retain(); }
    Text(Text&& o) noexcept : rep_(std::exchange(o.rep_, nullptr)) {}
    Text& operator=(const Text& o) {
        Text copy(o);
        std::swap(rep_, copy.rep_);
        return *this;
    }
    Text& operator=(Text&& o) noexcept {
        std::swap(rep_, o.rep_);
        return *this;
    }
    ~Text() { release(); }

    [[nodiscard]] std::string_view view() const {
        return rep_ ? std::string_view(reinterpret_cast<const char*>(rep_ + 1), rep_->size) : std::string_view();
    }
    operator std::string_view() const { return view(); } // NOLINT: a Text is a string_view with an owner
    [[nodiscard]] std::string str() const { return std::string(view()); }
    [[nodiscard]] bool empty() const { return rep_ == nullptr; }
    [[nodiscard]] std::size_t size() const { return rep_ ? rep_->size : 0; }

    // Same buffer: equal texts are often, not always, the same buffer.
    [[nodiscard]] bool same(const Text& o) const { return rep_ == o.rep_; }
    friend bool operator==(const Text& a, const Text& b) { return a.rep_ == b.rep_ || a.view() == b.view(); }
    friend bool operator==(const Text& a, std::string_view b) { return a.view() == b; }
    friend auto operator<=>(const Text& a, const Text& b) { return a.view() <=> b.view(); }

private:
    struct Rep {
        RefCount refs;
        std::uint32_t size;
    };
    static Rep* make(std::string_view s) {
        void* mem = ::operator new(sizeof(Rep) + s.size());
        Rep* rep = new (mem) Rep{{}, static_cast<std::uint32_t>(s.size())};
        std::memcpy(static_cast<char*>(mem) + sizeof(Rep), s.data(), s.size());
        return rep;
    }
    void retain() const {
        if (rep_) rep_->refs.retain();
    }
    void release() {
        if (rep_ && rep_->refs.release()) {
            rep_->~Rep();
            ::operator delete(rep_);
        }
    }
    Rep* rep_ = nullptr;
};

} // namespace weber::kube

template <>
struct std::hash<weber::kube::Text> {
    std::size_t operator()(const weber::kube::Text& t) const noexcept {
        return weber::kube::text_hash(t.view());
    }
};
