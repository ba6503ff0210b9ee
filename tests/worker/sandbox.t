#!/bin/sh
# SPDX-License-Identifier: MIT
# What surrounds a handler: environment, descriptors, signals, directory,
# limits; and that nothing of it is left.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

run_h() { # run_h COMMAND [OPTION...]: the result as text
	h=$1
	shift
	echo 1 | fr-worker "$@" --run h "h=$h" 2>>"$T/log" |
	    "$FR_PYTHON" -c 'import json,sys; print(json.load(sys.stdin))'
}

export SECRET=hidden EXTRA=passed HOME="$T" LANG=C.UTF-8 TZ=UTC
names=$(run_h 'env | sed s/=.*// | sort | tr "\n" " "')
is 'the environment is as documented, and no more' "$names" \
    'FR_JOB_ATTEMPT FR_JOB_ID FR_JOB_MAX_ATTEMPTS FR_JOB_TYPE FR_MANAGER HOME LANG PATH PWD TZ '
is '--env passes more' "$(run_h 'echo $EXTRA$SECRET' --env EXTRA)" passed
is 'a variable that is not set stays so' "$(run_h 'echo ${NOPE-unset}' --env NOPE)" unset
exits 'PATH is not passed so' 64 fr-worker --env PATH x=cat
exits 'nor a value' 64 fr-worker --env A=b x=cat
is 'PATH begins with the built-in handlers' \
    "$(run_h 'echo ${PATH%%:*}')" "$HANDLERS"
is 'so they can be called with options' "$(run_h 'ping')" "{'ack': 'PONG'}"
like 'the id is a UUID' "$(run_h 'echo $FR_JOB_ID')" '^[0-9a-f-]{36}$'
is 'type and attempt are told' \
    "$(run_h 'echo $FR_JOB_TYPE $FR_JOB_ATTEMPT $FR_JOB_MAX_ATTEMPTS')" 'h 1 1'
is 'the manager is told' "$(run_h 'echo $FR_MANAGER' -m http://127.0.0.1:9)" \
    http://127.0.0.1:9

fds='i=0; while [ $i -lt 64 ]; do [ ! -e /proc/$$/fd/$i ] || s="$s $i"; i=$((i+1)); done; echo "$s"'
is 'only descriptors 0 to 3 are open' \
    "$(exec 5</dev/null 9>/dev/null; run_h "$fds")" ' 0 1 2 3'
is 'also if the worker had none' \
    "$(run_h "$fds" 2>&- 3>&-)" ' 0 1 2 3'
sig() { run_h "grep '^Sig$1:' /proc/self/status | tr -d '\\t'"; }
is 'no signal is ignored' "$(trap '' HUP PIPE USR1; sig Ign)" 'SigIgn:0000000000000000'
is 'no signal is blocked' "$(sig Blk)" 'SigBlk:0000000000000000'
is 'no_new_privs is set' \
    "$(run_h 'grep NoNewPrivs /proc/self/status | tr -d "\\t"')" 'NoNewPrivs:1'
is 'it leads a session of its own' \
    "$(run_h 'read -r _ _ _ _ pg sid _ </proc/$$/stat; [ $pg = $$ ] && [ $sid = $$ ] && echo yes')" yes

is 'the directory is empty' "$(run_h 'ls -A | wc -l')" 0
is 'and its own' "$(run_h 'stat -c "%a %u" .')" "700 $(id -u)"
mkdir "$T/w"
d=$(run_h 'touch a .b; mkdir -p c/d; ln -s / root; ln -s '"$T"' t; mkdir x; touch x/y; chmod 0 x; pwd' --workdir "$T/w")
like 'it is under --workdir' "$d" "^$T/w/fr-worker\\.[^/]*/"
is 'it is gone afterwards, with all that was in it' "$(ls -A "$T/w")" ''
ok 'what links led to is still there' test -e "$T/log"
run_h 'i=0; while [ $i -lt 300 ]; do mkdir d && cd d; i=$((i+1)); done' --workdir "$T/w" >/dev/null
is 'also one that is 300 levels deep' "$(ls -A "$T/w")" ''

# fr-worker needs more open files for 30 slots; its handlers do not get them.
# shellcheck disable=SC3045 # dash has ulimit -S
raised=$(
	ulimit -S -n 60
	seq 30 | sed 's/.*/{"type":"h"}/' |
	    fr-run -c 30 "h=echo >>$T/met; until [ \$(wc -l <$T/met) = 30 ]; do sleep 0.01; done; ulimit -n" 2>>"$T/log" |
	    grep -o '"result":[0-9]*' | sort | uniq -c | tr -s ' '
)
is 'the limit of open files holds for handlers, not for all of them together' \
    "$raised" ' 30 "result":60'
is '--limit-files' "$(run_h 'ulimit -n' --limit-files 33)" 33
is '--limit-cpu' "$(run_h 'ulimit -t' --limit-cpu 7s)" 7
is '--limit-memory' "$(run_h 'ulimit -v' --limit-memory 512M)" 524288
is '--limit-file-size' "$(run_h 'ulimit -f' --limit-file-size 1M)" 2048
like '--limit-processes' "$(run_h 'grep processes /proc/self/limits' --limit-processes 1000)" ' 1000 '
done_testing
