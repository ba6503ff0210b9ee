#!/bin/sh
# SPDX-License-Identifier: MIT
# The nine promises of forerunner(7), one by one, as a user would try them.
# More of each, with faults of every kind, is in the folders beside this file.
# shellcheck source=tests/lib.sh
. "${0%/*}/lib.sh"

state_is() { [ "$(field "$1" state)" = "$2" ]; }
waiting_of() { field "$1" waiting; }

# A lease so long that nothing here can come from its end.
manager --lease 10m

id=$(fr-submit later '{"kept":true}')
restart
is 'promise 1, accepted means durable: a job is there after kill -9' \
    "$(field "$id" data)" '{"kept":true}'

lease() { # worker
	api POST /v1/work -H 'Content-Type: application/json' -d '{"worker":"'"$1"'",
	    "host":"h","pid":1,"types":["later"],"slots":1,"wait":0}' >/dev/null
	json jobs.0.lease <"$T/body"
}
finish() { # worker lease result
	api POST /v1/work -H 'Content-Type: application/json' -d '{"worker":"'"$1"'",
	    "host":"h","pid":1,"types":["later"],"slots":0,"finished":[{"id":"'"$id"'",
	    "lease":"'"$2"'","state":"complete","result":"'"$3"'"}]}' >/dev/null
}
old=$(lease one)
new=$(lease one) # it names nothing: what it had is lost, and given anew
finish one "$old" stale
is 'promise 2, ended once: a word under an old lease is refused' \
    "$(json refused.0 <"$T/body")" "$id"
finish one "$new" good
finish one "$new" again
is 'promise 2, ended once: the outcome does not change' \
    "$(field "$id" result)" good

cat >"$T/slow" <<'E'
#!/bin/sh
echo "$$" >>"$T/pids"
[ "$FR_JOB_ATTEMPT" -gt 1 ] || exec sleep 1000
echo '"second"'
E
chmod +x "$T/slow"
worker --env T "slow=exec '$T/slow'"
id=$(fr-submit slow)
await cat "$T/pids" >"$T/first"
kill -KILL "$WORKER"
restart
worker --env T "slow=exec '$T/slow'"
ok 'promise 3, nothing lost: manager and worker killed, the job ends' \
    until_ok state_is "$id" complete
is 'promise 8: what the killed worker had started is gone' \
    "$(alive "$(cat "$T/first")")" no
stop "$WORKER"

worker same=cat
data='{"big":12345678901234567890,"e":1e400,"d":0.10,"d":-0,"s":"\u00e9\/"}'
is 'promise 4, token for token' "$(fr-submit --wait same "$data")" "$data"
stop "$WORKER"

seq 5 | fr-submit --bulk same >"$T/ids"
restart # with it goes the queue, which was only in memory
worker same=cat
ok 'promise 5, the store decides: a lost queue is filled again' \
    until_ok state_is "$(tail -n 1 "$T/ids")" complete
stop "$WORKER"

# shellcheck disable=SC2016 # for the handler's shell
worker --env T 'away=: >"$T/runs"; until [ -e "$T/go" ]; do sleep 0.05; done; echo 1'
id=$(fr-submit away)
await test -e "$T/runs"
kill -KILL "$MANAGER"
wait "$MANAGER" 2>/dev/null
: >"$T/go"
restart
ok 'promise 6, a worker outlives its manager: the result is delivered' \
    until_ok state_is "$id" complete
is 'promise 6: by the attempt that was running' "$(field "$id" attempt)" 1
stop "$WORKER"

worker --wait 5m now='echo 1'
connected() { [ "$(api GET /v1/workers | json 0.types.0)" = now ]; }
until_ok connected
is 'promise 7, no polling: an idle worker gets a new job at once' \
    "$(fr-submit --wait=60 now)" 1
stop "$WORKER"

# shellcheck disable=SC2016
worker --env T 'daemon=setsid sh -c "echo \$\$ >\"$T/daemon\"; exec sleep 1000" &
until [ -s "$T/daemon" ]; do sleep 0.05; done; echo 1'
ok 'a handler that leaves a daemon behind' fr-submit --wait daemon
is 'promise 8, nothing outlives its attempt' \
    "$(alive "$(cat "$T/daemon")")" no
stop "$WORKER"

like 'promise 9, every wait has a reason: its time' \
    "$(waiting_of "$(fr-submit --delay 1h now)")" '^until 2'
like 'promise 9: no worker' "$(waiting_of "$(fr-submit nobody)")" 'no worker'
worker -c 1 busy='sleep 1000' still='echo 1'
first=$(fr-submit busy)
until_ok state_is "$first" running
fr-submit busy >/dev/null
like 'promise 9: its place in the queue' \
    "$(waiting_of "$(fr-submit busy)")" '[Qq]ueue|ahead'
fr-ctl pause still
like 'promise 9: paused' "$(waiting_of "$(fr-submit still)")" 'paused'
done_testing
