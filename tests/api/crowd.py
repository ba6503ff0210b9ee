# SPDX-License-Identifier: MIT
"""crowd URL PID COUNT PROBE

COUNT connections have a burst of requests waiting when the stopped manager
goes on, and behind all of them stands one of another kind. Prints how many
percent of the crowd's jobs were taken up before that one was: by the time in
their ids, and by what the manager itself says. PROBE: "work" (a worker takes
a job), or "signs" (metrics, on a connection that is new).
"""
import calendar
import json
import os
import re
import signal
import socket
import sys
import time

BURST = 64
JOB = b'{"type":"crowd"}'


def connect(url):
    host, port = url.split("//", 1)[1].rsplit(":", 1)
    s = socket.create_connection((host, int(port)))
    s.settimeout(120)
    return s


def request(method, path, body=b""):
    return (
        f"{method} {path} HTTP/1.1\r\nHost: x\r\n"
        "Content-Type: application/json\r\n"
        f"Content-Length: {len(body)}\r\n\r\n"
    ).encode() + body


def answers(s, n):
    """The bodies of n answers."""
    data, found = b"", []
    while len(found) < n:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if mark:
            size = int(head.lower().split(b"content-length:")[1].split()[0])
            if len(rest) >= size:
                found.append(rest[:size])
                data = rest[size:]
                continue
        more = s.recv(1 << 16)
        if not more:
            sys.exit("closed")
        data += more
    return found


def ask(s, *what):
    s.sendall(request(*what))
    return answers(s, 1)[0]


def born(job):
    return int(job["id"].replace("-", "")[:12], 16)


def taken(metrics):
    found = re.search(rb"(?m)^forerunner_http_requests_total (\d+)", metrics)
    return int(found.group(1))


def main(url, pid, count, probe):
    pid, count = int(pid), int(count)
    crowd = [connect(url) for _ in range(count)]
    for s in crowd:
        ask(s, "POST", "/v1/jobs", JOB)
    one = connect(url)
    mine = json.loads(ask(one, "POST", "/v1/jobs", b'{"type":"mine"}'))["id"]
    work = b'{"worker":"w","host":"h","pid":1,"types":["%s"],"slots":1}'
    start = taken(ask(one, "GET", "/metrics"))
    ask(one, "POST", "/v1/work", work % b"none")
    os.kill(pid, signal.SIGSTOP)
    while "State:\tT" not in open(f"/proc/{pid}/status").read():
        time.sleep(0.01)
    for s in crowd:
        s.sendall(request("POST", "/v1/jobs", JOB) * BURST)
    if probe == "work":
        one.sendall(request("POST", "/v1/work", work % b"mine"))
    else:
        one = connect(url)
        one.sendall(request("GET", "/metrics"))
    os.kill(pid, signal.SIGCONT)
    got = answers(one, 1)[0]
    times = [born(json.loads(a)) for s in crowd for a in answers(s, BURST)]
    if probe == "work":
        assert json.loads(got)["jobs"][0]["id"] == mine
        at = json.loads(ask(one, "GET", f"/v1/jobs/{mine}"))["started_at"]
        whole, ms = at.rstrip("Z").split(".")
        at = calendar.timegm(time.strptime(whole, "%Y-%m-%dT%H:%M:%S"))
        before = sum(t <= at * 1000 + int(ms) for t in times)
    else:
        before = taken(got) - start - 1
    print(100 * before // len(times))


main(*sys.argv[1:])
