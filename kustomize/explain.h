// Provenance, on request: who set each field of the output. Works by comparing objects before and after every step of a build, so that no
// transformer has to know of it and a build that does not ask pays nothing.
//
// Thread-safety: none; one build, one thread.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kustomize/resource_set.h"

namespace weber::kustomize {

struct Setter {
    std::string by = {}; // kustomize's name of the transformer or generator; "" = it stood in a manifest
    Where where = {};    // what a user edits: the line of the manifest or patch, or the field of the kustomization; may be unknown
    friend bool operator==(const Setter& a, const Setter& b) { return a.by == b.by && a.where.file == b.where.file && a.where.line == b.where.line; }
};

class Explanation {
public:
    // Where a changed value comes from. `key`: of the map it stands in, "" in a list; `old`: null when it is new.
    using Locate = std::function<Where(std::string_view key, const Node* old, const Node& now)>;

    // Objects that have just been read or generated: every field is set by `by`.
    void begin(const ResourceSet& set, std::string_view by, const Locate& locate);
    // What differs from the last look at these objects was set by `by`.
    void note(const ResourceSet& set, std::string_view by, const Locate& locate);
    // A generated object has taken the place of one that it merges with or replaces: what it did not set was set by those of the other.
    void inherit(const Resource& generated, const Resource& replaced);
    // Names that got a hash: what is edited is the generator.
    void note_hashes(const ResourceSet& set);
    // Who gave an object its name, last; null when unknown.
    [[nodiscard]] const Setter* name_setter(const Resource& resource) const;

    // The object as YAML, and after each field in a comment who set it, the last one first:
    //     name: prod-web # prod/kustomization.yaml:3 PrefixTransformer < base/web.yaml:4
    // Above the field when its value takes several lines. `base`: a directory ("/…"), left out of file names below it.
    [[nodiscard]] std::string to_yaml(const Resource& resource, std::string_view base) const;

private:
    struct Field {
        std::vector<Setter> by; // of a leaf; the last one last
        std::map<std::string, Field, std::less<>> keys;
        std::vector<Field> items;
    };
    struct State {
        Node seen;
        Field root;
    };
    struct Comments;
    static void update(Field& field, std::string_view key, const Node* old, const Node& now, std::string_view by, const Locate& locate);
    static void update_items(Field& field, std::string_view key, const Node& old, const Node& now, std::string_view by, const Locate& locate);
    static void put_under(Field& field, const Field& before);

    std::unordered_map<const Resource*, State> states_;
};

} // namespace weber::kustomize
