-- Schema 1. Stores in the field hold it: never edit this file, add the next migration beside it.
--
-- Times are milliseconds since 1970-01-01 UTC. Columns that hold JSON say so.

PRAGMA application_id = 0x52464c57; -- "RFLW": tells a store from any other SQLite file

-- A pipeline's text, kept once a content. A run points at the text that it executes.
CREATE TABLE pipeline_version (
    id         INTEGER PRIMARY KEY,
    pipeline   TEXT NOT NULL,
    hash       TEXT NOT NULL,
    text       TEXT NOT NULL,
    file       TEXT,
    created_at INTEGER NOT NULL,
    UNIQUE (pipeline, hash)
) STRICT;

-- `seq` grows by one a run, whatever the clock does: "newest" means the highest.
CREATE TABLE run (
    seq            INTEGER PRIMARY KEY,
    id             TEXT NOT NULL UNIQUE,
    pipeline       TEXT NOT NULL,
    version_id     INTEGER NOT NULL REFERENCES pipeline_version (id),
    run_trigger    TEXT NOT NULL,
    logical_date   INTEGER NOT NULL,
    params         TEXT NOT NULL, -- JSON
    status         TEXT NOT NULL,
    owner          TEXT,
    created_at     INTEGER NOT NULL,
    started_at     INTEGER,
    ended_at       INTEGER,
    reason         TEXT,
    workspace      TEXT NOT NULL,
    binary_version TEXT NOT NULL
) STRICT;

-- Each index ends with `seq`, the row's key, so it yields its rows newest first. The one on `status` is not
-- limited to open runs: a search for the failed ones among a million needs it as much as recovery does.
CREATE INDEX run_by_pipeline ON run (pipeline);
CREATE INDEX run_by_status ON run (status);

CREATE TABLE task (
    run_id     TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    position   INTEGER NOT NULL,
    task_id    TEXT NOT NULL,
    stage      TEXT NOT NULL,
    state      TEXT NOT NULL,
    generation INTEGER NOT NULL,
    attempts   INTEGER NOT NULL,
    queued_at  INTEGER,
    started_at INTEGER,
    ended_at   INTEGER,
    reason     TEXT,
    error      TEXT, -- JSON
    PRIMARY KEY (run_id, position)
) STRICT, WITHOUT ROWID;

-- `inputs` are the rendered ones with secrets masked; `log` is relative to the folder of the store.
CREATE TABLE attempt (
    run_id         TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    task_id        TEXT NOT NULL,
    number         INTEGER NOT NULL,
    generation     INTEGER NOT NULL,
    state          TEXT NOT NULL,
    pid            INTEGER,
    pid_start      INTEGER,
    started_at     INTEGER NOT NULL,
    ended_at       INTEGER,
    exit           TEXT,
    peak_rss_bytes INTEGER,
    cpu_ms         INTEGER,
    inputs         TEXT, -- JSON
    error          TEXT, -- JSON
    output         TEXT, -- JSON
    log            TEXT,
    progress       TEXT, -- JSON
    PRIMARY KEY (run_id, task_id, number)
) STRICT;

-- The log of a run: `seq` counts from 1 without a gap.
CREATE TABLE event (
    run_id TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    seq    INTEGER NOT NULL,
    at     INTEGER NOT NULL,
    body   TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, seq)
) STRICT, WITHOUT ROWID;

-- The current output of a task: what later tasks read.
CREATE TABLE output (
    run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    value   TEXT NOT NULL, -- JSON
    PRIMARY KEY (run_id, task_id)
) STRICT;

-- Points of series, such as the loss by iteration. SQLite has no NaN, so NULL stands for it.
CREATE TABLE metric (
    run_id  TEXT NOT NULL REFERENCES run (id) ON DELETE CASCADE,
    task_id TEXT NOT NULL,
    attempt INTEGER NOT NULL,
    name    TEXT NOT NULL,
    step    INTEGER NOT NULL,
    value   REAL,
    PRIMARY KEY (run_id, task_id, attempt, name, step)
) STRICT, WITHOUT ROWID;
