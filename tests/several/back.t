#!/bin/sh
# SPDX-License-Identifier: MIT
# How soon all is well again: after Postgres returns, after Redis is flushed,
# while Redis is away, and for workers whose manager dies.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

postgres
redis
several 2 --lease 4

# What they say of themselves.
like 'readiness names the store and its promise' "$(ready 1 store)" \
    'PostgreSQL.*fsync=on.*survives a power cut'
like 'and the queue' "$(ready 1 queue)" '(Redis|Valkey) [0-9].*first in, first out'
is 'jobs are durable' "$(ready 1 durable)" true
is 'and nothing is degraded' "$(ready 2 degraded)" false

# 100,000 jobs of a type without a worker.
sql "INSERT INTO forerunner.jobs (id, created_ms, run_at_ms, timeout_ms,
	priority, max_attempts, state, place, type, data)
	SELECT gen_random_uuid(), 0, 0, 0, 0, 3, 1, 1, 'many', 'null'
	FROM generate_series(1, 100000);
	INSERT INTO forerunner.counts (type, shard, scheduled, queued, running,
	complete, failed, cancelled) VALUES ('many', 0, 0, 100000, 0, 0, 0, 0)"
offered() { rcli ZCARD '{forerunner}:fifo:queue:many'; }
all_offered() { [ "$(offered)" = 100000 ]; }
slow=$FR_TEST_SLOW
FR_TEST_SLOW=$((slow * 3))
until_ok all_offered
is 'a queue that lacks what the store has is filled' "$(offered)" 100000
at_rest() { [ "$(ready 1 loading)$(ready 2 loading)" = falsefalse ]; }
until_ok at_rest
t0=$(ms)
is 'Redis is flushed' "$(printf 'FLUSHALL\nDBSIZE\n' | rcli | tr '\n' ' ')" 'OK 0 '
until_ok all_offered
quick '100,000 jobs are on offer again' 10000 "$t0"
FR_TEST_SLOW=$slow
rcli FLUSHALL >/dev/null # what follows need not wait for them
at 1 fr-ctl pause many >/dev/null

# Redis away.
start env FR_MANAGER="$URL_2" fr-worker -c 1 echo=cat
is 'work goes on' "$(at 1 fr-submit --wait=60 echo 1)" 1
for how in KILL STOP; do
	redis_was=$REDIS_PID
	kill -$how "$REDIS_PID"
	t0=$(ms)
	is "Redis away ($how): leases come from the store" \
	    "$(at 1 fr-submit --wait=60 echo 2)" 2
	quick 'soon' 9000 "$t0"
	is_degraded() { [ "$(ready "$1" degraded)" = true ]; }
	ok 'readiness says so' until_ok is_degraded 1
	like 'and so does the overview' "$(at 1 fr-status)" 'degraded|queue fails'
	is 'the manager is ready all the same' "$(ready 1 ready)" true
	case $how in
	KILL)
		wait "$redis_was" 2>/dev/null
		redis_start
		;;
	*) kill -CONT "$REDIS_PID" ;;
	esac
	well() { [ "$(ready 1 degraded)$(ready 2 degraded)" = falsefalse ]; }
	ok 'until it is back' until_ok well
done

# Postgres away and back.
postgres_stop QUIT
unready() { [ "$(ready 1 ready)" = false ]; }
ok 'without Postgres it is not ready' until_ok unready
like 'and says why' "$(ready 1 reason)" 'postgres'
t0=$(ms)
like 'the overview, too' "$(at 1 fr-status 2>/dev/null)" 'reason: postgres'
quick 'without waiting for better times' 5000 "$t0"
asked() { at "$1" fr-submit --retry 0 echo 5 >/dev/null 2>&1; }
postgres_start
t0=$(ms)
until_ok asked 1
quick 'service at one manager is back with Postgres' 3000 "$t0"
until_ok asked 2
quick 'and at the other' 3000 "$t0"
is 'and work goes on' "$(at 1 fr-submit --wait=60 echo 6)" 6

# A worker's manager dies; the worker has both addresses.
start fr-worker -m "$URL_1,$URL_2" -c 2 \
    "long=echo \$\$ >>$T/long; while [ ! -e $T/finish ]; do sleep 0.1; done; echo 7" \
    'quick=cat'
id=$(at 1 fr-submit long)
until_ok test -s "$T/long"
down 1
is 'a manager is killed' "$(alive "$PID_1")" no
t0=$(ms)
is 'a worker goes on at the next manager' \
    "$(at 2 fr-submit --wait=60 quick 8)" 8
quick 'at once' 2000 "$t0"
t0=$(ms)
is 'and so do clients' \
    "$(fr-submit -m "$URL_1,$URL_2" --wait=60 quick 9)" 9
quick 'at once, too' 2000 "$t0"
# Its lease is renewed by the other one, until it is longer than it was.
lease_end() {
	sql 'SELECT max(until_ms) FROM forerunner.jobs WHERE state = 2'
}
renewed_to() { [ "$(lease_end)" -gt "$1" ]; }
ok 'the lease of its job is renewed' \
    until_ok renewed_to $(($(lease_end) + 4000))
: >"$T/finish"
is 'it has kept its lease' \
    "$(at 2 fr-status --wait=60 --json "$id" | json attempt)" 1
is 'and what it finished is delivered' "$(at 2 field "$id" result)" 7
is 'having been run once' "$(wc -l <"$T/long")" 1
again 1
is 'the manager that returns says the same' "$(at 1 field "$id" state)" complete
done_testing
