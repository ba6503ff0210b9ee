#!/bin/sh
# SPDX-License-Identifier: MIT
# The helpers of tests/lib.sh fail when they should, and clean up.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 21

# inner SCRIPT: a test of its own; its TAP in $T/out, its notes in $T/err.
inner() {
	{
		printf '#!/bin/sh\n. "%s/tests/lib.sh"\n' "$ROOT"
		cat
	} >"$T/inner.t"
	mkdir -p "$T/tests"
	: >"$T/tests/lib.sh" # so that it finds a root
	STATUS=0
	env -u T TMPDIR="$T" sh "$T/inner.t" >"$T/out" 2>"$T/err" || STATUS=$?
}
inner <<'END'
plan 9
is a x x
isnt b x y
like c 'one
two' '^two$'
unlike d one two
ok e true
fails f false
exits g 3 sh -c 'exit 3'
skip h because
pass 'a \n name'
END
is 'what holds passes' "$(grep -vc '^ok' "$T/out") $STATUS" '1 0'
is 'a name is printed as it is' "$(tail -n 1 "$T/out")" 'ok 9 - a \n name'
for line in 'is a x y' 'isnt a x x' 'like a x y' 'unlike a x x' 'ok a false' \
	'fails a true' 'exits a 3 false' 'fail a'; do
	inner <<END
plan 1; $line
END
	is "what does not hold fails: $line" "$(tail -n 1 "$T/out") $STATUS" \
	    'not ok 1 - a 1'
done
inner <<'END'
plan 1
pass a
start sh -c 'echo ==1==ERROR: AddressSanitizer: bad'
wait
END
isnt 'what a sanitizer reports fails the test' "$STATUS" 0
inner <<'END'
plan 2
start sleep 1000
is alive "$(alive "$PID")" yes
echo "$PID $T" >"$TMPDIR/left"
start sleep 1000
stop "$PID"
is stopped "$(alive "$PID")" no
END
read -r pid dir <"$T/left"
is 'processes are seen' "$STATUS" 0
is 'what was started is stopped at the end' "$(alive "$pid")" no
ok 'and the directory is gone' test ! -e "$dir"
inner <<'END'
plan 1
start sh -c 'sleep 0.3; echo now >"$T/x"; sleep 100'
is a "$(await cat "$T/x")" now
END
is 'await asks until there is something' "$STATUS" 0
# shellcheck disable=SC2016 # for the inner test
is 'a manager that dies fails the test' "$(
	printf '#!/bin/sh\nexit 1\n' >"$T/fr-manager"
	chmod +x "$T/fr-manager"
	printf 'plan 1\nPATH=%s:$PATH\nmanager\npass a\n' "$T" | inner
	head -n 2 "$T/out")" '1..1
not ok 1 - the manager starts'
is 'json: a part, token for token' "$(
	printf '%s' '{"a":[1,{"b":1e400}],"c":"x\ny"}' | json a.1.b)" 1e400
is 'json: strings are decoded' "$(printf '%s' '{"c":"\u00e9"}' | json c)" é
is 'json: the last of two is taken' "$(echo '{"a":1,"a":2}' | json a)" 2
is 'json: all of it' "$(echo ' {"a": 1} ' | json .)" '{"a": 1}'
missing() { echo '{"a":[]}' | json a.0; }
fails 'json: what is not there' missing
