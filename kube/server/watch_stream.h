// One watch: reads the store's event log from a position and writes JSON lines. Holds a position, not a queue.
#pragma once

#include <chrono>
#include <functional>
#include <memory>
#include <string>

#include "kube/server/http_types.h"
#include "kube/server/registry.h"
#include "kube/server/store.h"

namespace weber::kube::server {

struct WatchOptions {
    std::string store_id, ns;                                  // ns "" = all
    std::function<bool(const StoredObject&)> matches;          // selectors; empty = all
    std::function<std::string(const StoredObject&)> render;    // the object as the client wants it
    std::string api_version, kind;                             // of bookmarks
    std::uint64_t since = 0;                                   // events after this version
    std::vector<ObjectPtr> initial;                            // sent first, as ADDED
    std::uint64_t initial_rv = 0;                              // version of `initial`
    bool initial_bookmark = false;                             // a bookmark that marks the end of `initial`
    bool bookmarks = false;
    std::string bookmark_wrapper = {};                         // "Table": bookmarks of tables
    std::chrono::seconds timeout{0};
    std::function<bool()> served = {};                         // false: the definition is gone, and the stream ends; empty = always
};

std::shared_ptr<StreamSource> make_watch(Store& store, WatchOptions options);

} // namespace weber::kube::server
