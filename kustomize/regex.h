// Regular expressions with Go's syntax and linear time (RE2), as kustomize's selectors and image names use them.
//
// Thread-safety: a compiled Regex may be used from several threads.
#pragma once

#include <memory>
#include <string>
#include <string_view>

#include "kube/base/error.h"

namespace weber::kustomize {

class Regex {
public:
    // Fails with Go's wording: "error parsing regexp: …: `pattern`".
    static Result<Regex> compile(std::string_view pattern);
    // Matches only whole texts: ^(?:pattern)$.
    static Result<Regex> compile_anchored(std::string_view pattern);

    // Does it match anywhere in the text?
    [[nodiscard]] bool matches(std::string_view text) const;

    Regex(Regex&&) noexcept;
    Regex& operator=(Regex&&) noexcept;
    ~Regex();

private:
    struct Impl;
    explicit Regex(std::unique_ptr<Impl> impl);
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kustomize
