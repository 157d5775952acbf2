#include "agent/flux/requests.h"

#include <array>
#include <cstdio>
#include <ctime>

#include "agent/flux/table.h"
#include "kube/watch.h"

namespace weber::agent {

namespace {

enum class Progress : std::uint8_t { in_progress, failed, current };

// kstatus as Flux's CLI applies it to its own kinds.
Progress progress_of(const Object& o) {
    const auto is_true = [&](std::string_view type) {
        const Node* c = condition_of(o, type);
        return c && c->text_at("status") == "True";
    };
    const Node* observed = o.at({"status", "observedGeneration"});
    if (observed && observed->as_int().value_or(0) != o.generation()) return Progress::in_progress;
    if (is_true("Stalled")) return Progress::failed;
    if (is_true("Reconciling") || !is_true("Ready")) return Progress::in_progress;
    return Progress::current;
}

bool ready_is_false(const Object& o) {
    const Node* ready = condition_of(o, "Ready");
    return ready && ready->text_at("status") == "False";
}

std::string handled_of(const Object& o) {
    const Node* handled = o.at({"status", "lastHandledReconcileAt"});
    return handled ? std::string(handled->text()) : std::string();
}

// Waits until `done` says so; then what the object's conditions mean.
template <class Done>
Result<Object> wait_until(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name, Done done) {
    const kube::ObjectRef ref{.gvk = kind.gvk(), .ns = ns, .name = name};
    Object last;
    std::optional<Error> gone;
    kube::WaitOptions options;
    options.timeout = s.left();
    const auto end = kube::wait_for(
        s.client(), std::span(&ref, 1),
        [&](std::size_t, const kube::Observation& seen) {
            if (seen.state == kube::Observation::State::absent) {
                gone = Error{.code = ErrorCode::not_found, .message = std::string(kind.kind) + " object '" + name + "' is gone"};
                return true;
            }
            if (seen.state != kube::Observation::State::present) return false;
            last = seen.object;
            return done(last);
        },
        options);
    if (!end) return fail(end.error());
    if (gone) return fail(*gone);
    if (*end == kube::WaitEnd::timed_out) return fail(deadline_exceeded());
    if (progress_of(last) == Progress::failed) return fail(ErrorCode::invalid, std::string(condition_of(last, "Stalled")->text_at("message")));
    TRY_VOID(check_ready(kind, last));
    return last;
}

std::string count_text(const Object& o, std::initializer_list<std::string_view> path) {
    const Node* n = o.at(path);
    return n ? std::string(n->text()) : "0";
}

std::string image_of(const Object& policy) {
    const Node* ref = policy.at({"status", "latestRef"});
    if (!ref) return "";
    const auto part = [&](std::string_view key, std::string_view mark) { return ref->text_at(key).empty() ? "" : std::string(mark) + std::string(ref->text_at(key)); };
    return part("name", "") + part("tag", ":") + part("digest", "@");
}

} // namespace

bool is_static(const Object& object) {
    const Node* type = object.at({"spec", "type"});
    return object.kind() == "Alert" || object.kind() == "Provider" || (object.kind() == "HelmRepository" && type && type->text() == "oci");
}

std::string request_time() {
    const auto now = std::chrono::system_clock::now();
    const std::time_t seconds = std::chrono::system_clock::to_time_t(now);
    const auto nanos = std::chrono::duration_cast<std::chrono::nanoseconds>(now.time_since_epoch()).count() % 1'000'000'000;
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%dT%H:%M:%S", &local);
    std::array<char, 64> fraction{};
    std::snprintf(fraction.data(), fraction.size(), ".%09lld", static_cast<long long>(nanos));
    std::string out = std::string(text.data()) + fraction.data();
    while (out.back() == '0') out.pop_back();
    if (out.back() == '.') out.pop_back();
    if (local.tm_gmtoff == 0) return out + "Z";
    const long minutes = std::labs(local.tm_gmtoff) / 60;
    std::snprintf(fraction.data(), fraction.size(), "%c%02ld:%02ld", local.tm_gmtoff < 0 ? '-' : '+', minutes / 60, minutes % 60);
    return out + fraction.data();
}

Result<Object> merge_patch(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name, const Node& patch) {
    kube::WriteOptions options;
    options.field_manager = "flux";
    TRY(kube::Written written, s.client().patch({.gvk = kind.gvk(), .ns = ns, .name = name}, kube::PatchType::merge, patch, options, s.call()));
    return std::move(written.object);
}

Result<void> check_ready(const FluxKind& kind, const Object& object) {
    if (!ready_is_false(object)) return {};
    return fail(ErrorCode::invalid,
                std::string(kind.kind) + " reconciliation failed: " + std::string(condition_of(object, "Ready")->text_at("message")));
}

Result<Object> wait_handled(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name, const std::string& before) {
    return wait_until(s, kind, ns, name, [&](const Object& o) {
        if (handled_of(o) == before) return false;
        return progress_of(o) != Progress::in_progress || ready_is_false(o); // Flux waits for the whole timeout in the last case
    });
}

Result<Object> wait_reconciled(const Session& s, const FluxKind& kind, const std::string& ns, const std::string& name) {
    return wait_until(s, kind, ns, name, [](const Object& o) {
        const Node* observed = o.at({"status", "observedGeneration"});
        if (!observed || observed->as_int() != o.generation()) return false;
        return progress_of(o) != Progress::in_progress || ready_is_false(o);
    });
}

std::string done_text(const FluxKind& kind, const Object& object) {
    if (kind.kind == "ImageRepository") return "scan fetched " + count_text(object, {"status", "lastScanResult", "tagCount"}) + " tags";
    if (kind.kind == "ImagePolicy") return "selected ref " + image_of(object);
    if (kind.kind == "ImageUpdateAutomation") {
        const Node* ready = condition_of(object, "Ready");
        return ready ? std::string(ready->text_at("message")) : "automation not yet run";
    }
    if (kind.kind == "Receiver" || kind.kind == "Alert" || kind.kind == "Provider") return std::string(kind.kind) + " reconciliation completed";
    if (is_static(object)) {
        const Node* ready = condition_of(object, "Ready");
        return ready ? std::string(ready->text_at("message")) : "";
    }
    const bool applies = kind.kind == "Kustomization" || kind.kind == "HelmRelease";
    return std::string(applies ? "applied" : "fetched") + " revision " + revision_of(object);
}

} // namespace weber::agent
