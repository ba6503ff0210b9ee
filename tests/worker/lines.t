#!/bin/sh
# SPDX-License-Identifier: MIT
# Handlers that are kept running: .lines
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/h"
cat >"$T/h/k.lines" <<EOF
#!$FR_PYTHON
import json, os, sys, time
print(os.getpid(), file=open("$T/starts", "a"))
for line in sys.stdin:
    job = json.loads(line)
    d = job["data"]
    say = lambda **kw: print(json.dumps(kw), flush=True)
    if d == "die":
        print("about to die", file=sys.stderr, flush=True)
        os._exit(3)
    if d == "fail":
        say(error="no good")
    elif d == "final":
        say(error="never", final=True)
    elif d == "keys":
        say(result=sorted(job.keys()))
    elif d == "id":
        say(id=job["id"], result=[job["id"], job["type"], job["attempt"]])
    elif d == "wrong-id":
        say(id="00000000-0000-0000-0000-000000000000", result=1)
    elif d == "hang":
        print("hanging", file=open("$T/hangs", "a"), flush=True)
        time.sleep(60)
    elif d == "mute":
        os.close(1); time.sleep(60)
    elif d == "deaf":
        say(result="deaf now"); os.close(0); time.sleep(60)
    elif d == "third":
        os.write(3, b"by the third\\n"); say(result=3)
    elif d == "nonsense":
        print("this is no JSON", flush=True)
    elif d == "progress":
        say(progress="half"); time.sleep(0.3); say(progress=[1, 2.0]); say(result="ok")
    elif d == "log":
        print("a line of log", file=sys.stderr, flush=True); say(result=1)
    elif d == "raw":
        print('{ "result" : { "a":1.0, "a" : 1e400 } }', flush=True)
    else:
        say(result=d)
EOF
chmod +x "$T/h/k.lines"
manager
worker -H "$T/h" "cmd.lines=sed -u 's/.*/{\"result\":\"from sed\"}/'" 'gone.lines=/no/such/thing' \
    --kill-after 0.5

k() { fr-submit --wait=60 --max-attempts 1 k "$@" 2>"$T/err"; }
is 'a job is a line, and so is its answer' "$(k '{"x":1}')" '{"x":1}'
is 'the line has id, type, attempt and data' "$(k '"keys"')" '["attempt","data","id","type"]'
id=$(fr-submit k '"id"')
fr-status --wait "$id" >/dev/null
is 'and they are those of the job' "$(field "$id" result | tr -d ' ')" "[\"$id\",\"k\",1]"
is 'results are kept token for token' "$(k '"raw"')" '{"a":1.0,"a":1e400}'
is 'it is the same process for all of them' "$(wc -l <"$T/starts")" 1
fails 'an error is a failed attempt' k '"fail"'
like 'with its text' "$(cat "$T/err")" 'no good'
id=$(fr-submit --max-attempts 5 k '"final"')
fr-status --wait "$id" >/dev/null
is 'a final one is for good' "$(field "$id" state) $(field "$id" attempt) $(field "$id" error)" 'failed 1 never'
id=$(fr-submit k '"progress"')
fr-status --wait "$id" >/dev/null
is 'progress comes before the answer' "$(api GET "/v1/jobs/$id" | json progress | tr -d ' ')" '[1,2.0]'
id=$(fr-submit k '"log"')
fr-status --wait "$id" >/dev/null
is 'stderr is the log of the job it was at' "$(field "$id" log)" 'a line of log'
is 'still the same process' "$(wc -l <"$T/starts")" 1

k '"die"'
like 'who dies fails the job it was at' "$(cat "$T/err")" 'exit status 3.*about to die'
is 'and is started again' "$(k 2)" 2
is 'once' "$(wc -l <"$T/starts")" 2
k '"nonsense"'
like 'an answer that is none fails the job' "$(cat "$T/err")" 'no answer: this is no JSON'
k '"wrong-id"'
like 'so does one to another job' "$(cat "$T/err")" 'no answer'
id=$(fr-submit --max-attempts 1 --timeout 0.3 k '"hang"')
fr-status --wait "$id" >/dev/null
like 'a timeout ends it' "$(field "$id" error)" '^timed out after 0.3 s'
is 'and the next job is done by a new one' "$(k 3)" 3
rm -f "$T/hangs"
id=$(fr-submit k '"hang"')
await cat "$T/hangs" >/dev/null
fr-ctl cancel "$id" >/dev/null
is 'cancelling ends it, too' "$(k 4)" 4
k '"mute"'
like 'one that can answer no more has failed' "$(cat "$T/err")" 'closed its standard output'
is 'and is started again, too' "$(k 5)" 5
is 'one that reads no more' "$(k '"deaf"')" '"deaf now"'
k 6 >/dev/null
like 'fails what it was given' "$(cat "$T/err")" 'closed its standard input'
is 'once' "$(k 7)" 7
for i in 1 2 3 4 5; do
	id=$(fr-submit k '"third"')
	fr-status --wait "$id" >/dev/null
	field "$id" progress
done >"$T/said"
is 'progress on descriptor 3 is there before the answer' \
    "$(uniq -c "$T/said" | tr -s ' ')" ' 5 by the third'
is 'NAME.lines=COMMAND is kept running as well' "$(fr-submit --wait cmd 1)" '"from sed"'
id=$(fr-submit gone 1)
withdrawn() { grep -q 'type gone.*No such file' "$T/log"; }
until_ok withdrawn
ok 'one that cannot be started is withdrawn' withdrawn
fr-ctl cancel "$id" >/dev/null

# Death with many written ahead: one is to blame, the others run again.
{
	for i in 1 2 3 4 5 6 7 8 9; do
		for j in 0 1 2 3 4 5 6 7 8 9; do
			echo "{\"type\":\"k\",\"data\":$i$j,\"max_attempts\":1}"
		done
	done
	echo '{"type":"k","data":"die","max_attempts":1}'
	for i in 1 2 3 4 5 6 7 8 9; do
		for j in 0 1 2 3 4 5 6 7 8 9; do
			echo "{\"type\":\"k\",\"data\":$i$j,\"max_attempts\":1}"
		done
	done
} | fr-submit --bulk >"$T/ids"
done_all() { [ "$(api GET /v1/types | json k.queued) $(api GET /v1/types | json k.running)" = '0 0' ]; }
until_ok done_all
before=$(grep -c . "$T/ids")
failed=0 complete=0
for s in $(api GET "/v1/jobs?type=k&limit=$before" | grep -o '"state":"[a-z]*"'); do
	case $s in
	*complete*) complete=$((complete + 1)) ;;
	*failed*) failed=$((failed + 1)) ;;
	esac
done
is 'of many written ahead only the one it was at fails' "$failed $complete" '1 180'
stop "$WORKER"
p=$(tail -n 1 "$T/starts")
is 'with the worker it ends' "$(alive "$p")" no

is 'as a step of a chain it runs once' \
    "$(printf 'k\n' >"$T/c"; echo '{"x":1}' | fr-worker -H "$T/h" --run c "c.chain=$T/c")" '{"x":1}'
is 'and by --run' "$(echo 5 | fr-worker -H "$T/h" --run k)" 5
done_testing
