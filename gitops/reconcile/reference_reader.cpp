#include "gitops/reconcile/reference_reader.h"

#include <algorithm>

#include "gitops/substitute/variables.h"

namespace weber::gitops {

namespace {

constexpr std::string_view kHelmRelease = "sh.helm.release."; // begins the names of Secrets of Helm's type: up to a megabyte each

std::map<std::string, std::set<std::string>> named_by(const KustomizationSpec& spec, bool kube_config) {
    std::map<std::string, std::set<std::string>> out;
    if (spec.post_build)
        for (const SubstituteFrom& from : spec.post_build->substitute_from) out[from.kind].insert(from.name);
    if (spec.decryption && !spec.decryption->secret_name.empty()) out["Secret"].insert(spec.decryption->secret_name);
    if (kube_config && spec.kube_config) {
        const auto& [secret, key, map, where] = *spec.kube_config;
        out[map.empty() ? "Secret" : "ConfigMap"].insert(map.empty() ? secret : map);
    }
    return out;
}

} // namespace

ReferenceReader::ReferenceReader(kube::Client& client, const Kustomization& k, bool kube_config, std::stop_token stop)
    : client_(client), ns_(k.name.ns), stop_(std::move(stop)), to_list_(named_by(k.spec, kube_config)) {
    std::size_t all = 0;
    for (const auto& [kind, names] : to_list_) all += names.size();
    std::erase_if(to_list_, [all](const auto& entry) { return all <= 2 || entry.second.size() < 2; });
}

Result<Object> ReferenceReader::read(std::string_view kind, const std::string& ns, const std::string& name, const ObjectLookup& elsewhere) {
    auto got = elsewhere ? elsewhere(kind, ns, name) : fetch(std::string(kind), ns, name);
    const std::string version = got ? std::string(got->resource_version()) : got.error().code == ErrorCode::not_found ? "" : "?";
    references_.push_back({std::string(kind), {ns, name}, version});
    return got;
}

Result<Object> ReferenceReader::fetch(const std::string& kind, const std::string& ns, const std::string& name) {
    if (const auto at = to_list_.find(kind); ns == ns_ && at != to_list_.end() && at->second.contains(name)) list(kind);
    if (ns == ns_) {
        if (const auto at = listed_.find({kind, name}); at != listed_.end()) return at->second;
        if (complete_.contains(kind) && !name.starts_with(kHelmRelease)) return fail(absent(kind, name));
    }
    return client_.get({.gvk = {"", "v1", kind}, .ns = ns, .name = name}, {}, {.stop = stop_});
}

// What cannot be listed is read one by one, and that says why.
void ReferenceReader::list(const std::string& kind) {
    const std::set<std::string> names = std::move(to_list_.extract(kind).mapped());
    std::string target = "/api/v1/namespaces/" + ns_ + (kind == "Secret" ? "/secrets" : "/configmaps") + "?limit=100";
    if (kind == "Secret") target += "&fieldSelector=type%21%3Dhelm.sh%2Frelease.v1";
    const auto page = client_.get_raw(target, {.stop = stop_});
    const Node* items = page ? page->find("items") : nullptr;
    if (items == nullptr) return;
    for (const Node& item : items->items()) {
        Object object(item);
        if (!names.contains(std::string(object.name()))) continue;
        object.root().set("apiVersion", Node::string("v1")); // items of a list do not say so
        object.root().set("kind", Node::string(kind));
        listed_.insert_or_assign({kind, std::string(object.name())}, std::move(object));
    }
    const Node* metadata = page->find("metadata");
    if (metadata == nullptr || metadata->text_at("continue").empty()) complete_.insert(kind);
}

} // namespace weber::gitops
