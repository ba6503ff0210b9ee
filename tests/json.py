# SPDX-License-Identifier: MIT
"""json.py PATH: prints one part of the JSON on stdin, token for token.

PATH is "a.b.0", or "." for all of it. A string is printed without its
quotes, decoded. Exit 1 if it is not there. Only the first value is read.
"""
import json
import sys

DECODER = json.JSONDecoder()
SPACE = " \t\r\n"


def skip(s, i):
    while i < len(s) and s[i] in SPACE:
        i += 1
    return i


def parts(s, i):
    """The (name, start, end) of each member or element of the value at i."""
    close = {"{": "}", "[": "]"}.get(s[i])
    if close is None:
        return
    kind = s[i]
    n = 0
    i = skip(s, i + 1)
    while s[i] != close:
        name = str(n)
        if kind == "{":
            name, i = DECODER.raw_decode(s, i)
            i = skip(s, skip(s, i) + 1)
        _, end = DECODER.raw_decode(s, i)
        yield name, i, end
        n += 1
        i = skip(s, end)
        if s[i] == ",":
            i = skip(s, i + 1)


def main():
    sys.set_int_max_str_digits(0) if hasattr(
        sys, "set_int_max_str_digits") else None
    s = sys.stdin.buffer.read().decode("utf-8", "surrogateescape")
    try:
        start = skip(s, 0)
        value, end = DECODER.raw_decode(s, start)
    except ValueError:
        return 1
    path = sys.argv[1]
    for step in [] if path == "." else path.split("."):
        found = None
        for name, a, b in parts(s, start):
            if name == step:
                found = (a, b)  # the last one counts
        if found is None:
            return 1
        start, end = found
    text = s[start:end]
    if text[0] == '"':
        text = json.loads(text)
    sys.stdout.buffer.write(
        text.encode("utf-8", "surrogatepass" if text and any(
            0xD800 <= ord(c) < 0xDC80 for c in text) else "surrogateescape")
        + b"\n")
    return 0


sys.exit(main())
