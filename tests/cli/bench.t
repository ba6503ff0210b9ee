#!/bin/sh
# SPDX-License-Identifier: MIT
# fr-bench measures a manager with every measurement, and says what is wrong.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

manager
for mode in submit drain both latency; do
	out=$(fr-bench -n 200 -c 2 -w 2 --slots 10 "$mode" 2>&1)
	is "$mode ends well" $? 0
	like "$mode prints a figure" "$out" '[0-9] (jobs/s|ms)$'
done
is 'what was measured is in the store' \
    "$(fr-status --json --list --type bench --limit 1 | wc -l)" 1
out=$(fr-bench -n 20 -w 50 --json idle)
like 'idle workers do not hold up the one that gets a job' "$out" \
    '^\{"start after submit, p50":'
fr-bench nothing 2>"$T/err"
is 'a measurement that does not exist is wrong usage' $? 64
fr-bench -m http://127.0.0.1:9 submit 2>"$T/err"
is 'a manager that is not there is not reachable' $? 69
like 'and it is said why' "$(cat "$T/err")" \
    'connect to http://127.0.0.1:9: Connection refused$'
fr-bench -m http://127.0.0.1:99999 submit 2>"$T/err"
is 'a URL that is none is wrong usage' $? 64
like 'and is shown' "$(cat "$T/err")" '^fr-bench: http://127.0.0.1:99999: URL'
fr-bench -m http://nobody.invalid submit 2>"$T/err"
is 'a host that has no address' $? 69
like 'is told from one that cannot be reached' "$(cat "$T/err")" \
    '(there is no host with this name|failure in name resolution)$'
stop "$MANAGER"

# It does as it is told by a manager that is full, and says so.
manager --max-requests 2
out=$(fr-bench -n 60 -c 20 --type full submit 2>"$T/err")
is 'a manager that is full is asked again' $? 0
like 'how often is a figure' "$out" '^told to come again  *[1-9].* requests$'
is 'all jobs were accepted in the end' \
    "$(api GET /v1/types | json full.queued)" 60
stop "$MANAGER"
manager --max-memory 600k
out=$(fr-bench -n 20 -c 10 -s 200000 --type big --json submit 2>"$T/err")
is 'also when the connection is closed, as behind a body that is not read' \
    $? 0
like 'and they are counted' "$out" '"told to come again":[1-9]'
is 'none is lost or doubled' "$(api GET /v1/types | json big.queued)" 20
done_testing
