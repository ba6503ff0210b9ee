# SPDX-License-Identifier: MIT
"""watch.py END COMMAND...: runs it on a terminal of its own.

Waits for the screen, makes the terminal smaller, and ends it: END is a key,
or a signal's name. Prints what can be said of it, one word=value a line.
"""
import fcntl
import os
import pty
import re
import select
import signal
import struct
import sys
import termios
import time

DEADLINE = time.monotonic() + 60
ENTER, LEAVE = b"\x1b[?1049h", b"\x1b[?1049l"
seen = b""


def size(fd, rows, cols):
    fcntl.ioctl(fd, termios.TIOCSWINSZ, struct.pack("HHHH", rows, cols, 0, 0))


def read_until(fd, wanted):
    """Reads until wanted(seen) or the end of the terminal."""
    global seen
    while not wanted(seen) and time.monotonic() < DEADLINE:
        if not select.select([fd], [], [], 0.1)[0]:
            continue
        try:
            piece = os.read(fd, 65536)
        except OSError:
            return
        if not piece:
            return
        seen += piece


def widths(screen):
    """The longest line of the last drawing."""
    last = screen.rsplit(b"\x1b[H", 1)[-1].split(b"\x1b[J")[0]
    return max(len(x.replace(b"\x1b[K", b"").strip(b"\r")) for x in last.split(b"\r\n"))


end, command = sys.argv[1], sys.argv[2:]
master, slave = pty.openpty()
size(slave, 30, 100)
before = termios.tcgetattr(slave)
pid = os.fork()
if pid == 0:
    os.setsid()
    fcntl.ioctl(slave, termios.TIOCSCTTY, 0)
    for fd in (0, 1, 2):
        os.dup2(slave, fd)
    os.close(master)
    os.execvp(command[0], command)
read_until(master, lambda s: s.count(b"\x1b[J") >= 1)
print("alternate=%d" % (ENTER in seen))
print("types=%d" % (b"nobody" in seen))
print("counts=%d" % bool(re.search(rb"yyy\.\. +0 +1 +0 ", seen)))
print("escaped=%d" % (b"\\x1b[31m" in seen and b"\x1b[31m evil" not in seen))
raw = termios.tcgetattr(slave)[3]
print("raw=%d" % (not raw & termios.ICANON and not raw & termios.ECHO))
draws = seen.count(b"\x1b[J")
begin = time.monotonic()
size(slave, 10, 40)
os.kill(pid, signal.SIGWINCH)
read_until(master, lambda s: s.count(b"\x1b[J") > draws)
print("narrow=%d" % (widths(seen) <= 40))
if len(end) == 1:
    os.write(master, end.encode())
else:
    os.kill(pid, getattr(signal, end))
read_until(master, lambda s: s.endswith(LEAVE))
status = os.waitpid(pid, 0)[1]
print("left=%d" % seen.endswith(LEAVE))
print("restored=%d" % (termios.tcgetattr(slave) == before))
print("status=%d" % (-os.WTERMSIG(status) if os.WIFSIGNALED(status)
                     else os.WEXITSTATUS(status)))
