#include "agent/kustomization_index.h"

namespace weber::agent {

using gitops::NamespacedName;

void KustomizationIndex::set(const gitops::Kustomization& k) {
    Entry entry{.source = k.spec.source, .needs = {}, .reads = {}};
    for (const gitops::Dependency& d : k.spec.depends_on) entry.needs.push_back(d.name);
    if (k.spec.post_build)
        for (const auto& from : k.spec.post_build->substitute_from) entry.reads.insert(from.kind + "/" + from.name);
    if (k.spec.decryption && !k.spec.decryption->secret_name.empty()) entry.reads.insert("Secret/" + k.spec.decryption->secret_name);
    if (k.spec.kube_config && !k.spec.kube_config->secret_name.empty()) entry.reads.insert("Secret/" + k.spec.kube_config->secret_name);
    if (k.spec.kube_config && !k.spec.kube_config->config_map_name.empty()) entry.reads.insert("ConfigMap/" + k.spec.kube_config->config_map_name);
    erase(k.name);
    const std::lock_guard lock(mutex_);
    by_source_[entry.source].insert(k.name);
    for (const NamespacedName& n : entry.needs) dependents_[n].insert(k.name);
    entries_[k.name] = std::move(entry);
}

void KustomizationIndex::erase(const NamespacedName& name) {
    const std::lock_guard lock(mutex_);
    const auto at = entries_.find(name);
    if (at == entries_.end()) return;
    by_source_[at->second.source].erase(name);
    for (const NamespacedName& n : at->second.needs) dependents_[n].erase(name);
    entries_.erase(at);
}

Result<std::vector<NamespacedName>> KustomizationIndex::of_source(const gitops::SourceRef& source) const {
    const std::lock_guard lock(mutex_);
    gitops::Graph graph;
    if (const auto at = by_source_.find(source); at != by_source_.end())
        for (const NamespacedName& name : at->second) graph.set(name, entries_.at(name).needs);
    return graph.order();
}

std::vector<NamespacedName> KustomizationIndex::dependents(const NamespacedName& name) const {
    const std::lock_guard lock(mutex_);
    const auto at = dependents_.find(name);
    return at != dependents_.end() ? std::vector(at->second.begin(), at->second.end()) : std::vector<NamespacedName>{};
}

std::vector<NamespacedName> KustomizationIndex::readers(const std::string& kind, const NamespacedName& object) const {
    const std::lock_guard lock(mutex_);
    gitops::Graph graph;
    for (auto at = entries_.lower_bound({object.ns, ""}); at != entries_.end() && at->first.ns == object.ns; ++at)
        if (at->second.reads.contains(kind + "/" + object.name)) graph.set(at->first, at->second.needs);
    if (auto ordered = graph.order()) return std::move(*ordered);
    return {};
}

std::size_t KustomizationIndex::size() const {
    const std::lock_guard lock(mutex_);
    return entries_.size();
}

} // namespace weber::agent
