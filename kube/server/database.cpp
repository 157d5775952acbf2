#include "kube/server/database.h"

#include <sqlite3.h>

namespace weber::kube::server {
namespace {

void bind(sqlite3_stmt* stmt, int index, std::string_view text) {
    sqlite3_bind_text(stmt, index, text.data(), static_cast<int>(text.size()), SQLITE_STATIC);
}

std::string_view column(sqlite3_stmt* stmt, int index) {
    const auto* data = reinterpret_cast<const char*>(sqlite3_column_blob(stmt, index));
    return {data ? data : "", static_cast<std::size_t>(sqlite3_column_bytes(stmt, index))};
}

} // namespace

Error Database::failure(const char* what) {
    return Error{.code = ErrorCode::unavailable,
                 .message = std::string(what) + " " + path_ + ": " + (db_ ? sqlite3_errmsg(db_) : "out of memory")};
}

Result<std::unique_ptr<Database>> Database::open(const std::string& path) {
    std::unique_ptr<Database> d(new Database);
    d->path_ = path;
    if (sqlite3_open_v2(path.c_str(), &d->db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr) !=
        SQLITE_OK)
        return fail(d->failure("cannot open"));
    // Exclusive locking keeps a second server off the same data and saves the shared-memory file.
    const char* setup = "PRAGMA locking_mode=EXCLUSIVE; PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;"
                        "PRAGMA wal_autocheckpoint=4000; PRAGMA cache_size=-2048;"
                        "CREATE TABLE IF NOT EXISTS objects(resource TEXT, ns TEXT, name TEXT, rv INTEGER, json TEXT,"
                        " PRIMARY KEY(resource, ns, name)) WITHOUT ROWID;"
                        "CREATE TABLE IF NOT EXISTS meta(key TEXT PRIMARY KEY, value TEXT) WITHOUT ROWID;"
                        "BEGIN IMMEDIATE; COMMIT;";
    if (sqlite3_exec(d->db_, setup, nullptr, nullptr, nullptr) != SQLITE_OK) {
        Error e = d->failure("cannot prepare");
        if (sqlite3_errcode(d->db_) == SQLITE_BUSY) e.hint = "another server uses this data folder";
        return fail(std::move(e));
    }
    TRY_VOID(d->prepare("INSERT OR REPLACE INTO objects VALUES(?,?,?,?,?)", d->put_));
    TRY_VOID(d->prepare("DELETE FROM objects WHERE resource=? AND ns=? AND name=?", d->remove_));
    TRY_VOID(d->prepare("SELECT value FROM meta WHERE key=?", d->get_meta_));
    TRY_VOID(d->prepare("INSERT OR REPLACE INTO meta VALUES(?,?)", d->set_meta_));
    return d;
}

Database::~Database() {
    for (auto* stmt : {put_, remove_, get_meta_, set_meta_}) sqlite3_finalize(stmt);
    sqlite3_close(db_);
}

Result<void> Database::prepare(const char* sql, sqlite3_stmt*& out) {
    if (sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &out, nullptr) != SQLITE_OK)
        return fail(failure("cannot prepare"));
    return {};
}

Result<void> Database::run(sqlite3_stmt* stmt) {
    const int rc = sqlite3_step(stmt);
    sqlite3_reset(stmt);
    if (rc != SQLITE_DONE && rc != SQLITE_ROW) return fail(failure("cannot write"));
    return {};
}

Result<void> Database::begin() {
    if (sqlite3_exec(db_, "BEGIN IMMEDIATE", nullptr, nullptr, nullptr) != SQLITE_OK) return fail(failure("cannot write"));
    return {};
}

Result<void> Database::commit() {
    if (sqlite3_exec(db_, "COMMIT", nullptr, nullptr, nullptr) != SQLITE_OK) return fail(failure("cannot write"));
    return {};
}

void Database::rollback() { sqlite3_exec(db_, "ROLLBACK", nullptr, nullptr, nullptr); }

Result<void> Database::put(std::string_view resource, std::string_view ns, std::string_view name, std::uint64_t rv,
                           std::string_view json) {
    bind(put_, 1, resource);
    bind(put_, 2, ns);
    bind(put_, 3, name);
    sqlite3_bind_int64(put_, 4, static_cast<sqlite3_int64>(rv));
    bind(put_, 5, json);
    return run(put_);
}

Result<void> Database::remove(std::string_view resource, std::string_view ns, std::string_view name) {
    bind(remove_, 1, resource);
    bind(remove_, 2, ns);
    bind(remove_, 3, name);
    return run(remove_);
}

Result<void> Database::load(const std::function<void(std::string_view, std::string_view, std::string_view, std::uint64_t,
                                                     std::string_view)>& each) {
    sqlite3_stmt* stmt = nullptr;
    TRY_VOID(prepare("SELECT resource, ns, name, rv, json FROM objects", stmt));
    int rc;
    while ((rc = sqlite3_step(stmt)) == SQLITE_ROW)
        each(column(stmt, 0), column(stmt, 1), column(stmt, 2), static_cast<std::uint64_t>(sqlite3_column_int64(stmt, 3)),
             column(stmt, 4));
    sqlite3_finalize(stmt);
    if (rc != SQLITE_DONE) return fail(failure("cannot read"));
    return {};
}

Result<std::string> Database::get_meta(std::string_view key) {
    bind(get_meta_, 1, key);
    std::string value;
    const int rc = sqlite3_step(get_meta_);
    if (rc == SQLITE_ROW) value = column(get_meta_, 0);
    sqlite3_reset(get_meta_);
    if (rc != SQLITE_ROW && rc != SQLITE_DONE) return fail(failure("cannot read"));
    return value;
}

Result<void> Database::set_meta(std::string_view key, std::string_view value) {
    bind(set_meta_, 1, key);
    bind(set_meta_, 2, value);
    return run(set_meta_);
}

} // namespace weber::kube::server
