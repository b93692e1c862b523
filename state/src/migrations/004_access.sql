-- Schema 4: who may ask the daemon, and what they did. Stores in the field hold it: never edit this file, add the next migration beside it.

-- People. `role` is `viewer`, `operator` or `admin`; without a password only a link signs in.
CREATE TABLE user (
    name       TEXT PRIMARY KEY,
    role       TEXT NOT NULL,
    password   TEXT, -- argon2id, as a PHC string
    created_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- What programs show. Only the hash is kept. `scope` is a role that caps the user's, or `metrics`.
CREATE TABLE api_token (
    id           TEXT PRIMARY KEY,
    hash         TEXT NOT NULL UNIQUE,
    user         TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    name         TEXT NOT NULL,
    scope        TEXT NOT NULL,
    created_at   INTEGER NOT NULL,
    expires_at   INTEGER,
    last_used_at INTEGER
) STRICT, WITHOUT ROWID;
CREATE INDEX api_token_by_user ON api_token (user);

-- Who is signed in with a browser. `by_link`: it may set a password without giving the old one.
CREATE TABLE session (
    hash       TEXT PRIMARY KEY,
    user       TEXT NOT NULL REFERENCES user (name) ON DELETE CASCADE,
    by_link    INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    used_at    INTEGER NOT NULL,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;
CREATE INDEX session_by_user ON session (user);

-- Links that sign in once. The user need not be there yet: `role` is the one that they are made with.
CREATE TABLE sign_in_link (
    hash       TEXT PRIMARY KEY,
    user       TEXT NOT NULL,
    role       TEXT,
    expires_at INTEGER NOT NULL
) STRICT, WITHOUT ROWID;

-- Who did what. Names, not references: it outlives those whom it tells of.
CREATE TABLE audit (
    seq     INTEGER PRIMARY KEY AUTOINCREMENT,
    at      INTEGER NOT NULL,
    user    TEXT NOT NULL,
    via     TEXT NOT NULL,
    action  TEXT NOT NULL,
    object  TEXT NOT NULL,
    detail  TEXT NOT NULL,
    address TEXT NOT NULL,
    outcome TEXT NOT NULL
) STRICT;
CREATE INDEX audit_by_user ON audit (user);
CREATE INDEX audit_by_action ON audit (action);
