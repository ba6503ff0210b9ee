#!/bin/sh
# SPDX-License-Identifier: MIT
# Promise 3, nothing lost: manager and workers are killed with -9 again and
# again while jobs come and go; every acknowledged job ends, once, with the
# result of its last attempt.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

LOTS=20 LOT=100
cat >"$T/kept.py" <<'E'
import json, sys
for line in sys.stdin:
    print(json.dumps({"result": json.loads(line)["attempt"]}), flush=True)
E
mkdir "$T/H"
printf '#!/bin/sh\nexec %s -S -I %s\n' "$FR_PYTHON" "$T/kept.py" >"$T/H/kept.lines"
# shellcheck disable=SC2016 # for the handler's shell
printf '#!/bin/sh\ncat >/dev/null; echo "$FR_JOB_ATTEMPT"\n' >"$T/H/spawned"
chmod +x "$T/H/"*
crew() { worker -c 2 -H "$T/H"; }

# Submits lots, and again those of which nothing was acknowledged because no
# manager was there; what is acknowledged is written down.
submit() {
	i=0
	while [ "$i" -lt $LOTS ]; do
		type=kept
		[ $((i % 2)) = 0 ] || type=spawned
		if seq 1 $LOT | fr-submit --max-attempts 1000 --bulk "$type" \
		    >"$T/lot" 2>>"$T/submit.log"; then
			i=$((i + 1))
		fi
		cat "$T/lot" >>"$T/acked"
	done
	: >"$T/submitted"
}
ended() { api GET /v1/types | "$FR_PYTHON" -c 'import json, sys
t = json.load(sys.stdin).values()
print(sum(x["complete"] + x["failed"] + x["cancelled"] for x in t))'; }
more_than() { n=$(ended) && [ -n "$n" ] && [ "$n" -gt "$1" ]; }
all_ended() { api GET /v1/types | "$FR_PYTHON" -c 'import json, sys
t = json.load(sys.stdin).values()
sys.exit(sum(x["queued"] + x["running"] + x["scheduled"] for x in t) > 0)'; }

manager --lease 2
crew
submit &
PIDS="$PIDS $!"
kills=0
while [ $kills -lt 12 ]; do
	[ -e "$T/submitted" ] && all_ended && break
	before=$(ended)
	until_ok more_than "${before:-0}" || break
	kills=$((kills + 1))
	case $((kills % 3)) in
	0)
		kill -KILL "$WORKER"
		crew
		;;
	*) restart ;;
	esac
done
diag "$kills kills"
ok 'manager and workers were killed while work went on' [ $kills -ge 5 ]
ok 'all is submitted in the end' await test -e "$T/submitted"
slow=$FR_TEST_SLOW
FR_TEST_SLOW=$((FR_TEST_SLOW * 4))
ok 'all ends' until_ok all_ended
FR_TEST_SLOW=$slow

ok 'every job was acknowledged' \
    [ "$(sort -u "$T/acked" | wc -l)" -ge $((LOTS * LOT)) ]
: >"$T/jobs"
after=
while :; do
	api GET "/v1/jobs?limit=1000${after:+&after=$after}" \
	    -H 'Accept: application/x-ndjson' >"$T/page"
	[ -s "$T/page" ] || break
	cat "$T/page" >>"$T/jobs"
	after=$(tail -n 1 "$T/page" | json id)
done
is 'no job is lost, and none is there twice' "$("$FR_PYTHON" - "$T" <<'E'
import json, sys, os
t = sys.argv[1]
acked = set(open(t + "/acked").read().split())
seen = {}
for line in open(t + "/jobs"):
    j = json.loads(line)
    if j["id"] in seen:
        print("twice", j["id"])
    seen[j["id"]] = j
for i in acked - set(seen):
    print("lost", i)
for j in seen.values():
    if j["state"] != "complete" or j["result"] != j["attempt"]:
        print(j["id"], j["state"], j["result"], j["attempt"])
E
)" ''
ok 'the database is whole' sh -c \
    "sqlite3 '$T/db' 'pragma integrity_check' | grep -qx ok"
done_testing
