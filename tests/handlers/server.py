# SPDX-License-Identifier: MIT
"""A web server with good and bad manners, on a free port of loopback.

server.py [ADDRESS]: prints its URL on stdout, then logs each path it was
asked for, one a line.
"""
import http.server
import sys
import time

PAGES = {
    "/a.txt": b"file a\n",
    "/b.txt": b"file b\n",
    "/dir/a.txt": b"another a\n",
    "/": b"index\n",
    "/empty": b"",
    "/big": b"x" * 300000,
    "/-rf": b"option\n",
    "/.hidden": b"hidden\n",
    "/..%2f..%2fetc%2fpasswd": b"sneaky\n",
    "/caf%C3%A9.txt": b"name\n",
    "/bad%FFname%0A": b"name\n",
    "/q?token=secret": b"query\n",
}


class Handler(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, *args):
        pass

    def head(self, status, *headers):
        self.send_response(status)
        for name, value in headers:
            self.send_header(name, value)
        self.end_headers()

    def do_GET(self):
        print(self.path, flush=True)
        if self.path in PAGES:
            body = PAGES[self.path]
            self.head(200, ("Content-Length", len(body)))
            self.wfile.write(body)
        elif self.path.startswith("/status/"):
            self.head(int(self.path[8:]), ("Content-Length", 0))
        elif self.path == "/short":
            self.head(200, ("Content-Length", 1000))
            self.wfile.write(b"only this")
            self.close_connection = True
        elif self.path == "/short-chunked":
            self.head(200, ("Transfer-Encoding", "chunked"))
            self.wfile.write(b"5\r\nhello\r\n")
            self.close_connection = True
        elif self.path == "/unknown-length":
            self.head(200, ("Transfer-Encoding", "chunked"))
            for _ in range(30):
                self.wfile.write(b"2710\r\n" + b"y" * 10000 + b"\r\n")
            self.wfile.write(b"0\r\n\r\n")
        elif self.path == "/slow":
            self.head(200, ("Content-Length", 10))
            self.wfile.write(b"1")
            self.wfile.flush()
            time.sleep(60)
        elif self.path == "/moved":
            self.head(302, ("Location", "/a.txt"), ("Content-Length", 0))
        elif self.path == "/loop":
            self.head(302, ("Location", "/loop"), ("Content-Length", 0))
        elif self.path.startswith("/to/"):
            self.head(302, ("Location", self.path[4:]),
                      ("Content-Length", 0))
        else:
            self.head(404, ("Content-Length", 0))


class Server(http.server.ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass


address = sys.argv[1] if len(sys.argv) > 1 else "127.0.0.1"
server = Server((address, 0), Handler)
print(f"http://{address}:{server.server_port}", flush=True)
server.serve_forever()
