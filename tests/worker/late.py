#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A manager that takes its time: late.py DONE prints its URL, gives one job,
keeps the report of its end until the worker has asked for more jobs, and then
has too much to do. DONE is made when the same report comes again.
"""
import json
import sys
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

ID = "01900000-0000-7000-8000-000000000001"
JOB = {"id": ID, "type": "h", "attempt": 1, "max_attempts": 3, "data": 1,
       "lease": "0" * 32, "lease_seconds": 15, "timeout": 0}
given, reported, asked = (threading.Event() for _ in range(3))


class Manager(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *_):
        pass

    def answer(self, status, jobs=()):
        body = json.dumps({"jobs": jobs, "stop": [], "refused": []}).encode()
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_POST(self):
        size = int(self.headers["Content-Length"])
        x = json.loads(self.rfile.read(size))
        if x.get("finished"):
            if reported.is_set():
                open(sys.argv[1], "w", encoding="ascii").close()
                self.answer(200)
                return
            reported.set()
            asked.wait()
            self.answer(503)
        elif not x.get("slots"):
            self.answer(200)
        elif not given.is_set():
            given.set()
            self.answer(200, [JOB])
        else:
            if reported.is_set():
                asked.set()
            reported.wait()
            self.answer(200)


server = ThreadingHTTPServer(("127.0.0.1", 0), Manager)
server.daemon_threads = True
print(f"http://127.0.0.1:{server.server_port}", flush=True)
server.serve_forever()
