#!/bin/sh
# SPDX-License-Identifier: MIT
# What make bench says of what it has measured; nothing is measured here.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
bench() { "$FR_PYTHON" "$ROOT/tests/bench/run.py" --dir "$T/bench" "$@"; }

ok 'it says what there is' bench --list
like 'with the word for each' "$(cat "$T/out")" '^drain  *durable drain'
is 'a word picks its figures' "$(bench --list --only drain,both |
	sed 's/ .*//' | sort -u | tr '\n' ' ')" 'both drain '
is 'and text those that have it in the name' \
    "$(bench --list --only '.lines h' | grep -vc '\.lines h')" 0
fails 'what is not there is refused' bench --list --only nothing-such
like 'and named' "$(cat "$T/err")" nothing-such
ok 'there is help' bench --help

cat >"$T/fake.py" <<'END'
import sys
sys.dont_write_bytecode = True
sys.path.insert(0, sys.argv[1])
from bench import measure as m
def gone():
    raise m.Missing("npm")
def turn(*v):
    it = iter(v)
    return lambda: next(it)
rows = m.measured(m.Figure("f", turn(10, 40, 30), [
    m.Peer("slow", turn(2, 5, 3)), m.Peer("quick", turn(20, 20, 20)),
    m.Peer("loose", turn(90, 90, 90), durable=False), m.Peer("none", gone),
], floors=[m.at_least(10, "slow"), m.at_least(1.6, m.BEST), m.at_least(31),
           m.at_most(0.4, "loose"), m.at_least(1, "none")]), 3, lambda _: 0)
rows += m.measured(m.Figure("g", turn((1, 8)), [m.Peer("p", turn((2, 4)))],
    parts=[m.Part("a", "us", [m.at_most(1, "p")], True),
           m.Part("b", "us", [m.at_most(1, "p")], True)]), 1, lambda _: 0)
m.show(rows)
kept = m.keep(sys.argv[2], rows, False)
again = m.keep(sys.argv[2], m.measured(m.Figure("g", turn((1, 1)),
    parts=[m.Part("a", "us")]), 1, lambda _: 0), True)
print(len(kept), len(again))
print(m.table(kept))
END
run "$FR_PYTHON" "$T/fake.py" "$ROOT/tests/bench" "$T/rows"
is 'it works' "$STATUS" 0
is 'the median and the spread are printed, and ours to theirs' \
    "$(grep -E '^  (forerunner|slow)' "$T/out" | head -n 2 | tr -s ' ')" \
    ' forerunner 30 10-40
 slow 3 2-5 ours/theirs 10'
is 'what is not reached says so, and who is not here' \
    "$(sed -n '/^f/,/^$/p' "$T/out" | grep -E '=|not here' | tr -s ' ')" \
    ' >= 10 x slow: 10
 >= 1.6 x the best durable peer: 1.5, NO
 >= 31: 30, NO
 <= 0.4 x loose: 0.333
 >= 1 x none: not measured
 none not here: npm'
is 'less is better where it is' "$(grep '^ .* x p:' "$T/out" | tr -s ' ')" \
    ' <= 1 x p: 0.5
 <= 1 x p: 2, NO'
like 'what was measured before may stay' "$(cat "$T/out")" '^9 8$'
like 'the table has a line for each' "$(cat "$T/out")" \
    '^\| f \| 30 jobs/s \(10-40\) \| slow 3 \(10 x\); quick 20 \(1.5 x\); '

# Interrupted, it leaves nothing: neither processes nor files.
start "$FR_PYTHON" "$ROOT/tests/bench/run.py" --dir "$T/bench" \
    --only 'durable submits' --rounds 1000
pid=$PID
managers() { pgrep -f "sqlite:$T/bench"; }
until_ok managers >"$T/there"
isnt 'servers are started' "$(cat "$T/there")" ''
kill -TERM "$pid"
wait "$pid"
is 'a signal ends it' $? 143
fails 'its servers are gone' managers
is 'and its files are gone' "$(find "$T/bench" -mindepth 1 \
    ! -name rows ! -name table.md)" ''
done_testing
