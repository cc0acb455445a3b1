#include "broker/store/sqlite.h"

#include "base/error.h"
#include "base/fd.h"
#include "base/log.h"

#include <sqlite3.h>

#include <fcntl.h>

namespace gearbox::sqlite {

namespace {

void check_sqlite(sqlite3* db, int rc, std::string_view doing) {
    if (rc == SQLITE_OK || rc == SQLITE_ROW || rc == SQLITE_DONE) {
        return;
    }
    const char* reason = db != nullptr ? sqlite3_errmsg(db) : sqlite3_errstr(rc);
    const bool is_constraint = (rc & 0xff) == SQLITE_CONSTRAINT;
    fail(is_constraint ? ErrorKind::conflict : ErrorKind::internal, "state database: ", doing, ": ",
         reason);
}

}  // namespace

Statement::~Statement() {
    sqlite3_reset(statement_);
    sqlite3_clear_bindings(statement_);
}

void Statement::bind(int place, std::string_view text) {
    check_sqlite(db_,
                 sqlite3_bind_text64(statement_, place, text.data(), text.size(), SQLITE_TRANSIENT,
                                     SQLITE_UTF8),
                 "binding text");
}

void Statement::bind(int place, std::int64_t number) {
    check_sqlite(db_, sqlite3_bind_int64(statement_, place, number), "binding a number");
}

void Statement::bind(int place, std::nullptr_t) {
    check_sqlite(db_, sqlite3_bind_null(statement_, place), "binding null");
}

bool Statement::next() {
    const int rc = sqlite3_step(statement_);
    check_sqlite(db_, rc, "running a statement");
    return rc == SQLITE_ROW;
}

std::string Statement::text(int column) const {
    const void* data = sqlite3_column_blob(statement_, column);
    const auto size = static_cast<std::size_t>(sqlite3_column_bytes(statement_, column));
    return data == nullptr ? std::string() : std::string(static_cast<const char*>(data), size);
}

std::int64_t Statement::number(int column) const {
    return sqlite3_column_int64(statement_, column);
}

bool Statement::is_null(int column) const {
    return sqlite3_column_type(statement_, column) == SQLITE_NULL;
}

Database::Database(const std::string& file) {
    if (file != ":memory:") {
        // Password hashes are in it: nobody else's to read. The -wal and -shm files get its mode.
        const UniqueFd made(::open(file.c_str(), O_RDWR | O_CREAT | O_CLOEXEC, 0600));
        check(made.get(), "creating state database '", file, "'");
    }
    const int rc = sqlite3_open_v2(
        file.c_str(), &db_, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX, nullptr);
    if (rc != SQLITE_OK) {
        const std::string reason = sqlite3_errstr(rc);
        sqlite3_close_v2(db_);
        fail(ErrorKind::internal, "opening state database '", file, "': ", reason);
    }
    sqlite3_busy_timeout(db_, 5000);
    // synchronous=FULL: the journal of operations must survive a power cut. A small page cache
    // keeps the daemon small; the database is a few hundred KiB.
    execute("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON;"
            "PRAGMA cache_size=-512; PRAGMA temp_store=MEMORY;");
}

Database::~Database() {
    for (const auto& [sql, statement] : prepared_) {
        sqlite3_finalize(statement);
    }
    if (sqlite3_close(db_) != SQLITE_OK) {
        log::error("closing the state database: ", sqlite3_errmsg(db_));
    }
}

void Database::execute(const std::string& script) {
    check_sqlite(db_, sqlite3_exec(db_, script.c_str(), nullptr, nullptr, nullptr), "running a script");
}

std::int64_t Database::total_changes() const { return sqlite3_total_changes64(db_); }

std::int64_t Database::changes() const { return sqlite3_changes64(db_); }

std::unique_ptr<Statement> Database::prepare(const char* sql) {
    sqlite3_stmt*& statement = prepared_[sql];
    if (statement == nullptr) {
        check_sqlite(db_, sqlite3_prepare_v3(db_, sql, -1, SQLITE_PREPARE_PERSISTENT, &statement, nullptr),
                     sql);
    }
    return std::make_unique<Statement>(db_, statement);
}

Transaction::Transaction(Database& db) : db_(db) { db_.execute("BEGIN IMMEDIATE"); }

Transaction::~Transaction() {
    if (!open_) {
        return;
    }
    try {
        db_.execute("ROLLBACK");
    } catch (const Error& error) {
        log::error("rolling back: ", error.text());
    }
}

void Transaction::commit() {
    db_.execute("COMMIT");
    open_ = false;
}

}  // namespace gearbox::sqlite
