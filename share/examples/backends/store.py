#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A store for fr-manager in one file of Python: see fr-backend(7).

    fr-manager --store 'exec:share/examples/backends/store.py /var/tmp/jobs.db'

It keeps jobs in a SQLite database, with the sqlite3 module that comes with
Python. One request a line on standard input, one answer a line on standard
output. Texts of users (data, result, error, log, progress) are kept as they
come.
"""
import json
import os
import sqlite3
import sys

STATES = ["scheduled", "queued", "running", "complete", "failed", "cancelled"]
SCHEDULED, QUEUED, RUNNING, COMPLETE, FAILED, CANCELLED = range(6)
COLUMNS = """id type data key progress result error log worker state priority
attempt max_attempts fail_count timeout_ms created_ms run_at_ms started_ms
finished_ms lease lease_until_ms""".split()
SELECT = "SELECT " + ", ".join(COLUMNS) + " FROM jobs "

SCHEMA = """
CREATE TABLE IF NOT EXISTS jobs (
    seq INTEGER PRIMARY KEY AUTOINCREMENT,
    id TEXT NOT NULL UNIQUE, type TEXT NOT NULL, data TEXT NOT NULL,
    key TEXT, progress TEXT, result TEXT, error TEXT, log TEXT, worker TEXT,
    state INTEGER NOT NULL, priority INTEGER NOT NULL,
    attempt INTEGER NOT NULL DEFAULT 0, max_attempts INTEGER NOT NULL,
    fail_count INTEGER NOT NULL DEFAULT 0, timeout_ms INTEGER NOT NULL,
    created_ms INTEGER NOT NULL, run_at_ms INTEGER NOT NULL,
    started_ms INTEGER NOT NULL DEFAULT 0,
    finished_ms INTEGER NOT NULL DEFAULT 0,
    lease TEXT, reported TEXT, lease_until_ms INTEGER NOT NULL DEFAULT 0);
CREATE INDEX IF NOT EXISTS jobs_state ON jobs (state, seq);
CREATE INDEX IF NOT EXISTS jobs_order ON jobs (type, priority DESC, seq)
    WHERE state = 1;
CREATE INDEX IF NOT EXISTS jobs_due ON jobs (run_at_ms) WHERE state = 0;
CREATE INDEX IF NOT EXISTS jobs_leased ON jobs (lease_until_ms)
    WHERE state = 2;
CREATE INDEX IF NOT EXISTS jobs_ended ON jobs (state, finished_ms);
CREATE UNIQUE INDEX IF NOT EXISTS jobs_key ON jobs (type, key)
    WHERE state <= 2 AND key IS NOT NULL;
CREATE TABLE IF NOT EXISTS paused (type TEXT PRIMARY KEY);
CREATE TABLE IF NOT EXISTS marks (handle TEXT PRIMARY KEY, number INTEGER);
CREATE TABLE IF NOT EXISTS outbox (
    number INTEGER PRIMARY KEY AUTOINCREMENT, kind TEXT, type TEXT,
    json TEXT, tries INTEGER NOT NULL DEFAULT 0,
    claimed_ms INTEGER NOT NULL DEFAULT -9223372036854775808);
"""


def job(row):
    """A row as the protocol has it: what is absent is left out."""
    j = {c: v for c, v in zip(COLUMNS, row) if v is not None}
    j["state"] = STATES[j["state"]]
    return j


class Refused(Exception):
    """An answer that is an error: rc and text."""


class Store:
    def __init__(self, path):
        self.path = path
        self.db = None
        self.handle = None

    # -- the session ----------------------------------------------------

    def hello(self, r):
        if r["version"] != 1 or r["kind"] != "store":
            raise Refused("invalid", "this is a store, version 1")
        self.handle = r["handle"]
        # The module's own transactions are turned off: begin and commit
        # come from the manager.
        self.db = sqlite3.connect(self.path, isolation_level=None, timeout=5)
        self.db.execute("PRAGMA synchronous = FULL")
        if not r["readonly"]:
            self.db.execute("PRAGMA journal_mode = WAL")
            self.db.executescript(SCHEMA)
        return {"version": 1, "kind": "store", "durable": True,
                "shared": False, "resolves": True,
                "name": "SQLite " + sqlite3.sqlite_version + " in Python"}

    def begin(self, _):
        self.db.execute("BEGIN IMMEDIATE")
        return {}

    def commit(self, r):
        self.db.execute("INSERT OR REPLACE INTO marks VALUES (?, ?)",
                        (self.handle, r["number"]))
        self.db.execute("COMMIT")
        return {}

    def rollback(self, _):
        if self.db.in_transaction:
            self.db.execute("ROLLBACK")
        return {}

    def resolve(self, r):
        """Whether that transaction, the last one of this handle, happened."""
        row = self.one("SELECT number FROM marks WHERE handle = ?",
                       self.handle)
        return {"committed": bool(row) and row[0] == r["number"]}

    # -- helpers --------------------------------------------------------

    def all(self, sql, *args):
        return self.db.execute(sql, args).fetchall()

    def one(self, sql, *args):
        return self.db.execute(sql, args).fetchone()

    def jobs(self, where, *args):
        return {"jobs": [job(r) for r in self.all(SELECT + where, *args)]}

    # -- changes --------------------------------------------------------

    def create_one(self, j):
        old = self.one("SELECT type, data FROM jobs WHERE id = ?", j["id"])
        if old:
            same = old == (j["type"], j.get("data", ""))
            return {"rc": "exists" if same else "conflict", "id": j["id"]}
        key = j.get("key")
        if key is not None:
            held = self.one("SELECT id FROM jobs WHERE type = ? AND key = ? "
                            "AND state <= 2", j["type"], key)
            if held:
                return {"rc": "exists", "id": held[0]}
        self.db.execute(
            "INSERT INTO jobs (id, type, data, key, state, priority, "
            "max_attempts, timeout_ms, created_ms, run_at_ms) "
            "VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (j["id"], j["type"], j.get("data", ""), key,
             STATES.index(j["state"]), j["priority"], j["max_attempts"],
             j["timeout_ms"], j["created_ms"], j["run_at_ms"]))
        return {"rc": "ok", "id": j["id"]}

    def create(self, r):
        return {"created": [self.create_one(j) for j in r["jobs"]]}

    def lease(self, r):
        granted = []
        for g in r["grants"]:
            n = self.db.execute(
                "UPDATE jobs SET state = 2, attempt = attempt + 1, "
                "started_ms = ?, lease = ?, lease_until_ms = ?, worker = ?, "
                "progress = NULL WHERE id = ? AND state = 1",
                (g["now_ms"], g["token"], g["until_ms"], g.get("worker"),
                 g["id"])).rowcount
            if n:
                granted += self.jobs("WHERE id = ?", g["id"])["jobs"]
        return {"jobs": granted}

    def renew(self, r):
        return {"rcs": ["ok" if self.db.execute(
            "UPDATE jobs SET lease_until_ms = ? "
            "WHERE id = ? AND state = 2 AND lease = ?",
            (x["until_ms"], x["id"], x["token"])).rowcount else "stale"
            for x in r["renewals"]]}

    def renew_all(self, r):
        self.db.execute("UPDATE jobs SET lease_until_ms = ? WHERE state = 2 "
                        "AND lease_until_ms < ?",
                        (r["until_ms"], r["until_ms"]))
        return {}

    def report(self, r, ends, change, args):
        """change is what a report that counts does to its row."""
        rcs = []
        for x in r["reports"]:
            told = ends and not x["unsaid"]  # known again if it comes twice
            n = self.db.execute(
                "UPDATE jobs SET " + change +
                (", reported = lease" if told else "") +
                " WHERE id = ? AND state = 2 AND lease = ?",
                args(x) + (x["id"], x["token"])).rowcount
            if n:
                rcs.append("ok")
            elif ends and self.one(
                    "SELECT 1 FROM jobs WHERE id = ? AND reported = ?",
                    x["id"], x["token"]):
                rcs.append("exists")  # it came before
            else:
                rcs.append("stale")
        return {"rcs": rcs}

    def progress(self, r):
        return self.report(r, False, "progress = ?",
                           lambda x: (x.get("value"),))

    def complete(self, r):
        return self.report(
            r, True, "state = 3, result = ?, error = NULL, log = ?, "
            "finished_ms = ?",
            lambda x: (x.get("value"), x.get("log"), x["now_ms"]))

    def failed(self, r):
        return self.report(
            r, True, "state = 4, fail_count = fail_count + 1, error = ?, "
            "log = ?, finished_ms = ?",
            lambda x: (x.get("value"), x.get("log"), x["now_ms"]))

    def count_failed(self, r):
        return self.report(
            r, True, "state = ?, fail_count = fail_count + 1, run_at_ms = ?, "
            "error = ?, log = ?",
            lambda x: (SCHEDULED if x["run_at_ms"] > x["now_ms"] else QUEUED,
                       x["run_at_ms"], x.get("value"), x.get("log")))

    def release(self, r):
        return self.report(
            r, True, "state = 1, log = coalesce(?, log)",
            lambda x: (x.get("log"),))

    def edit(self, r, change):
        edits = []
        for e in r["edits"]:
            row = self.one("SELECT state, priority, attempt, type, key "
                           "FROM jobs WHERE id = ?", e["id"])
            if not row:
                edits.append({"rc": "not-found"})
                continue
            edits.append({"rc": change(e, row), "before": STATES[row[0]],
                          "priority": row[1], "attempt": row[2],
                          "type": row[3]})
        return {"edits": edits}

    def cancel(self, r):
        def change(e, row):
            if row[0] == CANCELLED:
                return "exists"
            if row[0] > RUNNING:
                return "conflict"
            self.db.execute("UPDATE jobs SET state = 5, finished_ms = ? "
                            "WHERE id = ?", (e["now_ms"], e["id"]))
            return "ok"
        return self.edit(r, change)

    def retry(self, r):
        def change(e, row):
            if row[0] <= RUNNING or (row[4] is not None and self.one(
                    "SELECT 1 FROM jobs WHERE type = ? AND key = ? "
                    "AND state <= 2", row[3], row[4])):
                return "conflict"
            self.db.execute(
                "UPDATE jobs SET state = 1, run_at_ms = ?, fail_count = 0, "
                "finished_ms = 0, result = NULL, error = NULL, "
                "progress = NULL WHERE id = ?", (e["now_ms"], e["id"]))
            return "ok"
        return self.edit(r, change)

    def remove(self, r):
        def change(e, row):
            if row[0] <= RUNNING:
                return "conflict"
            self.db.execute("DELETE FROM jobs WHERE id = ?", (e["id"],))
            return "ok"
        return self.edit(r, change)

    def promote(self, r):
        due = self.all("SELECT id, type, priority FROM jobs WHERE state = 0 "
                       "AND run_at_ms <= ? ORDER BY run_at_ms, seq LIMIT ?",
                       r["now_ms"], r["limit"])
        self.db.executemany("UPDATE jobs SET state = 1 WHERE id = ?",
                            [(d[0],) for d in due])
        return {"tickets": [{"id": i, "type": t, "priority": p}
                            for i, t, p in due]}

    def purge(self, r):
        count = 0
        for name in r["states"]:
            count += self.db.execute(
                "DELETE FROM jobs WHERE seq IN (SELECT seq FROM jobs "
                "WHERE state = ? AND finished_ms < ? LIMIT ?)",
                (STATES.index(name), r["before_ms"],
                 r["limit"] - count)).rowcount
        return {"count": count}

    def pause(self, r):
        if r["paused"]:
            self.db.execute("INSERT OR IGNORE INTO paused VALUES (?)",
                            (r["type"],))
        else:
            self.db.execute("DELETE FROM paused WHERE type = ?",
                            (r["type"],))
        return {}

    # -- questions ------------------------------------------------------

    def expired(self, r):
        return self.jobs("WHERE state = 2 AND lease_until_ms <= ? "
                         "ORDER BY lease_until_ms, seq LIMIT ?",
                         r["now_ms"], r["limit"])

    def next_due(self, _):
        run_at, = self.one("SELECT min(run_at_ms) FROM jobs WHERE state = 0")
        until, = self.one(
            "SELECT min(lease_until_ms) FROM jobs WHERE state = 2")
        return {"run_at_ms": run_at, "lease_until_ms": until}

    def get(self, r):
        found = []
        for i in r["ids"]:
            found += self.jobs("WHERE id = ?", i)["jobs"]
        return {"jobs": found}

    def find(self, r):
        p = r["prefix"]
        parts = [p[0:8], p[8:12], p[12:16], p[16:20], p[20:32]]
        return self.jobs("WHERE substr(id, 1, ?) = ? ORDER BY id LIMIT ?",
                         len("-".join(x for x in parts if x)),
                         "-".join(x for x in parts if x), r["limit"])

    def list(self, r):
        before = 1 << 62
        if r["after"]:
            at = self.one("SELECT seq FROM jobs WHERE id = ?", r["after"])
            if not at:  # gone: where it stood, by its id
                at = self.one("SELECT seq + 1 FROM jobs WHERE id < ? "
                              "ORDER BY id DESC LIMIT 1", r["after"])
            before = at[0] if at else 0
        states = ",".join(str(STATES.index(s)) for s in r["states"])
        return self.jobs(
            "WHERE seq < ? AND state IN (" + states + ") "
            "AND (? IS NULL OR type = ?) ORDER BY seq DESC LIMIT ?",
            before, r["type"], r["type"], r["limit"])

    def get_queue(self, r):
        sql = "SELECT id, type, priority, seq, data FROM jobs WHERE state = 1"
        if r["type"] is None:
            rows = self.all(sql + " AND seq > ? ORDER BY seq LIMIT ?",
                            r["cursor"], r["limit"])
        else:
            rows = self.all(sql + " AND type = ? "
                            "ORDER BY priority DESC, seq LIMIT ?",
                            r["type"], r["limit"])
        tickets = [{"id": x[0], "type": x[1], "priority": x[2]} for x in rows]
        if r["with_data"]:
            for t, x in zip(tickets, rows):
                t["data"] = x[4]
        return {"tickets": tickets,
                "cursor": rows[-1][3] if rows else r["cursor"]}

    def running(self, r):
        return self.jobs("WHERE state = 2 AND (? IS NULL OR worker = ?) "
                         "ORDER BY seq", r["worker"], r["worker"])

    def stats(self, _):
        types = {}

        def entry(t):
            return types.setdefault(
                t, dict({s: 0 for s in STATES}, type=t, paused=False))
        for t, s, n in self.all(
                "SELECT type, state, count(*) FROM jobs GROUP BY 1, 2"):
            entry(t)[STATES[s]] = n
        for t, in self.all("SELECT type FROM paused"):
            entry(t)["paused"] = True
        return {"types": list(types.values())}

    # -- events for hooks -----------------------------------------------

    def outbox_put(self, r):
        return {"numbers": [self.db.execute(
            "INSERT INTO outbox (kind, type, json) VALUES (?, ?, ?)",
            (e["kind"], e["type"], e["json"])).lastrowid
            for e in r["events"]]}

    def outbox_take(self, r):
        rows = self.all("SELECT number, kind, type, json, tries + 1 "
                        "FROM outbox WHERE claimed_ms <= ? "
                        "ORDER BY number LIMIT ?", r["now_ms"], r["limit"])
        self.db.executemany(
            "UPDATE outbox SET claimed_ms = ?, tries = tries + 1 "
            "WHERE number = ?", [(r["until_ms"], x[0]) for x in rows])
        return {"events": [dict(zip(("number", "kind", "type", "json",
                                     "tries"), x)) for x in rows]}

    def outbox_done(self, r):
        self.db.executemany("DELETE FROM outbox WHERE number = ?",
                            [(n,) for n in r["numbers"]])
        return {}

    def outbox_retry(self, r):
        self.db.execute("UPDATE outbox SET claimed_ms = ? WHERE number = ?",
                        (r["at_ms"], r["number"]))
        return {}


CALLS = {c for c in dir(Store) if not c.startswith("_")} - {
    "all", "one", "jobs", "report", "edit", "create_one"}


def answer(store, line):
    r = json.loads(line)
    if r["call"] not in CALLS:
        return {"error": "no such call: " + r["call"], "rc": "invalid"}
    try:
        return getattr(store, r["call"])(r)
    except Refused as e:
        return {"error": e.args[1], "rc": e.args[0]}
    except sqlite3.OperationalError as e:
        # Locked, or full: nothing of this transaction will be kept.
        full = "full" in str(e)
        return {"error": str(e), "rc": "no-space" if full else "again"}
    except sqlite3.Error as e:
        return {"error": str(e), "rc": "io"}


def main():
    if len(sys.argv) != 2:
        sys.exit("usage: store.py DATABASE")
    store = Store(sys.argv[1])
    for line in sys.stdin.buffer:
        # Written with escapes, so that no text can break the line.
        sys.stdout.write(json.dumps(answer(store, line)) + "\n")
        sys.stdout.flush()


try:
    main()
except BrokenPipeError:
    os._exit(1)  # the manager went first; there is nobody to tell
