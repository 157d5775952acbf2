#include "kustomize/regex.h"

#include <re2/re2.h>

namespace weber::kustomize {

struct Regex::Impl {
    Impl(const std::string& pattern, const re2::RE2::Options& options) : re(pattern, options) {}
    re2::RE2 re;
};

namespace {

// Bounds the compiled program of one pattern, so that a nested repetition cannot eat the machine.
constexpr std::int64_t kMaxProgramBytes = 8 << 20;

} // namespace

Regex::Regex(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Regex::Regex(Regex&&) noexcept = default;
Regex& Regex::operator=(Regex&&) noexcept = default;
Regex::~Regex() = default;

Result<Regex> Regex::compile(std::string_view pattern) {
    re2::RE2::Options options(re2::RE2::Quiet);
    options.set_max_mem(kMaxProgramBytes);
    auto impl = std::make_unique<Impl>(std::string(pattern), options);
    if (!impl->re.ok()) {
        std::string message = "error parsing regexp: " + impl->re.error() + ": `";
        return fail(ErrorCode::invalid, message.append(pattern) + "`");
    }
    return Regex(std::move(impl));
}

Result<Regex> Regex::compile_anchored(std::string_view pattern) {
    std::string anchored = "^(?:";
    return compile(anchored.append(pattern) + ")$");
}

bool Regex::matches(std::string_view text) const {
    return re2::RE2::PartialMatch(re2::StringPiece(text.data(), text.size()), impl_->re);
}

} // namespace weber::kustomize
