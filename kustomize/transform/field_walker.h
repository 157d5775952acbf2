// Visits the fields that a list of field specs names in an object.
//
// Thread-safety: a FieldWalker belongs to one thread (it remembers which specs concern which kinds).
#pragma once

#include <functional>
#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/resource.h"
#include "kustomize/types.h"

namespace weber::kustomize {

// Splits at the delimiter; a backslash before it keeps it; one leading delimiter is ignored. (kyaml: utils.PathSplitter)
std::vector<std::string> split_path(std::string_view path, char delimiter);
// As above; a part in brackets may hold delimiters: "[name=a.b]" stays whole, "[a.b]" becomes the key "a.b".
// (kyaml: utils.SmarterPathSplitter)
std::vector<std::string> split_bracketed_path(std::string_view path, char delimiter = '.');

class FieldWalker {
public:
    using Visit = std::function<Result<void>(Node&)>;
    // What a spec with `create` makes of a missing last field; missing parents become maps.
    enum class Creates : std::uint8_t { nothing, scalar, map };

    // A list that is given to keep, or one that must outlive the walker. Only specs that concern some object are ever looked into: most of
    // the default ones concern none.
    explicit FieldWalker(FieldSpecs&& specs, Creates creates = Creates::nothing);
    explicit FieldWalker(const FieldSpecs& specs, Creates creates = Creates::nothing);
    // The same for one spec, whatever the kind of the object.
    static FieldWalker for_path(std::string_view path, bool create, Creates creates);

    // Calls `visit` on each field, for every spec that selects the object's kind, in order; lists on the way are entered.
    // Errors: "considering field '…' of object …: …".
    Result<void> walk(Resource& resource, const Visit& visit) const;
    // Is there any spec for this kind?
    [[nodiscard]] bool concerns(const Gvk& gvk) const { return !specs_for(gvk).empty(); }

private:
    struct Step {
        std::string written; // without "[]"
        std::string name;    // without blanks around it
        bool list = false;   // written "name[]"
        bool odd = false;    // "", "*", or the name of a list's element: an error wherever a map is met
    };
    struct Spec {
        std::string path;
        std::vector<Step> steps;
        bool create = false;
    };
    using Selected = std::vector<std::shared_ptr<const Spec>>;

    static Spec compile(const FieldSpec& spec);
    [[nodiscard]] const Selected& specs_for(const Gvk& gvk) const;
    static bool leads_somewhere(const Node& node, const Spec& spec, std::size_t step);
    static Result<void> refuse_name(const Node& map, const Step& s);
    Result<void> enter(Node& node, const Spec& spec, std::size_t step, const Visit& visit) const;
    Result<void> enter_field(Node& map, const Spec& spec, std::size_t step, const Visit& visit) const;

    std::shared_ptr<const FieldSpecs> specs_; // without owner when they belong to somebody else
    Creates creates_ = Creates::nothing;
    mutable std::vector<std::shared_ptr<const Spec>> compiled_; // by index; null: not needed so far
    mutable std::unordered_map<const GvkInfo*, Selected> by_kind_;
    mutable Node* root_ = nullptr; // the object being walked
};

} // namespace weber::kustomize
