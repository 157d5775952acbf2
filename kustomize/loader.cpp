#include "kustomize/loader.h"

#include "kube/base/yaml.h"
#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

std::string quoted(std::string_view path) { return "'" + std::string(path) + "'"; }

// kustomize: filesys.ConfirmDir, with the prefix its loaders add.
Result<std::string> confirm_dir(const FileSystem& fs, std::string_view path) {
    constexpr std::string_view kNotDir = "must build at directory: ";
    if (path.empty()) return fail(ErrorCode::invalid, std::string(kNotDir) + "directory path cannot be empty string");
    auto resolved = fs.resolve(path);
    if (!resolved) return fail(std::move(resolved.error()).with_prefix(std::string(kNotDir) + "not a valid directory: "));
    if (!fs.is_dir(*resolved))
        return fail(ErrorCode::invalid, std::string(kNotDir) + quoted(path) + ": file is not directory");
    return resolved;
}

bool digit(char c) { return c >= '0' && c <= '9'; }

// "2020-1" after a blank: where an unquoted date would start. A cheap look, so that builds without dates pay nothing more.
bool may_hold_date(std::string_view text) {
    for (std::size_t i = text.find('-', 5); i != std::string_view::npos && i + 1 < text.size(); i = text.find('-', i + 1)) {
        if (!digit(text[i + 1]) || !digit(text[i - 1]) || !digit(text[i - 4])) continue;
        const char before = text[i - 5];
        if (digit(text[i - 2]) && digit(text[i - 3]) && (before == ' ' || before == '[' || before == ',' || before == '\t')) return true;
    }
    return false;
}

} // namespace

// ---- ParseCache -------------------------------------------------------------------------------------------------

Documents ParseCache::find(const std::string& key, bool& dates) const {
    std::lock_guard lock(mutex_);
    auto it = entries_.find(key);
    if (it == entries_.end()) return nullptr;
    dates |= it->second.dates;
    return it->second.documents;
}

void ParseCache::put(const std::string& key, Documents documents, bool dates, std::size_t bytes) {
    std::lock_guard lock(mutex_);
    if (bytes > max_bytes_ || entries_.contains(key)) return;
    entries_.emplace(key, Entry{std::move(documents), dates, bytes});
    order_.push_back(key);
    bytes_ += bytes;
    while (bytes_ > max_bytes_) {
        auto it = entries_.find(order_[oldest_++]);
        bytes_ -= it->second.bytes;
        entries_.erase(it);
    }
    if (oldest_ > 1024 && oldest_ * 2 > order_.size()) {
        order_.erase(order_.begin(), order_.begin() + static_cast<std::ptrdiff_t>(oldest_));
        oldest_ = 0;
    }
}

// ---- Loader -----------------------------------------------------------------------------------------------------

Result<Loader> Loader::start(LoadContext& context, std::string_view path) {
    if (looks_remote(path))
        return fail(ErrorCode::unsupported, "remote directory " + quoted(path) + " cannot be built: fetch it first and name a local directory");
    TRY(std::string root, confirm_dir(context.fs, path));
    return Loader(context, std::move(root), nullptr);
}

Result<Loader> Loader::descend(std::string_view path) const {
    if (path.empty()) return fail(ErrorCode::invalid, "new root cannot be empty");
    if (looks_remote(path))
        return fail(ErrorCode::unsupported, "remote resource " + quoted(path) + " is not supported: only local files and directories are read");
    if (is_absolute(path)) return fail(ErrorCode::forbidden, "new root " + quoted(path) + " cannot be absolute");
    TRY(std::string root, confirm_dir(context_->fs, join_path(root_, path)));
    for (const Loader* visited = this; visited; visited = visited->referrer_) {
        if (is_in_or_below(visited->root_, root))
            return fail(ErrorCode::invalid, "cycle detected: candidate root " + quoted(root) + " contains visited root " + quoted(visited->root_));
    }
    return Loader(*context_, std::move(root), this);
}

bool Loader::is_dir(std::string_view path) const {
    return context_->fs.is_dir(is_absolute(path) ? std::string(path) : join_path(root_, path));
}

Result<std::string> Loader::locate(std::string_view path) const {
    if (path.starts_with("http://") || path.starts_with("https://"))
        return fail(ErrorCode::unsupported, "remote file " + quoted(path) + " is not supported: only local files are read");
    std::string full = is_absolute(path) ? std::string(path) : join_path(root_, path);
    if (context_->restrictions == LoadRestrictions::none) return full;
    TRY(std::string resolved, context_->fs.resolve(full));
    if (context_->fs.is_dir(resolved)) return fail(ErrorCode::invalid, quoted(full) + " must resolve to a file");
    if (!is_in_or_below(dir_of(resolved), root_)) {
        return fail(Error{.code = ErrorCode::forbidden,
                          .message = "security; file " + quoted(full) + " is not in or below " + quoted(root_),
                          .hint = "move it below the kustomization, or build with --load-restrictor LoadRestrictionsNone"});
    }
    return resolved;
}

Result<std::shared_ptr<const std::string>> Loader::load(std::string_view path) const {
    TRY(std::string place, locate(path));
    auto& slot = context_->texts[place];
    if (!slot) {
        TRY(std::string text, context_->fs.read(place));
        slot = std::make_shared<const std::string>(std::move(text));
        context_->files_read.push_back(place);
    }
    return slot;
}

Result<Documents> Loader::load_documents(std::string_view path, YamlKind kind) const {
    TRY(std::string place, locate(path));
    const bool strict = kind == YamlKind::manifest;
    const std::string form = strict ? "\nm" : "\nk";
    auto& slot = context_->documents[place + form];
    if (slot) return slot;
    context_->files_read.push_back(place);
    std::string key;
    if (context_->cache) {
        if (std::string identity = context_->fs.identity(place); !identity.empty()) key = place + form + identity;
        if (!key.empty()) slot = context_->cache->find(key, context_->dates);
        if (slot) return slot;
    }
    TRY(std::string text, context_->fs.read(place));
    TRY(auto documents, kube::read_yaml(text, {.file = place,
                                            .schema = strict ? kube::YamlSchema::go_yaml_v3 : kube::YamlSchema::yaml_1_1,
                                            .unique_keys = strict}));
    slot = std::make_shared<const std::vector<Node>>(std::move(documents));
    const bool dates = may_hold_date(text);
    context_->dates |= dates;
    if (!key.empty()) context_->cache->put(key, slot, dates, text.size());
    return slot;
}

bool looks_remote(std::string_view path) {
    for (std::string_view prefix : {"http://", "https://", "ssh://", "git://", "file://", "git::", "git@", "github.com/", "gh:"})
        if (path.starts_with(prefix)) return true;
    return false;
}

} // namespace weber::kustomize
