#include "gitops/decrypt/sources.h"

#include <algorithm>
#include <atomic>
#include <map>
#include <optional>
#include <set>
#include <thread>
#include <vector>

#include "gitops/decrypt/objects.h"
#include "kube/base/yaml.h"

namespace weber::gitops {

namespace {

constexpr std::size_t kMaxFile = 5u << 20;
constexpr std::size_t kJobsOfAThread = 8; // fewer files are not worth a thread
constexpr std::string_view kNames[] = {"kustomization.yaml", "kustomization.yml", "Kustomization"};

bool is_url(std::string_view path) {
    const std::size_t scheme = path.find("://");
    return scheme != std::string_view::npos && scheme > 0 && scheme + 3 < path.size() && path[scheme + 3] != '/';
}

// `path` seen from `dir`, clean, never above the mount (an absolute path is one of the source's root).
std::string joined(const std::string& mount, const std::string& dir, std::string_view path) {
    std::string full;
    if (!path.starts_with('/')) full = dir;
    else if (!(path.starts_with(mount) && (path.size() == mount.size() || path[mount.size()] == '/'))) full = mount;
    full.append("/").append(path);
    std::vector<std::string_view> parts;
    std::string_view rest = std::string_view(full).substr(mount.size());
    while (!rest.empty()) {
        const std::size_t end = std::min(rest.find('/'), rest.size());
        const std::string_view part = rest.substr(0, end);
        rest.remove_prefix(std::min(end + 1, rest.size()));
        if (part.empty() || part == ".") continue;
        if (part != "..") parts.push_back(part);
        else if (!parts.empty()) parts.pop_back();
    }
    std::string out = mount;
    for (const std::string_view part : parts) out.append("/").append(part);
    return out.empty() ? "/" : out;
}

class Sources {
public:
    Sources(const Snapshot& snapshot, const KeyRing& keys, const sops::DecryptOptions& options) : snapshot_(snapshot), keys_(keys), options_(options) {}

    Result<void> visit(const std::string& dir, const Node& file) {
        if (!visited_.insert(dir).second) return {};
        TRY_VOID(visit_generators(dir, file));
        TRY_VOID(visit_patches(dir, file));
        for (const std::string_view field : {"resources", "components"}) {
            const Node* list = file.find(field);
            if (list == nullptr) continue;
            for (const Node& entry : list->items()) {
                const std::string path = joined(mount(), dir, entry.text());
                if (options_.verify_mac && snapshot_.fs->is_file(path)) add_resource(path);
                TRY_VOID(visit_included(path));
            }
        }
        return {};
    }

    // Decrypts what was found, on all cores: unwrapping a data key is work. The plain texts by path; the first error in the order of the files.
    Result<std::map<std::string, std::string>> decrypt() {
        std::atomic<std::size_t> next = 0;
        const auto work = [&] {
            for (std::size_t i = next++; i < jobs_.size(); i = next++) jobs_[i].plain = decrypted(jobs_[i]);
        };
        {
            std::vector<std::jthread> helpers;
            const std::size_t wanted = std::min<std::size_t>(std::thread::hardware_concurrency(), jobs_.size() / kJobsOfAThread);
            for (std::size_t i = 1; i < wanted; ++i) helpers.emplace_back(work);
            work();
        }
        std::map<std::string, std::string> out;
        for (Job& job : jobs_) {
            if (!job.plain) return fail(std::move(job.plain.error()));
            if (*job.plain) out.emplace(job.path, std::move(**job.plain));
        }
        return out;
    }

private:
    struct Job {
        std::string path;
        sops::Format format;
        bool resource = false; // only its MAC counts: its objects are decrypted after the build
        Result<std::optional<std::string>> plain = {};
    };

    [[nodiscard]] const std::string& mount() const { return snapshot_.fs->mount(); }

    // Directories only; URLs, files and missing paths are none of ours.
    Result<void> visit_included(const std::string& dir) {
        if (visited_.contains(dir) || !snapshot_.fs->is_dir(dir)) return {};
        std::string found;
        for (const std::string_view name : kNames) {
            const std::string path = dir + "/" + std::string(name);
            if (!snapshot_.fs->is_file(path)) continue;
            if (!found.empty()) return fail(ErrorCode::invalid, "found multiple kustomization files", {snapshot_.display(dir), 0, 0});
            found = path;
        }
        if (found.empty()) return fail(ErrorCode::invalid, "no kustomization file found", {snapshot_.display(dir), 0, 0});
        TRY(const std::string text, snapshot_.fs->read(found));
        auto file = kube::read_yaml_one(text, {.file = snapshot_.display(found), .schema = kube::YamlSchema::yaml_1_1, .unique_keys = false});
        if (!file) return fail(std::move(file.error()).with_prefix("failed to unmarshal kustomization file from '" + snapshot_.display(found) + "': "));
        return visit(dir, *file);
    }

    Result<void> visit_generators(const std::string& dir, const Node& file) {
        const Node* generators = file.find("secretGenerator");
        if (generators == nullptr) return {};
        for (const Node& generator : generators->items()) {
            if (const Node* files = generator.find("files"))
                for (const Node& entry : files->items()) {
                    const std::string_view text = entry.text();
                    const std::size_t equal = text.find('=');
                    const std::string_view key = text.substr(0, equal), path = equal == std::string_view::npos ? text : text.substr(equal + 1);
                    TRY_VOID(add(joined(mount(), dir, path), sops::format_for_path(key), entry));
                }
            if (const Node* envs = generator.find("envs"))
                for (const Node& entry : envs->items()) TRY_VOID(add_env(dir, entry));
        }
        return {};
    }

    Result<void> add_env(const std::string& dir, const Node& entry) {
        const sops::Format format = sops::format_for_path(entry.text());
        return add(joined(mount(), dir, entry.text()), format == sops::Format::binary ? sops::Format::dotenv : format, entry);
    }

    Result<void> visit_patches(const std::string& dir, const Node& file) {
        const Node* patches = file.find("patches");
        if (patches == nullptr) return {};
        for (const Node& patch : patches->items()) {
            const std::string_view path = patch.text_at("path");
            if (path.empty() || is_url(path)) continue;
            TRY_VOID(add(joined(mount(), dir, path), sops::format_for_path(path), patch));
        }
        return {};
    }

    // Looks at a file; whether it is encrypted is seen when it is read.
    Result<void> add(const std::string& path, sops::Format format, const Node& referrer) {
        if (!listed_.insert(path).second) return {};
        const std::string shown = snapshot_.display(path);
        if (snapshot_.fs->is_dir(path))
            return fail(ErrorCode::invalid, "cannot decrypt irregular file as it has file mode type bits set", Where{shown, 0, 0});
        const auto relative = path.size() > mount().size() ? path.substr(mount().size() + 1) : std::string();
        const auto it = snapshot_.fs->files().find(relative);
        if (it == snapshot_.fs->files().end()) return fail(ErrorCode::not_found, "lstat " + shown + ": no such file or directory", referrer.where());
        if (it->second.size > kMaxFile) return too_large(it->second.size, shown);
        jobs_.push_back({path, format});
        return {};
    }

    void add_resource(const std::string& path) {
        if (!listed_resources_.insert(path).second) return;
        jobs_.push_back({path, path.ends_with(".json") ? sops::Format::json : sops::Format::yaml, true});
    }

    // Null when the file is in plain text already.
    [[nodiscard]] Result<std::optional<std::string>> decrypted(const Job& job) const {
        if (job.resource) return verified(job);
        TRY(const std::string text, snapshot_.fs->read(job.path));
        if (text.size() > kMaxFile) return too_large(text.size(), snapshot_.display(job.path));
        if (text.find(sops::marker(job.format)) == std::string::npos) return std::nullopt;
        auto plain = sops::decrypt_file(text, job.format, job.format, keys_, options_);
        if (!plain) return fail(std::move(plain.error()).at({snapshot_.display(job.path), 0, 0}));
        return std::optional(std::move(*plain));
    }

    [[nodiscard]] Result<std::optional<std::string>> verified(const Job& job) const {
        const auto text = snapshot_.fs->read(job.path); // the build says why it cannot be read
        if (!text || text->find(sops::marker(job.format)) == std::string::npos || stays_encrypted(*text)) return std::nullopt;
        auto fits = sops::verify_mac(*text, job.format, keys_);
        if (!fits) return fail(std::move(fits.error()).at({snapshot_.display(job.path), 0, 0}));
        return std::nullopt;
    }

    // All its objects say `decrypt: disabled`.
    static bool stays_encrypted(const std::string& text) {
        const auto documents = kube::read_yaml(text);
        const auto objects = documents ? kube::objects_from_documents(*documents) : Result<std::vector<Object>>();
        return objects && !objects->empty() && std::ranges::all_of(*objects, decryption_disabled);
    }

    static std::unexpected<Error> too_large(std::size_t size, const std::string& shown) {
        return fail(ErrorCode::too_large, "cannot decrypt file with size (" + std::to_string(size) + " bytes) exceeding limit (5242880)", {shown, 0, 0});
    }

    const Snapshot& snapshot_;
    const KeyRing& keys_;
    const sops::DecryptOptions& options_;
    std::set<std::string> visited_, listed_, listed_resources_;
    std::vector<Job> jobs_;
};

} // namespace

Result<Snapshot> decrypt_sources(const Snapshot& snapshot, const std::string& dir, const Node& kustomization, const KeyRing& keys,
                                 const sops::DecryptOptions& options) {
    Sources sources(snapshot, keys, options);
    const auto visited = sources.visit(dir, kustomization);
    TRY(auto plain, sources.decrypt()); // also after an error: what came before it is told first
    if (!visited) return fail(visited.error());
    if (plain.empty()) return snapshot;
    Snapshot out = snapshot.with_files(plain);
    for (auto& [path, text] : plain) wipe(text.data(), text.size());
    return out;
}

} // namespace weber::gitops
