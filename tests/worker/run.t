#!/bin/sh
# SPDX-License-Identifier: MIT
# What a handler's output and exit status mean, with fr-worker --run.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/tmp"
export TMPDIR="$T/tmp"
# got COMMAND [OPTION...]: the result of a handler on {"n":1}; STATUS in $T/st
got() {
	got_cmd=$1
	shift
	echo '{"n":1}' | fr-worker "$@" --run h "h=$got_cmd" 2>"$T/err"
	echo $? >"$T/st"
	cat "$T/err" >>"$T/log"
}
st() { cat "$T/st"; }
err() { cat "$T/err"; }

is 'the data arrives on stdin with a newline' "$(got 'od -An -c | tr -d " \n"')" \
    '"{\"n\":1}\\n"'
is 'JSON on stdout is the result' "$(got 'cat')" '{"n":1}'
is 'only white space between tokens goes' \
    "$(got "printf ' { \"b\" : 1.0e+0 , \"a\" : [ 1e400, 0.1, 12345678901234567890 ] , \"a\" : \"\\\\u0041 x\" } \n'")" \
    '{"b":1.0e+0,"a":[1e400,0.1,12345678901234567890],"a":"\u0041 x"}'
is 'no output is null' "$(got ':')" null
is 'text is a string without its last newline' "$(got 'printf "a b\n\n"')" '"a b\n"'
is 'text needs no newline' "$(got 'printf "%s" "say \"hi\""')" '"say \"hi\""'
is 'two JSON values are text' "$(got 'printf "1\n2\n"')" '"1\n2"'
is 'exit 0 is success' "$(st)" 0
is '--strict takes JSON' "$(got 'echo "[1]"' --strict)" '[1]'
is '--strict takes nothing, which is null' "$(got ':' --strict)" null
got 'echo text' --strict >/dev/null
is '--strict refuses text' "$(st)" 1
like '--strict says why' "$(err)" 'not JSON'
got 'printf "abc\377def"' >/dev/null
is 'what is not UTF-8 fails' "$(st)" 1
like 'the error shows how it begins, escaped' "$(err)" 'not UTF-8: byte 4;.*abc.xffdef'
got 'printf "[%0100d" 0 | tr 0 "["' >/dev/null
got 'i=0; while [ $i -lt 70 ]; do printf "["; i=$((i+1)); done; while [ $i -gt 0 ]; do printf "]"; i=$((i-1)); done' >/dev/null
is 'JSON that is nested too deep fails' "$(st)" 1
like 'and says so' "$(err)" '64'

for code in 1 2 3 64 66 74 75 100 125 128 200 255; do
	got "echo reason >&2; exit $code" >/dev/null
	is "exit $code is a failure" "$(st)" 1
	unlike "exit $code may be tried again" "$(err)" 'for good'
	like "exit $code: the error is the end of stderr" "$(err)" 'failed: .*reason'
done
got 'echo never >&2; exit 65' >/dev/null
like 'exit 65 is a failure for good' "$(st) $(err)" '^1 |for good: never'
like 'exit 65 says for good' "$(err)" 'failed for good: never'
got 'exit 3' >/dev/null
like 'without stderr the error is the exit status' "$(err)" 'exit status 3$'
# shellcheck disable=SC2016 # for the handler's shell
got 'kill -KILL $$' >/dev/null
like 'a signal is named' "$(err)" 'killed by signal 9 \(KILL\)'
# shellcheck disable=SC2016
got 'kill -SEGV $$' >/dev/null
like 'SIGSEGV too' "$(err)" 'killed by signal 11 \(SEGV\)'
for code in 126 127; do
	got "exit $code" >/dev/null
	is "exit $code is this machine's fault" "$(st)" 74
	like "exit $code withdraws the type" "$(err)" 'cannot be run here'
done
got 'nosuchprogram' >/dev/null
is 'a program that is not there' "$(st)" 74
like 'is named' "$(err)" 'nosuchprogram: No such file'
printf '#!/no/such/interpreter\n' >"$T/bad"
chmod 755 "$T/bad"
got "$T/bad" >/dev/null
is 'an interpreter that is not there' "$(st)" 74
printf 'echo from a script\n' >"$T/script"
chmod 755 "$T/script"
is 'a script without #! is one for sh' "$(got "$T/script")" '"from a script"'
cd "$T" || exit 99
is 'a relative path is taken from where the worker started' "$(got './script')" \
    '"from a script"'
is 'also in front of shell syntax' "$(got './script; echo more')" \
    '"from a script\nmore"'

# shellcheck disable=SC2016 # for awk and the handler's shell
big='awk "BEGIN { for (i = 0; i < 200000; i++) print \"line\", i; exit 4 }" >&2'
got "$big; exit 4" >/dev/null
like 'the error is only the end of a long log' \
    "$(tail -n 1 "$T/err")" 'line 199999$'
is 'and is bounded' "$(sed -n '/failed: /,$p' "$T/err" | wc -c | awk '{print ($1 < 5000)}')" 1
is 'a log is its last 64 KiB' \
    "$(sed '/failed: /,$d' "$T/err" | wc -c | awk '{print ($1 > 60000 && $1 <= 65537)}')" 1

is 'output up to the limit is taken' \
    "$(got 'head -c 999 /dev/zero | tr "\0" x' --max-result 1001 | wc -c)" 1002
is 'and a newline behind it is not counted' \
    "$(got 'head -c 1000 /dev/zero | tr "\0" 1; echo' --max-result 1000 | wc -c)" 1001
got 'head -c 1000 /dev/zero | tr "\0" 1; printf "\n\n"' --max-result 1000 \
    >/dev/null
like 'but a second one is' "$(err)" 'for good: .*longer than 1000'
got 'head -c 1000 /dev/zero | tr "\0" x' --max-result 1001 >/dev/null
like 'one more is not' "$(err)" 'for good: .*longer than 1001'
# shellcheck disable=SC2016
got 'echo $$ >'"$T/pid"'; exec cat /dev/zero' >/dev/null
like 'a flood is stopped, for good' "$(err)" 'for good: .*longer than 1048576'
is 'and its source killed' "$(alive "$(cat "$T/pid")")" no

printf '"%01000000d"' 7 >"$T/large.json"
big() { fr-worker --run h "h=$1" <"$T/large.json"; }
is 'a handler may close stdin at once' "$(big 'exec <&-; echo 1')" 1
is 'a handler need not read a megabyte' "$(big 'echo 2')" 2
is 'a megabyte arrives whole' "$(big 'wc -c')" 1000003
echo >>"$T/large.json"
is 'and comes back whole' "$(big cat | cksum)" "$(cksum <"$T/large.json")"

exits 'data that is no JSON is bad data' 65 sh -c 'echo {1 | fr-worker --run x x=cat'
is 'no data at all is null' "$(fr-worker --run x x=cat </dev/null)" null
echo '{"a":' | fr-worker --run x x=cat 2>"$T/err"
like 'data that is not JSON: where, and why' "$(cat "$T/err")" \
    '^fr-worker: stdin: not JSON: byte 7'
fr-worker --run x x=cat </dev/null >&- 2>>"$T/log"
is 'a closed standard output is an I/O error' $? 74
exits 'without handlers it is a wrong use' 64 fr-worker
exits 'an unknown built-in handler too' 64 fr-worker nonsense
exits 'and an impossible name' 64 fr-worker 'a b=cat'
exits 'and one given twice' 64 fr-worker a=cat a=cat
exits 'and --run of nothing there' 64 fr-worker --run nothing
exits 'and a bad URL' 64 fr-worker -m ftp://x x=cat
exits 'and a directory that is not there' 64 fr-worker -H "$T/none"
mkdir "$T/plain"
echo 'echo 1' >"$T/plain/greet"
exits 'and a file that is not executable' 64 \
    fr-worker -H "$T/plain" --run greet
like 'and it is said' "$(cat "$T/err")" 'plain/greet is not executable'
printf '#!/nowhere/sh\n' >"$T/plain/lost"
chmod +x "$T/plain/lost"
exits 'a script whose interpreter is not there' 74 \
    fr-worker -H "$T/plain" --run lost; rm "$T/plain/lost"
like 'and it is said' "$(cat "$T/err")" 'plain/lost: the interpreter'
fr-worker -m http://127.0.0.1:1 -H "$T/plain" 2>"$T/plain.log" </dev/null &
PID=$!
PIDS="$PIDS $PID"
ok 'a worker whose directory has no handlers says so' \
    await grep -q 'no file in .*plain is a handler' "$T/plain.log"
stop "$PID"
mkdir "$T/names"
printf '#!/bin/sh\necho 1\n' >"$T/names/no type"
chmod +x "$T/names/no type"
fr-worker -H "$T/names" --run ping </dev/null >"$T/out" 2>"$T/err"
like 'an executable whose name is no type is told' "$(cat "$T/err")" \
    'names/no type: not taken'
is 'a built-in handler needs no naming' "$(echo 1 | fr-worker --run ping)" \
    '{"ack":"PONG"}'
is 'progress is shown' "$(echo 1 | fr-worker --run x 'x=echo half >&3; echo "{\"a\": 1}" >&3' 2>&1 >/dev/null)" \
    'progress: "half"
progress: {"a":1}'
fr-worker --run x "x=echo \$\$ >$T/begun; exec sleep 60" </dev/null 2>>"$T/log" &
PID=$!
PIDS="$PIDS $PID"
await cat "$T/begun" >"$T/out"
kill -HUP "$PID"
wait "$PID"
is 'SIGHUP ends it, as the terminal is gone' $? 143
is 'with its handler' "$(alive "$(cat "$T/begun")")" no
is 'nothing is left behind' "$(ls -A "$T/tmp")" ''
done_testing
