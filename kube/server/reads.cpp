#include "kube/server/reads.h"

#include <algorithm>
#include <charconv>
#include <map>
#include <set>
#include <tuple>

#include "kube/base/digest.h"
#include "kube/base/json.h"
#include "kube/base/selector.h"
#include "kube/server/convert.h"
#include "kube/server/object_meta.h"
#include "kube/server/snapshot.h"
#include "kube/server/watch_stream.h"

namespace weber::kube::server {
namespace {

using FieldSet = std::set<std::string, std::less<>>;

// Fields beyond metadata.name and metadata.namespace that lists of a kind can be filtered by.
const std::map<std::string, FieldSet, std::less<>>& other_fields() {
    static const std::map<std::string, FieldSet, std::less<>> kFields{
        {"/pods", {"spec.nodeName", "spec.restartPolicy", "spec.schedulerName", "spec.serviceAccountName", "spec.hostNetwork",
                   "status.phase", "status.podIP", "status.podIPs", "status.nominatedNodeName", "spec.host"}},
        {"events.k8s.io/events", {"regarding.kind", "regarding.namespace", "regarding.name", "regarding.uid", "regarding.apiVersion", "regarding.resourceVersion",
                                  "regarding.fieldPath", "reportingController", "reason", "type"}},
        {"/events", {"involvedObject.kind", "involvedObject.namespace", "involvedObject.name", "involvedObject.uid",
                     "involvedObject.apiVersion", "involvedObject.resourceVersion", "involvedObject.fieldPath", "reason",
                     "reportingComponent", "source", "type"}},
        {"/secrets", {"type"}},
        {"/namespaces", {"status.phase"}},
        {"/nodes", {"spec.unschedulable"}},
        {"/services", {"spec.clusterIP", "spec.type"}},
        {"/replicationcontrollers", {"status.replicas"}},
        {"batch/jobs", {"status.successful"}},
        {"certificates.k8s.io/certificatesigningrequests", {"spec.signerName"}},
        {"resource.k8s.io/resourceslices", {"spec.nodeName", "spec.driver"}},
    };
    return kFields;
}

const FieldSet* other_fields_of(const Call& call) {
    const auto it = other_fields().find(call.group() + "/" + call.plural());
    return it == other_fields().end() || call.resource->custom ? nullptr : &it->second;
}

bool selectable(const Call& call, std::string_view field) {
    const FieldSet* others = other_fields_of(call);
    if (field == "metadata.name") return true;
    if (field == "metadata.namespace") return call.resource->namespaced || (!others && !call.resource->custom);
    if (!call.resource->custom) return others && others->contains(field);
    return std::ranges::any_of(call.version->selectable, [&](const std::string& path) { return path == "." + std::string(field); });
}

ApiError no_such_field(const Call& call, const std::string& field) {
    if (call.id() == "batch/jobs") return bad_request("field label \"" + field + "\" not supported for Job");
    if (call.id() == "resource.k8s.io/resourceslices") return bad_request("field label not supported for " + call.api_version() + ", Kind=ResourceSlice: " + field);
    if (call.resource->custom || other_fields_of(call)) return bad_request("field label not supported: " + field);
    return bad_request("\"" + field + "\" is not a known field selector: only \"metadata.name\", \"metadata.namespace\"");
}

// Where the value of a field stands that has another name in selectors, and what it is when nothing is written.
FieldSelector::Term stored_term(const Call& call, FieldSelector::Term t) {
    if (t.field == "spec.host") t.field = "spec.nodeName";
    if (t.field == "source" && call.id() == "/events") t.field = "source.component";
    return t;
}
std::string_view value_of(const Node& object, std::string_view field) {
    const Node* at = &object;
    for (std::string_view rest = field; at; rest.remove_prefix(rest.find('.') + 1)) {
        at = at->find(rest.substr(0, rest.find('.')));
        if (rest.find('.') == std::string_view::npos) break;
    }
    if (at && at->is_bool()) return at->as_bool() ? "true" : "false";
    if (at && at->is_null()) at = nullptr;
    if (!at && (field == "spec.hostNetwork" || field == "spec.unschedulable")) return "false";
    if (!at && (field == "status.successful" || field == "status.replicas")) return "0";
    return at ? at->text() : std::string_view();
}

std::optional<std::uint64_t> parse_rv(std::string_view text) {
    std::uint64_t v = 0;
    const auto [end, ec] = std::from_chars(text.data(), text.data() + text.size(), v);
    if (ec != std::errc() || end != text.data() + text.size()) return std::nullopt;
    return v;
}

ApiError bad_rv(std::string_view text) {
    return bad_request("invalid resource version: resourceVersion: Invalid value: \"" + std::string(text) + "\": strconv.ParseUint: parsing \"" + std::string(text) +
                       "\": invalid syntax");
}

// The same where it gets past the first look.
ApiError unreadable_rv(std::string_view text) {
    return unclassified("resourceVersion: Invalid value: \"" + std::string(text) + "\": strconv.ParseUint: parsing \"" + std::string(text) + "\": invalid syntax");
}

ApiError too_large(std::uint64_t asked, std::uint64_t current) {
    ApiError e;
    e.code = 504;
    e.reason = "Timeout";
    e.message = "Timeout: Too large resource version: " + std::to_string(asked) + ", current: " + std::to_string(current);
    e.causes.push_back({"ResourceVersionTooLarge", "Too large resource version", ""});
    e.retry_after = 1;
    return e;
}

// Where a list goes on. The text is the real server's: base64 of JSON, with the key below the collection and a zero byte ("after it").
struct Continue {
    std::int64_t rv = 0; // -1: whatever is newest
    std::string ns, name;
};

std::string encode(const Call& call, const Continue& c) {
    const std::string key = (call.path.ns.empty() && !c.ns.empty() ? c.ns + "/" : "") + c.name;
    Node n = Node::map({{"v", Node::string("meta.k8s.io/v1")}, {"rv", Node::integer(c.rv)}, {"start", Node::string(key + std::string(1, '\0'))}});
    std::string text = base64_encode(write_json(n));
    for (char& ch : text) ch = ch == '+' ? '-' : ch == '/' ? '_' : ch;
    while (!text.empty() && text.back() == '=') text.pop_back();
    return text;
}

Api<Continue> decode(const Call& call, std::string_view token) {
    const auto bad = [](const std::string& why) { return refuse(bad_request("invalid continue token: continue key is not valid" + why)); };
    std::string text(token);
    for (char& ch : text) ch = ch == '-' ? '+' : ch == '_' ? '/' : ch;
    while (text.size() % 4) text += '=';
    const auto raw = base64_decode(text);
    const auto node = raw ? read_json(*raw) : Result<Node>(fail(ErrorCode::invalid, ""));
    if (!raw) return bad(": illegal base64 data at input byte 0");
    if (!node || !node->is_map()) {
        const std::string first = raw->empty() ? "" : static_cast<unsigned char>((*raw)[0]) < 0x80 ? raw->substr(0, 1) : "\\u00" + hex_encode(raw->substr(0, 1));
        return bad(": invalid character '" + first + "' looking for beginning of value");
    }
    if (node->text_at("v") != "meta.k8s.io/v1") return bad(": server does not recognize this encoded version " + std::string(node->text_at("v")));
    Continue c;
    if (const Node* rv = node->find("rv")) c.rv = rv->as_int().value_or(0);
    if (c.rv == 0) return bad(": incorrect encoded start resourceVersion (version meta.k8s.io/v1)");
    std::string key(node->text_at("start"));
    if (key.empty()) return bad(": encoded start key empty (version meta.k8s.io/v1)");
    const std::string shown = key;
    if (key.back() == '\0') key.pop_back();
    if (key.starts_with('/')) key.erase(0, 1);
    if (key.empty() || key.starts_with('/') || key.ends_with('/') || ("/" + key + "/").find("/../") != std::string::npos || ("/" + key + "/").find("/./") != std::string::npos)
        return bad(": " + shown);
    const auto slash = key.find('/');
    c.ns = slash != std::string::npos ? key.substr(0, slash) : call.path.ns;
    c.name = slash != std::string::npos ? key.substr(slash + 1) : key;
    return c;
}

// Too old to go on consistently; the token in the answer goes on with what is newest.
ApiError continue_expired(const Call& call, Continue at) {
    ApiError e = expired("The provided continue parameter is too old to display a consistent list result. You can start a new list without the continue "
                         "parameter, or use the continue token in this response to retrieve the remainder of the results. Continuing with the provided "
                         "token results in an inconsistent list - objects that were created, modified, or deleted between the time the first chunk was "
                         "returned and now may show up in the list.");
    at.rv = -1;
    e.continue_token = encode(call, at);
    return e;
}

// The name of a list's type in the real server.
std::string go_type(const Call& call, bool list) {
    if (call.resource->custom) return list ? "*unstructured.UnstructuredList" : "*unstructured.Unstructured";
    const std::string group = call.group().empty() ? "core" : call.group().substr(0, call.group().find('.'));
    return "*" + group + "." + (list ? call.resource->list_kind : call.resource->kind);
}

// 406: metadata of one object was asked for where there is a list, or the other way round.
ApiError wrong_metadata(std::string message) {
    ApiError e;
    e.code = 406;
    e.reason = "NotAcceptable";
    e.message = std::move(message);
    e.no_details = true;
    return e;
}

// As apimachinery's ValidateListOptions; `continue` together with a resourceVersionMatch included.
std::vector<ErrorDetail> list_problems(const HttpRequest& http) {
    const auto match = http.param("resourceVersionMatch");
    std::vector<ErrorDetail> out;
    const auto forbid = [&](std::string_view field, std::string_view why) { out.push_back({"FieldValueForbidden", "Forbidden: " + std::string(why), std::string(field)}); };
    if (!match.empty()) {
        if (http.param("resourceVersion").empty()) forbid("resourceVersionMatch", "resourceVersionMatch is forbidden unless resourceVersion is provided");
        if (!http.param("continue").empty()) forbid("resourceVersionMatch", "resourceVersionMatch is forbidden when continue is provided");
        if (match != "Exact" && match != "NotOlderThan")
            out.push_back({"FieldValueNotSupported", "Unsupported value: \"" + std::string(match) + "\": supported values: \"Exact\", \"NotOlderThan\", \"\"",
                           "resourceVersionMatch"});
        if (match == "Exact" && http.param("resourceVersion") == "0")
            forbid("resourceVersionMatch", "resourceVersionMatch \"exact\" is forbidden for resourceVersion \"0\"");
    }
    if (http.has_param("sendInitialEvents")) forbid("sendInitialEvents", "sendInitialEvents is forbidden for list");
    return out;
}

std::vector<ErrorDetail> watch_problems(const HttpRequest& http) {
    std::string_view match = http.param("resourceVersionMatch");
    const auto version = http.param("resourceVersion");
    bool initial = http.has_param("sendInitialEvents");
    if (!initial && match.empty() && (version.empty() || version == "0")) initial = true, match = "NotOlderThan"; // as such a watch always was
    std::vector<ErrorDetail> out;
    const auto forbid = [&](std::string_view why) { out.push_back({"FieldValueForbidden", "Forbidden: " + std::string(why), "resourceVersionMatch"}); };
    if (initial && match != "NotOlderThan") forbid("sendInitialEvents requires setting resourceVersionMatch to NotOlderThan");
    if (match.empty()) return out;
    if (!initial) forbid("resourceVersionMatch is forbidden for watch unless sendInitialEvents is provided");
    if (match != "NotOlderThan")
        out.push_back({"FieldValueNotSupported", "Unsupported value: \"" + std::string(match) + "\": supported values: \"NotOlderThan\"", "resourceVersionMatch"});
    if (!http.param("continue").empty()) forbid("resourceVersionMatch is forbidden when continue is provided");
    return out;
}

// Which version of a collection a list shows, and where it begins.
struct ListStart {
    std::uint64_t exact = 0; // 0: the newest
    std::optional<std::pair<std::string, std::string>> after;
    std::optional<Continue> from_token;
};

Api<ListStart> list_start(const Core& core, const Call& call, std::size_t limit) {
    const HttpRequest& http = *call.http;
    const auto token = http.param("continue"), text = http.param("resourceVersion"), match = http.param("resourceVersionMatch");
    ListStart start;
    if (!token.empty()) {
        API_TRY(Continue c, decode(call, token));
        if (!text.empty() && text != "0") return refuse(bad_request("specifying resource version is not allowed when using continue"));
        if (c.rv > 0) start.exact = static_cast<std::uint64_t>(c.rv);
        start.after = {c.ns, c.name};
        start.from_token = std::move(c);
    } else if (!text.empty() && text != "0") {
        const auto asked = parse_rv(text);
        if (!asked) return refuse(bad_rv(text));
        const auto current = core.store.current_rv();
        if (*asked > current) return refuse(too_large(*asked, current));
        if (match == "Exact" || (match.empty() && limit > 0)) start.exact = *asked; // a limit alone asks for this very version, too
    }
    if (start.exact > core.store.current_rv()) return refuse(too_large(start.exact, core.store.current_rv()));
    return start;
}

// The objects of a collection in pages: as they are, or as they were.
class Pages {
public:
    Pages(const Store& store, const Call& call, const ListStart& start) : store_(store), id_(call.id()), ns_(call.path.ns) {
        if (!start.exact) return;
        if (start.exact < store.oldest_rv(id_)) {
            gone_ = true;
            return;
        }
        const auto later = store.events_after(id_, start.exact, 1);
        if (later && later->events.empty() && store.durable_rv() >= store.current_rv()) return; // nothing changed since
        past_ = objects_at(store, id_, ns_, start.exact);
        gone_ = !past_;
    }
    [[nodiscard]] bool gone() const { return gone_; }
    [[nodiscard]] Store::Page next(std::size_t limit, const std::optional<std::pair<std::string, std::string>>& after) const {
        if (!past_) return store_.list(id_, ns_, limit, after);
        Store::Page page;
        for (const auto& o : *past_) {
            if (after && std::tie(o->ns, o->name) <= std::tie(after->first, after->second)) continue;
            if (limit && page.objects.size() == limit)
                ++page.remaining;
            else
                page.objects.push_back(o);
        }
        return page;
    }

private:
    const Store& store_;
    std::string id_, ns_;
    std::optional<std::vector<ObjectPtr>> past_;
    bool gone_ = false;
};

std::string resource_list_kind(const Call& call) { return call.resource->kind; }

std::chrono::seconds watch_timeout(std::int64_t asked) {
    static std::atomic<unsigned> spread = 0; // 30 to 60 minutes, so that watches do not all end together
    if (asked == 0) return std::chrono::seconds(1800 + (spread.fetch_add(397) % 1800));
    return std::chrono::seconds(std::clamp<std::int64_t>(asked, 0, 86400));
}

// What lists, watches and deletions of collections are asked with. In the real server's order: what cannot be read comes before what does not go together.
struct ListOptions {
    std::chrono::seconds timeout{0};
    std::size_t limit = 0;
    LabelSelector labels;
    std::vector<FieldSelector::Term> fields;
};

Api<ListOptions> list_options(const Call& call, bool watch) {
    const HttpRequest& http = *call.http;
    ListOptions o;
    API_TRY(const std::int64_t seconds, number_param(http, "timeoutSeconds"));
    API_TRY(const std::int64_t limit, number_param(http, "limit"));
    o.timeout = watch_timeout(seconds);
    o.limit = limit < 0 ? 0 : static_cast<std::size_t>(limit); // less than none is no limit
    auto labels = LabelSelector::parse(http.param("labelSelector"), SelectorWords::api_server);
    if (!labels) return refuse(bad_request(labels.error().message));
    auto fields = FieldSelector::parse(http.param("fieldSelector"));
    if (!fields) return refuse(bad_request(fields.error().message));
    if (auto causes = watch ? watch_problems(http) : list_problems(http); !causes.empty()) return refuse(invalid("ListOptions", "meta.k8s.io", "", std::move(causes)));
    for (const auto& term : fields->terms())
        if (!selectable(call, term.field)) return refuse(no_such_field(call, term.field));
    o.labels = std::move(*labels);
    for (const auto& term : fields->terms()) o.fields.push_back(stored_term(call, term));
    return o;
}

// A test for the selectors (and the request's name); empty when there is nothing to test.
std::function<bool(const StoredObject&)> matcher(const Call& call, const ListOptions& options) {
    const std::string name = call.path.name;
    if (options.labels.empty() && options.fields.empty() && name.empty()) return {};
    bool deep = false; // needs more than what the store keeps beside the JSON
    for (const auto& t : options.fields) deep = deep || (t.field != "metadata.name" && t.field != "metadata.namespace");
    return [labels = options.labels, fields = options.fields, name, deep, resource = call.resource, version = call.version](const StoredObject& o) {
        if (!name.empty() && o.name != name) return false;
        for (const auto& r : labels.requirements()) {
            std::string_view value;
            bool has = false;
            for (const auto& [k, v] : o.labels)
                if (k == r.key) value = v, has = true;
            if (!r.matches(has ? &value : nullptr)) return false;
        }
        for (const auto& t : fields) {
            if (t.field == "metadata.name" && (o.name == t.value) != t.equal) return false;
            if (t.field == "metadata.namespace" && (o.ns == t.value) != t.equal) return false;
        }
        if (!deep) return true;
        const Node object = convert_version(*resource, parse_stored(o), *version);
        return std::ranges::all_of(fields, [&](const FieldSelector::Term& t) { return (value_of(object, t.field) == t.value) == t.equal; });
    };
}

} // namespace

Api<HttpResponse> read_object(Core& core, Call& call) {
    const auto rv = call.http->param("resourceVersion");
    const auto asked = parse_rv(rv);
    if (asked && *asked > core.store.current_rv()) return refuse(too_large(*asked, core.store.current_rv()));
    API_TRY(const Presentation form, negotiate(call));
    if (!rv.empty() && !asked)
        return refuse(unreadable_rv(rv));
    const ObjectPtr o = core.store.get(call.id(), call.path.ns, call.path.name);
    if (!o) return refuse(call.not_found());
    if (form.form == Presentation::Form::metadata && form.list)
        return refuse(wrong_metadata("you requested PartialObjectMetadataList, but the requested object is not a list (" + go_type(call, false) + ")"));
    return respond_json(call, 200, present(call, form, *o));
}

Api<void> check_list_options(const Call& call) {
    API_TRY_VOID(list_options(call, false));
    return {};
}

Api<Selected> select_objects(Core& core, Call& call) {
    const HttpRequest& http = *call.http;
    API_TRY(const ListOptions options, list_options(call, false));
    const auto matches = matcher(call, options);
    std::size_t limit = options.limit;
    if (http.param("resourceVersion") == "0" && http.param("continue").empty() && http.param("resourceVersionMatch") != "Exact") limit = 0; // the watch cache gives all
    API_TRY(ListStart start, list_start(core, call, limit));
    const Pages pages(core.store, call, start);
    if (pages.gone()) return refuse(start.from_token ? continue_expired(call, *start.from_token) : expired("The resourceVersion for the provided list is too old."));
    std::uint64_t rv = start.exact;
    auto after = start.after;
    std::vector<ObjectPtr> items;
    std::size_t remaining = 0;
    bool more = false;
    for (;;) { // with selectors, pages are read until enough objects match
        const std::size_t want = limit ? limit - items.size() : 0;
        auto page = pages.next(want, after);
        if (!rv) rv = page.rv;
        if (!page.objects.empty()) after = {page.objects.back()->ns, page.objects.back()->name};
        for (auto& o : page.objects)
            if (!matches || matches(*o)) items.push_back(std::move(o));
        remaining = page.remaining;
        more = page.remaining > 0;
        if (!more || items.size() >= limit) break;
    }
    std::string token;
    if (more) token = encode(call, {static_cast<std::int64_t>(rv), after->first, after->second});
    return Selected{std::move(items), rv, std::move(token), matches ? 0 : remaining};
}

Api<HttpResponse> read_list(Core& core, Call& call) {
    API_TRY(const Presentation form, negotiate(call));
    if (form.form == Presentation::Form::metadata && !form.list)
        return refuse(wrong_metadata("you requested PartialObjectMetadata, but the requested object is a list (" + go_type(call, true) + ")"));
    API_TRY(const Selected found, select_objects(core, call));
    return respond_json(call, 200, present_list(call, form, found.items, found.rv, found.token, found.remaining));
}

Api<std::pair<HttpResponse, std::shared_ptr<StreamSource>>> read_watch(Core& core, const std::shared_ptr<Call>& call) {
    const HttpRequest& http = *call->http;
    API_TRY(const Presentation form, negotiate(*call));
    if (form.yaml) return refuse(not_acceptable("application/json;stream=watch, application/vnd.kubernetes.protobuf;stream=watch", false));
    WatchOptions o;
    API_TRY(const ListOptions options, list_options(*call, true));
    o.matches = matcher(*call, options);
    o.timeout = options.timeout;
    o.store_id = call->id();
    o.ns = call->path.ns;
    o.bookmarks = http.flag("allowWatchBookmarks");
    if (call->resource->custom) o.served = [&core, at = call->path] { return core.registry()->find(at.group, at.version, at.resource) != nullptr; };
    const bool as_object = form.form == Presentation::Form::object;
    o.kind = as_object ? resource_list_kind(*call) : form.form == Presentation::Form::table ? "Table" : "PartialObjectMetadata";
    o.api_version = as_object ? call->api_version() : std::string(form.meta_version);
    o.render = [call, form, first = std::make_shared<bool>(true)](const StoredObject& object) {
        std::string json = present(*call, form, object, *first);
        *first = false;
        return json;
    };
    const auto text = http.param("resourceVersion");
    const bool send_initial = http.flag("sendInitialEvents");
    std::uint64_t asked = 0;
    if (!text.empty()) {
        const auto v = parse_rv(text);
        if (!v) return refuse(unreadable_rv(text));
        asked = *v;
    }
    if (send_initial || (asked == 0 && !http.has_param("sendInitialEvents"))) {
        auto page = core.store.list(o.store_id, o.ns);
        for (auto& object : page.objects)
            if (!o.matches || o.matches(*object)) o.initial.push_back(std::move(object));
        o.since = o.initial_rv = page.rv;
        o.initial_bookmark = send_initial && o.bookmarks;
    } else {
        o.since = asked ? asked : core.store.current_rv();
        if (o.since < core.store.oldest_rv(o.store_id)) {
            // As the real server: the stream starts with 200 and tells the error as its only event.
            o.since = asked;
        }
    }
    HttpResponse head;
    head.content_type = "application/json";
    for (const auto& w : call->warnings) head.headers.emplace_back("Warning", "299 - \"" + w + "\"");
    return std::pair{std::move(head), make_watch(core.store, std::move(o))};
}

} // namespace weber::kube::server
