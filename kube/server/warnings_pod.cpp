#include <map>
#include <set>

#include "kube/server/validate_rules.h"
#include "kube/server/warnings_parts.h"

namespace weber::kube::server {
namespace {

template <class F>
void each(const std::string& path, const Node& list, F f) {
    std::size_t i = 0;
    if (list.is_list())
        for (const Node& item : list.items()) f(item, at(path, i++));
}

template <class F>
void each_container(const std::string& spec_path, const Node& spec, F f) {
    for (const std::string list : {"initContainers", "containers", "ephemeralContainers"}) each(spec_path + "." + list, child(spec, list), f);
}

void node_labels(const std::string& path, const Node& spec, Warnings& out) {
    for (const auto& [key, value] : child(spec, "nodeSelector").entries())
        if (const auto why = deprecated_node_label(key.view()); !why.empty()) out.push_back(key_of(path + ".nodeSelector", key.view()) + ": " + std::string(why));
    const Node& affinity = child(child(spec, "affinity"), "nodeAffinity");
    const std::string at_affinity = path + ".affinity.nodeAffinity";
    each(at_affinity + ".requiredDuringSchedulingIgnoredDuringExecution.nodeSelectorTerms",
         child(child(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), "nodeSelectorTerms"),
         [&](const Node& term, const std::string& here) { node_term_warnings(here, term, false, out); });
    each(at_affinity + ".preferredDuringSchedulingIgnoredDuringExecution", child(affinity, "preferredDuringSchedulingIgnoredDuringExecution"),
         [&](const Node& term, const std::string& here) { node_term_warnings(here + ".preference", child(term, "preference"), true, out); });
    each(path + ".topologySpreadConstraints", child(spec, "topologySpreadConstraints"), [&](const Node& c, const std::string& here) {
        const std::string key(c.text_at("topologyKey"));
        if (const auto why = deprecated_node_label(key); !why.empty()) out.push_back(here + ".topologyKey: " + key + " is " + std::string(why));
        if (c.find("labelSelector") == nullptr) out.push_back(here + ".labelSelector: a null labelSelector results in matching no pod");
    });
}

void old_annotations(const std::string& path, const Node& meta, Warnings& out) {
    static constexpr std::pair<const char*, const char*> kOld[] = {
        {"scheduler.alpha.kubernetes.io/critical-pod", "non-functional in v1.16+; use the \"priorityClassName\" field instead"},
        {"security.alpha.kubernetes.io/sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"},
        {"security.alpha.kubernetes.io/unsafe-sysctls", "non-functional in v1.11+; use the \"sysctls\" field instead"}};
    for (const auto& [key, why] : kOld)
        if (child(meta, "annotations").contains(key)) out.push_back(key_of(path, key) + ": " + why);
}

void old_volumes(const std::string& path, const Node& spec, Warnings& out) {
    static constexpr std::pair<const char*, const char*> kOld[] = {{"photonPersistentDisk", "deprecated in v1.11, non-functional in v1.16+"},
                                                                   {"gitRepo", "deprecated in v1.11, and disabled by default in v1.33+"},
                                                                   {"scaleIO", "deprecated in v1.16, non-functional in v1.22+"},
                                                                   {"flocker", "deprecated in v1.22, non-functional in v1.25+"},
                                                                   {"storageos", "deprecated in v1.22, non-functional in v1.25+"},
                                                                   {"quobyte", "deprecated in v1.22, non-functional in v1.25+"},
                                                                   {"glusterfs", "deprecated in v1.25, non-functional in v1.26+"},
                                                                   {"ephemeral", ""},
                                                                   {"cephfs", "deprecated in v1.28, non-functional in v1.31+"},
                                                                   {"rbd", "deprecated in v1.28, non-functional in v1.31+"}};
    each(path + ".volumes", child(spec, "volumes"), [&](const Node& v, const std::string& here) {
        for (const std::pair<std::string_view, std::string> old : kOld) {
            const Node* plugin = v.find(old.first);
            if (plugin == nullptr) continue;
            if (old.first == "ephemeral")
                claim_warnings(here + ".ephemeral.volumeClaimTemplate.spec", child(child(*plugin, "volumeClaimTemplate"), "spec"), out);
            else
                out.push_back(here + "." + (old.first == "storageos" ? "storageOS" : std::string(old.first)) + ": " + old.second);
        }
    });
}

struct FileSource {
    std::string path, source;
    friend bool operator==(const FileSource&, const FileSource&) = default;
    [[nodiscard]] std::string text() const { return quoted(path) + (source.empty() ? "" : " (" + source + ")"); }
};

std::vector<FileSource> files_of(const Node& items, const std::string& source) {
    std::vector<FileSource> out;
    if (items.is_list())
        for (const Node& item : items.items()) out.push_back({std::string(item.text_at("path")), source});
    return out;
}

std::vector<FileSource> files_of_projection(const Node& s) {
    std::vector<FileSource> out;
    if (const Node* c = s.find("configMap"); c && c->contains("items")) return files_of(child(*c, "items"), "ConfigMap " + quoted(c->text_at("name")));
    if (const Node* c = s.find("secret"); c && c->contains("items")) return files_of(child(*c, "items"), "Secret " + quoted(c->text_at("name")));
    if (const Node* d = s.find("downwardAPI"); d && d->contains("items")) return files_of(child(*d, "items"), "DownwardAPI");
    if (const Node* t = s.find("serviceAccountToken")) return {{std::string(t->text_at("path")), "ServiceAccountToken"}};
    if (const Node* b = s.find("clusterTrustBundle"))
        return {{std::string(b->text_at("path")), "ClusterTrustBundle " + quoted(b->text_at(b->contains("name") ? "name" : "signerName"))}};
    if (const Node* p = s.find("podCertificate"))
        for (const auto& [field, what] : {std::pair("certificateChainPath", "chain"), std::pair("keyPath", "key"), std::pair("credentialBundlePath", "credential bundle")})
            if (!p->text_at(field).empty()) out.push_back({std::string(p->text_at(field)), std::string("PodCertificate ") + what});
    return out;
}

// `files` on top of `all`: two at one path, or one at a path below that of another.
void overlaps(const std::string& volume, std::vector<FileSource>& all, std::vector<FileSource> files, Warnings& out) {
    for (FileSource& file : files) {
        while (file.path.ends_with('/')) file.path.pop_back();
        for (const FileSource& other : all) {
            if (file.path.empty() || other.path.empty()) continue;
            const std::string a = file.path + "/", b = other.path + "/";
            if (a.starts_with(b) || b.starts_with(a)) out.push_back(volume + ": overlapping paths: " + file.text() + " with " + other.text());
        }
        all.push_back(std::move(file));
    }
}

void overlapping_files(const Node& spec, Warnings& out) {
    each("", child(spec, "volumes"), [&](const Node& v, const std::string&) {
        const std::string name = "volume " + quoted(v.text_at("name"));
        std::vector<FileSource> all;
        if (const Node* c = v.find("configMap")) overlaps(name + " (ConfigMap " + quoted(c->text_at("name")) + ")", all, files_of(child(*c, "items"), ""), out);
        if (const Node* s = v.find("secret")) overlaps(name + " (Secret " + quoted(s->text_at("secretName")) + ")", all, files_of(child(*s, "items"), ""), out);
        if (const Node* d = v.find("downwardAPI")) overlaps(name + " (DownwardAPI)", all, files_of(child(*d, "items"), ""), out);
        each("", child(child(v, "projected"), "sources"), [&](const Node& source, const std::string&) {
            if (source.empty())
                out.push_back(name + " (Projected) has no sources provided");
            else
                overlaps(name + " (Projected)", all, files_of_projection(source), out);
        });
    });
}

void twice(const std::string& path, const Node& list, const std::string& field, const std::string& what, Warnings& out) {
    std::set<std::string, std::less<>> seen;
    each(path, list, [&](const Node& item, const std::string& here) {
        const auto value = item.text_at(field);
        if (!seen.emplace(value).second) out.push_back(here + "." + field + ": duplicate " + what + " " + quoted(value));
    });
}

void hidden_variables(const std::string& path, const Node& container, Warnings& out) {
    std::set<std::string, std::less<>> seen;
    each(path + ".env", child(container, "env"), [&](const Node& e, const std::string& here) {
        const std::string name(e.text_at("name")), reference = "$(" + name + ")";
        if (seen.insert(name).second) return;
        const auto value = e.text_at("value");
        if (e.contains("valueFrom") || value == reference || value.find(reference) == std::string_view::npos)
            out.push_back(here + ": hides previous definition of " + quoted(name) + ", which may be dropped when using apply");
    });
}

void containers(const std::string& path, bool is_template, const Node& meta, const Node& spec, Warnings& out) {
    const Node& annotations = child(meta, "annotations");
    const std::string at_annotations = (is_template ? path.substr(0, path.size() - 5) + "." : "") + "metadata.annotations"; // `path` ends in ".spec"
    each_container(path, spec, [&](const Node& c, const std::string& here) {
        const Node& security = child(c, "securityContext");
        const std::string name(c.text_at("name")), seccomp = "container.seccomp.security.alpha.kubernetes.io/" + name,
                                                   armor = "container.apparmor.security.beta.kubernetes.io/" + name;
        if (!security.contains("seccompProfile") && annotations.contains(seccomp))
            out.push_back(key_of(at_annotations, seccomp) + ": non-functional in v1.27+; use the \"seccompProfile\" field instead");
        if (is_template && !security.contains("appArmorProfile") && !child(spec, "securityContext").contains("appArmorProfile") && annotations.contains(armor))
            out.push_back(key_of(at_annotations, armor) + ": deprecated since v1.30; use the \"appArmorProfile\" field instead");
        for (const std::string_view resource : {"memory", "ephemeral-storage"})
            for (const std::string side : {"limits", "requests"}) fractional_bytes(here + ".resources." + side, child(child(c, "resources"), side), resource, out);
        hidden_variables(here, c, out);
    });
}

void ports(const std::string& path, const Node& spec, Warnings& out) {
    struct Port {
        std::string path, ip;
        std::int64_t host = 0;
    };
    std::map<std::string, std::vector<Port>> all;
    each_container(path, spec, [&](const Node& c, const std::string& container) {
        each(container + ".ports", child(c, "ports"), [&](const Node& p, const std::string& here) {
            Port port{here, std::string(p.text_at("hostIP")), 0};
            if (const Node* h = p.find("hostPort")) port.host = h->as_int().value_or(0);
            const std::string number(p.text_at("containerPort")), protocol(p.text_at("protocol"));
            if (!port.ip.empty() && port.host == 0)
                out.push_back(here + ": hostIP set without hostPort: {Name:" + std::string(p.text_at("name")) + " HostPort:0 ContainerPort:" + number +
                              " Protocol:" + protocol + " HostIP:" + port.ip + "}");
            auto& others = all[number + "/" + protocol];
            for (const Port& o : others) {
                if (port.ip == o.ip && port.host == o.host)
                    out.push_back(here + ": duplicate port definition with " + o.path);
                else if (port.host == 0 || o.host == 0)
                    out.push_back(here + ": overlapping port definition with " + o.path);
                else if (port.host == o.host && port.ip.empty() != o.ip.empty())
                    out.push_back(here + ": dangerously ambiguous port definition with " + o.path);
            }
            others.push_back(std::move(port));
        });
    });
    std::map<std::string, std::string, std::less<>> names;
    each_container(path, spec, [&](const Node& c, const std::string& container) {
        each(container + ".ports", child(c, "ports"), [&](const Node& p, const std::string& here) {
            const std::string name(p.text_at("name"));
            if (name.empty()) return;
            if (const auto [it, fresh] = names.emplace(name, here); !fresh)
                out.push_back(here + ": duplicate port name " + quoted(name) + " with " + it->second + ", services and probes that select ports by name will use " + it->second);
        });
    });
}

void no_selector(const std::string& path, const Node& spec, Warnings& out) {
    for (const std::string kind : {"podAffinity", "podAntiAffinity"}) {
        const Node& affinity = child(child(spec, "affinity"), kind);
        const std::string here = path + ".affinity." + kind;
        each(here + ".requiredDuringSchedulingIgnoredDuringExecution", child(affinity, "requiredDuringSchedulingIgnoredDuringExecution"), [&](const Node& t, const std::string& at_term) {
            if (!t.contains("labelSelector")) out.push_back(at_term + ".labelSelector: a null labelSelector results in matching no pod");
        });
        each(here + ".preferredDuringSchedulingIgnoredDuringExecution", child(affinity, "preferredDuringSchedulingIgnoredDuringExecution"), [&](const Node& t, const std::string& at_term) {
            if (!child(t, "podAffinityTerm").contains("labelSelector"))
                out.push_back(at_term + ".podAffinityTerm.labelSelector: a null labelSelector results in matching no pod");
        });
    }
}

} // namespace

// In the order of kube-apiserver's warningsForPodSpecAndMeta.
void pod_warnings(const std::string& path, const Node& pod, Warnings& out) {
    const std::string prefix = path.empty() ? "" : path + ".", at_spec = prefix + "spec", at_annotations = prefix + "metadata.annotations";
    const Node &spec = child(pod, "spec"), &meta = child(pod, "metadata");
    node_labels(at_spec, spec, out);
    old_annotations(at_annotations, meta, out);
    old_volumes(at_spec, spec, out);
    overlapping_files(spec, out);
    twice(at_spec + ".hostAliases", child(spec, "hostAliases"), "ip", "ip", out);
    twice(at_spec + ".imagePullSecrets", child(spec, "imagePullSecrets"), "name", "name", out);
    each(at_spec + ".imagePullSecrets", child(spec, "imagePullSecrets"), [&](const Node& s, const std::string& here) {
        if (s.text_at("name").empty()) out.push_back(here + ".name: invalid empty name \"\"");
    });
    for (const std::string_view resource : {"memory", "ephemeral-storage"}) fractional_bytes(at_spec + ".overhead", child(spec, "overhead"), resource, out);
    if (constexpr std::string_view kSeccomp = "seccomp.security.alpha.kubernetes.io/pod";
        !child(spec, "securityContext").contains("seccompProfile") && child(meta, "annotations").contains(kSeccomp))
        out.push_back(key_of(at_annotations, kSeccomp) + ": non-functional in v1.27+; use the \"seccompProfile\" field instead");
    containers(at_spec, !path.empty(), meta, spec, out);
    ports(at_spec, spec, out);
    if (const Node* grace = spec.find("terminationGracePeriodSeconds"); grace && grace->as_int().value_or(0) < 0)
        out.push_back(at_spec + ".terminationGracePeriodSeconds: must be >= 0; negative values are invalid and will be treated as 1");
    no_selector(at_spec, spec, out);
    each(at_spec + ".dnsConfig.nameservers", child(child(spec, "dnsConfig"), "nameservers"), [&](const Node& n, const std::string& here) { ip_warnings(here, n.text(), out); });
    each(at_spec + ".hostAliases", child(spec, "hostAliases"), [&](const Node& a, const std::string& here) { ip_warnings(here + ".ip", a.text_at("ip"), out); });
}

} // namespace weber::kube::server
