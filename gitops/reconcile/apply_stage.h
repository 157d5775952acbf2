// One stage of an apply: check everything, then write what differs. Internal to apply.cpp.
#pragma once

#include <optional>
#include <set>
#include <stop_token>
#include <vector>

#include "gitops/reconcile/apply.h"
#include "gitops/reconcile/drift_ignore.h"
#include "gitops/reconcile/order.h"

namespace weber::gitops {

// What is known of one object of the stage, and what shall happen to it.
struct StageItem {
    Object desired;
    std::optional<Object> live = {};   // as read; absent: not there, or not read
    std::optional<Object> answer = {}; // of the dry run
    std::optional<Error> error = {};   // the refusal
    bool worded = false;               // its text is complete
    Action action = Action::unchanged;
    bool recreate = false;             // delete first
    Node takeover = {};                // JSON patch to send first; null or empty: none
    std::string reason = {};
    std::optional<LiveMark> settled = {}; // known to be as it was left: nothing was asked of the server
    kube::ObjectKey settled_key = {};

    // The object as last known: written, dry run's, live or desired.
    [[nodiscard]] const Object& best() const { return answer ? *answer : live ? *live : desired; }
};

class ApplyStage {
public:
    // Borrows all but `stage`. `defined`: kinds of the definitions among the stages before; the API server may take a moment to serve them.
    ApplyStage(kube::Client& client, Stage stage, const ApplySettings& settings, const DriftIgnoreRules& ignore, const std::set<kube::GroupKind>& defined,
               const ApplyProgress& progress, std::stop_token stop);

    // Nothing is written, save API version migrations. False: `errors` says why nothing of this stage may be written.
    bool check();
    // Dry runs: refusals that only stem from definitions or namespaces that `planned` would make become planned creations.
    void forgive_missing(const std::vector<Object>& planned);
    // False: `errors` says why it ended; items with `written` are in the cluster.
    bool write();

    [[nodiscard]] std::vector<Change> changes() const; // of all items
    [[nodiscard]] std::vector<Change> written() const; // of those that were written
    [[nodiscard]] const std::vector<StageItem>& items() const { return items_; }
    [[nodiscard]] std::vector<Error>& errors() { return errors_; }

private:
    void recall();
    void read_first();
    void await_served();
    std::vector<std::size_t> not_yet_served();
    void refuse(StageItem& item, std::string_view step, Error inner);
    void dry_run(const std::vector<std::size_t>& indices, bool report);
    void read_live();
    void decide(StageItem& item);
    void decide_refused(StageItem& item);
    bool may_force(const StageItem& item) const;
    bool recreation_would_pass(const StageItem& item);
    bool collect_errors();
    bool recreate();
    bool remove_old(StageItem& item);
    void restore(StageItem& item, const Object& old);
    bool write_run(std::size_t begin, std::size_t end);
    void remember(const StageItem& item);
    [[nodiscard]] Change change_of(const StageItem& item) const;

    kube::Client& client_;
    const Stage stage_;
    const ApplySettings& settings_;
    const DriftIgnoreRules& ignore_;
    const std::set<kube::GroupKind>& defined_;
    const ApplyProgress& progress_;
    const std::stop_token stop_;
    const std::size_t rules_; // hash, for the memory
    std::vector<StageItem> items_;
    std::vector<bool> written_;
    std::vector<Error> errors_;
    std::size_t to_write_ = 0, done_ = 0;
};

} // namespace weber::gitops
