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
// 400 and 422 for what they cannot be, before anything is read.
Api<void> check_list_options(const Call& call);
Api<Selected> select_objects(Core& core, Call& call);
Api<HttpResponse> read_list(Core& core, Call& call);
// The head of the answer and the stream of events.
Api<std::pair<HttpResponse, std::shared_ptr<StreamSource>>> read_watch(Core& core, const std::shared_ptr<Call>& call);

} // namespace weber::kube::server
