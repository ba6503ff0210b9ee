#!/bin/sh
# SPDX-License-Identifier: MIT
# Attempts as the manager sees them: failures, timeouts, cancelling, progress,
# types that cannot be run, handlers that are read again.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
ms() { date +%s%3N; }

manager
mkdir "$T/h"
printf '#!/bin/sh\necho one\n' >"$T/h/fromdir"
chmod +x "$T/h/fromdir"
echo 'not executable' >"$T/h/README"
worker -c 4 -H "$T/h" \
    'final=echo gone >&2; exit 65' 'again=echo later >&2; exit 75' \
    "flaky=[ \$FR_JOB_ATTEMPT -ge 2 ] && echo ok" \
    "slow=echo \$\$ >$T/slow; exec sleep 60" \
    "deaf=trap '' TERM; echo \$\$ >$T/deaf; while :; do sleep 0.05; done" \
    "steps=echo 1 >&3; echo '{\"b\":1.0,\"b\":2}' >&3; touch $T/steps; while [ ! -e $T/go ]; do sleep 0.02; done" \
    'log=echo "one
two" >&2; printf "\377" >&2; echo 1' \
    'missing=/no/such/program' 'big=head -c 2000000 /dev/zero' \
    "hold=echo \$\$ >$T/hold; trap 'echo term >$T/term; exit 1' TERM; while :; do sleep 0.02; done" \
    --kill-after 1s

is 'a file in the directory is a handler' "$(fr-submit --wait fromdir)" '"one"'
is 'exit 65 fails for good' \
    "$(id=$(fr-submit final); fr-status --wait "$id" >/dev/null; field "$id" state; field "$id" fail_count; field "$id" error)" \
    'failed
1
gone'
id=$(fr-submit --max-attempts 1 again)
fr-status --wait "$id" >/dev/null
is 'exit 75 is a failed attempt' "$(field "$id" error)" later
id=$(fr-submit flaky)
fr-status --wait "$id" >/dev/null
is 'which is tried again' "$(field "$id" result) $(field "$id" attempt) $(field "$id" fail_count)" 'ok 2 1'
id=$(fr-submit log)
fr-status --wait "$id" >/dev/null
is 'stderr is the log of a success, too' "$(field "$id" log)" "one
two
$(printf '\357\277\275')"
id=$(fr-submit big)
fr-status --wait "$id" >/dev/null
is 'too large a result fails for good' "$(field "$id" state) $(field "$id" fail_count)" 'failed 1'

# More than a whole request may have.
first=$WORKER
worker --max-result 64M 'huge=head -c 20000000 /dev/zero | tr "\0" x' small=cat
id=$(fr-submit huge)
fr-status --wait "$id" >/dev/null
is 'one that is too large for the manager, too' \
    "$(field "$id" state) $(field "$id" fail_count)" 'failed 1'
like 'and it is said' "$(field "$id" error)" 'too large'
is 'it is in nobody'"'"'s way' "$(fr-submit --wait=60 small 1)" 1
stop "$WORKER"
WORKER=$first

timed_out() {
	t0=$(ms)
	id=$(fr-submit --max-attempts 1 --timeout 0.3 slow)
	fr-status --wait "$id" >/dev/null
	TOOK=$(($(ms) - t0))
}
soon 'a timeout ends the attempt' 2000 timed_out
like 'which has failed then' "$(field "$id" error)" '^timed out after 0.3 s'
is 'and ends the handler' "$(alive "$(cat "$T/slow")")" no
id=$(fr-submit --max-attempts 1 --timeout 0.2 deaf)
fr-status --wait "$id" >/dev/null
is 'also one that ignores SIGTERM' "$(alive "$(cat "$T/deaf")")" no

cancelled() {
	rm -f "$T/hold" "$T/term"
	id=$(fr-submit hold)
	await cat "$T/hold" >/dev/null
	t0=$(ms)
	fr-ctl cancel "$id" >/dev/null
	until_ok test -e "$T/term"
	TOOK=$(($(ms) - t0))
}
soon 'the handler of a cancelled job is told within a second' 1000 cancelled
is 'and the job is cancelled' "$(field "$id" state)" cancelled
pid=$(cat "$T/hold")
is 'and is gone' "$(fr_gone 30 "$pid"; alive "$pid")" no

id=$(fr-submit steps)
until_ok test -e "$T/steps"
newest() { [ "$(api GET "/v1/jobs/$id" | json progress)" = '{"b":1.0,"b":2}' ]; }
until_ok newest
ok 'progress is there while it runs, token for token' newest
touch "$T/go"
fr-status --wait "$id" >/dev/null
is 'and afterwards' "$(api GET "/v1/jobs/$id" | json progress)" '{"b":1.0,"b":2}'

id=$(fr-submit missing)
withdrawn() { grep -q 'type missing.*No such file' "$T/log"; }
until_ok withdrawn
ok 'a program that is not there is logged' withdrawn
queued() { [ "$(field "$id" state)" = queued ]; }
until_ok queued
is 'and its job given back, uncounted' "$(field "$id" fail_count)" 0
types() { api GET /v1/workers | json 0.types; }
types_lack() { ! types | grep -q "$1"; }
until_ok types_lack missing
unlike 'the type is offered no more' "$(types)" missing

printf '#!/bin/sh\necho two\n' >"$T/h/second"
chmod +x "$T/h/second"
rm "$T/h/fromdir"
kill -HUP "$WORKER"
is 'SIGHUP reads the directory again' "$(fr-submit --wait=60 second)" '"two"'
until_ok types_lack fromdir
unlike 'what is not there any more is not offered' "$(types)" fromdir
done_testing
