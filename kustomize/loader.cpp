#include "kustomize/loader.h"

#include <algorithm>
#include <charconv>

#include "kube/base/in_flight.h"
#include "kube/base/yaml.h"
#include "kustomize/path.h"

namespace weber::kustomize {
namespace {

std::string quoted(std::string_view path) { return "'" + std::string(path) + "'"; }

// What is not there can be added, or is called otherwise.
template <class T>
Result<T> or_advice(Result<T> result) {
    if (!result && result.error().code == ErrorCode::not_found) return fail(std::move(result.error()).advise("add what is missing to the source, or correct the path"));
    return result;
}

constexpr std::string_view kCycle = "take one of the entries that lead back here out";

std::unexpected<Error> no_remote(std::string_view what, std::string_view path) {
    return fail(Error{.code = ErrorCode::unsupported,
                      .message = "remote " + std::string(what) + " " + quoted(shown_url(path)) + " is not fetched: remote bases are off",
                      .hint = "copy it into the source, or run without --no-remote-bases"});
}

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

// "2020-1" after a blank or a quote (a replacement may copy it without): where a date may start. A cheap look, so that builds without dates pay nothing more.
bool may_hold_date(std::string_view text) {
    for (std::size_t i = text.find('-', 5); i != std::string_view::npos && i + 1 < text.size(); i = text.find('-', i + 1)) {
        if (!digit(text[i + 1]) || !digit(text[i - 1]) || !digit(text[i - 4])) continue;
        const char before = text[i - 5];
        if (digit(text[i - 2]) && digit(text[i - 3]) && (before == ' ' || before == '[' || before == ',' || before == '\t' || before == '"' || before == '\'')) return true;
    }
    return false;
}

// ".inf", ".NaN" and their like.
bool may_hold_infinity(std::string_view text) {
    for (std::size_t i = text.find('.'); i != std::string_view::npos && i + 3 < text.size(); i = text.find('.', i + 1)) {
        const char c = text[i + 1];
        if (c != 'i' && c != 'I' && c != 'n' && c != 'N') continue;
        const std::string_view word = text.substr(i + 1, 3);
        for (std::string_view known : {"inf", "Inf", "INF", "nan", "NaN", "NAN"})
            if (word == known) return true;
    }
    return false;
}

// A key that stands twice in a map, of `line 4: key "c" already set in map`.
struct RepeatedKey {
    std::string_view key;
    std::uint32_t line = 0;

    explicit RepeatedKey(std::string_view told) {
        const std::size_t from = told.find('"') + 1;
        key = told.substr(from, told.rfind('"') - from);
        std::from_chars(told.data() + std::string_view("line ").size(), told.data() + told.size(), line);
    }
    // Of an object's annotations? kustomize writes those anew, whereby the last one counts, before anything looks for repeated keys.
    [[nodiscard]] bool is_annotation(const std::vector<Node>& documents) const {
        return std::ranges::any_of(documents, [&](const Node& document) {
            const Node* annotations = document.find_path({"metadata", "annotations"});
            const Node* last = annotations != nullptr && annotations->line() <= line ? annotations->find(key) : nullptr;
            return last != nullptr && last->line() >= line;
        });
    }
};

// A text that was read before as one: a patch's is wanted both ways.
std::shared_ptr<const std::string> known_text(const LoadContext& context, const std::string& key) {
    const auto at = context.texts.find(key);
    return at != context.texts.end() ? at->second : nullptr;
}

// A brace that is not closed at once.
bool may_hold_braces(std::string_view text) {
    for (std::size_t i = text.find('{'); i != std::string_view::npos && i + 1 < text.size(); i = text.find('{', i + 1))
        if (text[i + 1] != '}') return true;
    return false;
}

Oddities oddities_of(std::string_view text) {
    return {may_hold_date(text), may_hold_infinity(text), text.find(" >") != std::string_view::npos, may_hold_braces(text)};
}

} // namespace

// ---- ParseCache -------------------------------------------------------------------------------------------------

Result<SharedFile> ParseCache::get(const std::string& key, const std::function<Result<SharedFile>()>& make) {
    std::unique_lock lock(mutex_);
    while (true) {
        if (auto known = entries_.find(key); known != entries_.end()) return known->second;
        if (!making_.contains(key)) break;
        made_.wait(lock);
    }
    const kube::InFlight making(making_, lock, made_, key);
    lock.unlock();
    auto file = make();
    lock.lock();
    if (file) keep(key, *file);
    return file;
}

void ParseCache::keep(const std::string& key, const SharedFile& file) {
    if (file.bytes > max_bytes_) return;
    entries_.emplace(key, file);
    order_.push_back(key);
    bytes_ += file.bytes;
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
    if (looks_remote(path)) {
        const auto url = parse_repo_url(path);
        if (!url) return fail(Error(url.error()).with_prefix(quoted(shown_url(path)) + " is no git URL: "));
        if (context.remote == nullptr) return no_remote("directory", path);
        return fetch(context, *url, nullptr);
    }
    TRY(std::string root, confirm_dir(context.fs, path));
    return Loader(context, context.fs, std::move(root), nullptr);
}

// Files of a repository never lead out of it.
Result<Loader> Loader::fetch(LoadContext& context, const RepoUrl& url, const Loader* referrer) {
    const std::string shown = shown_url(url.raw);
    for (const Loader* visited = referrer; visited; visited = visited->referrer_) {
        if (!visited->url_.empty() && visited->url_.starts_with(url.raw))
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "cycle detected: URI " + quoted(shown) + " referenced by previous URI " + quoted(shown_url(visited->url_)),
                              .hint = std::string(kCycle)});
    }
    auto& tree = context.repositories[url.clone + "\n" + url.ref + (url.submodules ? "\ns" : "\n")];
    if (!tree) {
        auto fetched = context.remote->fetch_repository(url);
        if (!fetched) return fail(std::move(fetched.error()).with_prefix("fetching " + quoted(shown) + ": "));
        tree = std::make_shared<const RemoteTree>(std::move(*fetched));
    }
    const std::string wanted = join_path(tree->root, url.directory);
    auto root = tree->files->resolve(wanted);
    if (!root) return fail(std::move(root.error()).with_prefix("the repository of " + quoted(shown) + " has no such directory: "));
    if (!tree->files->is_dir(*root))
        return fail(ErrorCode::invalid, quoted(shown) + " refers to file " + quoted(url.directory) + "; expecting directory");
    if (!is_in_or_below(*root, tree->root))
        return fail(ErrorCode::forbidden, quoted(shown) + " refers to directory outside of repo " + quoted(shown_url(url.clone)));
    Loader loader(context, *tree->files, std::move(*root), referrer);
    loader.repository_ = url.clone;
    loader.repository_ref_ = url.ref;
    loader.repository_root_ = tree->root;
    loader.url_ = url.raw;
    return loader;
}

Result<Loader> Loader::descend(std::string_view path) const {
    if (path.empty()) return fail(ErrorCode::invalid, "new root cannot be empty");
    if (looks_remote(path)) {
        const auto url = parse_repo_url(path);
        if (!url) return fail(Error(url.error()).with_prefix(quoted(shown_url(path)) + " is no git URL: "));
        if (context_->remote == nullptr) return no_remote("resource", path);
        return fetch(*context_, *url, this);
    }
    if (is_absolute(path)) return fail(ErrorCode::forbidden, "new root " + quoted(path) + " cannot be absolute");
    TRY(std::string root, or_advice(confirm_dir(*files_, join_path(root_, path))));
    if (!repository_.empty() && !is_in_or_below(root, repository_root_)) {
        return fail(ErrorCode::forbidden, "security; bases in kustomizations found in cloned git repos must be within the repo, but base " +
                                              quoted(root) + " is outside " + quoted(repository_root_));
    }
    for (const Loader* visited = this; visited && visited->files_ == files_; visited = visited->referrer_) {
        if (is_in_or_below(visited->root_, root))
            return fail(Error{.code = ErrorCode::invalid,
                              .message = "cycle detected: candidate root " + quoted(root) + " contains visited root " + quoted(visited->root_),
                              .hint = std::string(kCycle)});
    }
    Loader below(*context_, *files_, std::move(root), this);
    below.repository_ = repository_;
    below.repository_ref_ = repository_ref_;
    below.repository_root_ = repository_root_;
    return below;
}

bool Loader::is_dir(std::string_view path) const {
    return files_->is_dir(is_absolute(path) ? std::string(path) : join_path(root_, path));
}

std::string Loader::display(std::string_view place) const {
    if (is_http_url(place)) return shown_url(place);
    if (repository_.empty()) return std::string(place);
    std::string_view below = place.substr(std::min(place.size(), repository_root_.size()));
    if (below.starts_with('/')) below.remove_prefix(1);
    return shown_url(repository_) + "//" + std::string(below) + (repository_ref_.empty() ? "" : "?ref=" + repository_ref_);
}

std::string Loader::key_of(std::string_view place) const {
    if (repository_.empty() || is_http_url(place)) return std::string(place);
    return repository_ + "\n" + repository_ref_ + "\n" + std::string(place);
}

Result<std::string> Loader::locate(std::string_view path) const {
    if (is_http_url(path)) {
        if (context_->remote != nullptr) return std::string(path);
        return no_remote("file", path);
    }
    std::string full = is_absolute(path) ? std::string(path) : join_path(root_, path);
    if (context_->restrictions == LoadRestrictions::none && repository_.empty()) return full;
    TRY(std::string resolved, or_advice(files_->resolve(full)));
    if (files_->is_dir(resolved)) return fail(ErrorCode::invalid, quoted(full) + " must resolve to a file");
    if (!is_in_or_below(dir_of(resolved), root_)) {
        return fail(Error{.code = ErrorCode::forbidden,
                          .message = "security; file " + quoted(full) + " is not in or below " + quoted(root_),
                          .hint = "move it below the kustomization, or build with --load-restrictor LoadRestrictionsNone"});
    }
    return resolved;
}

Result<std::string> Loader::read(const std::string& place) const {
    return is_http_url(place) ? context_->remote->fetch_file(place) : or_advice(files_->read(place));
}

Result<SharedFile> Loader::shared(const std::string& place, std::string_view form, const std::function<Result<SharedFile>()>& make) const {
    if (context_->cache == nullptr || is_http_url(place)) return make();
    const std::string identity = files_->identity(place);
    if (identity.empty()) return make();
    return context_->cache->get(display(place) + std::string(form) + identity, make);
}

Result<std::shared_ptr<const std::string>> Loader::load(std::string_view path) const {
    TRY(std::string place, locate(path));
    auto& slot = context_->texts[key_of(place)];
    if (slot) return slot;
    const auto make = [&]() -> Result<SharedFile> {
        TRY(std::string text, read(place));
        const std::size_t bytes = text.size();
        return SharedFile{.documents = nullptr, .text = std::make_shared<const std::string>(std::move(text)), .bytes = bytes};
    };
    TRY(const SharedFile file, shared(place, "\nt", make));
    slot = file.text;
    context_->files_read.push_back(display(place));
    return slot;
}

Result<std::vector<Node>> Loader::parse(const std::string& place, YamlKind kind, std::shared_ptr<const std::string>& text) const {
    if (text == nullptr) {
        TRY(std::string read_now, read(place));
        text = std::make_shared<const std::string>(std::move(read_now));
    }
    const bool strict = kind == YamlKind::manifest;
    kube::YamlLimits limits;
    limits.documents = static_cast<std::uint32_t>(std::min<std::size_t>(limits.documents, context_->documents_left));
    const std::string shown = display(place);
    kube::YamlReadOptions options{.file = shown, .schema = strict ? kube::YamlSchema::go_yaml_v3 : kube::YamlSchema::yaml_1_1, .limits = limits, .unique_keys = strict};
    auto documents = kube::read_yaml(*text, options);
    if (documents || !strict || documents.error().message.find(": mapping key \"") == std::string::npos) return documents;
    std::vector<std::string> repeated;
    options.unique_keys = false;
    options.repeated = &repeated;
    auto again = kube::read_yaml(*text, options);
    if (!again) return documents;
    for (const std::string& told : repeated)
        if (const RepeatedKey r(told); !r.is_annotation(*again))
            return fail(ErrorCode::invalid, "yaml: line " + std::to_string(r.line) + ": mapping key \"" + std::string(r.key) + "\" already defined", {shown, r.line, 0});
    return again;
}

Result<void> Loader::note(const std::string& name, std::size_t documents, const Oddities& oddities, bool first_reading) const {
    if (documents > context_->documents_left) // parsed for another build
        return fail(ErrorCode::too_large, "more than " + std::to_string(context_->documents_left) + " documents", {name, 0, 0});
    context_->documents_left -= documents;
    context_->oddities |= oddities;
    if (first_reading) context_->files_read.push_back(name);
    return {};
}

Result<Documents> Loader::load_documents(std::string_view path, YamlKind kind) const {
    TRY(std::string place, locate(path));
    const std::string form = kind == YamlKind::manifest ? "\nm" : "\nk";
    const std::string here = key_of(place);
    auto& slot = context_->documents[here + form];
    if (slot) return slot;
    const auto known = known_text(*context_, here);
    const auto make = [&]() -> Result<SharedFile> {
        std::shared_ptr<const std::string> text = known;
        TRY(auto documents, parse(place, kind, text));
        return SharedFile{.documents = std::make_shared<const std::vector<Node>>(std::move(documents)),
                          .text = nullptr,
                          .oddities = oddities_of(*text),
                          .bytes = text->size()};
    };
    TRY(const SharedFile file, shared(place, form, make));
    TRY_VOID(note(display(place), file.documents->size(), file.oddities, known == nullptr && !context_->given_away.contains(here)));
    slot = file.documents;
    return slot;
}

Result<std::vector<Node>> Loader::take_documents(std::string_view path) const {
    TRY(std::string place, locate(path));
    const std::string here = key_of(place);
    const bool kept = context_->cache != nullptr || referrer_ != nullptr || is_http_url(place) || context_->documents.contains(here + "\nm");
    if (kept || !context_->given_away.insert(here).second) {
        TRY(const Documents documents, load_documents(path));
        return *documents;
    }
    auto text = known_text(*context_, here);
    const bool first_reading = text == nullptr;
    TRY(auto documents, parse(place, YamlKind::manifest, text));
    TRY_VOID(note(display(place), documents.size(), oddities_of(*text), first_reading));
    return documents;
}

bool looks_remote(std::string_view path) {
    return parse_repo_url(path).has_value() || is_http_url(path) || path.starts_with("git://") || path.starts_with("gh:");
}

} // namespace weber::kustomize
