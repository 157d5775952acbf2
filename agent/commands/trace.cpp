// `trace`: which of Flux's objects an object comes from (cli.md 2.7).
#include <algorithm>
#include <array>
#include <ctime>
#include <ostream>

#include "agent/commands/commands.h"
#include "agent/flux/session.h"
#include "agent/flux/table.h"
#include "kube/base/ascii.h"
#include "kube/base/clock.h"

namespace weber::agent {

namespace {

constexpr int kMaxOwners = 16; // a chain of ownerReferences longer than that is a cycle

std::string text_at(const Object& o, std::initializer_list<std::string_view> path) {
    const Node* node = o.at(path);
    return node ? std::string(node->text()) : std::string();
}

class Block {
public:
    explicit Block(std::size_t width) : width_(width) {}
    void add(std::string_view key, const std::string& value) {
        std::string line = std::string(key) + ":";
        line += std::string(line.size() < width_ ? width_ - line.size() : 0, ' ');
        text_ += line + value + "\n";
    }
    void add_if(std::string_view key, const std::string& value) {
        if (!value.empty()) add(key, value);
    }
    [[nodiscard]] const std::string& text() const { return text_; }

private:
    std::size_t width_;
    std::string text_;
};

// "2026-01-02 03:04:05 +0000 UTC", as Go prints a time in the local zone.
std::string local_time(std::string_view rfc3339) {
    const auto t = kube::parse_rfc3339(rfc3339);
    if (!t) return std::string(rfc3339);
    const std::time_t seconds = std::chrono::system_clock::to_time_t(std::chrono::time_point_cast<std::chrono::system_clock::duration>(*t));
    std::tm local{};
    localtime_r(&seconds, &local);
    std::array<char, 64> text{};
    std::strftime(text.data(), text.size(), "%Y-%m-%d %H:%M:%S %z %Z", &local);
    return text.data();
}

// Of a source Flux says whether it failed, of the others only when.
void add_status(Block& block, const Object& o) {
    const Node* ready = condition_of(o, "Ready");
    if (!ready) {
        block.add("Status", "Unknown");
        return;
    }
    const bool failed = ready->text_at("status") == "False" && (o.kind() == "GitRepository" || o.kind() == "OCIRepository" || o.kind() == "ExternalArtifact" || o.kind() == "Bucket");
    block.add("Status", std::string(failed ? "Last reconciliation failed at " : "Last reconciled at ") + local_time(ready->text_at("lastTransitionTime")));
    block.add("Message", std::string(ready->text_at("message")));
}

// A tag, else a range of them, else the branch or digest.
void add_reference(Block& block, const Object& source) {
    const bool git = source.kind() == "GitRepository";
    if (!git && source.kind() != "OCIRepository") return;
    for (const auto& [key, field] : {std::pair("Tag", "tag"), {"Tag", "semver"}, git ? std::pair("Branch", "branch") : std::pair("Digest", "digest")})
        if (const std::string value = text_at(source, {"spec", "ref", field}); !value.empty()) return block.add(key, value);
}

// `origin`: with what an artifact says of where it comes from.
std::string source_block(const Object& source, std::size_t width, bool origin) {
    Block block(width);
    block.add(source.kind(), std::string(source.name()));
    block.add("Namespace", std::string(source.ns()));
    if (source.at({"spec", "sourceRef"}) != nullptr)
        block.add("Source", text_at(source, {"spec", "sourceRef", "kind"}) + "/" + text_at(source, {"spec", "sourceRef", "namespace"}) + "/" +
                                text_at(source, {"spec", "sourceRef", "name"}));
    block.add_if("URL", text_at(source, {"spec", "url"}));
    add_reference(block, source);
    block.add_if("Revision", text_at(source, {"status", "artifact", "revision"}));
    if (origin) {
        block.add_if("Origin Revision", text_at(source, {"status", "artifact", "metadata", "org.opencontainers.image.revision"}));
        block.add_if("Origin Source", text_at(source, {"status", "artifact", "metadata", "org.opencontainers.image.source"}));
    }
    add_status(block, source);
    return block.text();
}

struct Owner {
    const FluxKind* kind = nullptr;
    std::string ns, name;
};

Owner owner_by_labels(const Object& o) {
    for (const auto& [kind, group] : {std::pair("Kustomization", "kustomize.toolkit.fluxcd.io"), std::pair("HelmRelease", "helm.toolkit.fluxcd.io")}) {
        const std::string name(o.label(std::string(group) + "/name")), ns(o.label(std::string(group) + "/namespace"));
        if (!name.empty() && !ns.empty()) return {flux_kind(kind), ns, name};
    }
    return {};
}

// On the object or up its ownerReferences.
Result<Owner> owner_of(const Session& s, Object o) {
    for (int depth = 0; depth < kMaxOwners; ++depth) {
        if (Owner owner = owner_by_labels(o); owner.kind) return owner;
        const Node* owners = o.at({"metadata", "ownerReferences"});
        if (!owners || owners->empty()) return Owner{};
        const Node& first = owners->items().front();
        TRY(const kube::GroupVersion gv, kube::GroupVersion::parse(first.text_at("apiVersion")));
        TRY(o, s.client().get({.gvk = {gv.group, gv.version, std::string(first.text_at("kind"))}, .ns = std::string(o.ns()),
                               .name = std::string(first.text_at("name"))}, {}, s.call()));
    }
    return Owner{};
}

Result<Object> source_named(const Session& s, const std::string& kind_name, const std::string& ns, const std::string& name) {
    const FluxKind* kind = flux_kind(kind_name);
    if (!kind) return fail(ErrorCode::unsupported, "unknown source kind " + kind_name);
    auto source = get_object(s, *kind, ns, name);
    if (!source) return fail(std::move(source.error()).with_prefix("failed to find " + kind_name + ": "));
    return source;
}

std::string or_else(std::string text, std::string_view other) { return text.empty() ? std::string(other) : text; }

Result<std::string> kustomization_blocks(const Session& s, const Object& ks) {
    Block block(17);
    block.add("Kustomization", std::string(ks.name()));
    block.add("Namespace", std::string(ks.ns()));
    block.add_if("Target", text_at(ks, {"spec", "targetNamespace"}));
    block.add("Path", text_at(ks, {"spec", "path"}));
    block.add("Revision", text_at(ks, {"status", "lastAppliedRevision"}));
    add_status(block, ks);
    TRY(const Object source, source_named(s, text_at(ks, {"spec", "sourceRef", "kind"}), or_else(text_at(ks, {"spec", "sourceRef", "namespace"}), ks.ns()),
                                          text_at(ks, {"spec", "sourceRef", "name"})));
    return block.text() + "---\n" + source_block(source, 17, true);
}

// "namespace/name"
std::pair<std::string, std::string> namespace_and_name(const std::string& text) {
    const std::size_t slash = text.find('/');
    return slash == std::string::npos ? std::pair(std::string(), text) : std::pair(text.substr(0, slash), text.substr(slash + 1));
}

Result<std::string> chart_block(const Session& s, const std::string& said) {
    const auto [ns, name] = namespace_and_name(said);
    TRY(const Object chart, source_named(s, "HelmChart", ns, name));
    Block block(16);
    block.add("HelmChart", std::string(chart.name()));
    block.add("Namespace", std::string(chart.ns()));
    block.add("Chart", text_at(chart, {"spec", "chart"}));
    block.add("Version", text_at(chart, {"spec", "version"}));
    block.add_if("Revision", text_at(chart, {"status", "artifact", "revision"}));
    add_status(block, chart);
    return "---\n" + block.text();
}

Result<std::string> helm_blocks(const Session& s, const Object& hr) {
    Block block(16);
    block.add("HelmRelease", std::string(hr.name()));
    block.add("Namespace", std::string(hr.ns()));
    block.add_if("Target", text_at(hr, {"spec", "targetNamespace"}));
    block.add("Revision", text_at(hr, {"status", "lastAttemptedRevision"}));
    add_status(block, hr);
    std::string out = block.text();
    if (const std::string chart = text_at(hr, {"status", "helmChart"}); !chart.empty()) {
        TRY(const std::string more, chart_block(s, chart));
        out += more;
    }
    const bool by_reference = hr.at({"spec", "chart"}) == nullptr;
    const Node* ref = by_reference ? hr.at({"spec", "chartRef"}) : hr.at({"spec", "chart", "spec", "sourceRef"});
    if (ref == nullptr || (by_reference && ref->text_at("kind") == "HelmChart")) return out; // told above
    TRY(const Object source, source_named(s, std::string(ref->text_at("kind")), or_else(std::string(ref->text_at("namespace")), hr.ns()), std::string(ref->text_at("name"))));
    return out + "---\n" + source_block(source, by_reference ? 17 : source.kind() == "GitRepository" ? 15 : 16, false);
}

Result<std::string> report(const Session& s, const Object& o, const std::string& kind) {
    TRY(const Owner owner, owner_of(s, o));
    if (!owner.kind) return fail(ErrorCode::not_found, "object not managed by Flux");
    const bool helm = owner.kind->kind == "HelmRelease";
    auto found = get_object(s, *owner.kind, owner.ns, owner.name);
    if (!found) return fail(std::move(found.error()).with_prefix(helm ? "failed to find HelmRelease: " : "failed to find kustomization: "));
    const Object manager = std::move(*found);
    Block block(helm ? 16 : 17);
    block.add("Object", kind + "/" + std::string(o.name()));
    block.add_if("Namespace", std::string(o.ns()));
    block.add("Status", "Managed by Flux");
    TRY(const std::string rest, helm ? helm_blocks(s, manager) : kustomization_blocks(s, manager));
    return "\n" + block.text() + "---\n" + rest;
}

struct Wanted {
    kube::ApiResource resource;
    std::string name;
    std::string kind; // as it was said
};

// A kind in whatever case.
Result<kube::ApiResource> resource_of_kind(const Session& s, const std::string& api_version, const std::string& kind) {
    auto gv = kube::GroupVersion::parse(api_version);
    if (!gv) return fail(std::move(gv.error()).with_prefix("invaild apiVersion: ")); // sic
    TRY(const std::vector<kube::ApiResource> all, s.client().discovery().all());
    for (const kube::ApiResource& r : all)
        if (r.group == gv->group && r.version == gv->version && kube::same_but_case(r.kind, kind)) return r;
    auto exact = s.client().discovery().find({gv->group, gv->version, kind});
    if (!exact) return fail(std::move(exact.error()).with_prefix("failed to find object: "));
    return exact;
}

// A word as kubectl takes it: plural, singular or short name, or the kind, maybe with ".group" or ".version.group".
Result<kube::ApiResource> resource_named(const Session& s, std::string_view text) {
    const std::string word = kube::ascii_lower(text);
    const std::size_t dot = std::min(word.find('.'), word.size());
    const std::string plain = word.substr(0, dot), group = dot == word.size() ? "" : word.substr(dot + 1);
    TRY(const std::vector<kube::ApiResource> all, s.client().discovery().all());
    for (const kube::ApiResource& r : all) {
        const bool named = r.resource == plain || r.singular == plain || kube::same_but_case(r.kind, plain) || std::ranges::find(r.short_names, plain) != r.short_names.end();
        if (named && (group.empty() || r.group == group || r.version + "." + r.group == group)) return r;
    }
    return fail(ErrorCode::not_found, "the server doesn't have a resource type \"" + std::string(text) + "\"");
}

// RESOURCE NAME…, KIND/NAME…, or NAME with --kind and --api-version.
Result<std::vector<Wanted>> wanted_of(const Invocation& in, const Session& s) {
    const std::string kind = in.flags.text("kind"), api_version = in.flags.text("api-version");
    if (in.args.empty() && !(kind.empty() && api_version.empty())) return fail(ErrorCode::invalid, "object name is required");
    if (kind.empty() != api_version.empty())
        return fail(ErrorCode::invalid, kind.empty() ? "object kind is required (--kind)" : "object apiVersion is required (--api-version)");
    std::vector<Wanted> out;
    if (!kind.empty()) {
        TRY(const kube::ApiResource resource, resource_of_kind(s, api_version, kind));
        for (const std::string& name : in.args) out.push_back({resource, name, kind}); // flux looks at the first alone
    } else {
        const bool slashes = !in.args.empty() && in.args.front().find('/') != std::string::npos;
        for (std::size_t i = slashes ? 0 : 1; i < in.args.size(); ++i) {
            const std::size_t slash = in.args[i].find('/');
            if (slashes && slash == std::string::npos) return fail(ErrorCode::invalid, "there is no need to specify a resource type as a separate argument when passing arguments in resource/name form");
            TRY(const kube::ApiResource resource, resource_named(s, slashes ? in.args[i].substr(0, slash) : in.args.front()));
            out.push_back({resource, slashes ? in.args[i].substr(slash + 1) : in.args[i], resource.kind});
        }
    }
    if (out.empty() && !in.args.empty()) {
        if (kind.empty()) TRY_VOID(resource_named(s, in.args.front())); // a type that is none is told first
        return fail(ErrorCode::invalid, "resource(s) were provided, but no name was specified");
    }
    if (out.empty()) return fail(ErrorCode::invalid, "either `<resource>/<name>` or `<resource> <name>` is required as an argument");
    return out;
}

Result<int> run(Invocation& in) {
    TRY(const Session s, open_session(in));
    TRY(const std::vector<Wanted> wanted, wanted_of(in, s));
    for (const Wanted& w : wanted) {
        const std::string ns = w.resource.namespaced ? s.ns : "";
        auto object = s.client().get({.gvk = w.resource.gvk(), .ns = ns, .name = w.name}, {}, s.call());
        if (!object) {
            if (in.flags.given("kind")) object.error().object.clear(); // the API's text names it
            return fail(std::move(object.error()).with_prefix("failed to find object: "));
        }
        const auto text = report(s, *object, w.kind);
        if (text) in.io.out << *text;
        else in.io.err << "failed to trace " << w.kind << '/' << w.name << " in namespace " << ns << ": " << text.error().message << (in.as_flux() ? "" : "\n");
        if (&w != &wanted.back()) in.io.out << "---\n";
    }
    return kOk;
}

} // namespace

Command trace_command() {
    Command c{.name = "trace", .args = "RESOURCE NAME... | KIND/NAME...", .summary = "Show which of Flux's objects an object comes from", .flags = session_flags(), .run = run};
    c.flags.push_back({.name = "kind", .help = "kind of the object, with --api-version"});
    c.flags.push_back({.name = "api-version", .help = "API version of the object, with --kind"});
    return c;
}

} // namespace weber::agent
