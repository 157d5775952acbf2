#include "gitops/reconcile/json_diff.h"

#include <algorithm>
#include <set>

#include "gitops/reconcile/apply_errors.h"
#include "gitops/reconcile/drift.h"
#include "gitops/reconcile/selectors.h"
#include "kube/base/json.h"
#include "kube/base/json_patch.h"

namespace weber::gitops {

namespace {

Node operation(const char* op, const std::string& path, const Node* value, const Node* old) {
    Node out = Node::map({{"op", Node::string(op)}, {"path", Node::string(path)}});
    if (value != nullptr) out.set("value", *value);
    if (old != nullptr) out.set("oldValue", *old);
    return out;
}

std::size_t length_of(Node operation) {
    operation.erase("oldValue");
    return kube::write_json(operation).size();
}

class Differ {
public:
    explicit Differ(bool rationalize) : rationalize_(rationalize) {}

    void compare(const std::string& path, const Node& from, const Node& to) {
        if (from == to) return;
        const std::size_t before = patch.size();
        if (from.is_map() && to.is_map()) maps(path, from, to);
        else if (from.is_list() && to.is_list()) lists(path, from, to);
        else patch.push_back(operation("replace", path, &to, &from));
        if (!rationalize_ || path.empty() || !(from.is_map() || from.is_list())) return;
        std::size_t parts = 0;
        for (std::size_t i = before; i < patch.size(); ++i) parts += length_of(patch[i]);
        Node whole = operation("replace", path, &to, &from);
        if (length_of(whole) >= parts) return;
        patch.resize(before);
        patch.push_back(std::move(whole));
    }

    std::vector<Node> patch;

private:
    void maps(const std::string& path, const Node& from, const Node& to) {
        std::set<std::string_view> keys;
        for (const auto& e : from.entries()) keys.insert(e.key.view());
        for (const auto& e : to.entries()) keys.insert(e.key.view());
        for (const std::string_view key : keys) {
            const Node *old = from.find(key), *now = to.find(key);
            const std::string at = path + "/" + kube::escape_json_pointer(key);
            if (old != nullptr && now != nullptr) compare(at, *old, *now);
            else if (old != nullptr) patch.push_back(operation("remove", at, nullptr, old));
            else patch.push_back(operation("add", at, now, nullptr));
        }
    }
    void lists(const std::string& path, const Node& from, const Node& to) {
        const std::size_t both = std::min(from.size(), to.size());
        for (std::size_t i = both; i < from.size(); ++i) patch.push_back(operation("remove", path + "/" + std::to_string(both), nullptr, &from.items()[i]));
        for (std::size_t i = 0; i < both; ++i) compare(path + "/" + std::to_string(i), from.items()[i], to.items()[i]);
        for (std::size_t i = both; i < to.size(); ++i) patch.push_back(operation("add", path + "/-", &to.items()[i], nullptr));
    }
    const bool rationalize_;
};

// Labels and annotations; the name keeps `metadata` from being added as a whole, which would wipe the rest of it.
Node metadata_of(const Object& o) {
    Node metadata = Node::map({{"name", Node::string(o.name())}});
    for (const std::string_view field : {"annotations", "labels"})
        if (const Node* n = o.at({"metadata", field})) metadata.set(field, *n);
    return Node::map({{"metadata", std::move(metadata)}});
}

void mask(Node& operation) {
    const std::string path(operation.text_at("path"));
    Node *value = operation.find_mut("value"), *old = operation.find_mut("oldValue");
    if (path == "/data" || path == "/stringData") {
        const Node before = old != nullptr ? *old : Node(), after = value != nullptr ? *value : Node();
        const auto veil = [](Node* side, const Node& other, const char* changed) {
            if (side == nullptr || !side->is_map()) return;
            for (auto& [key, v] : side->entries_mut()) {
                const Node* theirs = other.find(key.view());
                v = Node::string(theirs != nullptr && !(*theirs == v) ? changed : "***");
            }
        };
        veil(old, after, "*** (before)");
        veil(value, before, "*** (after)");
    } else if (path.starts_with("/data/") || path.starts_with("/stringData/")) {
        const bool both = value != nullptr && old != nullptr;
        if (value != nullptr) *value = Node::string(both ? "*** (after)" : "***");
        if (old != nullptr) *old = Node::string(both ? "*** (before)" : "***");
    }
}

bool excluded(const Object& o, const JsonDiffSettings& settings) {
    return std::ranges::any_of(settings.exclude, [&](const auto& e) { return has_switch(o, e.first, e.second); });
}

// Rules by what they leave out: paths, and whole objects.
struct Rules {
    DriftIgnoreRules paths, whole;
};

Result<Rules> rules_of(const std::vector<IgnoreRule>& given) {
    std::vector<IgnoreRule> paths, whole;
    for (IgnoreRule rule : given) {
        if (std::ranges::find(rule.paths, std::string()) == rule.paths.end()) {
            paths.push_back(std::move(rule));
            continue;
        }
        rule.paths.clear();
        whole.push_back(std::move(rule));
    }
    Rules out;
    TRY(out.paths, DriftIgnoreRules::make(paths));
    TRY(out.whole, DriftIgnoreRules::make(whole));
    return out;
}

Result<JsonDiff> diff_of(const Object& desired, const std::optional<Object>& live, Result<kube::Written> answer, const Rules& rules, const JsonDiffSettings& settings) {
    JsonDiff out{.desired = desired};
    if (!answer) {
        std::vector<Error> refused{dry_run_error(desired, std::move(answer.error()))};
        mask_secret_values(refused, settings.secret_values);
        return fail(std::move(refused.front()));
    }
    if (!live || answer->object.resource_version().empty()) {
        out.type = JsonDiffType::create;
        return out;
    }
    out.patch = drift_patch(rules.paths.without_ignored(*live, desired), rules.paths.without_ignored(answer->object, desired), settings);
    if (!out.patch.empty()) out.type = JsonDiffType::update;
    return out;
}

} // namespace

std::string_view to_string(JsonDiffType type) {
    switch (type) {
    case JsonDiffType::none: return "none";
    case JsonDiffType::create: return "create";
    case JsonDiffType::update: return "update";
    case JsonDiffType::exclude: return "exclude";
    }
    return "";
}

bool JsonDiffSet::has_changes() const {
    return std::ranges::any_of(entries, [](const JsonDiff& d) { return d.type == JsonDiffType::create || d.type == JsonDiffType::update; });
}

Node json_patch(const Node& from, const Node& to, bool rationalize) {
    Differ differ(rationalize);
    differ.compare("", from, to);
    Node out = Node::list();
    for (Node& operation : differ.patch) out.push_back(std::move(operation));
    return out;
}

Node drift_patch(const Object& live, const Object& answer, const JsonDiffSettings& settings) {
    Object before = live, after = answer;
    if (!settings.secret_values.empty()) veil_values(before, after, settings.secret_values);
    Node out = Node::list();
    const Node metadata = json_patch(metadata_of(before), metadata_of(after), settings.rationalize);
    for (const Node& operation : metadata.items())
        if (operation.text_at("op") != "remove") out.push_back(operation);
    const Node body = json_patch(compared_body(before), compared_body(after), settings.rationalize);
    for (const Node& operation : body.items()) out.push_back(operation);
    if (settings.mask_secrets && is_secret(answer))
        for (Node& operation : out.items_mut()) mask(operation);
    return out;
}

Result<JsonDiffSet> json_diffs(kube::Client& client, const std::vector<Object>& objects, const JsonDiffSettings& settings, std::stop_token stop) {
    TRY(const Rules rules, rules_of(settings.ignore));
    std::vector<kube::ObjectRef> refs;
    for (const Object& o : objects) refs.push_back(kube::ref_of(o));
    // What is left out is not read either.
    std::vector<std::size_t> asked;
    std::vector<kube::ObjectRef> wanted;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (excluded(objects[i], settings) || rules.whole.matches(objects[i])) continue;
        asked.push_back(i);
        wanted.push_back(refs[i]);
    }
    const kube::Call call{.stop = std::move(stop)};
    auto read = client.get_all(wanted, settings.in_flight, {}, call);
    std::vector<std::optional<Result<JsonDiff>>> results(objects.size());
    std::vector<Object> payloads;
    std::vector<std::pair<std::size_t, std::optional<Object>>> live; // of the payloads
    for (std::size_t k = 0; k < asked.size(); ++k) {
        const std::size_t i = asked[k];
        if (!read[k] && read[k].error().http_status != 404) results[i] = fail(std::move(read[k].error()));
        else if (read[k] && excluded(*read[k], settings)) continue;
        else {
            payloads.push_back(objects[i]);
            live.emplace_back(i, read[k] ? std::optional(std::move(*read[k])) : std::nullopt);
        }
    }
    auto answers = client.apply_all(payloads, {.field_manager = settings.field_manager, .force = true, .dry_run = true}, settings.in_flight, call);
    for (std::size_t k = 0; k < payloads.size(); ++k) results[live[k].first] = diff_of(payloads[k], live[k].second, std::move(answers[k]), rules, settings);
    JsonDiffSet out;
    for (std::size_t i = 0; i < objects.size(); ++i) {
        if (!results[i]) out.entries.push_back({.desired = objects[i], .type = JsonDiffType::exclude});
        else if (*results[i]) out.entries.push_back(std::move(**results[i]));
        else if (settings.graceful) out.errors.push_back(std::move(results[i]->error()));
        else return fail(std::move(results[i]->error()));
    }
    return out;
}

} // namespace weber::gitops
