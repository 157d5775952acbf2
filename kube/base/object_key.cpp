#include "kube/base/object_key.h"

#include "kube/base/text_hash.h"

namespace weber::kube {

std::string GroupVersion::to_string() const { return group.empty() ? version : group + "/" + version; }

Result<GroupVersion> GroupVersion::parse(std::string_view text) {
    const auto slash = text.find('/');
    if (slash == std::string_view::npos) return GroupVersion{"", std::string(text)};
    if (text.find('/', slash + 1) != std::string_view::npos)
        return fail(ErrorCode::invalid, "unexpected GroupVersion string: " + std::string(text));
    return GroupVersion{std::string(text.substr(0, slash)), std::string(text.substr(slash + 1))};
}

std::string GroupKind::to_string() const { return group.empty() ? kind : kind + "." + group; }

std::string ObjectKey::subject() const {
    std::string out = kind + "/";
    if (!ns.empty()) out += ns + "/";
    return out + name;
}

namespace {

bool colon_allowed(std::string_view kind) {
    return kind == "Role" || kind == "ClusterRole" || kind == "RoleBinding" || kind == "ClusterRoleBinding";
}

void replace_all(std::string& text, std::string_view from, std::string_view to) {
    for (std::size_t at = 0; (at = text.find(from, at)) != std::string::npos; at += to.size()) text.replace(at, from.size(), to);
}

} // namespace

// cli-utils object.ObjMetadata: RBAC names may hold colons, which are written as double underscores.
std::string ObjectKey::inventory_id() const {
    std::string id = name;
    if (colon_allowed(kind)) replace_all(id, ":", "__");
    return ns + "_" + id + "_" + group + "_" + kind;
}

Result<ObjectKey> ObjectKey::from_inventory_id(std::string_view id) {
    const auto bad = [&] { return fail(ErrorCode::invalid, "unable to parse stored object metadata: " + std::string(id)); };
    const auto first = id.find('_');
    const auto last = id.rfind('_');
    if (first == std::string_view::npos || last == first) return bad();
    const auto middle = id.rfind('_', last - 1);
    if (middle == std::string_view::npos || middle <= first) return bad();
    ObjectKey key{std::string(id.substr(middle + 1, last - middle - 1)), std::string(id.substr(last + 1)),
                  std::string(id.substr(0, first)), std::string(id.substr(first + 1, middle - first - 1))};
    if (key.kind.empty()) return bad();
    replace_all(key.name, "__", ":");
    if (key.name.empty() || key.name.find('_') != std::string::npos) return bad();
    return key;
}

} // namespace weber::kube

namespace {
std::size_t combine(std::initializer_list<std::string_view> parts) {
    std::size_t h = 0;
    for (std::string_view part : parts) h = (h ^ weber::kube::text_hash(part)) * 0x9e3779b97f4a7c15ULL + (h >> 29);
    return h;
}
} // namespace

std::size_t std::hash<weber::kube::ObjectKey>::operator()(const weber::kube::ObjectKey& k) const noexcept {
    return combine({k.group, k.kind, k.ns, k.name});
}
std::size_t std::hash<weber::kube::GroupVersionKind>::operator()(const weber::kube::GroupVersionKind& k) const noexcept {
    return combine({k.group, k.version, k.kind});
}
std::size_t std::hash<weber::kube::GroupKind>::operator()(const weber::kube::GroupKind& k) const noexcept {
    return combine({k.group, k.kind});
}
