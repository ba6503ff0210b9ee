# SPDX-License-Identifier: MIT
# Sourced behind tests/lib.sh: real servers in this test's own directory.
# shellcheck shell=sh disable=SC2034,SC2119,SC2120
# A server runs as an unprivileged user when we are root (Postgres insists on
# it), listens on a Unix socket and a free loopback port, and is stopped by its
# process id when the test ends. Postgres syncs to disk, as in production.
# FR_REDIS_SERVER=PATH: the redis-server or valkey-server to start, in place of
# the one in PATH; a script will do, if it ends with exec.

# free_port: a loopback port that nobody has just now, and that the system gives
# to no connection.
free_port() {
	python3 -c 'import random, socket
while True:
    with socket.socket() as s:
        try:
            s.bind(("127.0.0.1", random.randrange(15000, 32000)))
        except OSError:
            continue
        print(s.getsockname()[1])
        break'
}

# as_server DIR COMMAND...: runs it as the owner of DIR, in place of this shell.
as_server() {
	_dir=$1
	shift
	if [ "$(id -u)" -eq 0 ]; then
		_user=$(stat -c %U "$_dir")
		exec setpriv --reuid="$_user" --regid="$(id -g "$_user")" \
			--clear-groups "$@"
	fi
	exec "$@"
}

# own DIR USER: makes DIR, and gives it to USER, or nobody, when we are root.
own() {
	mkdir -p "$1"
	[ "$(id -u)" -ne 0 ] && return
	chmod 755 "$T"
	if id "$2" >/dev/null 2>&1; then chown "$2" "$1"; else chown nobody "$1"; fi
}

pg_bin() { # the newest server that is installed
	for _d in /usr/lib/postgresql/*/bin /usr/local/pgsql/bin; do
		[ -x "$_d/postgres" ] && _found=$_d
	done
	echo "${_found:-$(dirname "$(command -v postgres)")}"
}

# postgres: starts one and sets PG_URL (Unix socket), PG_TCP, PG_DATA, PG_PID.
postgres() {
	PGBIN=$(pg_bin)
	PG_DIR=$T/pg PG_DATA=$T/pg/data PG_PORT=$(free_port)
	own "$PG_DIR" postgres
	(as_server "$PG_DIR" "$PGBIN/initdb" -D "$PG_DATA" -A trust -U fr \
		-E UTF8 --locale=C --no-instructions) >"$T/initdb.log" 2>&1 ||
		bail "initdb: $(tail -n 1 "$T/initdb.log")"
	PG_URL="postgres:///postgres?host=$PG_DIR&port=$PG_PORT&user=fr"
	PG_TCP="postgres://fr@127.0.0.1:$PG_PORT/postgres"
	postgres_start
}

# postgres_start [option...]: starts it, again; returns when it answers. What is
# left of the one before may be in its way for a moment.
postgres_start() {
	PG_TRIES=0
	until postgres_try "$@"; do
		PG_TRIES=$((PG_TRIES + 1))
		[ "$PG_TRIES" -lt 20 ] ||
			bail "postgres: $(tail -n 3 "$T/postgres.log" | tr '\n' ' ')"
		sleep 0.2
	done
}

# postgres_try [option...]: fails if it ends before it answers.
postgres_try() {
	rm -f "$PG_DATA/postmaster.pid"
	(as_server "$PG_DIR" "$PGBIN/postgres" -D "$PG_DATA" -p "$PG_PORT" \
		-c listen_addresses=127.0.0.1 -c unix_socket_directories="$PG_DIR" \
		-c max_connections=60 "$@" \
		>>"$T/postgres.log" 2>&1) &
	PG_PID=$!
	PIDS="$PIDS $PG_PID"
	until "$PGBIN/pg_isready" -q -U fr -h "$PG_DIR" -p "$PG_PORT"; do
		kill -0 "$PG_PID" 2>/dev/null || return 1
		sleep 0.05
	done
}

# postgres_stop [SIGNAL]: INT fast (default), QUIT immediate, KILL.
postgres_stop() {
	_pids=
	if [ "${1:-INT}" = KILL ]; then # its children, or they keep the socket
		_pids=$(ps -o pid= --ppid "$PG_PID")
	fi
	# shellcheck disable=SC2086 # one word each
	kill -"${1:-INT}" "$PG_PID" $_pids 2>/dev/null
	wait "$PG_PID" 2>/dev/null
}

sql() { # sql TEXT: runs it, prints bare rows
	psql -XqAt -h "$PG_DIR" -p "$PG_PORT" -U fr -d postgres -c "$1"
}

# redis_server: whether there is one; sets REDIS_SERVER.
redis_server() {
	REDIS_SERVER=${FR_REDIS_SERVER:-$(command -v redis-server ||
		command -v valkey-server)}
	"${REDIS_SERVER:-false}" --version >/dev/null 2>&1
}

# redis [option...]: starts one and sets REDIS_URL, REDIS_TCP, REDIS_PID.
redis() {
	REDIS_DIR=$T/redis REDIS_PORT=$(free_port)
	redis_server || bail 'no redis-server'
	own "$REDIS_DIR" redis
	REDIS_URL="redis://$REDIS_DIR/sock"
	REDIS_TCP="redis://127.0.0.1:$REDIS_PORT"
	redis_start "$@"
}

redis_start() {
	rm -f "$REDIS_DIR/sock"
	(cd "$REDIS_DIR" && as_server "$REDIS_DIR" "$REDIS_SERVER" \
		--port "$REDIS_PORT" --bind 127.0.0.1 127.0.0.2 --unixsocket "$REDIS_DIR/sock" \
		--unixsocketperm 777 --save '' --appendonly no \
		--dir "$REDIS_DIR" "$@" >>"$T/redis.log" 2>&1) &
	REDIS_PID=$!
	PIDS="$PIDS $REDIS_PID"
	until [ "$(rcli PING 2>/dev/null)" = PONG ]; do
		kill -0 "$REDIS_PID" 2>/dev/null ||
			bail "redis: $(tail -n 1 "$T/redis.log")"
		sleep 0.05
	done
}

redis_stop() { # redis_stop [SIGNAL]: KILL by default
	kill -"${1:-KILL}" "$REDIS_PID" 2>/dev/null
	wait "$REDIS_PID" 2>/dev/null
}

rcli() { # rcli COMMAND...: asks it, as redis-cli does
	redis-cli -s "$REDIS_DIR/sock" "$@"
}
