# SPDX-License-Identifier: MIT
"""judge.py ACKED JOBS [ANSWERS]: is every acknowledged job there once and
complete, with the result of its last attempt? ANSWERS: "ID RESULT" lines of
what clients were told, which must be what the store says. Prints what is
wrong, and nothing if nothing is."""
import json
import sys

acked = set(open(sys.argv[1]).read().split())
seen = {}
for line in open(sys.argv[2]):
    job = json.loads(line)
    if job["id"] in seen:
        print("twice", job["id"])
    seen[job["id"]] = job
for lost in acked - set(seen):
    print("lost", lost)
for job in seen.values():
    if job["state"] != "complete" or job["result"] != job["attempt"]:
        print(job["id"], job["state"], job["result"], job["attempt"])
if len(sys.argv) > 3:
    for line in open(sys.argv[3]):
        job_id, result = line.split()
        if job_id not in seen or seen[job_id]["result"] != int(result):
            print("told", job_id, result)
