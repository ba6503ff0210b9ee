-- SPDX-License-Identifier: MIT
-- The first schema of the SQLite store. See backends/sqlite/sq.h for why.

-- The names of types; jobs carry the number.
CREATE TABLE type (
    n INTEGER PRIMARY KEY,
    name TEXT NOT NULL UNIQUE,
    paused INTEGER NOT NULL DEFAULT 0
);

-- How many jobs of a type are in a state.
CREATE TABLE count (
    type INTEGER NOT NULL,
    state INTEGER NOT NULL,
    n INTEGER NOT NULL,
    PRIMARY KEY (type, state)
) WITHOUT ROWID;

-- What a job was made of. Never changed; seq is the order of creation.
CREATE TABLE job (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    type INTEGER NOT NULL,
    priority INTEGER NOT NULL,
    max_attempts INTEGER NOT NULL,
    timeout_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL,
    run_at_ms INTEGER NOT NULL,
    key TEXT,
    data TEXT NOT NULL
);
CREATE UNIQUE INDEX job_id ON job (id);

-- What became of it. A job without a row here is queued, for the first time.
-- States: 0 scheduled, 1 queued, 2 running, 3 complete, 4 failed, 5 cancelled.
CREATE TABLE ran (
    seq INTEGER PRIMARY KEY,
    type INTEGER NOT NULL,
    state INTEGER NOT NULL,
    keyed INTEGER NOT NULL,      -- 1: the job has a key
    said INTEGER NOT NULL,       -- 1: it has a row in said
    told INTEGER NOT NULL,       -- 1: a report has ended the lease
    attempt INTEGER NOT NULL,
    fail_count INTEGER NOT NULL,
    run_at_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL,
    finished_ms INTEGER NOT NULL,
    until_ms INTEGER NOT NULL,   -- the end of the lease
    lease BLOB,
    prior BLOB,                  -- the last lease before, if reported on
    worker TEXT,
    result TEXT                  -- a short one; a long one is in said
);
CREATE INDEX ran_scheduled ON ran (run_at_ms) WHERE state = 0;
CREATE INDEX ran_running ON ran (until_ms) WHERE state = 2;
CREATE INDEX ran_complete ON ran (finished_ms) WHERE state = 3;
CREATE INDEX ran_failed ON ran (finished_ms) WHERE state = 4;
CREATE INDEX ran_cancelled ON ran (finished_ms) WHERE state = 5;

-- What workers said of a job, where it is more than a short result.
CREATE TABLE said (
    seq INTEGER PRIMARY KEY,
    progress TEXT,
    result TEXT,
    error TEXT,
    log TEXT
);

-- The queued jobs, with all that a queue needs to know of them.
CREATE TABLE queued (
    seq INTEGER PRIMARY KEY,
    id BLOB NOT NULL,
    type INTEGER NOT NULL,
    priority INTEGER NOT NULL
);

-- The keys of unfinished jobs.
CREATE TABLE held (
    type INTEGER NOT NULL,
    key TEXT NOT NULL,
    seq INTEGER NOT NULL,
    PRIMARY KEY (type, key)
) WITHOUT ROWID;

-- Events that hooks asked for and have not got yet. Numbers are never used
-- again.
CREATE TABLE outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT,
    kind INTEGER NOT NULL,
    tries INTEGER NOT NULL,
    claimed_ms INTEGER NOT NULL,
    type TEXT NOT NULL,
    json TEXT NOT NULL
);
