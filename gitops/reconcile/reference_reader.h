// The ConfigMaps and Secrets that one run reads from the cluster, for variables and keys, and their versions: what a later run compares to know that they are the same.
//
// Not thread-safe: of one run.
#pragma once

#include <map>
#include <set>
#include <stop_token>
#include <string>
#include <string_view>
#include <vector>

#include "gitops/reconcile/post_build.h"
#include "gitops/substitute/variables.h"
#include "kube/client.h"

namespace weber::gitops {

// Each object is one GET; when the spec names more than two, those of a kind that is named more than once come with one LIST of the namespace, so that a run's
// requests do not grow with what it refers to. Of that list only the first 100 objects are asked for, and no Helm releases: what is not among them is read by itself.
class ReferenceReader {
public:
    // The client must outlive it. `kube_config`: what names the cluster will be asked for, too.
    ReferenceReader(kube::Client& client, const Kustomization& k, bool kube_config = false, std::stop_token stop = {});

    // Error not_found, in the API server's words: `configmaps "x" not found`. `elsewhere`, unless null, is asked in the place of the API server.
    Result<Object> read(std::string_view kind, const std::string& ns, const std::string& name, const ObjectLookup& elsewhere = {});
    // All that was asked for.
    [[nodiscard]] const std::vector<Reference>& references() const { return references_; }

private:
    void list(const std::string& kind);
    Result<Object> fetch(const std::string& kind, const std::string& ns, const std::string& name);

    kube::Client& client_;
    const std::string ns_;
    const std::stop_token stop_;
    std::map<std::string, std::set<std::string>> to_list_; // by kind: the names that a list shall bring
    std::map<std::pair<std::string, std::string>, Object> listed_;
    std::set<std::string> complete_; // kinds whose list had all but Helm's releases
    std::vector<Reference> references_;
};

} // namespace weber::gitops
