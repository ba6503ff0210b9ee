# SPDX-License-Identifier: MIT
"""held URL COUNT TEXT QUESTION...

COUNT connections send TEXT and stay. Then each QUESTION is asked on one of
its own, and the beginning of what it is answered is printed. Texts have the
escapes of a Python string.
"""
import os
import socket
import sys


def ask(url, text):
    host, port = url.split("//", 1)[1].rsplit(":", 1)
    s = socket.create_connection((host, int(port)))
    s.settimeout(60 * float(os.environ.get("FR_TEST_SLOW", 1)))
    s.sendall(text.encode().decode("unicode_escape").encode("latin-1"))
    return s


def main(url, count, text, *questions):
    held = [ask(url, text) for _ in range(int(count))]
    asked = []
    for q in questions:
        asked.append(ask(url, q))
        print(asked[-1].recv(300).decode().replace("\r", ""), flush=True)
    for s in held + asked:
        s.close()


main(*sys.argv[1:])
