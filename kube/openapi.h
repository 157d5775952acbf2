// The OpenAPI v3 documents of an API server: the schemas of its kinds.
#pragma once

#include <memory>
#include <stop_token>
#include <string>

#include "kube/base/error.h"
#include "kube/base/node.h"
#include "kube/base/object_key.h"
#include "kube/discovery.h"
#include "kube/transport.h"

namespace weber::kube {

// Each group version's document is fetched with the first question about it and kept, with a cache also on disk (there for ever: its address names its
// digest). A group version that is not known leads to one look at the index, so that a CRD that was just made is found.
// Thread-safe; callers that come during a read wait for it.
class OpenApi {
public:
    OpenApi(std::shared_ptr<Transport> transport, const DiscoveryOptions& options);
    ~OpenApi();
    OpenApi(const OpenApi&) = delete;
    OpenApi& operator=(const OpenApi&) = delete;

    // The whole document (`components.schemas`, `paths`). Error not_found: `no OpenAPI document for x.io/v1`.
    Result<Node> document(const GroupVersion& version, std::stop_token stop = {});

    // The schema of a kind; its $refs are those of the document. Error not_found: as Discovery::find.
    Result<Node> schema(const GroupVersionKind& gvk, std::stop_token stop = {});

    // The next question looks at the index again. Documents that did not change are not fetched again.
    void invalidate();

private:
    struct Impl;
    std::unique_ptr<Impl> impl_;
};

} // namespace weber::kube
