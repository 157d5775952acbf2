#include "kube/base/error.h"

namespace weber::kube {

std::string Where::to_string() const {
    std::string out = file;
    if (line != 0) {
        out += (out.empty() ? "line " : ":") + std::to_string(line);
        if (column != 0) out += ":" + std::to_string(column);
    }
    return out;
}

bool Error::retryable() const {
    switch (code) {
    case ErrorCode::conflict:
    case ErrorCode::throttled:
    case ErrorCode::unavailable:
    case ErrorCode::timeout: return true;
    default: return false;
    }
}

std::string Error::to_string() const {
    std::string out = where.to_string();
    if (!out.empty()) out += ": ";
    if (!object.empty() && !message.starts_with(object)) out += object + ": ";
    out += message;
    if (!hint.empty()) out += " (" + hint + ")";
    return out;
}

Error Error::with_prefix(std::string_view prefix) && {
    message.insert(0, prefix);
    return std::move(*this);
}

Error Error::at(Where w) && {
    if (where.file.empty() && where.line == 0) where = std::move(w);
    return std::move(*this);
}

Error Error::on(std::string_view obj) && {
    if (object.empty()) object = obj;
    return std::move(*this);
}

Error Error::advise(std::string_view text) && {
    if (hint.empty()) hint = text;
    return std::move(*this);
}

std::string_view to_string(ErrorCode code) {
    switch (code) {
    case ErrorCode::invalid: return "invalid";
    case ErrorCode::unsupported: return "unsupported";
    case ErrorCode::not_found: return "not_found";
    case ErrorCode::already_exists: return "already_exists";
    case ErrorCode::conflict: return "conflict";
    case ErrorCode::unauthorized: return "unauthorized";
    case ErrorCode::forbidden: return "forbidden";
    case ErrorCode::too_large: return "too_large";
    case ErrorCode::gone: return "gone";
    case ErrorCode::throttled: return "throttled";
    case ErrorCode::unavailable: return "unavailable";
    case ErrorCode::timeout: return "timeout";
    case ErrorCode::cancelled: return "cancelled";
    case ErrorCode::internal: return "internal";
    }
    return "internal";
}

} // namespace weber::kube
