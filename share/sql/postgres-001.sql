-- SPDX-License-Identifier: MIT
-- Version 1 of the Postgres store. It is run in the store's own schema, in
-- one transaction. JSON and text of users is bytea: it must come back byte
-- for byte, in any database encoding, U+0000 in a key included.

-- seq is the order of creation. Every change of state writes a new row
-- version and an entry into each index that has it, so there are few: most
-- hold only the jobs in one state.
CREATE TABLE jobs (
	seq bigint GENERATED ALWAYS AS IDENTITY,
	id uuid NOT NULL,
	lease uuid,
	reported uuid, -- the last lease that a report has ended
	created_ms bigint NOT NULL,
	run_at_ms bigint NOT NULL,
	started_ms bigint NOT NULL DEFAULT 0,
	finished_ms bigint NOT NULL DEFAULT 0,
	lease_until_ms bigint NOT NULL DEFAULT 0,
	timeout_ms bigint NOT NULL,
	priority integer NOT NULL,
	attempt bigint NOT NULL DEFAULT 0,
	max_attempts bigint NOT NULL,
	fail_count bigint NOT NULL DEFAULT 0,
	state smallint NOT NULL,
	type text COLLATE "C" NOT NULL,
	data bytea NOT NULL,
	key bytea,
	worker bytea,
	progress bytea,
	result bytea,
	error bytea,
	log bytea,
	CONSTRAINT jobs_id PRIMARY KEY (id)
) WITH (autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_threshold = 1000,
	autovacuum_analyze_scale_factor = 0.1,
	autovacuum_vacuum_cost_delay = 1);

-- Which index a statement uses must not depend on statistics: they are wrong
-- whenever a table has grown since, and plans are kept. So the conditions are
-- written in three ways, and each statement has one index that fits. What
-- says "state = N" uses this one, for lists and the walk over all jobs in a
-- state.
CREATE UNIQUE INDEX jobs_state ON jobs (state, seq);
-- What says "state + 0" uses one of these: the order in which the jobs of a
-- type go out, times, leases, ages, keys.
CREATE INDEX jobs_queued ON jobs (type, priority DESC, seq)
	WHERE state + 0 = 1;
CREATE INDEX jobs_due ON jobs (run_at_ms) WHERE state + 0 = 0;
CREATE INDEX jobs_leased ON jobs (lease_until_ms) WHERE state + 0 = 2;
CREATE INDEX jobs_ended ON jobs ((state + 0), finished_ms)
	WHERE state + 0 >= 3;
CREATE UNIQUE INDEX jobs_key ON jobs (type, key)
	WHERE state + 0 <= 2 AND key IS NOT NULL;
-- What says "0 + state" finds its rows by their ids.

-- How many jobs of a type are in each state: the sum over the shards. Each
-- handle adds to a shard of its own, so that managers do not wait for each
-- other.
CREATE TABLE counts (
	type text COLLATE "C" NOT NULL,
	shard integer NOT NULL,
	scheduled bigint NOT NULL,
	queued bigint NOT NULL,
	running bigint NOT NULL,
	complete bigint NOT NULL,
	failed bigint NOT NULL,
	cancelled bigint NOT NULL,
	PRIMARY KEY (type, shard)
) WITH (fillfactor = 50, autovacuum_vacuum_threshold = 500);

-- Types that are paused, and nothing else.
CREATE TABLE paused (
	type text COLLATE "C" PRIMARY KEY
);

-- The number of the last transaction of each handle: written first in every
-- transaction, so that a handle that lost its connection during a commit can
-- tell what became of it.
CREATE TABLE handles (
	handle bigint PRIMARY KEY,
	number bigint NOT NULL,
	seen timestamptz NOT NULL
) WITH (fillfactor = 20, autovacuum_vacuum_threshold = 500);

CREATE TABLE outbox (
	number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	kind smallint NOT NULL,
	type text COLLATE "C" NOT NULL,
	json bytea NOT NULL,
	tries bigint NOT NULL DEFAULT 0,
	claimed_ms bigint NOT NULL DEFAULT -9223372036854775808
);

CREATE TABLE workers (
	id bytea PRIMARY KEY,
	json bytea NOT NULL,
	seen_ms bigint NOT NULL
) WITH (fillfactor = 50);
