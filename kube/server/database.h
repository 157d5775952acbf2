// The SQLite file under the store: one table of objects, one of small values. Not thread-safe: one user at a time.
#pragma once

#include <cstdint>
#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "kube/base/error.h"

struct sqlite3;
struct sqlite3_stmt;

namespace weber::kube::server {

class Database {
public:
    // Opens or creates the file with WAL journal and full synchronisation (each commit is on disk when it returns).
    // Another process that holds the file gives `unavailable`.
    static Result<std::unique_ptr<Database>> open(const std::string& path);
    ~Database();
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;

    Result<void> begin();
    Result<void> put(std::string_view resource, std::string_view ns, std::string_view name, std::uint64_t rv,
                     std::string_view json);
    Result<void> remove(std::string_view resource, std::string_view ns, std::string_view name);
    Result<void> commit();
    void rollback();

    Result<void> load(const std::function<void(std::string_view resource, std::string_view ns, std::string_view name,
                                               std::uint64_t rv, std::string_view json)>& each);
    Result<std::string> get_meta(std::string_view key);
    Result<void> set_meta(std::string_view key, std::string_view value); // inside a transaction or by itself

private:
    Database() = default;
    Result<void> prepare(const char* sql, sqlite3_stmt*& out);
    Result<void> run(sqlite3_stmt* stmt);
    Error failure(const char* what);

    sqlite3* db_ = nullptr;
    sqlite3_stmt *put_ = nullptr, *remove_ = nullptr, *get_meta_ = nullptr, *set_meta_ = nullptr;
    std::string path_;
};

} // namespace weber::kube::server
