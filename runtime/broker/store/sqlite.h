// SQLite behind two small classes: every statement is prepared once and bound, never concatenated.
#pragma once
#include <cstdint>
#include <memory>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>

struct sqlite3;
struct sqlite3_stmt;

namespace gearbox::sqlite {

/// One run of a prepared statement. Give it back (destroy it) before the same text is used again.
class Statement {
public:
    explicit Statement(sqlite3* db, sqlite3_stmt* statement) : db_(db), statement_(statement) {}
    Statement(const Statement&) = delete;
    Statement& operator=(const Statement&) = delete;
    ~Statement();

    void bind(int place, std::string_view text);
    void bind(int place, std::int64_t number);
    void bind(int place, std::nullptr_t);
    template <typename T>
    void bind(int place, const std::optional<T>& value) {
        value ? bind(place, *value) : bind(place, nullptr);
    }

    /// Steps to the next row; false at the end. Throws Error(conflict) for a broken constraint.
    bool next();

    std::string text(int column) const;
    std::int64_t number(int column) const;
    bool is_null(int column) const;

private:
    sqlite3* db_;
    sqlite3_stmt* statement_;
};

/// A connection with its prepared statements. Not thread-safe: the owner locks.
class Database {
public:
    /// ":memory:" for tests. WAL, foreign keys on, waits 5 s for another process's lock.
    explicit Database(const std::string& file);
    Database(const Database&) = delete;
    Database& operator=(const Database&) = delete;
    ~Database();

    /// Several statements without parameters.
    void execute(const std::string& script);

    template <typename... Values>
    std::unique_ptr<Statement> query(const char* sql, const Values&... values) {
        auto statement = prepare(sql);
        int place = 0;
        (statement->bind(++place, values), ...);
        return statement;
    }
    /// Runs a statement that returns no rows; how many rows it changed.
    template <typename... Values>
    std::int64_t run(const char* sql, const Values&... values) {
        query(sql, values...)->next();
        return changes();
    }
    std::int64_t changes() const;
    /// Rows changed since the connection was opened, by foreign keys too.
    std::int64_t total_changes() const;

private:
    std::unique_ptr<Statement> prepare(const char* sql);

    sqlite3* db_ = nullptr;
    // Keyed by the text's address: callers pass literals.
    std::unordered_map<const char*, sqlite3_stmt*> prepared_;
};

/// BEGIN IMMEDIATE … COMMIT; rolled back unless committed.
class Transaction {
public:
    explicit Transaction(Database& db);
    Transaction(const Transaction&) = delete;
    Transaction& operator=(const Transaction&) = delete;
    ~Transaction();
    void commit();

private:
    Database& db_;
    bool open_ = true;
};

}  // namespace gearbox::sqlite
