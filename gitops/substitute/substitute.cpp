#include "gitops/substitute/substitute.h"

#include <algorithm>
#include <array>
#include <cmath>
#include <cstdint>

#include "gitops/substitute/numbers.h"
#include "kube/base/yaml_keys.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kSwitch = "kustomize.toolkit.fluxcd.io/substitute";
constexpr std::string_view kNamePattern = "^[_[:alpha:]][_[:alpha:][:digit:]]*$";

bool valid_name(std::string_view name) {
    const auto letter = [](char c) { return c == '_' || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); };
    if (name.empty() || !letter(name.front())) return false;
    return std::ranges::all_of(name, [&](char c) { return letter(c) || (c >= '0' && c <= '9'); });
}

std::unexpected<Error> wrapped(Error error, const Object& object, std::string_view prefix) {
    error.message.insert(0, prefix);
    if (error.where.file.empty()) error.where = object.where();
    return fail(std::move(error));
}

// Lines of the text that was parsed mean nothing to the user; those of the file do.
void copy_positions(const Node& from, Node& to) {
    to.set_position(from.file(), from.line());
    if (from.is_map() && to.is_map()) {
        for (auto& [key, value] : to.entries_mut())
            if (const Node* n = from.find(key)) copy_positions(*n, value);
    } else if (from.is_list() && to.is_list()) {
        const auto source = from.items();
        const auto items = to.items_mut();
        for (std::size_t i = 0; i < std::min(source.size(), items.size()); ++i) copy_positions(source[i], items[i]);
    }
}

// go-yaml counts lines from 0 in errors of its parser, from 1 in those of its scanner.
Error worded_as_go_yaml(Error error) {
    constexpr std::string_view kPrefix = "yaml: line ", kByte = " at byte "; // of bytes that are no text: go-yaml does not say where
    if (const std::size_t byte = error.message.find(kByte); byte != std::string::npos && !error.message.starts_with(kPrefix)) error.message.resize(byte);
    const std::size_t colon = error.message.find(": ", kPrefix.size());
    if (!error.message.starts_with(kPrefix) || colon == std::string::npos) return error;
    const std::string problem = error.message.substr(colon + 2);
    if (problem.starts_with("map merge requires")) { // found by its decoder, which knows no lines
        error.message = "yaml: " + problem;
        return error;
    }
    constexpr std::array<std::string_view, 6> kOfParser = {"did not find expected key",         "did not find expected node content",   "did not find expected ',' or ']'",
                                                           "did not find expected ',' or '}'", "did not find expected '-' indicator", "did not find expected <document start>"};
    if (std::ranges::find(kOfParser, problem) == kOfParser.end()) return error;
    const std::uint32_t line = error.where.line - 1;
    error.message = line == 0 ? "yaml: " + problem : "yaml: line " + std::to_string(line) + ": " + problem;
    return error;
}

// An anchor's name may be a secret's value.
Error without_names(Error error) {
    const std::size_t from = error.message.find("anchor '"), to = error.message.rfind('\'');
    if (from != std::string::npos && to > from + 8) error.message.replace(from + 8, to - from - 8, "<redacted>");
    return error;
}

} // namespace

bool wants_substitution(const Object& object) { return object.label(kSwitch) != "disabled" && object.annotation(kSwitch) != "disabled"; }

Substitution::Substitution(Variables variables, const SubstituteOptions& options) : variables_(std::move(variables)), options_(options) {
    for (const auto& [name, value] : variables_)
        if (!valid_name(name) && (!bad_name_ || name < *bad_name_)) bad_name_ = name;
}

Result<Object> Substitution::apply(const Object& object) const {
    if (!wants_substitution(object)) return object;
    if (variables_.empty() && !options_.always) return object;
    if (bad_name_)
        return fail(Error{.code = ErrorCode::invalid,
                          .message = "envsubst error: '" + *bad_name_ + "' var name is invalid, must match '" + std::string(kNamePattern) + "'",
                          .where = object.where()});
    Node quick = object.root();
    if (substitute_in_place(quick, variables_, options_.strict)) return Object(std::move(quick));
    auto result = by_text(object.root());
    if (!result) return wrapped(std::move(result.error()), object, "envsubst error: ");
    return Object(std::move(*result));
}

Result<Node> Substitution::by_text(const Node& object) const {
    std::string text;
    if (auto done = expand(kube::write_yaml(object), variables_, options_.strict, text); !done)
        return fail(std::move(done.error()).with_prefix("variable substitution failed: "));
    auto parsed = kube::read_yaml_with_typed_keys(text, {.schema = kube::YamlSchema::yaml_1_1, .unique_keys = false});
    if (!parsed) {
        Error error = without_names(worded_as_go_yaml(std::move(parsed.error())));
        error.where = {};
        return fail(std::move(error).with_prefix("YAMLToJSON: "));
    }
    Node root = parsed->empty() ? Node() : std::move(parsed->front());
    TRY_VOID(numbers_through_json(root));
    copy_positions(object, root);
    return root;
}

} // namespace weber::gitops
