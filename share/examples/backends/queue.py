#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A queue for fr-manager in Python: see fr-backend(7).

    fr-manager --queue exec:share/examples/backends/queue.py

Higher priority first, then first in, first out. Each type has a heap of
(-priority, order, id); what was taken out of the middle, or moved to the
front, stays in the heap and is skipped when its turn comes.
"""
import heapq
import itertools
import json
import sys

heaps = {}   # type -> heap
alive = {}   # (type, id) -> order of the entry that counts
tail = itertools.count(1)
head = itertools.count(-1, -1)


def put(ticket, order):
    key = ticket["type"], ticket["id"]
    alive[key] = order
    heapq.heappush(heaps.setdefault(ticket["type"], []),
                   (-ticket["priority"], order, ticket["id"]))


def first(kind):
    """The entry of that type whose turn is next, or None."""
    heap = heaps.get(kind, [])
    while heap and alive.get((kind, heap[0][2])) != heap[0][1]:
        heapq.heappop(heap)
    return heap[0] if heap else None


def hello(r):
    if r["version"] != 1 or r["kind"] != "queue":
        return {"error": "this is a queue, version 1", "rc": "invalid"}
    return {"version": 1, "kind": "queue", "shared": False,
            "name": "fifo in Python"}


def push(r):
    for t in r["tickets"]:
        if (t["type"], t["id"]) not in alive:
            put(t, next(tail))
    return {}


def requeue(r):
    for t in reversed(r["tickets"]):  # the first one ends up foremost
        put(t, next(head))
    return {}


def remove(r):
    for t in r["tickets"]:
        alive.pop((t["type"], t["id"]), None)
    return {}


def pop(r):
    tickets = []
    while len(tickets) < r["limit"]:
        ready = [(e, t) for t in r["types"] for e in [first(t)] if e]
        if not ready:
            break
        (priority, _, job), kind = min(ready)
        heapq.heappop(heaps[kind])
        del alive[kind, job]
        tickets.append({"id": job, "type": kind, "priority": -priority})
    return {"tickets": tickets}


def length(r):
    return {"length": sum(1 for t, _ in alive if r["type"] in (None, t))}


def empty(_):
    heaps.clear()
    alive.clear()
    return {}


def place(r):
    if (r["type"], r["id"]) not in alive:
        return {"error": "no such job", "rc": "not-found"}
    turn = sorted(e for e in heaps[r["type"]]
                  if alive.get((r["type"], e[2])) == e[1])
    return {"ahead": [e[2] for e in turn].index(r["id"])}


CALLS = {f.__name__: f for f in (hello, push, requeue, remove, pop, length,
                                 empty, place)}

for line in sys.stdin:
    request = json.loads(line)
    call = CALLS.get(request["call"])
    if call:
        reply = call(request)
    else:
        reply = {"error": "no such call", "rc": "invalid"}
    print(json.dumps(reply), flush=True)
