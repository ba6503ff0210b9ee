#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""A proxy before Postgres that cuts one connection at its COMMIT.

usage: cut.py SOCKET ORDERS PORT-FILE

Writes its port into PORT-FILE. When a client sends its COMMIT and ORDERS is a
file with a word in it, the file is removed and the client's connection cut:
  before  the COMMIT is not passed on
  after   it is passed on first
  late    it is passed on a second after the cut
"""
import os
import socket
import sys
import threading
import time

SERVER, ORDERS, PORT = sys.argv[1:]


def order():
    try:
        with open(ORDERS, encoding="ascii") as f:
            word = f.read().strip()
        os.unlink(ORDERS)
        return word
    except FileNotFoundError:
        return None


def upstream(client, server, cut):
    """From the client to the server."""
    while True:
        data = client.recv(1 << 20)
        if not data:
            return
        word = order() if b"commit\0" in data else None
        if word is None:
            server.sendall(data)
            continue
        cut.set()  # no answer gets back from here on
        if word == "after":
            server.sendall(data)
            time.sleep(0.2)
        client.shutdown(socket.SHUT_RDWR)
        client.close()
        if word == "late":
            time.sleep(1)
            server.sendall(data)
            time.sleep(0.2)
        return


def downstream(client, server, cut):
    try:
        while True:
            data = server.recv(1 << 20)
            if not data:
                break
            if not cut.is_set():
                client.sendall(data)
        client.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


def serve(client):
    server = socket.socket(socket.AF_UNIX)
    server.connect(SERVER)
    cut = threading.Event()
    threading.Thread(target=downstream, args=(client, server, cut),
                     daemon=True).start()
    try:
        upstream(client, server, cut)
        server.shutdown(socket.SHUT_RDWR)
    except OSError:
        pass


listener = socket.socket()
listener.bind(("127.0.0.1", 0))
listener.listen(64)
with open(PORT + ".new", "w", encoding="ascii") as out:
    out.write(str(listener.getsockname()[1]))
os.rename(PORT + ".new", PORT)
while True:
    connection, _ = listener.accept()
    threading.Thread(target=serve, args=(connection,), daemon=True).start()
