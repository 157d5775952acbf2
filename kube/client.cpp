#include "kube/client.h"

#include <algorithm>
#include <atomic>
#include <iterator>
#include <thread>

#include "kube/base/json.h"
#include "kube/http_client.h"
#include "kube/typed_object.h"

namespace weber::kube {

namespace {

// `text` of each `Warning: 299 - "text"`.
std::vector<std::string> warnings_of(const HttpResponse& response) {
    std::vector<std::string> out;
    for (const HttpHeader& h : response.headers) {
        if (h.name.size() != 7 || (h.name != "Warning" && h.name != "warning")) continue;
        const auto open = h.value.find('"');
        if (open == std::string::npos) continue;
        std::string text;
        for (std::size_t i = open + 1; i < h.value.size() && h.value[i] != '"'; ++i) {
            if (h.value[i] == '\\' && i + 1 < h.value.size()) ++i;
            text += h.value[i];
        }
        out.push_back(std::move(text));
    }
    return out;
}

Result<Node> node_of(const HttpResponse& response) {
    if (response.status / 100 != 2) return fail(error_of_response(response));
    auto node = read_json(response.body);
    const auto no_answer = [](Error error) { // who asked is not to blame: e.g. a proxy has put its page there
        error.code = ErrorCode::unavailable;
        return fail(std::move(error).with_prefix("the server's answer: "));
    };
    if (!node) return no_answer(std::move(node.error()));
    if (!node->is_map() || node->text_at("kind").empty()) return no_answer({.message = "it is no object of Kubernetes"});
    return node;
}

Result<Object> object_of(const Result<HttpResponse>& response) {
    if (!response) return std::unexpected(response.error());
    TRY(Node node, node_of(*response));
    return Object(std::move(node));
}

Result<Written> written_of(const Result<HttpResponse>& response) {
    if (!response) return std::unexpected(response.error());
    TRY(Node node, node_of(*response));
    return Written{.object = Object(std::move(node)), .created = response->status == 201, .warnings = warnings_of(*response)};
}

// Gone at once: a Status, or the last state of an object that nothing holds back.
Result<bool> removed_of(const Result<HttpResponse>& response) {
    if (!response) return std::unexpected(response.error());
    TRY(Node node, node_of(*response));
    if (node.text_at("kind") == "Status") return true;
    const Object last(std::move(node));
    if (!last.deleting()) return true;
    const Node* finalizers = last.at({"metadata", "finalizers"});
    const Node* grace = last.at({"metadata", "deletionGracePeriodSeconds"});
    const bool namespace_drains = last.kind() == "Namespace" && last.api_version() == "v1";
    return !namespace_drains && (!finalizers || finalizers->empty()) && (!grace || grace->as_int().value_or(0) == 0);
}

std::string_view content_type(PatchType type) {
    switch (type) {
    case PatchType::json: return "application/json-patch+json";
    case PatchType::merge: return "application/merge-patch+json";
    case PatchType::strategic: return "application/strategic-merge-patch+json";
    }
    return kAcceptJson;
}

std::string_view word(Propagation policy) {
    switch (policy) {
    case Propagation::background: return "Background";
    case Propagation::foreground: return "Foreground";
    case Propagation::orphan: return "Orphan";
    case Propagation::server_default: break;
    }
    return "";
}

void add_write_query(HttpRequest& request, std::string_view manager, bool dry_run, std::string_view validation) {
    if (dry_run) add_query(request.target, "dryRun", "All");
    add_query(request.target, "fieldManager", manager);
    add_query(request.target, "fieldValidation", validation);
    if (dry_run) request.idempotent = true;
}

template <class T>
Result<T> on(Result<T> result, const ObjectKey& key) {
    if (!result) return fail(std::move(result.error()).on(key.subject()));
    return result;
}

} // namespace

void add_query(std::string& target, std::string_view key, std::string_view value) {
    if (value.empty()) return;
    target += target.find('?') == std::string::npos ? '?' : '&';
    target += key;
    target += '=';
    target += url_escape(value);
}

Object typed_object(const Node& node, const GroupVersionKind& gvk, bool metadata_only) {
    Node out = Node::map();
    out.set("apiVersion", Node::string(gvk.api_version()));
    out.set("kind", Node::string(gvk.kind));
    for (const Node::Entry& e : node.entries()) {
        const std::string_view key = e.key;
        if (key == "apiVersion" || key == "kind" || (metadata_only && key != "metadata")) continue;
        out.append_unchecked(e.key, e.value);
    }
    return Object(std::move(out));
}

ObjectRef ref_of(const Object& object) {
    return {.gvk = object.gvk(), .ns = std::string(object.ns()), .name = std::string(object.name())};
}

Result<std::shared_ptr<Client>> Client::connect(const ClientConfig& config, DiscoveryOptions discovery) {
    TRY(std::shared_ptr<HttpClient> http, HttpClient::create(config));
    return std::make_shared<Client>(std::move(http), std::move(discovery));
}

Client::Client(std::shared_ptr<Transport> transport, DiscoveryOptions discovery)
    : transport_(std::move(transport)), discovery_(transport_, discovery), open_api_(transport_, discovery) {}

Client::~Client() = default;

Result<ApiResource> Client::resource_of(const GroupVersionKind& gvk, const Call& call) {
    return gvk.version.empty() ? discovery_.preferred(gvk.group_kind(), call.stop, call.timeout) : discovery_.find(gvk, call.stop, call.timeout);
}

template <class T>
void Client::check_address(const Result<T>& result, const std::string& group) {
    if (!result && is_unknown_address(result.error())) discovery_.forget(group);
}

// A request for one object, or with an empty name for its collection.
Result<HttpRequest> Client::object_request(std::string_view method, const GroupVersionKind& gvk, std::string_view ns, std::string_view name,
                                           std::string_view subresource, const Call& call) {
    TRY(const ApiResource resource, resource_of(gvk, call));
    if (resource.namespaced && ns.empty()) {
        // client-go's preflight check; a PATCH is not checked there, the server answers it.
        if (method == "POST") return fail(ErrorCode::invalid, "an empty namespace may not be set during creation");
        if (method != "PATCH" && !name.empty())
            return fail(ErrorCode::invalid, "an empty namespace may not be set when a resource name is provided");
    }
    if (method != "POST" && name.empty()) return fail(ErrorCode::invalid, "resource name may not be empty");
    if (name == "." || name == ".." || name.find_first_of("/%") != std::string_view::npos)
        return fail(ErrorCode::invalid, "invalid resource name \"" + std::string(name) + "\"");
    HttpRequest request{.method = std::string(method), .target = resource.path(ns, name), .timeout = call.timeout};
    if (!subresource.empty()) request.target += "/" + url_escape(subresource);
    request.headers.push_back({"Accept", std::string(kAcceptJson)});
    return request;
}

Result<HttpRequest> Client::get_request(const ObjectRef& ref, const GetOptions& options, const Call& call) {
    TRY(HttpRequest request, object_request("GET", ref.gvk, ref.ns, ref.name, {}, call));
    if (options.metadata_only) request.headers.front().value = kAcceptMetadata;
    add_query(request.target, "resourceVersion", options.resource_version);
    return request;
}

Result<Object> Client::get(const ObjectRef& ref, const GetOptions& options, const Call& call) {
    return std::move(get_all(std::span(&ref, 1), 1, options, call).front());
}

Result<std::optional<Object>> Client::find(const ObjectRef& ref, const GetOptions& options, const Call& call) {
    auto found = get(ref, options, call);
    if (found) return std::optional<Object>(std::move(*found));
    if (found.error().code == ErrorCode::not_found && found.error().http_status == 404) return std::optional<Object>();
    return std::unexpected(std::move(found.error()));
}

namespace {

// Requests [begin, end): those that could be made are sent together, those that could not keep their error.
template <class T, class Make, class Finish>
void send_part(Transport& transport, std::size_t begin, std::size_t end, std::size_t in_flight, const Call& call, const Make& make, const Finish& finish,
               std::vector<Result<T>>& results) {
    std::vector<HttpRequest> requests;
    std::vector<std::size_t> owners;
    for (std::size_t i = begin; i < end; ++i) {
        Result<HttpRequest> request = make(i);
        if (request) {
            requests.push_back(std::move(*request));
            owners.push_back(i);
        } else {
            results[i] = std::unexpected(std::move(request.error()));
        }
    }
    auto responses = transport.send_all(std::move(requests), in_flight, call.stop);
    for (std::size_t k = 0; k < owners.size(); ++k) results[owners[k]] = finish(owners[k], responses[k]);
}

// `finish(i, response)` gives result i. Many requests go in parts by two threads, so that one builds requests and reads answers while those of the
// other are on their way; `make` and `finish` are then called on both.
template <class T, class Make, class Finish>
std::vector<Result<T>> send_by_index(Transport& transport, std::size_t count, std::size_t in_flight, const Call& call, const Make& make, const Finish& finish) {
    std::vector<Result<T>> results(count, fail(ErrorCode::internal, "not sent"));
    const std::size_t part = std::max<std::size_t>(2 * in_flight, 64);
    if (in_flight < 2 || count < 4 * part) {
        send_part(transport, 0, count, in_flight, call, make, finish, results);
        return results;
    }
    std::atomic<std::size_t> next{0};
    const auto work = [&](std::size_t share) {
        for (std::size_t begin; (begin = next.fetch_add(part)) < count;)
            send_part(transport, begin, std::min(begin + part, count), share, call, make, finish, results);
    };
    std::jthread other([&] { work(in_flight / 2); });
    work(in_flight - in_flight / 2);
    other.join();
    return results;
}

} // namespace

std::vector<Result<Object>> Client::get_all(std::span<const ObjectRef> refs, std::size_t in_flight, const GetOptions& options, const Call& call) {
    auto results = send_by_index<Object>(
        *transport_, refs.size(), in_flight, call,
        [&](std::size_t i) {
            ++counters_.get;
            return get_request(refs[i], options, call);
        },
        [&](std::size_t i, const Result<HttpResponse>& response) -> Result<Object> {
            TRY(Object object, object_of(response));
            if (!options.metadata_only) return object;
            TRY(const ApiResource resource, resource_of(refs[i].gvk, call));
            return typed_object(object.root(), resource.gvk(), true);
        });
    for (std::size_t i = 0; i < refs.size(); ++i) {
        check_address(results[i], refs[i].gvk.group);
        results[i] = on(std::move(results[i]), refs[i].key());
    }
    return results;
}

Result<ObjectList> Client::list(const GroupVersionKind& gvk, const ListOptions& options, const Call& call) {
    ObjectList out;
    const auto keep = [&](std::vector<Object> page, bool restart) {
        if (restart) out.items.clear();
        std::ranges::move(page, std::back_inserter(out.items));
    };
    TRY(out.resource_version, list_pages(gvk, options, keep, call));
    return out;
}

Result<std::string> Client::list_pages(const GroupVersionKind& gvk, const ListOptions& options, const PageHandler& on_page, const Call& call) {
    TRY(const ApiResource resource, resource_of(gvk, call));
    HttpRequest base{.target = resource.path(options.ns), .timeout = call.timeout};
    base.headers.push_back({"Accept", std::string(options.metadata_only ? kAcceptMetadataList : kAcceptJson)});
    add_query(base.target, "labelSelector", options.label_selector);
    add_query(base.target, "fieldSelector", options.field_selector);
    int limit = options.limit;
    std::string next;
    for (;;) {
        HttpRequest page = base;
        if (limit > 0) add_query(page.target, "limit", std::to_string(limit));
        add_query(page.target, "continue", next);
        if (next.empty()) {
            add_query(page.target, "resourceVersion", options.resource_version);
            add_query(page.target, "resourceVersionMatch", options.resource_version_match);
        }
        ++counters_.list;
        TRY(const HttpResponse response, transport_->send(std::move(page), call.stop));
        auto node = node_of(response);
        if (!node) {
            check_address(node, gvk.group);
            if (node.error().code != ErrorCode::gone || next.empty()) return fail(std::move(node.error()));
            next.clear(); // the snapshot of the pages has expired: once more, in one answer
            limit = 0;
            continue;
        }
        std::vector<Object> items;
        if (const Node* list = node->find("items")) {
            items.reserve(list->size());
            for (const Node& item : list->items()) items.push_back(typed_object(item, resource.gvk(), options.metadata_only));
        }
        on_page(std::move(items), next.empty());
        const Node* more = node->find_path({"metadata", "continue"});
        const std::string before = std::exchange(next, std::string(more ? more->text() : std::string_view()));
        if (!next.empty() && next == before) return fail(ErrorCode::unavailable, "the list does not end: the server gave the same continue token twice");
        if (!next.empty()) continue;
        const Node* version = node->find_path({"metadata", "resourceVersion"});
        return std::string(version ? version->text() : std::string_view());
    }
}

Result<Written> Client::write(HttpRequest request, const ObjectKey& key, const Call& call) {
    auto written = written_of(transport_->send(std::move(request), call.stop));
    check_address(written, key.group);
    return on(std::move(written), key);
}

Result<Written> Client::create(const Object& object, const WriteOptions& options, const Call& call) {
    ++(options.dry_run ? counters_.dry_run : counters_.create);
    auto request = object_request("POST", object.gvk(), object.ns(), {}, {}, call);
    if (!request) return fail(std::move(request.error()).on(object.subject()));
    request->headers.push_back({"Content-Type", std::string(kAcceptJson)});
    request->body = write_json(object.root());
    add_write_query(*request, options.field_manager, options.dry_run, options.field_validation);
    return write(std::move(*request), object.key(), call);
}

Result<Written> Client::update(const Object& object, const WriteOptions& options, const Call& call) {
    ++(options.dry_run ? counters_.dry_run : counters_.update);
    auto request = object_request("PUT", object.gvk(), object.ns(), object.name(), options.subresource, call);
    if (!request) return fail(std::move(request.error()).on(object.subject()));
    request->headers.push_back({"Content-Type", std::string(kAcceptJson)});
    request->body = write_json(object.root());
    add_write_query(*request, options.field_manager, options.dry_run, options.field_validation);
    return write(std::move(*request), object.key(), call);
}

Result<Written> Client::patch(const ObjectRef& ref, PatchType type, const Node& patch, const WriteOptions& options, const Call& call) {
    ++(options.dry_run ? counters_.dry_run : counters_.patch);
    auto request = object_request("PATCH", ref.gvk, ref.ns, ref.name, options.subresource, call);
    if (!request) return fail(std::move(request.error()).on(ref.key().subject()));
    request->headers.push_back({"Content-Type", std::string(content_type(type))});
    request->body = write_json(patch);
    add_write_query(*request, options.field_manager, options.dry_run, options.field_validation);
    return write(std::move(*request), ref.key(), call);
}

Result<HttpRequest> Client::apply_request(const Object& object, const ApplyOptions& options, const Call& call) {
    TRY(HttpRequest request, object_request("PATCH", object.gvk(), object.ns(), object.name(), options.subresource, call));
    request.headers.push_back({"Content-Type", "application/apply-patch+yaml"});
    request.body = write_json(object.root());
    request.idempotent = true; // the same apply twice is one apply
    add_write_query(request, options.field_manager, options.dry_run, options.field_validation);
    if (options.force) add_query(request.target, "force", "true");
    return request;
}

Result<Written> Client::apply(const Object& object, const ApplyOptions& options, const Call& call) {
    return std::move(apply_all(std::span(&object, 1), options, 1, call).front());
}

std::vector<Result<Written>> Client::apply_all(std::span<const Object> objects, const ApplyOptions& options, std::size_t in_flight,
                                               const Call& call) {
    auto results = send_by_index<Written>(
        *transport_, objects.size(), in_flight, call,
        [&](std::size_t i) {
            ++(options.dry_run ? counters_.dry_run : counters_.apply);
            return apply_request(objects[i], options, call);
        },
        [&](std::size_t, const Result<HttpResponse>& response) { return written_of(response); });
    for (std::size_t i = 0; i < objects.size(); ++i) {
        check_address(results[i], std::string(objects[i].group()));
        results[i] = on(std::move(results[i]), objects[i].key());
    }
    return results;
}

Result<HttpRequest> Client::remove_request(const ObjectRef& ref, const DeleteOptions& options, const Call& call) {
    TRY(HttpRequest request, object_request("DELETE", ref.gvk, ref.ns, ref.name, {}, call));
    Node body = Node::map({{"kind", Node::string("DeleteOptions")}, {"apiVersion", Node::string("v1")}});
    if (const auto policy = word(options.propagation); !policy.empty()) body.set("propagationPolicy", Node::string(policy));
    if (options.grace_period_seconds >= 0) body.set("gracePeriodSeconds", Node::integer(options.grace_period_seconds));
    if (!options.uid.empty() || !options.resource_version.empty()) {
        Node preconditions = Node::map();
        if (!options.uid.empty()) preconditions.set("uid", Node::string(options.uid));
        if (!options.resource_version.empty()) preconditions.set("resourceVersion", Node::string(options.resource_version));
        body.set("preconditions", std::move(preconditions));
    }
    if (options.dry_run) {
        body.set("dryRun", Node::list({Node::string("All")})); // with a body the server does not look at the query
        add_query(request.target, "dryRun", "All");
    }
    request.headers.push_back({"Content-Type", std::string(kAcceptJson)});
    request.body = write_json(body);
    request.idempotent = true;
    return request;
}

Result<bool> Client::remove(const ObjectRef& ref, const DeleteOptions& options, const Call& call) {
    return remove_all(std::span(&ref, 1), options, 1, call).front();
}

std::vector<Result<bool>> Client::remove_all(std::span<const ObjectRef> refs, const DeleteOptions& options, std::size_t in_flight,
                                             const Call& call) {
    auto results = send_by_index<bool>(
        *transport_, refs.size(), in_flight, call,
        [&](std::size_t i) {
            ++(options.dry_run ? counters_.dry_run : counters_.remove);
            return remove_request(refs[i], options, call);
        },
        [&](std::size_t, const Result<HttpResponse>& response) { return removed_of(response); });
    for (std::size_t i = 0; i < refs.size(); ++i) {
        check_address(results[i], refs[i].gvk.group);
        results[i] = on(std::move(results[i]), refs[i].key());
    }
    return results;
}

Result<Node> Client::get_raw(std::string_view target, const Call& call) {
    HttpRequest request{.target = std::string(target), .headers = {{"Accept", "application/json, */*"}}, .timeout = call.timeout};
    TRY(HttpResponse response, transport_->send(std::move(request), call.stop));
    if (response.status / 100 != 2) return fail(error_of_response(response));
    if (response.header("Content-Type").starts_with(kAcceptJson)) return read_json(response.body);
    return Node::string(response.body);
}

RequestCounts Client::counts() const {
    return {.get = counters_.get, .list = counters_.list, .watch = counters_.watch, .create = counters_.create, .update = counters_.update,
            .patch = counters_.patch, .apply = counters_.apply, .remove = counters_.remove, .dry_run = counters_.dry_run};
}

} // namespace weber::kube
