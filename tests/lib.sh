# SPDX-License-Identifier: MIT
# Sourced by every .t file. T is this test's own directory; all that is
# started here ends here: TERM at exit, KILL 5 s later. Standard output is TAP
# and nothing else; what programs say goes to $T/log, whose end is shown when
# the test fails.
#
#   plan N | done_testing          the plan, first or last; plan skip WHY
#   is NAME GOT WANTED             equal texts        isnt: different ones
#   like NAME GOT ERE              some line matches  unlike: none does
#   ok NAME COMMAND...             it succeeds        fails: it does not
#   exits NAME STATUS COMMAND...   exit status; stdout in $T/out, stderr in
#                                  $T/err, also after run COMMAND... ($STATUS)
#   pass NAME, fail NAME [WHY], skip NAME WHY, diag TEXT, bail WHY
#   manager [OPTION...]            sets FR_MANAGER and MANAGER (its pid)
#   restart [OPTION...]            kill -9 it; again on its store and address
#   worker ARG...                  sets WORKER (its pid)
#   start COMMAND...               in the background; sets PID
#   stop [PID...]                  ends them (all); they are gone afterwards
#   await COMMAND...               asks until it succeeds and prints something
#   until_ok COMMAND...            asks until it succeeds
#   soon NAME MS COMMAND...        it sets TOOK, its milliseconds: one of five
#                                  times no more than MS, whatever else the
#                                  machine has to do
#   limited COMMAND...             with an end after a minute: exit 124
#   field ID NAME                  of a job; strings without their quotes
#   json PATH                      a.b.0 of the JSON on stdin, token for token
#   api METHOD PATH [curl option...]  the answer's body; its status in $T/http
#   alive PID                      yes or no
#   out err log body http ready db state in T are the helpers' own
#   BIN, HANDLERS, ROOT            directories: programs, built-in handlers,
#                                  source
#
# FR_TEST_SLOW=3 makes every deadline three times as long (sanitizers,
# valgrind). FR_TEST_KEEP=1 keeps T.
# shellcheck shell=sh
set -u
# So that nothing of whoever runs the tests gets in.
unset FR_MANAGER FR_TOKEN_FILE NOTIFY_SOCKET LISTEN_FDS CDPATH
export LC_ALL=C.UTF-8 NO_COLOR=1
ROOT=$(cd "${0%/*}" && d=$PWD && while [ ! -e "$d/tests/lib.sh" ]; do
	d=${d%/*}
	[ -n "$d" ] || exit 1
done && echo "$d") || exit 99
# `make check` sets these; by hand the usual build will do.
FR_BUILD=${FR_BUILD:-$ROOT/build}
BIN=$FR_BUILD/bin
HANDLERS=$FR_BUILD/libexec/forerunner/handlers
PATH=$BIN:$PATH
FR_TEST_SLOW=${FR_TEST_SLOW:-1}
fr_lsan=suppressions=$ROOT/tests/lsan.supp:print_suppressions=0
export LSAN_OPTIONS="${LSAN_OPTIONS:-$fr_lsan}"
T=$(mktemp -d "${TMPDIR:-/tmp}/fr.XXXXXX") || exit 99
export T FR_BUILD FR_TEST_SLOW BIN HANDLERS XDG_STATE_HOME="$T/state"
N=0 FAILED=0 PIDS='' MANAGER='' WORKER='' PID='' STATUS=0 MANAGER_ARGS=''
: >"$T/log"
trap 'fr_end $?' EXIT
fr_traps() {
	trap 'exit 129' HUP
	trap 'exit 130' INT
	trap 'exit 143' TERM
}
fr_traps

# ---- results -------------------------------------------------------------

plan() {
	if [ "$1" = skip ]; then
		shift
		echo "1..0 # SKIP $*"
		exit 0
	fi
	echo "1..$1"
}
done_testing() { echo "1..$N"; }
# This file cannot go on; others can.
bail() {
	N=$((N + 1))
	echo "not ok $N - $*"
	exit 99
}
diag() { printf '%s\n' "$*" | sed 's/^/# /' >&2; }
pass() {
	N=$((N + 1))
	printf 'ok %d - %s\n' "$N" "$1"
}
skip() {
	N=$((N + 1))
	printf 'ok %d - %s # SKIP %s\n' "$N" "$1" "${2:-}"
}
fail() {
	N=$((N + 1))
	FAILED=$((FAILED + 1))
	printf 'not ok %d - %s\n' "$N" "$1"
	[ $# -lt 2 ] || diag "$2"
}
is() {
	if [ "$2" = "$3" ]; then pass "$1"; else
		fail "$1" "got:    $2
wanted: $3"
	fi
}
isnt() {
	if [ "$2" != "$3" ]; then pass "$1"; else fail "$1" "got: $2"; fi
}
like() {
	if printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; else
		fail "$1" "got:    $2
wanted: /$3/"
	fi
}
unlike() {
	if ! printf '%s\n' "$2" | grep -Eq -e "$3"; then pass "$1"; else
		fail "$1" "got:    $2
not:    /$3/"
	fi
}
run() {
	STATUS=0
	"$@" >"$T/out" 2>"$T/err" || STATUS=$?
	cat "$T/err" >>"$T/log"
}
ok() {
	fr_name=$1
	shift
	run "$@"
	if [ "$STATUS" = 0 ]; then pass "$fr_name"; else
		fail "$fr_name" "exit $STATUS: $*
$(tail -n 3 "$T/err")"
	fi
}
fails() {
	fr_name=$1
	shift
	run "$@"
	if [ "$STATUS" != 0 ]; then pass "$fr_name"; else
		fail "$fr_name" "exit 0: $*"
	fi
}
exits() {
	fr_name=$1 fr_want=$2
	shift 2
	run "$@"
	if [ "$STATUS" = "$fr_want" ]; then pass "$fr_name"; else
		fail "$fr_name" "exit $STATUS, not $fr_want: $*
$(tail -n 3 "$T/err")"
	fi
}
soon() {
	fr_name=$1 fr_most=$2 fr_times=
	shift 2
	for _ in 1 2 3 4 5; do
		TOOK=
		"$@"
		fr_times="$fr_times $TOOK"
		if [ -n "$TOOK" ] && [ "$TOOK" -le "$fr_most" ]; then
			pass "$fr_name"
			return
		fi
	done
	fail "$fr_name" "milliseconds:$fr_times, and not $fr_most"
}

# ---- waiting -------------------------------------------------------------

# fr_poll HOW COMMAND...: until it succeeds (HOW any) and, with HOW text, has
# printed something. 30 s; what it prints last is printed.
fr_poll() {
	fr_how=$1
	shift
	fr_stop=$(($(date +%s) + 30 * FR_TEST_SLOW))
	while :; do
		if fr_out=$("$@" 2>/dev/null) &&
			{ [ "$fr_how" = any ] || [ -n "$fr_out" ]; }; then
			[ -z "$fr_out" ] || printf '%s\n' "$fr_out"
			return 0
		fi
		if [ "$(date +%s)" -ge "$fr_stop" ]; then
			[ -z "$fr_out" ] || printf '%s\n' "$fr_out"
			diag "gave up waiting for: $*"
			return 1
		fi
		sleep 0.05
	done
}
await() {
	case "$1 ${2:-}" in
	'test '* | '[ '* | 'cmp '* | 'kill '* | 'grep -q'*) fr_poll any "$@" ;;
	*) fr_poll text "$@" ;;
	esac
}
until_ok() { fr_poll any "$@"; }
limited() { timeout $((60 * FR_TEST_SLOW)) "$@"; }

# ---- processes -----------------------------------------------------------

# A zombie is not alive.
alive() {
	case $(sed 's/.*) //' "/proc/$1/stat" 2>/dev/null) in
	'' | Z* | X*) echo no ;;
	*) echo yes ;;
	esac
}
# fr_gone SECONDS PID...: waits that long at most for all to be gone.
fr_gone() {
	fr_left=$(($1 * 20))
	shift
	while :; do
		for fr_p; do
			[ "$(alive "$fr_p")" = no ] || break
			shift
		done
		[ $# -gt 0 ] || return 0
		[ "$fr_left" -gt 0 ] || return 1
		fr_left=$((fr_left - 1))
		sleep 0.05
	done
}
stop() {
	# shellcheck disable=SC2086 # a list of numbers
	[ $# -gt 0 ] || set -- $PIDS
	[ $# -gt 0 ] || return 0
	kill -TERM "$@" 2>/dev/null
	kill -CONT "$@" 2>/dev/null
	if ! fr_gone $((5 * FR_TEST_SLOW)) "$@"; then
		for fr_p; do
			[ "$(alive "$fr_p")" = no ] ||
				diag "had to be killed: $(tr '\0' ' ' \
				    <"/proc/$fr_p/cmdline")"
		done
		kill -KILL "$@" 2>/dev/null
	fi
	wait "$@" 2>/dev/null
	for fr_p; do
		PIDS=$(printf ' %s ' "$PIDS" | sed "s/ $fr_p / /")
	done
	return 0
}
# Without traps a child is born with the signals' defaults: one that is sent
# before it has become its program is not lost.
start() {
	trap - HUP INT TERM
	"$@" </dev/null >>"$T/log" 2>&1 &
	PID=$!
	fr_traps
	PIDS="$PIDS $PID"
}
fr_quote() {
	for fr_a; do
		printf "'%s' " "$(printf '%s' "$fr_a" | sed "s/'/'\\\\''/g")"
	done
}
# fr_manager OPTION...: returns when it is ready. A manager that dies closes
# the pipe, and read fails at once.
fr_manager() {
	[ -p "$T/ready" ] || mkfifo "$T/ready"
	trap - HUP INT TERM
	fr-manager --ready-fd 3 "$@" </dev/null 3>"$T/ready" >>"$T/log" 2>&1 &
	MANAGER=$!
	fr_traps
	PIDS="$PIDS $MANAGER"
	if ! read -r FR_MANAGER <"$T/ready"; then
		fail 'the manager starts' "$(tail -n 3 "$T/log")"
		exit 99
	fi
	export FR_MANAGER
}
manager() {
	MANAGER_ARGS=$(fr_quote "$@")
	fr_listen=127.0.0.1:0
	case " $* " in *' -l'* | *' --listen'*) fr_listen= ;; esac
	fr_manager --store "sqlite:$T/db" \
	    ${fr_listen:+--listen "$fr_listen"} "$@"
}
restart() {
	kill -KILL "$MANAGER" 2>/dev/null
	wait "$MANAGER" 2>/dev/null
	fr_listen=${FR_MANAGER#http://}
	case " $MANAGER_ARGS" in
	*" '-l"* | *" '--listen"*) fr_listen= ;;
	esac
	eval "set -- $MANAGER_ARGS \"\$@\""
	fr_manager --store "sqlite:$T/db" \
	    ${fr_listen:+--listen "$fr_listen"} "$@"
}
worker() {
	start fr-worker "$@"
	# shellcheck disable=SC2034 # for the test
	WORKER=$PID
}

# ---- asking --------------------------------------------------------------

FR_PYTHON=$(command -v /usr/bin/python3 || command -v python3)
json() { "$FR_PYTHON" -I -S "$ROOT/tests/json.py" "$@"; }
api() {
	fr_method=$1 fr_path=$2
	shift 2
	case $FR_MANAGER in
	unix:*) set -- --unix-socket "${FR_MANAGER#unix:}" \
	    "http://localhost$fr_path" "$@" ;;
	*) set -- "$FR_MANAGER$fr_path" "$@" ;;
	esac
	curl -sS --noproxy '*' -m $((60 * FR_TEST_SLOW)) -X "$fr_method" \
	    -o "$T/body" -w '%{http_code}' "$@" >"$T/http" 2>>"$T/log" ||
	    return 1
	cat "$T/body"
}
field() {
	if command -v fr-status >/dev/null; then
		fr-status --json "$1"
	else
		api GET "/v1/jobs/$1"
	fi | json "$2"
}

# ---- the end -------------------------------------------------------------

fr_end() {
	trap - EXIT
	trap '' HUP INT TERM
	fr_status=$1
	# The manager last, so that workers need not miss it; and not their jobs'
	# ends: a second TERM makes a worker give them back.
	fr_others=
	for fr_p in $PIDS; do
		[ "$fr_p" = "$MANAGER" ] || fr_others="$fr_others $fr_p"
	done
	if [ -n "$fr_others" ]; then
		# shellcheck disable=SC2086 # a list of numbers
		kill -TERM $fr_others 2>/dev/null
		# shellcheck disable=SC2086
		fr_gone 1 $fr_others || stop $fr_others
	fi
	stop
	# What a sanitizer or an assertion said fails the test.
	if grep -Eq 'Sanitizer|runtime error:|assertion failed' "$T/log"; then
		fr_status=98
	fi
	[ "$FAILED" = 0 ] || [ "$fr_status" != 0 ] || fr_status=1
	[ "$fr_status" = 0 ] || tail -n 40 "$T/log" | sed 's/^/# log: /' >&2
	if [ -n "${FR_TEST_KEEP:-}" ]; then diag "kept $T"; else
		chmod -R u+rwX "$T" 2>/dev/null
		rm -rf "$T"
	fi
	exit "$fr_status"
}
