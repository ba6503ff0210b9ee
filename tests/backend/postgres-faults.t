#!/bin/sh
# SPDX-License-Identifier: MIT
# What happens to the Postgres store when the server dies under it.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

# agree NAME: the counters say what the table says.
agree() {
	is "$1" "$(sql 'SELECT sum(scheduled), sum(queued), sum(running),
		sum(complete), sum(failed), sum(cancelled)
		FROM forerunner.counts')" \
		"$(sql 'SELECT count(*) FILTER (WHERE state = 0),
		count(*) FILTER (WHERE state = 1),
		count(*) FILTER (WHERE state = 2),
		count(*) FILTER (WHERE state = 3),
		count(*) FILTER (WHERE state = 4),
		count(*) FILTER (WHERE state = 5) FROM forerunner.jobs')"
}

# back COMMAND...: retries until it says ok.
back() {
	fr_until=$(($(date +%s%3N) + 30000 * FR_TEST_SLOW))
	while :; do
		fr_said=$(drive "$@")
		case $fr_said in ok*) break ;; esac
		[ "$(date +%s%3N)" -lt "$fr_until" ] || break
	done
	echo "$fr_said"
}

postgres
driver a
is 'the store opens' "$(drive a store "$PG_URL")" ok
like 'it says what is promised' "$(drive a describe)" \
	'^ok PostgreSQL .*fsync=on.*survives a power cut'
is 'a second handle reads' "$(drive a reader "$PG_TCP")" ok

is 'jobs are created' "$(drive a put 10)" 'ok 10 new'
postgres_stop KILL
like 'without a server nothing is accepted' "$(drive a put 5)" \
	'^again: postgres: '
# What it says is of several lines, and is one in ours.
like 'and it says why' "$(drive a put 5)" \
	' failed: [^?]*\. Is the server running locally [^?]*\?$'
postgres_start
is 'the store is back with the server' "$(back a put 5)" \
	'ok 5 new'
is 'what was accepted before the kill is there' "$(drive a queued)" 'ok 15'
agree 'the counters survived the kill'

is 'a transaction begins' "$(drive a begin)" ok
is 'and creates a job' "$(drive a create 1)" 'ok 1 new'
postgres_stop QUIT
postgres_start
like 'a commit that the server did not see is not one' "$(drive a commit)" \
	'^again: postgres: '
is 'the store works on' "$(drive a put 5)" 'ok 5 new'
is 'without the lost job' "$(drive a queued)" 'ok 20'

drive a begin >/dev/null
drive a create 3 >/dev/null
sql "SELECT count(pg_terminate_backend(pid)) FROM pg_stat_activity
	WHERE application_name LIKE 'forerunner-%'" >"$T/terminated"
is 'the sessions were terminated' "$(cat "$T/terminated")" 2
like 'a terminated session loses its transaction' "$(drive a commit)" \
	'^again: '
is 'and the next one is at hand' "$(drive a put 1)" 'ok 1 new'

# Under load: each fault in turn, and all that was acknowledged is there.
ended() { sql 'SELECT count(*) FROM forerunner.jobs WHERE state = 3'; }
more() { [ "$(ended)" -gt "$was" ]; }
tell a load
for fault in terminate QUIT terminate KILL INT; do
	was=$(ended)
	until_ok more
	case $fault in
	terminate) sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
		WHERE application_name LIKE 'forerunner-%'" >/dev/null ;;
	*)
		postgres_stop "$fault"
		postgres_start
		;;
	esac
done
was=$(ended)
until_ok more
tell a check
like 'work goes on through five faults, which struck' "$(hear a)" \
	'^ok again=some unknown=0$'
is 'every job that was acknowledged has ended once' "$(hear a)" \
	'ok missing=0 unfinished=0'
agree 'the counters are right after all that'
isnt 'there was something to check' \
	"$(sql 'SELECT count(*) FROM forerunner.jobs WHERE state = 3')" 0

# A primary that became a standby refuses to write, and is given up.
sql "ALTER SYSTEM SET default_transaction_read_only = on" >/dev/null
sql "SELECT pg_reload_conf()" >/dev/null
reread() { [ "$(sql 'SHOW default_transaction_read_only')" = "$1" ]; }
until_ok reread on
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE application_name LIKE 'forerunner-%'" >/dev/null
# The first answer may only tell that the connection was ended.
refused() {
	drive a put 1 >"$T/said"
	grep -q read-only "$T/said"
}
until_ok refused
said=$(cat "$T/said")
like 'a server that became read-only is not written to' "$said" \
	'^again: .*read-only'
PGOPTIONS='-c default_transaction_read_only=off' \
	sql 'ALTER SYSTEM RESET default_transaction_read_only' >/dev/null
sql "SELECT pg_reload_conf()" >/dev/null
is 'and is used again when it is writable' "$(back a put 1)" 'ok 1 new'

# A server that hangs, here within a transaction.
drive a begin >/dev/null
drive a create 1 >/dev/null
for pid in $(sql "SELECT pid FROM pg_stat_activity
	WHERE application_name LIKE 'forerunner-%' AND state LIKE 'idle in%'"); do
	kill -STOP "$pid"
done
is 'a session hangs' "$(ps -o state= -p "$pid")" T
before=$(date +%s)
tell a commit
sleep 1
# Nothing can be known while the old session may still commit; then it is.
kill -CONT "$pid"
like 'a commit to a server that hangs for a while is a commit' "$(hear a)" '^ok$'
like 'and takes no longer than the hang' "$(($(date +%s) - before))" \
	'^1?[0-9]$'
agree 'all is well at the end'

# Whoever is cut off holds locks no longer than its connection lives.
if command -v ss >/dev/null; then
	postgres_probe() {
		ss -Htno state established "sport = :$PG_PORT" |
			grep -Eo 'keepalive,[^,]*'
	}
	is 'a store over TCP opens' "$(drive a store "$PG_TCP")" ok
	drive a stats >/dev/null
	like 'a silent connection is probed by the server within seconds' \
	    "$(await postgres_probe)" '^keepalive,[0-9.]+(sec|ms)$'
fi
done_testing
