// GET of an object, of a list, and watches.
#pragma once

#include <memory>
#include <utility>

#include "kube/server/core.h"
#include "kube/server/present.h"

namespace weber::kube::server {

Api<HttpResponse> read_object(Core& core, Call& call);
// What a list's parameters choose (selectors, limit and continue, resourceVersion): the objects, the version they are of, where the list goes on ("" = this is its
// end) and how many are left (0 with selectors).
struct Selected {
    std::vector<ObjectPtr> items;
    std::uint64_t rv = 0;
    std::string token;
    std::size_t remaining = 0;
};
Api<Selected> select_objects(Core& core, Call& call);
Api<HttpResponse> read_list(Core& core, Call& call);
// The head of the answer and the stream of events.
Api<std::pair<HttpResponse, std::shared_ptr<StreamSource>>> read_watch(Core& core, const std::shared_ptr<Call>& call);

// A test for labelSelector and fieldSelector of the request (and its name, for a watch of one object); empty when there is
// nothing to test. 400 for a selector that cannot be read or a field the kind does not support.
Api<std::function<bool(const StoredObject&)>> selector_of(const Call& call);

} // namespace weber::kube::server
