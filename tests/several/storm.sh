# SPDX-License-Identifier: MIT
# Sourced by the storms: load on three managers while what they stand on
# fails. FR_MANAGER is where clients and workers go. Each fault is counted
# where it shows: in what the server says, in /readyz, in the managers' logs.
# shellcheck shell=sh disable=SC2034,SC2154,SC2317
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

mkdir "$T/H"
cat >"$T/kept.py" <<'E2'
import json, sys
for line in sys.stdin:
    print(json.dumps({"result": json.loads(line)["attempt"]}), flush=True)
E2
printf '#!/bin/sh\nexec %s -S -I %s\n' "$FR_PYTHON" "$T/kept.py" >"$T/H/kept.lines"
# shellcheck disable=SC2016 # for the handler's shell
printf '#!/bin/sh\ncat >/dev/null; echo "$FR_JOB_ATTEMPT"\n' >"$T/H/spawned"
chmod +x "$T/H/"*

crew() { start env FR_MANAGER="$VIA" fr-worker -c 2 -H "$T/H"; }
# Lots of jobs, until there are enough: what is acknowledged is written down.
bulk() {
	until [ -e "$T/enough" ]; do
		seq 1 40 | fr-submit -m "$VIA" --max-attempts 1000 --bulk \
		    "$1" >"$T/lot.$1" 2>>"$T/log"
		cat "$T/lot.$1" >>"$T/acked.$1"
		sleep 0.1
	done
}
# One at a time; who waits is told what the store says, too.
single() {
	until [ -e "$T/enough" ]; do
		id=$(fr-submit -m "$VIA" --priority 9 --max-attempts 1000 spawned 1 \
		    2>>"$T/log") || continue
		echo "$id" >>"$T/acked.single"
		result=$(fr-status -m "$VIA" --wait=60 --result "$id" \
		    2>>"$T/log") && [ -n "$result" ] &&
			echo "$id $result" >>"$T/told"
	done
}
load() {
	: >"$T/told"
	for f in 'bulk kept' 'bulk spawned' single; do
		$f &
		LOADS="${LOADS:-} $!"
		PIDS="$PIDS $!"
	done
}
done_jobs() { sql 'SELECT count(*) FROM forerunner.jobs WHERE state = 3' 2>/dev/null; }
# progress: waits until work goes on, so that the next fault strikes work.
progress() {
	fr_before=$(done_jobs)
	fr_more() { [ "$(done_jobs)" -gt "${fr_before:-0}" ]; }
	until_ok fr_more
}
unfinished() { sql 'SELECT count(*) FROM forerunner.jobs WHERE state < 3'; }
all_ended() { [ "$(unfinished)" = 0 ]; }

KILLS=0 FLUSHED=0 DEGRADED=0 TERMINATED=0 AWAY=0
degraded() { # waits until some manager says that its queue fails
	fr_degraded() {
		for m in 1 2 3; do
			[ "$(ready "$m" degraded)" != true ] || return 0
		done
		return 1
	}
	if until_ok fr_degraded; then DEGRADED=$((DEGRADED + 1)); fi
}
away() { # waits until a manager's log says once more that the store is away
	fr_away() { [ "$(grep -c 'the store is away' "$T/log")" -gt "$1" ]; }
	if until_ok fr_away "$1"; then AWAY=$((AWAY + 1)); fi
}
strike() { # FAULT
	case $1 in
	manager-*)
		again "${1#manager-}"
		KILLS=$((KILLS + 1))
		;;
	worker)
		kill -KILL "$WORKER" && KILLS=$((KILLS + 1))
		crew
		WORKER=$PID
		;;
	flush)
		[ "$(rcli FLUSHALL)" = OK ] && FLUSHED=$((FLUSHED + 1))
		;;
	redis-killed)
		redis_stop
		degraded
		redis_start
		;;
	redis-stopped)
		kill -STOP "$REDIS_PID"
		degraded
		kill -CONT "$REDIS_PID"
		;;
	redis-full)
		rcli CONFIG SET maxmemory 1 >/dev/null
		degraded
		rcli CONFIG SET maxmemory 0 >/dev/null
		;;
	redis-readonly)
		rcli REPLICAOF 127.0.0.1 1 >/dev/null
		degraded
		rcli REPLICAOF NO ONE >/dev/null
		;;
	postgres-immediate)
		fr_seen=$(grep -c 'the store is away' "$T/log")
		postgres_stop QUIT
		postgres_start
		away "$fr_seen"
		;;
	backends)
		fr_n=$(sql "SELECT count(pg_terminate_backend(pid))
			FROM pg_stat_activity WHERE pid <> pg_backend_pid()
			AND application_name LIKE '%forerunner%'")
		TERMINATED=$((TERMINATED + fr_n))
		;;
	esac
	progress
}
# storm FAULT...: and then the verdict.
storm() {
	crew
	crew
	WORKER=$PID
	load
	progress
	for fault; do
		strike "$fault"
	done
	: >"$T/enough"
	# shellcheck disable=SC2086 # a list of numbers
	wait $LOADS
	fr_slow=$FR_TEST_SLOW
	FR_TEST_SLOW=$((FR_TEST_SLOW * 3))
	ok 'all ends' until_ok all_ended
	FR_TEST_SLOW=$fr_slow
	cat "$T"/acked.* >"$T/acked"
	sql "SELECT json_build_object('id', id, 'state',
		(ARRAY['scheduled', 'queued', 'running', 'complete', 'failed',
		'cancelled'])[state + 1], 'attempt', attempt, 'result',
		convert_from(coalesce(result, 'null'), 'UTF8')::json)
		FROM forerunner.jobs" >"$T/jobs"
	diag "$(wc -l <"$T/acked") jobs acknowledged, $(wc -l <"$T/told") waited for, \
$(sql 'SELECT count(*) FROM forerunner.jobs WHERE attempt > 1') run again"
	is 'each acknowledged job ended once, with the result of its last attempt' \
	    "$("$FR_PYTHON" "${0%/*}/judge.py" "$T/acked" "$T/jobs" "$T/told")" ''
	ok 'and there were some' [ "$(wc -l <"$T/acked")" -ge 200 ]
	ok 'of which some were waited for' test -s "$T/told"
}
