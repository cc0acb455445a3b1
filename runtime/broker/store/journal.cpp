// The journal of operations in the store.
#include "broker/store/state_store.h"

#include <array>
#include <utility>

namespace gearbox {

namespace {

constexpr std::array<std::pair<OperationState, const char*>, 4> operation_states = {{
    {OperationState::running, "running"},
    {OperationState::undoing, "undoing"},
    {OperationState::done, "done"},
    {OperationState::failed, "failed"},
}};

constexpr std::array<std::pair<StepState, const char*>, 5> step_states = {{
    {StepState::pending, "pending"},
    {StepState::running, "running"},
    {StepState::done, "done"},
    {StepState::failed, "failed"},
    {StepState::undone, "undone"},
}};

template <typename Table, typename State>
const char* word_of(const Table& table, State state) {
    for (const auto& [value, word] : table) {
        if (value == state) {
            return word;
        }
    }
    return "";
}

template <typename Table>
auto parse_word(const Table& table, const std::string& text) {
    for (const auto& [value, word] : table) {
        if (text == word) {
            return value;
        }
    }
    return table.front().first;
}

#define GEARBOX_OPERATIONS \
    "SELECT id, request_id, user_id, kind, subject, request, state, error, created FROM operations "

}  // namespace

const char* name_of(OperationState state) { return word_of(operation_states, state); }
const char* name_of(StepState state) { return word_of(step_states, state); }

void StateStore::insert_operation(const OperationRecord& record) {
    const std::lock_guard lock(mutex_);
    sqlite::Transaction transaction(db_);
    db_.run("INSERT INTO operations (id, request_id, user_id, kind, subject, request, state, error,"
            " created) VALUES (?,?,?,?,?,?,?,?,?)",
            record.id.text(), record.request_id, record.user.text(), record.kind, record.subject,
            to_text(record.request), name_of(record.state), record.error, record.created);
    std::int64_t position = 0;
    for (const StepRecord& step : record.steps) {
        db_.run("INSERT INTO operation_steps VALUES (?,?,?,?,?,?,?)", record.id.text(), position++,
                step.name, step.title, name_of(step.state), step.started_ms, step.elapsed_ms);
    }
    transaction.commit();
}

void StateStore::set_operation(const OperationId& id, OperationState state,
                               const std::string& error) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE operations SET state=?, error=? WHERE id=?", name_of(state), error, id.text());
}

void StateStore::set_step(const OperationId& id, const StepRecord& step) {
    const std::lock_guard lock(mutex_);
    db_.run("UPDATE operation_steps SET state=?, started_ms=?, elapsed_ms=?"
            " WHERE operation_id=? AND name=?",
            name_of(step.state), step.started_ms, step.elapsed_ms, id.text(), step.name);
}

OperationRecord StateStore::read_operation(sqlite::Statement& row) const {
    OperationRecord record;
    record.id = OperationId(row.text(0));
    record.request_id = row.text(1);
    record.user = row.text(2).empty() ? UserId() : UserId(row.text(2));
    record.kind = row.text(3);
    record.subject = row.text(4);
    record.request = parse_json(row.text(5));
    record.state = parse_word(operation_states, row.text(6));
    record.error = row.text(7);
    record.created = row.number(8);
    const auto step = db_.query("SELECT name, title, state, started_ms, elapsed_ms FROM"
                                " operation_steps WHERE operation_id=? ORDER BY position",
                                record.id.text());
    while (step->next()) {
        record.steps.push_back({step->text(0), step->text(1), parse_word(step_states, step->text(2)),
                                step->number(3), step->number(4)});
    }
    return record;
}

std::vector<OperationRecord> StateStore::unfinished_operations() const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        GEARBOX_OPERATIONS "WHERE state IN ('running','undoing') ORDER BY sequence");
    std::vector<OperationRecord> found;
    while (row->next()) {
        found.push_back(read_operation(*row));
    }
    return found;
}

std::optional<OperationRecord> StateStore::find_operation(const UserId& user,
                                                          const std::string& request_id) const {
    const std::lock_guard lock(mutex_);
    const auto row = db_.query(
        GEARBOX_OPERATIONS "WHERE request_id=? AND user_id=? ORDER BY sequence DESC LIMIT 1",
        request_id, user.text());
    return row->next() ? std::optional(read_operation(*row)) : std::nullopt;
}

void StateStore::prune_operations(std::int64_t keep) {
    const std::lock_guard lock(mutex_);
    db_.run("DELETE FROM operations WHERE state IN ('done','failed') AND sequence NOT IN"
            " (SELECT sequence FROM operations WHERE state IN ('done','failed')"
            " ORDER BY sequence DESC LIMIT ?)",
            keep);
}

}  // namespace gearbox
