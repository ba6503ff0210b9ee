# SPDX-License-Identifier: MIT
"""Runs the commands that a document shows, and compares what they print.

session.py FILE            TAP, one test a command
session.py --update FILE   writes what was printed into the document

In a .md file the ```console blocks are run, in a manual page the literal
displays that begin with "$ ". All commands of a document are run by one bash
in the working directory. A line that begins with "$ " is a command; it goes
on in the next line after a backslash, and to the end of a here-document. What
follows is what it prints, standard error too. A line "..." stands for any
number of lines. Ids, times, versions and the like need not be the same.
"""
import os
import re
import socket
import subprocess
import sys
import time

UUID = r"[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}"
SAME = [
    (re.compile(UUID), "UUID"),
    (re.compile(r"\b01[0-9a-f]{6}(-[0-9a-f]{4})?(?![0-9a-f])"), "SHORT"),
    (re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(\.\d+)?Z?"), "TIME"),
    (re.compile(r"\b\d+(\.\d+)?( ?)(ms|s|m|h|d)\b"), "AGE"),
    (re.compile(r"\b\S+-\d+-[0-9a-f]{12}\b(\s+\S+\s+\d+\b)?"), "WORKER"),
    (re.compile(r"SQLite [\d.]+"), "SQLite"),
    (re.compile(r"/tmp/[A-Za-z0-9./_-]+"), "PATH"),
    (re.compile(r"[ \t]+"), " "),
]
# What bash says of jobs that ended, other than to a user at a terminal.
NEWS = re.compile(r"bash: line \d+: +\d+ (Killed|Terminated)")
ROFF = [("\\(aq", "'"), ("\\-", "-"), ("\\&", ""), ("\\(dq", '"'),
        ("\\e", "\\")]


def unroff(line):
    for name, char in ROFF:
        line = line.replace(name, char)
    return line


def to_roff(line):
    line = line.replace("\\", "\\e")
    return "\\&" + line if line[:1] in (".", "'") else line


def plain(line):
    for pattern, text in SAME:
        line = pattern.sub(text, line)
    return line.strip()


class Step:
    def __init__(self, command, first):
        self.command = command
        self.first = first  # the lines of what it prints
        self.last = first


def blocks(lines, roff):
    """(first, last) of each block of commands."""
    begin = None
    for i, line in enumerate(lines):
        if roff and line.startswith(".Bd -literal"):
            begin = i + 1
        elif not roff and line.startswith("```console"):
            begin = i + 1
        elif begin is not None and line.startswith(".Ed" if roff else "```"):
            if lines[begin].startswith("$ "):
                yield begin, i
            begin = None


def steps(lines, roff):
    text = unroff if roff else str
    for begin, end in blocks(lines, roff):
        i = begin
        while i < end:
            command = [text(lines[i])[2:]]
            i += 1
            while command[-1].endswith("\\"):
                command.append(text(lines[i]))
                i += 1
            here = re.search(r"<<'?(\w+)'?", command[-1])
            if here and "<<<" not in command[-1]:
                while text(lines[i]) != here[1]:
                    command.append(text(lines[i]))
                    i += 1
                command.append(here[1])
                i += 1
            step = Step("\n".join(command), i)
            while i < end and not lines[i].startswith("$ "):
                i += 1
            step.last = i
            yield step


def wait_for_manager():
    """Nobody types so fast that it would not be there yet."""
    end = time.monotonic() + 30 * float(os.environ.get("FR_TEST_SLOW", 1))
    while time.monotonic() < end:
        try:
            socket.create_connection(("127.0.0.1", 2718), 1).close()
            return
        except OSError:
            time.sleep(0.02)


class Shell:
    MARK = "==end-of-step=="

    def __init__(self):
        env = dict(os.environ, PS1="", NO_COLOR="1", TERM="dumb")
        self.process = subprocess.Popen(
            ["bash", "--noprofile", "--norc"], stdin=subprocess.PIPE,
            stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=env,
            text=True, errors="replace", bufsize=1)

    def run(self, command):
        if command.startswith("kill "):  # and type on when it is dead
            command += "; wait %1 2>/dev/null"
        self.process.stdin.write(
            f"{command}\nfr_=$?; echo '{self.MARK}'; (exit $fr_)\n")
        self.process.stdin.flush()
        out = []
        for line in self.process.stdout:
            line = line.rstrip("\n")
            at = line.find(self.MARK)
            if at >= 0:
                if at > 0:
                    out.append(line[:at])
                break
            if not NEWS.match(line):
                out.append(line)
        else:
            raise SystemExit(f"# the shell ended after: {command}")
        if re.match(r"fr-manager .*&$", command):
            wait_for_manager()
        return out

    def close(self):
        # Workers first: they would try to tell their manager.
        self.process.stdin.write("""
            for p in $(jobs -p); do
                read -r name </proc/$p/comm
                if [ "$name" = fr-worker ]; then
                    kill $p; sleep 0.1; kill $p; wait $p
                fi
            done
            kill $(jobs -p); wait; exit\n""")
        self.process.stdin.close()
        self.process.stdout.read()
        self.process.wait()


def same(wanted, got):
    if not wanted:
        return not got
    if wanted[0] == "...":
        return any(same(wanted[1:], got[i:]) for i in range(len(got) + 1))
    return bool(got) and wanted[0] == got[0] and same(wanted[1:], got[1:])


def main():
    update = sys.argv[1] == "--update"
    path = sys.argv[-1]
    roff = not path.endswith(".md")
    with open(path, encoding="utf-8") as f:
        lines = f.read().split("\n")
    found = list(steps(lines, roff))
    text = unroff if roff else str
    shell = Shell()
    failed = 0
    change = []
    print(f"1..{len(found)}", flush=True)
    for n, step in enumerate(found, 1):
        wanted = [text(x) for x in lines[step.first:step.last]]
        got = shell.run(step.command)
        good = same([plain(x) for x in wanted], [plain(x) for x in got])
        name = step.command.split("\n")[0].replace("#", "\\#")
        print(f"{'ok' if good else 'not ok'} {n} - {name}", flush=True)
        if not good:
            failed += 1
            change.append((step, got))
            for what, which in (("wanted", wanted), ("got", got)):
                for x in which:
                    print(f"# {what}: {x}", file=sys.stderr)
    shell.close()
    if update:
        for step, got in reversed(change):
            lines[step.first:step.last] = [
                to_roff(x) if roff else x for x in got]
        with open(path, "w", encoding="utf-8") as f:
            f.write("\n".join(lines))
    return 1 if failed and not update else 0


sys.exit(main())
