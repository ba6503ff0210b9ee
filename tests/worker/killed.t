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

manager --lease 15
for victim in worker keeper; do
	rm -f "$T/pids" "$T/started"
	worker --workdir "$T/w" "h=$T/h"
	first=$WORKER
	id=$(fr-submit h 1)
	await cat "$T/started" >/dev/null
	child=$(proper "$first")
	worker --workdir "$T/w" "h=$T/h"
	t0=$(ms)
	if [ $victim = worker ]; then kill -KILL "$child"; else
		kill -KILL "$first"
	fi
	fr-status --wait "$id" >/dev/null
	t1=$(ms)
	is "$victim killed: the job runs again and ends" \
	    "$(field "$id" result)" 'attempt 2'
	ok "$victim killed: within a second ($((t1 - t0)) ms)" \
	    test $((t1 - t0)) -lt $((1000 * FR_TEST_SLOW))
	is "$victim killed: the attempt counts as failed" \
	    "$(field "$id" fail_count)" 1
	is "$victim killed: nothing of the first attempt is left" \
	    "$(pids_left)" 0
	fr_gone 5 "$first" "$child"
	is "$victim killed: the other one has ended too" \
	    "$(alive "$first") $(alive "$child")" 'no no'
	wait "$first"
	is "$victim killed: exit status 137" $? 137
	stop "$WORKER"
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
