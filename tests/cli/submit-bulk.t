#!/bin/sh
# SPDX-License-Identifier: MIT
# Many jobs from stdin: ids in order, exactly what stands before a bad line.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 39

# bodies: the lines of all requests; ids: their ids
bodies() {
	"$FR_PYTHON" -c 'import json, sys
for x in open(sys.argv[1]): sys.stdout.write(json.loads(x)["body"])' \
	    "$T/requests"
}
ids() { bodies | sed 's/^{"id":"\([0-9a-f-]*\)".*/\1/'; }

standin ok
seq 25000 >"$T/in"
ok 'data of one type' fr-submit --bulk echo --priority 2 <"$T/in"
is 'full requests, as few as can be' "$(requests)" 3
is 'every line became a job' "$(bodies | wc -l)" 25000
is 'ids come out in the order of the lines' "$(ids | cksum)" \
    "$(cksum <"$T/out")"
is 'ids grow' "$(sort <"$T/out" | uniq | cksum)" "$(cksum <"$T/out")"
is 'a job has its type, options and data' \
    "$(bodies | sed -n '17p' | sed 's/"id":"[^"]*",//')" \
    '{"type":"echo","priority":2,"data":17}'
is 'it is sent as NDJSON' "$(request 1 headers.content-type)" \
    application/x-ndjson

standin ok
cat >"$T/in" <<'EOF'
{"type":"a","data":{"x":1e400,"x":2}}

  {"type":"b","id":"01a20ccc-af22-72c0-a42e-e6e1580ed242"}
{"type":"c","id":null}
EOF
printf '{"type":"d","key":"k"}' >>"$T/in" # no line feed at the end
ok 'whole jobs' fr-submit --bulk <"$T/in"
is 'an id is put in front' "$(bodies | sed -n '1s/"id":"[^"]*",//p')" \
    '{"type":"a","data":{"x":1e400,"x":2}}'
is 'one that is there stays' "$(bodies | sed -n 2p)" \
    '{"type":"b","id":"01a20ccc-af22-72c0-a42e-e6e1580ed242"}'
like 'null is none' "$(bodies | sed -n 3p)" '"id":"[0-9a-f]{8}-'
like 'the last line needs no line feed' "$(bodies | sed -n 4p)" '"key":"k"'
is 'empty lines are no jobs' "$(wc -l <"$T/out" | tr -d ' ')" 4

# bad_line NAME LINE: as the third of four
bad_line() {
	standin ok
	printf '{"type":"a"}\n\n%s\n{"type":"b"}\n' "$2" >"$T/in"
	exits "$1" 65 fr-submit --bulk <"$T/in"
}
bad_line 'a line that is not JSON is bad data' '{"type":'
like 'its number is told, and why' "$(cat "$T/err")" \
    '^fr-submit: line 3: byte [0-9]+: '
is 'the jobs before it are accepted' "$(wc -l <"$T/out" | tr -d ' ')" 1
is 'those behind it are not sent' "$(bodies | wc -l | tr -d ' ')" 1
bad_line 'a line without a type' '{"data":1}'
like 'the field is told' "$(cat "$T/err")" 'line 3: .*type'
bad_line 'an unknown field' '{"type":"a","colour":"red"}'
like 'its name is told' "$(cat "$T/err")" 'line 3: .*colour'
bad_line 'a wrong value' '{"type":"a","max_attempts":0}'
printf '1\n{\n' >"$T/in"
exits 'bad data of one type' 65 fr-submit --bulk echo <"$T/in"
like 'the line is told' "$(cat "$T/err")" '^fr-submit: line 2: byte 2'

# What the manager refuses, and this end could not know.
standin '409:{"detail":"line 3: there is another job with this id"}' ok
seq 5 >"$T/in"
exits 'a line that the manager refuses' 1 fr-submit --bulk echo <"$T/in"
like 'its number is told' "$(cat "$T/err")" \
    '^fr-submit: line 3: there is another'
is 'those before it are sent again, and accepted' \
    "$(requests) $(wc -l <"$T/out" | tr -d ' ')" '2 2'
standin '422:{"detail":"line 1: too many"}'
printf '\n\n1\n2\n' >"$T/in"
exits 'a refused first line' 65 fr-submit --bulk echo <"$T/in"
like 'has its number in the input, too' "$(cat "$T/err")" 'line 3: too many'
is 'nothing is accepted' "$(cat "$T/out")" ''

standin 503+1 close ok
seq 3 >"$T/in"
exits 'a busy manager is waited for' 0 fr-submit --bulk echo <"$T/in"
is 'and every line is accepted once' \
    "$(wc -l <"$T/out" | tr -d ' ') $(ids | sort -u | wc -l | tr -d ' ')" '3 3'
standin ok
ok 'no lines are no jobs' fr-submit --bulk echo </dev/null
is 'and no request' "$(requests)" 0

# Lines that come slowly are not held back.
mkfifo "$T/slow"
fr-submit --bulk echo <"$T/slow" >"$T/ids" 2>>"$T/log" &
P=$!
PIDS="$PIDS $P"
exec 9>"$T/slow"
echo 1 >&9
await test -s "$T/ids" >/dev/null
is 'a line is sent although more may come' "$(wc -l <"$T/ids" | tr -d ' ')" 1
echo 2 >&9
exec 9>&-
wait "$P"
is 'and the rest at the end' "$? $(wc -l <"$T/ids" | tr -d ' ')" '0 2'

exits 'options of the job need a type' 64 fr-submit --bulk -p 1
exits 'it does not wait' 64 fr-submit --bulk --wait echo
exits 'data comes from stdin only' 64 fr-submit --bulk echo 1
