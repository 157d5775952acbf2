// Reads the fields of a spec and collects what is wrong with them: field path, file and line, what was expected.
//
// Not thread-safe; lives for one parse. Borrowed nodes must outlive it.
#pragma once

#include <chrono>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"

namespace weber::gitops {

class FieldReader {
public:
    // `node` may be null (absent). `path` is the field's path, e.g. "spec.sourceRef". The first problem is kept in `error`.
    FieldReader(const Node* node, std::string path, std::optional<Error>& error);

    std::string text(std::string_view key, bool required = false);
    bool boolean(std::string_view key, bool fallback = false, bool required = false);
    std::optional<std::chrono::nanoseconds> duration(std::string_view key, bool required = false);
    std::map<std::string, std::string> texts(std::string_view key); // a map of strings
    std::vector<std::string> list_of_text(std::string_view key);
    const Node* raw(std::string_view key); // marks the key as known; nullptr when absent or null
    FieldReader object(std::string_view key, bool required = false);
    std::vector<FieldReader> objects(std::string_view key); // a list of maps
    std::string choice(std::string_view key, std::initializer_list<std::string_view> allowed, bool required = false);
    // The field is valid, but this version does not do it: ErrorCode::unsupported.
    void unsupported(std::string_view key, std::string_view what = {});
    void problem(const Node& at, std::string_view key, std::string message, ErrorCode code = ErrorCode::invalid);
    // Every key that was not asked for is an unknown field.
    void finish();

    [[nodiscard]] bool present() const { return node_ != nullptr; }
    [[nodiscard]] const Node* node() const { return node_; }
    [[nodiscard]] const std::string& path() const { return path_; }

private:
    const Node* take(std::string_view key, bool required);
    [[nodiscard]] std::string path_of(std::string_view key) const;

    const Node* node_;
    std::string path_;
    std::optional<Error>* error_;
    std::vector<std::string_view> known_;
};

} // namespace weber::gitops
