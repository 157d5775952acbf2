#include "gitops/reconcile/once_sources.h"

#include "gitops/api/names.h"
#include "gitops/source/open.h"
#include "kube/base/clock.h"

namespace weber::gitops {

namespace {

kube::ObjectRef ref_of(const SourceRef& ref) { return {{std::string(kSourceGroup), "v1", ref.kind}, ref.name.ns, ref.name.name}; }

// Does a source-controller look after it?
bool is_looked_after(const Object& repository) { return repository.at({"status", "artifact"}) != nullptr; }

} // namespace

// Who waits for the GitRepository object sees that it is served. Only where no source-controller does that, and only when it says something new.
Result<void> OnceSources::mark_served(const Object& repository, const std::string& revision, std::stop_token stop) {
    if (options_.dry_run || is_looked_after(repository)) return {};
    const std::string message = "stored artifact for revision '" + revision + "'";
    const Node* conditions = repository.at({"status", "conditions"});
    if (conditions != nullptr && conditions->size() == 1 && conditions->items()[0].text_at("message") == message &&
        conditions->items()[0].find("observedGeneration") != nullptr &&
        conditions->items()[0].find("observedGeneration")->as_int() == repository.generation())
        return {};
    const Node ready = Node::map({{"type", Node::string("Ready")},
                                  {"status", Node::string("True")},
                                  {"reason", Node::string("Succeeded")},
                                  {"message", Node::string(message)},
                                  {"lastTransitionTime", Node::string(kube::format_rfc3339(kube::system_clock().now()))},
                                  {"observedGeneration", Node::integer(repository.generation())}});
    const Node status = Node::map({{"conditions", Node::list({ready})}, {"observedGeneration", Node::integer(repository.generation())}});
    TRY_VOID(client_.patch(kube::ref_of(repository), kube::PatchType::merge, Node::map({{"status", status}}),
                           {.field_manager = std::string(kStatusManager), .subresource = "status"}, {.stop = stop}));
    return {};
}

Result<Snapshot> OnceSources::open(const SourceRef& ref, std::stop_token stop) {
    const bool at_hand = ref == entry_.root.spec.source;
    if (ref.kind != "GitRepository" && !at_hand)
        return fail(Error{.code = ErrorCode::unsupported, .message = "spec.sourceRef.kind: a one-shot run reads no " + ref.kind + " (`" + ref.name.to_string() + "`)",
                          .hint = "take a GitRepository, or let the controllers in the cluster reconcile it"});
    auto object = client_.get(ref_of(ref), {}, {.stop = stop});
    if (!object) {
        if (at_hand && options_.dry_run && object.error().code == ErrorCode::not_found) return snapshot_;
        if (object.error().code == ErrorCode::not_found) object.error().hint = "correct the name in spec.sourceRef, or add the " + ref.kind + " to the source";
        return fail(std::move(object.error()));
    }
    if (at_hand) {
        TRY_VOID(mark_served(*object, snapshot_.revision, stop));
        return snapshot_;
    }
    TRY(const GitRepository repository, parse_git_repository(*object));
    const bool same = !options_.url.empty() && repository.url == options_.url && repository.ref == options_.ref;
    Snapshot snapshot = snapshot_;
    if (!same) {
        TRY(const Fetched fetched, gitops::fetch({.url = repository.url, .ref = repository.ref, .cache_dir = cache_dir_of(options_),
                                          .timeout = repository.timeout, .stop = stop}));
        TRY(snapshot, open_fetched(fetched, repository.ignore));
    }
    TRY_VOID(mark_served(*object, snapshot.revision, stop));
    return snapshot;
}

Result<RunSource> OnceSources::resolve(const SourceRef& ref, std::stop_token stop) {
    const std::lock_guard lock(mutex_);
    auto it = opened_.find(ref);
    if (it == opened_.end()) it = opened_.emplace(ref, open(ref, stop)).first;
    if (!it->second) return fail(it->second.error());
    return RunSource{it->second->revision, {}, [snapshot = *it->second](std::stop_token) -> Result<Snapshot> { return snapshot; }};
}

} // namespace weber::gitops
