-- Schema 2: what a daemon needs. Stores in the field hold it: never edit this file, add the next migration beside it.

-- What the daemon knows of a pipeline. `version_id` is the last version that was valid; `error` says why the text that is there now is not.
CREATE TABLE pipeline (
    name       TEXT PRIMARY KEY,
    file       TEXT,
    version_id INTEGER REFERENCES pipeline_version (id),
    error      TEXT,
    present    INTEGER NOT NULL, -- 0 once its file is gone
    paused_at  INTEGER,
    changed_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- How far the slots of a schedule have been decided. `schedule` is its canonical text: an edited schedule begins anew.
CREATE TABLE schedule_state (
    pipeline  TEXT NOT NULL,
    schedule  TEXT NOT NULL,
    watermark INTEGER NOT NULL,
    PRIMARY KEY (pipeline, schedule)
) STRICT, WITHOUT ROWID;

-- What became of an instant at which a pipeline was due: a run, or a reason why there is none. One row stands for `count` slots in a
-- row, the last at `until`, where they were skipped together.
CREATE TABLE slot (
    pipeline   TEXT NOT NULL,
    at         INTEGER NOT NULL,
    until      INTEGER NOT NULL,
    count      INTEGER NOT NULL,
    decision   TEXT NOT NULL,
    reason     TEXT,
    run_id     TEXT REFERENCES run (id) ON DELETE SET NULL,
    decided_at INTEGER NOT NULL,
    PRIMARY KEY (pipeline, at)
) STRICT, WITHOUT ROWID;
CREATE INDEX slot_by_run ON slot (run_id) WHERE run_id IS NOT NULL; -- for the foreign key

-- Where a conditional trigger (`on:`) stands: what it has seen, and what waits for its debounce.
CREATE TABLE trigger_state (
    pipeline      TEXT NOT NULL,
    trigger_key   TEXT NOT NULL,
    seen          TEXT NOT NULL, -- JSON
    pending       TEXT,          -- JSON
    pending_since INTEGER,
    PRIMARY KEY (pipeline, trigger_key)
) STRICT, WITHOUT ROWID;

-- The ends of runs in the order in which they were recorded: what triggers on other pipelines read.
CREATE TABLE run_end (
    seq      INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id   TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    pipeline TEXT NOT NULL,
    status   TEXT NOT NULL,
    at       INTEGER NOT NULL
) STRICT;
CREATE INDEX run_end_by_run ON run_end (run_id);

-- What people want of a run that another process executes.
CREATE TABLE control (
    id         INTEGER PRIMARY KEY AUTOINCREMENT,
    run_id     TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    body       TEXT NOT NULL, -- JSON
    created_at INTEGER NOT NULL,
    done_at    INTEGER,
    result     TEXT
) STRICT;
CREATE INDEX control_open ON control (run_id) WHERE done_at IS NULL;
CREATE INDEX control_by_run ON control (run_id);

-- Runs that a person asked for over a span of dates.
CREATE TABLE backfill (
    id           INTEGER PRIMARY KEY AUTOINCREMENT,
    pipeline     TEXT NOT NULL,
    since        INTEGER NOT NULL,
    until        INTEGER NOT NULL,
    max_active   INTEGER NOT NULL,
    created_at   INTEGER NOT NULL,
    cancelled_at INTEGER
) STRICT;

-- One value a name: the daemon's address, when it last looked at the clock.
CREATE TABLE fact (
    name  TEXT PRIMARY KEY,
    value TEXT NOT NULL -- JSON
) STRICT, WITHOUT ROWID;

ALTER TABLE run ADD COLUMN priority INTEGER NOT NULL DEFAULT 0;
ALTER TABLE run ADD COLUMN cause TEXT; -- JSON: what led to it, for people and for the next trigger
ALTER TABLE run ADD COLUMN backfill_id INTEGER REFERENCES backfill (id);
ALTER TABLE run ADD COLUMN replay_of TEXT;
ALTER TABLE task ADD COLUMN pool TEXT;
ALTER TABLE task ADD COLUMN pool_slots INTEGER NOT NULL DEFAULT 1;

-- Runs that nobody executes yet, by pipeline in their order; those under way; tasks under way.
CREATE INDEX run_unclaimed ON run (pipeline, priority DESC, seq) WHERE status = 'queued' AND owner IS NULL;
CREATE INDEX run_active ON run (pipeline) WHERE status = 'running';
CREATE INDEX run_by_end ON run (ended_at) WHERE ended_at IS NOT NULL;
CREATE INDEX run_by_backfill ON run (backfill_id) WHERE backfill_id IS NOT NULL;
CREATE INDEX task_running ON task (state) WHERE state = 'running';
