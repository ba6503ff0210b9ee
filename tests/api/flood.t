#!/bin/sh
# SPDX-License-Identifier: MIT
# A thousand connections that ask without pause: what is too much is refused
# with a time to come again, memory stays bounded, the manager lives, and
# workers of other types go on.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

FLOOD=$FR_BUILD/tests/api/flood
[ -x "$FLOOD" ] || plan skip 'its helper is not built: make drivers'
CONNECTIONS=${FR_TEST_FLOOD:-1000}
# shellcheck disable=SC3045 # dash and bash have it
HARD=$(ulimit -H -n)
[ "$HARD" = unlimited ] || [ "$HARD" -gt $((CONNECTIONS * 2)) ] ||
	CONNECTIONS=$((HARD / 4))
# shellcheck disable=SC3045 # dash and bash have it
ulimit -S -n "$HARD"
# What sanitizers keep of freed memory is theirs.
export ASAN_OPTIONS="${ASAN_OPTIONS:-}:quarantine_size_mb=16"

FOR=$((1 + FR_TEST_SLOW)) # seconds
flood() { # KIND [ID]: in the background; its figures come in $T/flood
	fr_port=${FR_MANAGER##*:}
	(exec "$FLOOD" 127.0.0.1 "$fr_port" "$CONNECTIONS" "$FOR" "$@" \
		>"$T/flood" 2>>"$T/log") &
	FLOODING=$!
	PIDS="$PIDS $FLOODING"
}
over() { wait "$FLOODING"; }
told() { json "$1" <"$T/flood" 2>/dev/null; }
peak() { sed -n 's/^VmHWM:[^0-9]*\([0-9]*\).*/\1/p' "/proc/$MANAGER/status"; }
# A generous bound: the sanitizers' shadow and red zones are counted as well.
bounded() { # MIB
	fr_most=$(($1 * 1024))
	case $FR_BUILD in *san*) fr_most=$((fr_most * 4)) ;; esac
	fr_peak=$(peak)
	if [ "$fr_peak" -le "$fr_most" ]; then echo yes; else
		echo "no: $fr_peak KiB"
	fi
}
done_of() { api GET /v1/types | json "$1.complete"; }
more() { # TYPE COUNT: more of it are complete than that
	fr_n=$(done_of "$1") && [ "$fr_n" -gt "$2" ] && echo yes
}

# Someone else's work, which goes on meanwhile.
begin() { # OPTION...
	rm -f "$T"/db*
	manager "$@"
	rm -f "$T/jobs"
	i=0
	while [ "$i" -lt 2000 ]; do
		i=$((i + 1))
		echo '{"type":"other"}'
	done | fr-submit --bulk >/dev/null 2>>"$T/log"
	worker -c 1 other='sleep 0.02'
	until_ok more other 0 >/dev/null
}
during() { # KIND MIB: what holds in every flood
	fr_kind=$1 fr_mib=$2
	is "$fr_kind: the manager lives" \
		"$(api GET /healthz >/dev/null; http)" 200
	is "$fr_kind: and can commit" "$(api GET /readyz >/dev/null; http)" 200
	fr_before=$(done_of other)
	is "$fr_kind: workers of another type go on" \
		"$(await more other "${fr_before:-0}")" yes
	exits "$fr_kind: whoever asks politely is served" 0 \
		fr-submit polite
	over
	is "$fr_kind: memory is bounded" "$(bounded "$fr_mib")" yes
	is "$fr_kind: what was refused hears when to come again" \
		"$(told without_time)" 0
	# Those who never read are cut in the end.
	[ "$fr_kind" = half ] || [ "$fr_kind" = heads ] ||
		is "$fr_kind: no connection was cut" "$(told cut)" 0
}

begin --max-memory 32M
for kind in submit many work; do
	flood "$kind"
	during "$kind" 192
	like "$kind: and most were served" "$(cat "$T/flood")" '"20[01]":[0-9]{3}'
done
flood list
during list 192
like 'list: too many are refused' "$(cat "$T/flood")" '"503":[0-9]'
stop "$WORKER" && stop

begin --max-memory 32M
for kind in big batch; do
	flood "$kind"
	during "$kind" 256
	like "$kind: too many are refused" "$(cat "$T/flood")" '"503":[0-9]'
done
stop "$WORKER" && stop

# Those who do not read, or say nothing, hold what they hold.
begin --max-memory 32M
id=$(submit '{"type":"never"}')
for kind in deaf silent half heads parked; do
	flood "$kind"
	during "$kind" 256
done
flood wait "$id"
during wait 192
stop "$WORKER" && stop
done_testing
