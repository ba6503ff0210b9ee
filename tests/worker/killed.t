#!/bin/sh
# SPDX-License-Identifier: MIT
# kill -9 of the worker, or of its keeper: nothing is left, and the job runs
# again within a second.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/w"
# Each attempt leaves a tree of processes behind, some of it well hidden.
cat >"$T/h" <<EOF
#!/bin/sh
n=\$FR_JOB_ATTEMPT
[ "\$n" -lt 2 ] || { echo "attempt \$n"; exit 0; }
echo \$\$ >>"$T/pids"
(setsid env -i /bin/sh -c 'echo \$\$ >>"$T/pids"; exec sleep 60' </dev/null >/dev/null 2>&1 3>&- &)
sleep 60 &
echo \$! >>"$T/pids"
while [ "\$(wc -l <"$T/pids")" -lt 3 ]; do sleep 0.01; done
echo started >"$T/started"
sleep 60
EOF
chmod +x "$T/h"

proper() { # the worker proper: the keeper's child
	pgrep -P "$1"
}
pids_left() {
	n=0
	while read -r p; do
		[ "$(alive "$p")" = no ] || n=$((n + 1))
	done <"$T/pids"
	echo "$n"
}
ms() { date +%s%3N; }

# killed: TOOK, until the job of the one that is killed has ended elsewhere.
killed() {
	rm -f "$T/pids" "$T/started"
	worker --workdir "$T/w" "h=$T/h"
	first=$WORKER
	id=$(fr-submit h 1)
	await cat "$T/started" >/dev/null
	child=$(proper "$first")
	worker --workdir "$T/w" "h=$T/h"
	t0=$(ms)
	if [ "$victim" = worker ]; then kill -KILL "$child"; else
		kill -KILL "$first"
	fi
	fr-status --wait "$id" >/dev/null
	TOOK=$(($(ms) - t0))
	result="$(field "$id" result), $(field "$id" fail_count) failed"
	left=$(pids_left)
	fr_gone 30 "$first" "$child"
	both="$(alive "$first") $(alive "$child")"
	wait "$first"
	status=$?
	stop "$WORKER"
}
manager --lease 15
for victim in worker keeper; do
	soon "$victim killed: the job is run again within a second" 1000 killed
	is "$victim killed: it ends, and the lost attempt counts" \
	    "$result" 'attempt 2, 1 failed'
	is "$victim killed: nothing of the first attempt is left" "$left" 0
	is "$victim killed: the other one has ended too" "$both" 'no no'
	is "$victim killed: exit status 137" "$status" 137
	is "$victim killed: no directory is left" "$(ls -A "$T/w")" ''
done

# Jobs that had not begun are not counted as failed.
worker -c 1 'quick=:' "h=$T/h"
i=0
while [ $i -lt 40 ]; do
	echo '{"type":"quick"}'
	i=$((i + 1))
done | fr-submit --bulk >/dev/null
rm -f "$T/pids" "$T/started"
id=$(fr-submit --max-attempts 1 h 1)
await cat "$T/started" >/dev/null
kill -KILL "$(proper "$WORKER")"
fr-status --wait "$id" >/dev/null
is 'max_attempts 1 means at most once' "$(field "$id" state)" failed
like 'and the error says what happened' "$(field "$id" error)" 'lost'
done_testing
