// What the printers of tables share: an object with short readers, texts of common parts, and the tables of printers by subject.
// Source of the rules: kubernetes/pkg/printers/internalversion/printers.go, which always prints in its wide form. Pure.
#pragma once

#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "kube/base/clock.h"
#include "kube/base/node.h"

namespace weber::kube::server {

struct Row {
    const Node& o;
    SystemTime now;

    // Texts and numbers at a path; the fallback where there is none (or it is empty).
    [[nodiscard]] std::string text(std::initializer_list<std::string_view> path, std::string_view none = "") const;
    [[nodiscard]] std::int64_t number(std::initializer_list<std::string_view> path, std::int64_t none = 0) const;
    [[nodiscard]] bool flag(std::initializer_list<std::string_view> path, bool none = false) const;
    [[nodiscard]] std::int64_t size(std::initializer_list<std::string_view> path) const;
    [[nodiscard]] std::span<const Node> items(std::initializer_list<std::string_view> path) const;
    [[nodiscard]] std::vector<std::string> texts(std::string_view json_path) const;
    // "5m", "<unknown>" when `time` is none.
    [[nodiscard]] std::string since(std::string_view time) const;
    [[nodiscard]] std::string age() const;
    // The first condition of this type; null: none.
    [[nodiscard]] const Node* condition(std::string_view type) const;
};

struct Printer {
    const char* resource; // "apps/deployments"
    Node (*cells)(const Row&);
};
std::span<const Printer> workload_printers();
std::span<const Printer> network_printers();
std::span<const Printer> storage_printers();
std::span<const Printer> cluster_printers(); // nodes, namespaces, access, admission, configuration

inline Node cell(std::string_view text) { return Node::string(text); }
inline Node cell(std::int64_t v) { return Node::integer(v); }
Node name_cell(const Row& r);
Node age_cell(const Row& r);
// "a=b,c=d"; "<none>" for none.
std::string format_labels(const Node* labels);
// A LabelSelector in the syntax of the API; "<none>" for one that selects everything.
std::string format_label_selector(const Node* selector);
// "a,b,c + 2 more..." of at most `max`; `none` for an empty list.
std::string with_more(const std::vector<std::string>& all, std::size_t max, std::string_view none);

} // namespace weber::kube::server
