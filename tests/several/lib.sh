# SPDX-License-Identifier: MIT
# Sourced by the tests here: managers that share one Postgres and one Redis.
# shellcheck shell=sh disable=SC2034,SC2154
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/servers.sh
. "${0%/*}/../servers.sh"

#   several N [OPTION...]   starts managers 1 to N; URL_1 and PID_1 are the
#                           first one's, URLS all of their URLs with commas
#   at N COMMAND...         with FR_MANAGER set to manager N
#   again N [OPTION...]     kill -9 it, and start it on its address
#   ms                      monotonic time
#   quick NAME MS START     a test: no more than MS have passed since START,
#                           or five times as many on a busy machine, which
#                           is told
#   ready N NAME            of manager N's /readyz
SEVERAL_ARGS='' MANAGERS=''
several() {
	fr_n=$1 URLS=
	shift
	SEVERAL_ARGS=$(fr_quote "$@")
	for fr_i in $(seq "$fr_n"); do
		several_start "$fr_i" 127.0.0.1:0
		URLS=$URLS${URLS:+,}$FR_MANAGER
	done
}
several_start() { # N ADDRESS [OPTION...]
	fr_which=$1 fr_where=$2
	shift 2
	eval "set -- $SEVERAL_ARGS \"\$@\""
	rm -f "$T/ready" # the manager before may not have closed it yet
	fr_manager --store "${STORE:-$PG_URL}" --queue "${QUEUE:-$REDIS_URL}" \
	    --listen "$fr_where" "$@"
	eval "URL_$fr_which=$FR_MANAGER PID_$fr_which=$MANAGER"
	MANAGERS="$MANAGERS $MANAGER"
}
down() { # kill -9 manager N
	eval "fr_pid=\$PID_$1"
	kill -KILL "$fr_pid" 2>/dev/null
	wait "$fr_pid" 2>/dev/null
}
again() {
	down "$1"
	eval "fr_where=\${URL_$1#http://}"
	fr_which=$1
	shift
	several_start "$fr_which" "$fr_where" "$@"
}
at() {
	eval "fr_url=\$URL_$1"
	shift
	(
		FR_MANAGER=$fr_url
		export FR_MANAGER
		"$@"
	)
}
# Workers, then managers, then the servers, which wait for their clients.
several_end() {
	fr_servers="${PG_PID:-} ${REDIS_PID:-} ${HAPROXY_PID:-}"
	fr_others=
	for fr_p in $PIDS; do
		case " $fr_servers $MANAGERS " in
		*" $fr_p "*) ;;
		*) fr_others="$fr_others $fr_p" ;;
		esac
	done
	# shellcheck disable=SC2086 # lists of numbers
	if [ -n "$fr_others" ]; then
		kill -TERM $fr_others 2>/dev/null
		fr_gone 1 $fr_others || kill -TERM $fr_others 2>/dev/null
		fr_gone 2 $fr_others || kill -KILL $fr_others 2>/dev/null
	fi
	# shellcheck disable=SC2086
	[ -z "$MANAGERS" ] || stop $MANAGERS
	MANAGER=
	# shellcheck disable=SC2086
	kill -CONT $fr_servers 2>/dev/null
	[ -z "${PG_PID:-}" ] || kill -INT "$PG_PID" 2>/dev/null
	fr_end "$1"
}
trap 'several_end $?' EXIT
ms() { echo $(($(sed 's/\.\(..\).*/\1/' /proc/uptime) * 10)); }
quick() {
	fr_took=$(($(ms) - $3))
	if [ "$fr_took" -le $(($2 * 5 * FR_TEST_SLOW)) ]; then
		pass "$1"
		[ "$fr_took" -le "$2" ] || diag "$1: $fr_took ms, not $2"
	else
		fail "$1" "$fr_took ms, not $2"
	fi
}
ready() { at "$1" api GET /readyz | json "$2"; }
