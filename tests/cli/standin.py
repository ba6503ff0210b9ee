#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A manager that misbehaves as it is told.

standin.py LOG BEHAVIOUR...   prints its URL, then serves until it is ended.

Each request takes the next behaviour; the last one stays. LOG gets a line of
JSON for each request: method, path, headers, body.

  ok                     ids for the jobs in the body, as a manager would
  STATUS[:BODY]          that status; BODY as application/problem+json
  STATUS+SECONDS[:BODY]  with Retry-After
  json:BODY              200 with BODY
  sse:BODY               200 text/event-stream, BODY (with \\n), then the end
  close                  reads the request and closes
  half                   closes in the middle of the answer
  garbage                no HTTP
  hang                   never answers
  redirect               to itself
"""
import json
import os
import socket
import ssl
import sys
import threading

log = open(sys.argv[1], "a", buffering=1, encoding="utf-8")
script = sys.argv[2:]
lock = threading.Lock()
REASON = {200: "OK", 201: "Created"}


def read_request(f):
    first = f.readline().decode("latin-1").split()
    if len(first) < 3:
        return None
    headers = {}
    while True:
        line = f.readline().decode("latin-1").strip()
        if not line:
            break
        name, _, value = line.partition(":")
        headers[name.lower()] = value.strip()
    body = f.read(int(headers.get("content-length", "0")))
    return first[0], first[1], headers, body


def answer(status, body, ctype, extra=""):
    reason = REASON.get(status, "Status")
    head = (
        f"HTTP/1.1 {status} {reason}\r\nContent-Type: {ctype}\r\n{extra}"
        f"Content-Length: {len(body)}\r\n\r\n"
    )
    return head.encode() + body


def ids(headers, body):
    lines = [x for x in body.decode().split("\n") if x.strip()]
    return "".join(
        json.dumps({"id": json.loads(x)["id"]}, separators=(",", ":")) + "\n"
        for x in lines
    ).encode()


def reply(what, headers, body):
    """The bytes to send, and whether the connection stays."""
    kind, _, rest = what.partition(":")
    if what == "ok":
        return answer(201, ids(headers, body), "application/x-ndjson"), True
    if kind == "json":
        return answer(200, rest.encode(), "application/json"), True
    if kind == "sse":
        text = rest.replace("\\n", "\n").encode()
        head = "HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        return head.encode() + text, False
    if what == "half":
        return answer(200, b"x" * 100, "application/json")[:-50], False
    if what == "garbage":
        return b"SSH-2.0-nothing\r\n", False
    if what == "redirect":
        return answer(307, b"", "text/html", "Location: /elsewhere\r\n"), True
    if what == "close":
        return b"", False
    status, _, after = kind.partition("+")
    extra = f"Retry-After: {after}\r\n" if after else ""
    return (
        answer(int(status), rest.encode(), "application/problem+json", extra),
        True,
    )


def serve(conn):
    with conn, conn.makefile("rb") as f:
        while True:
            request = read_request(f)
            if request is None:
                return
            method, path, headers, body = request
            with lock:
                what = script.pop(0) if len(script) > 1 else script[0]
                log.write(
                    json.dumps(
                        {
                            "method": method,
                            "path": path,
                            "headers": headers,
                            "body": body.decode("utf-8", "replace"),
                        }
                    )
                    + "\n"
                )
            if what == "hang":
                f.read(1)
                return
            data, stays = reply(what, headers, body)
            conn.sendall(data)
            if not stays:
                return


listener = socket.create_server(("127.0.0.1", 0))
tls = None
if os.environ.get("STANDIN_TLS"):
    tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    tls.load_cert_chain(*os.environ["STANDIN_TLS"].split(":"))


def accepted(conn):
    """One connection, with TLS around it if STANDIN_TLS=CERT:KEY says so."""
    try:
        serve(tls.wrap_socket(conn, server_side=True) if tls else conn)
    except OSError as e:
        print(e, file=sys.stderr)


print(f"http://127.0.0.1:{listener.getsockname()[1]}", flush=True)
while True:
    c, _ = listener.accept()
    threading.Thread(target=accepted, args=(c,), daemon=True).start()
