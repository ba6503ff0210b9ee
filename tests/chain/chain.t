#!/bin/sh
# SPDX-License-Identifier: MIT
# Chains: what each step reads, what the result is, and what is refused.
# shellcheck disable=SC2016 # much of this is for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/h"
cd "$T/h" || exit 99
handler() {
	printf '#!/bin/sh\n%s\n' "$2" >"$1"
	chmod +x "$1"
}
handler show 'cat >&2; echo "{}"'
handler echo_back cat
handler two 'echo "{\"b\":2,\"c\":{\"d\":1.0}}"'
handler text 'echo words'
handler arr 'echo "[1, 2]"'
handler fails 'echo "did not work" >&2; exit 1'
handler final 'echo "never will" >&2; exit 65'
handler missing 'exit 127'
# c DATA LINE...: runs a chain of these lines
c() {
	data=$1
	shift
	printf '%s\n' "$@" >c.chain
	printf '%s' "$data" | fr-worker -H . --run c 2>"$T/err"
}

is 'one step reads the data' "$(c '{"a":1}' echo_back)" '{"a":1}'
is 'an object is laid over the data' "$(c '{"a":1}' two echo_back)" \
    '{"a":1,"b":2,"c":{"d":1.0}}'
is 'later keys replace where the first ones stand' \
    "$(c '{"b":1,"a":2}' two echo_back)" '{"b":2,"a":2,"c":{"d":1.0}}'
is 'keys are compared decoded, tokens stay' \
    "$(c '{"\u0062":1.50,"z":1e400}' '| echo "{\"b\":0.10}"' echo_back)" \
    '{"\u0062":0.10,"z":1e400}'
is 'what is no object is laid over as result' "$(c '{"a":1}' text echo_back)" \
    '{"a":1,"result":"words"}'
is 'arrays too' "$(c '{"result":0}' arr echo_back)" '{"result":[1,2]}'
is 'data that is no object counts for nothing' "$(c '[1,2]' two echo_back)" \
    '{"b":2,"c":{"d":1.0}}'
is 'but the first step reads it as it is' "$(c '[1,2]' echo_back)" '[1,2]'
is 'the result is the last one alone' "$(c '{"a":1}' two text)" '"words"'
is '| runs a command' "$(c '{"a":1}' '| tr a b')" '{"b":1}'
is 'comments and empty lines are nothing' \
    "$(c 1 '# a comment' '' '   ' '  two  ' '#')" '{"b":2,"c":{"d":1.0}}'
is 'a last line needs no newline' "$(printf 'two' >c.chain; fr-worker -H . --run c </dev/null)" \
    '{"b":2,"c":{"d":1.0}}'
c 1 'progress: half way  "there"' two >/dev/null
is 'progress tells where it is' "$(cat "$T/err")" 'progress: "half way  \"there\""'
is 'built-in handlers need no naming' "$(c 1 ping)" '{"ack":"PONG"}'
is 'all steps share a directory' "$(c 1 '| echo x >f' '| cat f')" '"x"'
is 'the type is the chain'\''s' "$(c 1 '| echo $FR_JOB_TYPE')" '"c"'
is 'what a step left running is gone before the next' \
    "$(c 1 '| (setsid sleep 60 >/dev/null 2>&1 3>&- & echo $! >p); sleep 0.1; echo {}' \
	'| kill -0 $(cat p) 2>/dev/null && echo there || echo gone')" '"gone"'

c 1 two fails two
is 'a failure ends the chain' $? 1
like 'with number and name in front' "$(cat "$T/err")" 'step 2 \(fails\): did not work'
c 1 '| exit 3'
like 'a command'\''s name is itself' "$(cat "$T/err")" 'step 1 \(exit 3\): exit status 3'
c 1 two final
like 'exit 65 is for good' "$(cat "$T/err")" 'for good: step 2 \(final\): never will'
c 1 two missing
is 'exit 127 is this machine'\''s fault' $? 74
like 'and says where' "$(cat "$T/err")" 'c cannot be run here: step 2 \(missing\): exit status 127'

printf 'two\n| echo "{\\"in\\":1}"\n' >inner.chain
is 'a chain may name a chain' "$(c '{"a":1}' inner echo_back)" '{"a":1,"in":1}'
is 'what is inside stays inside' "$(c '{"a":1}' inner text)" '"words"'
printf 'two\nfails\n' >inner.chain
c 1 text inner
like 'an error in it names both' "$(cat "$T/err")" \
    'step 2 \(inner\): step 2 \(fails\): did not work'

bad() { # bad NAME WANTED LINE...
	name=$1 want=$2
	shift 2
	printf '%s\n' "$@" >bad.chain
	run fr-worker -H . --run bad </dev/null
	is "$name: refused at the start" "$STATUS" 65
	like "$name: says where and why" "$(cat "$T/err")" "$want"
	rm -f bad.chain
}
rm -f c.chain inner.chain
bad 'an unknown handler' 'bad.chain:2: no handler `nobody`' two nobody
bad 'a line that is none' 'bad.chain:1: neither' 'two three'
bad 'a command that is none' 'bad.chain:1: no command' '|  '
bad 'an empty chain' 'bad.chain: no steps' '# nothing'
bad 'a chain of itself' 'bad.chain:1: chain without end: bad in bad' bad
printf 'b\n' >a.chain
printf 'two\nc\n' >b.chain
printf 'a\n' >c.chain
run fr-worker -H . --run a </dev/null
is 'a longer way to itself is refused' "$STATUS" 65
like 'and named' "$(cat "$T/err")" 'c.chain:1: chain without end: a in c in b in a'
rm -f a.chain b.chain c.chain
i=1
while [ $i -lt 12 ]; do
	echo "n$((i + 1))" >n$i.chain
	i=$((i + 1))
done
echo two >n12.chain
run fr-worker -H . --run n1 </dev/null
like 'too many within each other' "$(cat "$T/err")" 'more than 8 chains within each other'
rm -f n*.chain

# With a manager: it is read anew when it changes, and has one timeout.
printf 'two\n' >c.chain
# Either step would be in time.
printf '| sleep 1; echo {}\n| sleep 2.5; echo {}\n' >slow.chain
manager
worker -H .
is 'a chain is a type' "$(fr-submit --wait c '{"a":1}')" '{"b":2,"c":{"d":1.0}}'
printf 'text\n' >c.new
mv c.new c.chain
is 'a changed file counts at once' "$(fr-submit --wait c 1)" '"words"'
id=$(fr-submit --max-attempts 1 --timeout 3 slow 1)
fr-status --wait "$id" >/dev/null
is 'one timeout for all steps' "$(field "$id" error)" \
    'step 2 (sleep 2.5; echo {}): timed out after 3 s'
printf 'nobody\n' >c.new
mv c.new c.chain
said() { grep -c 'type c goes on as it was: .*c.chain:1: no handler' "$T/log"; }
is 'one that is broken later stays as it was' "$(fr-submit --wait c 1)" '"words"'
is 'the worker says so' "$(said)" 1
fr-submit --wait c 1 >/dev/null
is 'once' "$(said)" 1
rm c.chain
is 'also one that is gone' "$(fr-submit --wait c 1)" '"words"'
printf 'two\n' >c.chain
is 'until it is mended' "$(fr-submit --wait c '{"a":1}')" '{"b":2,"c":{"d":1.0}}'

# SIGHUP finds them all, without a job.
printf 'two three\n' >c.chain
printf 'nobody\n' >fresh.chain
kill -HUP "$WORKER"
found() { grep -q 'type c goes on as it was: .*c.chain:1: neither' "$T/log"; }
until_ok found
ok 'SIGHUP finds a chain that is wrong' found
like 'and a new one, which is not taken' "$(await grep fresh "$T/log")" \
    'type fresh is not taken: .*fresh.chain:1: no handler `nobody`'
is 'the old one goes on' "$(fr-submit --wait c '{"a":1}')" '{"b":2,"c":{"d":1.0}}'
printf 'two\n' >fresh.chain
kill -HUP "$WORKER"
is 'the new one is taken when it is mended' "$(fr-submit --wait fresh 1)" \
    '{"b":2,"c":{"d":1.0}}'
cd / || exit 99
done_testing
