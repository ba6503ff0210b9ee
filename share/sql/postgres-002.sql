-- SPDX-License-Identifier: MIT
-- Version 2. The end of a job changes no column that an index knows, so that
-- Postgres writes the new row version beside the old one and no index entry
-- (a HOT update), and a lease writes two. The table is written anew, for the
-- columns that come first are the fast ones, and pages need room. Programs
-- that know version 1 only cannot use it: lease_until_ms is gone.
ALTER TABLE jobs RENAME TO jobs_1;
ALTER TABLE jobs_1 DROP CONSTRAINT jobs_id;
DROP INDEX jobs_state, jobs_queued, jobs_due, jobs_leased, jobs_ended, jobs_key;

CREATE TABLE jobs (
	id uuid NOT NULL,
	seq bigint GENERATED ALWAYS AS IDENTITY, -- the order of creation
	created_ms bigint NOT NULL,
	run_at_ms bigint NOT NULL,
	started_ms bigint NOT NULL DEFAULT 0,
	finished_ms bigint NOT NULL DEFAULT 0,
	until_ms bigint NOT NULL DEFAULT 0, -- the end of the lease
	timeout_ms bigint NOT NULL,
	attempt bigint NOT NULL DEFAULT 0,
	max_attempts bigint NOT NULL,
	fail_count bigint NOT NULL DEFAULT 0,
	batch bigint NOT NULL DEFAULT 0, -- its row in leases while it runs
	priority integer NOT NULL,
	state smallint NOT NULL,
	-- What the indexes know of the state: the same number, but 2 for
	-- complete jobs, too.
	place smallint NOT NULL,
	keyed boolean NOT NULL DEFAULT false, -- has a key and has not ended
	type text COLLATE "C" NOT NULL,
	data bytea NOT NULL,
	lease uuid,
	worker bytea,
	result bytea,
	reported uuid, -- the last lease that a report has ended; but the lease
	key bytea,     -- of a complete job is one, too
	progress bytea,
	error bytea,
	log bytea
) WITH (fillfactor = 40, -- the three versions of a row fit into its page
	autovacuum_vacuum_scale_factor = 0.02,
	autovacuum_vacuum_threshold = 1000,
	autovacuum_analyze_scale_factor = 0.1,
	autovacuum_vacuum_cost_delay = 1);

-- Where the running jobs are: the jobs of one lease, of one worker. Each
-- running job is among the ids of the row that its batch names, and until_ms
-- is not after the end of its lease. Others among the ids have ended, and a
-- row without a running job is of no use. See leases.c.
CREATE TABLE leases (
	number bigint PRIMARY KEY,
	until_ms bigint NOT NULL,
	worker bytea,
	ids uuid[] NOT NULL
) WITH (autovacuum_vacuum_threshold = 500, autovacuum_vacuum_scale_factor = 0);
ALTER TABLE leases ALTER ids SET STORAGE MAIN;
CREATE INDEX leases_until ON leases (until_ms);

-- Where the ended jobs are, for purges: each is among the ids of a row of its
-- state whose finished_ms is not after its own. Others among the ids are gone,
-- or have been run again. See purge.c.
CREATE TABLE ends (
	number bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	finished_ms bigint NOT NULL,
	state smallint NOT NULL,
	ids uuid[] NOT NULL
);
ALTER TABLE ends ALTER ids SET STORAGE MAIN;
CREATE INDEX ends_due ON ends (state, finished_ms);

INSERT INTO ends (state, finished_ms, ids)
	SELECT state, min(finished_ms), array_agg(id) FROM (SELECT id, state,
	finished_ms, (row_number() OVER (PARTITION BY state
	ORDER BY finished_ms) - 1) / 100 AS part
	FROM jobs_1 WHERE state >= 3) AS x GROUP BY state, part;
INSERT INTO leases SELECT seq, lease_until_ms, worker, ARRAY[id]
	FROM jobs_1 WHERE state = 2;
INSERT INTO jobs (id, seq, created_ms, run_at_ms, started_ms, finished_ms,
	until_ms, timeout_ms, attempt, max_attempts, fail_count, batch,
	priority, state, place, keyed, type, data, lease, worker, result,
	reported, key, progress, error, log)
	OVERRIDING SYSTEM VALUE SELECT id, seq, created_ms, run_at_ms,
	started_ms, finished_ms, lease_until_ms, timeout_ms, attempt,
	max_attempts, fail_count, CASE state WHEN 2 THEN seq ELSE 0 END,
	priority, state,
	CASE state WHEN 3 THEN 2 ELSE state END, state <= 2 AND key IS NOT NULL,
	type, data, lease, worker, result, reported, key, progress, error, log
	FROM jobs_1;
SELECT setval(pg_get_serial_sequence('jobs', 'seq'),
	(SELECT coalesce(max(seq), 0) + 1 FROM jobs_1), false);
DROP TABLE jobs_1;

-- Which index a statement uses must not depend on statistics: they are wrong
-- whenever a table has grown since, and plans are kept. So each condition is
-- written in a way that only one index fits. What says "place = N" uses this
-- one, for lists and the walk over all queued jobs.
ALTER TABLE jobs ADD CONSTRAINT jobs_id PRIMARY KEY (id)
	WITH (fillfactor = 60); -- a lease makes a second entry
CREATE INDEX jobs_place ON jobs (place, seq);
-- What says "place + 0" uses one of these: the order in which the jobs of a
-- type go out, and times.
CREATE INDEX jobs_queued ON jobs (type, priority DESC, seq)
	WHERE place + 0 = 1;
CREATE INDEX jobs_due ON jobs (run_at_ms) WHERE place + 0 = 0;
CREATE UNIQUE INDEX jobs_key ON jobs (type, key) WHERE keyed;
-- What names only the state finds its rows by their ids.
