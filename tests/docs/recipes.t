#!/bin/sh
# SPDX-License-Identifier: MIT
# The scripts, the hook and the handler of share/examples that stand for ways of
# working: once a day, fan-out and fan-in, retries, messages.
# shellcheck disable=SC2016 # for the handlers' shell
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 18

examples=$ROOT/share/examples
PATH=$examples/scripts:$PATH
mkdir "$T/hooks" "$T/handlers"
cp "$examples/hooks/failed" "$T/hooks"
cp "$examples/handlers/call" "$T/handlers"
mkdir "$T/bin"
printf '#!/bin/sh\n{ echo "$@"; cat; } >>"%s"\n' "$T/mail" >"$T/bin/mail"
chmod +x "$T/bin/mail"
PATH=$T/bin:$PATH
manager --hooks "$T/hooks" --retry-base 0.1
worker -c 4 -H "$T/handlers" 'square=read n; echo $((n * n))' \
	'sum=tr -d "[]" | tr , "\n" | awk "{ s += \$1 } END { print s }"' \
	'odd=read n; [ $((n % 2)) = 1 ] || exit 65; echo "$n"'

id=$(once-a-day square 7)
like 'once a day: an id' "$id" '^[0-9a-f]{8}-[0-9a-f]{4}-5'
is 'the same day it is the same job' "$(once-a-day square 7)" "$id"
is 'there is one' "$(fr-status --list --type square --json | grep -c .)" 1
isnt 'another type is another job' "$(once-a-day sum '[1]')" "$id"
exits 'and without one it is used wrongly' 2 once-a-day

is 'fan-out: the results of all become one' "$(seq 10 | fan-out square sum)" 385
is 'of many too' "$(seq 2000 | fan-out square sum)" 2668667000
before=$(fr-status --list --type sum --json --limit 0 | grep -c .)
fails 'one that fails' sh -c 'seq 4 | fan-out odd sum'
is 'and nothing is joined then' \
    "$(fr-status --list --type sum --json --limit 0 | grep -c .)" "$before"

call() { fr-submit --wait=60 --max-attempts 2 call url="$1" data:=1; }
last() { fr-status --list --type call --json --limit 1 | json "$1"; }
is 'call: what is answered is complete' \
    "$(call "$FR_MANAGER/v1/types/x/pause")" '{"status":200}'
exits 'what is not there fails' 1 call "$FR_MANAGER/nothing"
is 'once' "$(last fail_count)" 1
is 'and says why' "$(last error)" 'HTTP 404'
exits 'who does not answer fails, too' 1 call http://127.0.0.1:1/
is 'but is called again' "$(last fail_count)" 2

mailed() { grep -q "^fr-ctl retry $id " "$T/mail"; }
id=$(last id)
until_ok mailed
ok 'the hook tells of a failure' mailed
like 'by type' "$(cat "$T/mail")" '^-s call failed root$'
like 'with its error' "$(cat "$T/mail")" '"error":".*Connection refused'
