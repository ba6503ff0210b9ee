#!/bin/sh
# SPDX-License-Identifier: MIT
# How a worker ends: SIGTERM and its grace, a second one, --drain.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

# This one takes its time.
fr-worker -m "unix:$T/none" --drain a=cat >"$T/alone" 2>&1 &
alone=$!
PIDS="$PIDS $alone"
manager
begun() { await cat "$T/begun" >/dev/null; }
H="h=echo \$\$ >$T/begun; while [ ! -e $T/go ]; do sleep 0.02; done; echo ended"
fresh() {
	rm -f "$T/begun" "$T/go"
	id=$(fr-submit h 1)
}

worker -c 2 "$H"
fresh
begun
kill -TERM "$WORKER"
other=$(fr-submit h 2)
touch "$T/go"
wait "$WORKER"
is 'after SIGTERM it ends well' $? 0
is 'what ran was finished' "$(field "$id" state)" complete
is 'and nothing else was taken' "$(field "$other" state)" queued
is 'the manager has forgotten it' "$(api GET /v1/workers)" '[]'
fr-ctl cancel "$other" >/dev/null

# Meanwhile it asks whether the job was cancelled; that goes with it.
worker -v "$H"
fresh
begun
asked() { grep -c 'asks for 0 jobs' "$T/log"; }
before=$(asked)
kill -TERM "$WORKER"
twice() { [ "$(asked)" -ge $((before + 2)) ] && echo yes; }
await twice >/dev/null
touch "$T/go"
wait "$WORKER"
is 'and one that was waiting to hear of its job' "$(api GET /v1/workers)" '[]'

worker --grace 0.3 "$H"
fresh
begun
kill -TERM "$WORKER"
wait "$WORKER"
is 'when the grace is over it ends' $? 0
is 'what ran is given back' "$(field "$id" state)" queued
is 'uncounted' "$(field "$id" fail_count)" 0
is 'and is gone' "$(alive "$(cat "$T/begun")")" no
fr-ctl cancel "$id" >/dev/null

worker "h=trap '' TERM; echo \$\$ >$T/begun; while :; do sleep 0.1; done"
fresh
begun
# Two that are sent at once may arrive as one.
while [ "$(alive "$WORKER")" = yes ]; do
	kill -TERM "$WORKER"
	sleep 0.1
done
wait "$WORKER"
is 'a second SIGTERM ends it at once' $? 0
is 'what ran is given back then, too' "$(field "$id" state)" queued
is 'and killed' "$(alive "$(cat "$T/begun")")" no
fr-ctl cancel "$id" >/dev/null

worker x=cat
known() { api GET /v1/workers | grep -F "\"pid\":$WORKER,"; }
await known >/dev/null
kill -INT "$WORKER"
wait "$WORKER"
is 'SIGINT is the same' $? 0

i=0
while [ $i -lt 300 ]; do
	i=$((i + 1))
	echo "{\"type\":\"a\",\"data\":$i}"
done | fr-submit --bulk >"$T/ids"
ok '--drain ends when nothing is left' limited fr-worker -c 2 --drain a=cat
is 'all is done then' "$(api GET /v1/types | json a.complete)" 300
is 'each once' "$(api GET '/v1/jobs?type=a&limit=1000' | grep -o '"attempt":[0-9]*' | sort | uniq -c | tr -s ' ')" \
    "$(printf ' 300 "attempt":1')"
ok '--drain with nothing there ends at once' limited fr-worker --drain a=cat
wait "$alone"
is 'without a manager it gives up' $? 69
done_testing
