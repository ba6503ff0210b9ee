# SPDX-License-Identifier: MIT
"""raw [-n N] [-t SECONDS] URL PIECE...

Sends pieces as they are over one connection and prints what comes back,
without carriage returns and Date. A piece has the escapes of a Python string;
or it is @SECONDS (waits), @shut (ends the sending side), @read (waits for
some bytes), @reset (cuts the connection), @rep:COUNT:TEXT, or
@drip:SECONDS:TEXT (one byte at a time). Reads up to the end; -n: only N
whole answers. At the end stands "[closed]" or "[open]", which is known after
SECONDS (10; times FR_TEST_SLOW) without an end.
"""
import os
import re
import socket
import struct
import sys
import time


def connect(url):
    if url.startswith("unix:"):
        s = socket.socket(socket.AF_UNIX)
        s.connect(url[5:])
        return s
    host, port = url.split("//", 1)[1].rsplit(":", 1)
    return socket.create_connection((host.strip("[]"), int(port)))


def decode(text):
    return text.encode().decode("unicode_escape").encode("latin-1")


def whole(data):
    """How many whole answers there are."""
    n = 0
    while True:
        head, mark, rest = data.partition(b"\r\n\r\n")
        if not mark:
            return n
        if head.startswith(b"HTTP/1.1 100"):
            data = rest
            continue
        m = re.search(rb"(?i)\ncontent-length: (\d+)", head)
        size = int(m.group(1)) if m else 0
        if len(rest) < size:
            return n
        n += 1
        data = rest[size:]


def main(argv):
    count, limit = None, 10.0
    while argv[0].startswith("-"):
        if argv[0] == "-n":
            count = int(argv[1])
        else:
            limit = float(argv[1])
        argv = argv[2:]
    limit *= float(os.environ.get("FR_TEST_SLOW", 1))
    s = connect(argv[0])
    s.settimeout(limit)
    got = b""
    for piece in argv[1:]:
        try:
            if piece == "@shut":
                s.shutdown(socket.SHUT_WR)
            elif piece == "@reset":
                s.setsockopt(
                    socket.SOL_SOCKET, socket.SO_LINGER,
                    struct.pack("ii", 1, 0))
                s.close()
                return
            elif piece == "@read":
                got += s.recv(65536)
            elif piece.startswith("@drip:"):
                _, wait, text = piece.split(":", 2)
                for b in decode(text):
                    s.sendall(bytes([b]))
                    time.sleep(float(wait))
            elif piece.startswith("@rep:"):
                _, n, text = piece.split(":", 2)
                s.sendall(decode(text) * int(n))
            elif piece.startswith("@"):
                time.sleep(float(piece[1:]))
            else:
                s.sendall(decode(piece))
        except (BrokenPipeError, ConnectionResetError):
            break
    end = "open"
    deadline = time.monotonic() + limit
    while count is None or whole(got) < count:
        s.settimeout(max(0.01, deadline - time.monotonic()))
        try:
            more = s.recv(65536)
        except socket.timeout:
            break
        except ConnectionResetError:
            end = "reset"
            break
        if not more:
            end = "closed"
            break
        got += more
    text = got.decode("utf-8", "replace").replace("\r", "")
    sys.stdout.write(re.sub(r"(?m)^Date: .*\n", "", text))
    sys.stdout.write("\n[%s]\n" % end)


main(sys.argv[1:])
