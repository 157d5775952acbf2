#include "kube/kubeconfig_file.h"

#include <yaml-cpp/yaml.h>

#include "kube/base/json.h"

namespace weber::kube {

namespace {

constexpr std::size_t kMaxBytes = 4u << 20;

Where where_of(const std::string& file, const YAML::Node& node) {
    const auto mark = node.Mark();
    return {file, mark.is_null() ? 0 : static_cast<std::uint32_t>(mark.line + 1), 0};
}

std::string scalar_or(const YAML::Node& node, const char* field) {
    const YAML::Node value = node[field];
    return value && value.IsScalar() ? value.Scalar() : std::string();
}

// Only for the exec extension, which is passed on as it is. `budget`: nodes that may still be made; aliases of aliases would make any number.
Node to_node(const YAML::Node& y, int& budget) {
    if (--budget < 0) return Node::null();
    if (y.IsMap()) {
        Node out = Node::map();
        for (const auto& item : y) {
            if (budget < 0) break;
            out.set(item.first.Scalar(), to_node(item.second, budget));
        }
        return out;
    }
    if (y.IsSequence()) {
        Node out = Node::list();
        for (const auto& item : y) {
            if (budget < 0) break;
            out.push_back(to_node(item, budget));
        }
        return out;
    }
    if (!y.IsScalar()) return Node::null();
    bool flag = false;
    if (y.Tag() != "!" && YAML::convert<bool>::decode(y, flag)) return Node::boolean(flag);
    long number = 0;
    if (y.Tag() != "!" && YAML::convert<long>::decode(y, number)) return Node::integer(number);
    return Node::string(y.Scalar());
}

std::vector<std::string> strings(const YAML::Node& list) {
    std::vector<std::string> out;
    if (list && list.IsSequence())
        for (const auto& item : list)
            if (item.IsScalar()) out.push_back(item.Scalar());
    return out;
}

void read_exec(const YAML::Node& exec, KubeconfigEntry& out) {
    out.has_exec = true;
    for (const auto& item : exec)
        if (item.second.IsScalar()) out.scalars["exec." + item.first.Scalar()] = item.second.Scalar();
    out.lists["exec.args"] = strings(exec["args"]);
    if (const YAML::Node env = exec["env"]; env && env.IsSequence())
        for (const auto& item : env)
            if (item.IsMap()) out.exec_env.emplace_back(scalar_or(item, "name"), scalar_or(item, "value"));
}

KubeconfigEntry read_entry(const YAML::Node& body, const std::string& file, const std::string& dir) {
    KubeconfigEntry out{.where = where_of(file, body), .dir = dir};
    if (!body.IsMap()) return out;
    for (const auto& item : body) {
        const std::string key = item.first.Scalar();
        if (item.second.IsScalar()) out.scalars[key] = item.second.Scalar();
        if (item.second.IsSequence()) out.lists[key] = strings(item.second);
    }
    if (const YAML::Node extra = body["as-user-extra"]; extra && extra.IsMap())
        for (const auto& item : extra) out.extra[item.first.Scalar()] = strings(item.second);
    if (const YAML::Node exec = body["exec"]; exec && exec.IsMap()) read_exec(exec, out);
    if (const YAML::Node provider = body["auth-provider"]; provider && provider.IsMap()) out.has_auth_provider = true;
    if (const YAML::Node extensions = body["extensions"]; extensions && extensions.IsSequence())
        for (const auto& item : extensions) {
            int budget = 10'000;
            if (item.IsMap() && scalar_or(item, "name") == "client.authentication.k8s.io/exec")
                out.exec_extension = write_json(to_node(item["extension"], budget));
        }
    return out;
}

Result<void> read_section(const YAML::Node& root, const char* section, const char* field, const std::string& file, const std::string& dir,
                          std::map<std::string, KubeconfigEntry>& into) {
    const YAML::Node list = root[section];
    if (!list || list.IsNull()) return {};
    if (!list.IsSequence()) return fail(ErrorCode::invalid, std::string(section) + " must be a list", where_of(file, list));
    std::map<std::string, KubeconfigEntry> found;
    for (const auto& item : list) {
        const std::string name = item.IsMap() ? scalar_or(item, "name") : std::string();
        if (!item.IsMap() || !item["name"]) return fail(ErrorCode::invalid, std::string("an entry of ") + section + " has no name", where_of(file, item));
        const YAML::Node body = item[field];
        KubeconfigEntry entry = read_entry(body ? body : YAML::Node(YAML::NodeType::Map), file, dir);
        if (entry.where.line == 0) entry.where = where_of(file, item);
        if (!found.emplace(name, std::move(entry)).second)
            return fail(ErrorCode::invalid, "duplicate name \"" + name + "\" in " + section, where_of(file, item));
    }
    into.merge(found); // what an earlier file said stays
    return {};
}

} // namespace

std::string KubeconfigEntry::get(std::string_view field) const {
    const auto it = scalars.find(std::string(field));
    return it == scalars.end() ? std::string() : it->second;
}

Result<void> KubeconfigFiles::add(std::string_view text, const std::string& file, const std::string& dir) {
    if (text.size() > kMaxBytes) return fail(ErrorCode::too_large, "a kubeconfig larger than 4 MiB", {file});
    try {
        const YAML::Node root = YAML::Load(std::string(text));
        files.push_back(file);
        if (root.IsNull()) return {};
        if (!root.IsMap()) return fail(ErrorCode::invalid, "not a kubeconfig: a map was expected", {file, 1});
        const std::string kind = scalar_or(root, "kind");
        if (!kind.empty() && kind != "Config") return fail(ErrorCode::invalid, "not a kubeconfig: its kind is " + kind, where_of(file, root["kind"]));
        if (current_context.empty()) current_context = scalar_or(root, "current-context");
        TRY_VOID(read_section(root, "clusters", "cluster", file, dir, clusters));
        TRY_VOID(read_section(root, "users", "user", file, dir, users));
        TRY_VOID(read_section(root, "contexts", "context", file, dir, contexts));
        return {};
    } catch (const YAML::ParserException& e) {
        return fail(ErrorCode::invalid, "invalid YAML: " + e.msg,
                    {file, static_cast<std::uint32_t>(e.mark.line + 1), static_cast<std::uint32_t>(e.mark.column + 1)});
    } catch (const YAML::Exception&) { // its text may quote the file, which holds secrets
        return fail(ErrorCode::invalid, "invalid YAML", {file});
    }
}

} // namespace weber::kube
