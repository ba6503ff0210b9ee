#!/bin/sh
# SPDX-License-Identifier: MIT
# The Postgres store behind pgbouncer: with sessions of its own it is as good
# as without; a pooler that shares sessions is refused.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
pgbouncer=$(PATH=$PATH:/usr/sbin command -v pgbouncer) ||
	plan skip 'pgbouncer is not installed'

postgres
own "$T/pool" postgres
POOL_PORT=$(free_port)
POOL_URL=postgres://fr@127.0.0.1:$POOL_PORT/postgres
pooler() { # pooler MODE
	cat >"$T/pool/ini" <<END
[databases]
postgres = host=127.0.0.1 port=$PG_PORT user=fr
[pgbouncer]
listen_addr = 127.0.0.1
listen_port = $POOL_PORT
unix_socket_dir =
auth_type = any
pool_mode = $1
END
	(as_server "$T/pool" "$pgbouncer" "$T/pool/ini" >>"$T/pool.log" 2>&1) &
	POOL_PID=$!
	PIDS="$PIDS $POOL_PID"
	until_ok psql -Xqc '' "$POOL_URL" ||
		bail "pgbouncer: $(tail -n 1 "$T/pool.log")"
}

pooler session
exits 'the judge passes the store behind pool_mode=session' 0 \
    fr-store-test "$POOL_URL"
manager --store "$POOL_URL" # the last --store counts
worker ping
is 'and a manager works there' "$(fr-submit --wait=60 ping)" '{"ack":"PONG"}'
stop "$WORKER"
stop "$MANAGER"
stop "$POOL_PID"
for mode in transaction statement; do
	pooler $mode
	exits "pool_mode=$mode is refused" 65 \
	    fr-manager -l 127.0.0.1:0 --store "$POOL_URL"
	like 'and it is said why' "$(cat "$T/err")" 'pooler.*must be session'
	is 'before any setting was left there' \
	    "$(psql -XqAtc 'SHOW search_path' "$POOL_URL")" '"$user", public'
	stop "$POOL_PID"
done
done_testing
