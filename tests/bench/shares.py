#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""What the processors do while ours is measured: perf(1) looks at the whole
machine, 997 times a second, and each look is put down to a program and to
what it was at. For whoever wants to make a figure better; needs perf and
root, and the programs of make bench.
"""
import argparse
import collections
import os
import re
import signal
import subprocess
import sys

sys.dont_write_bytecode = True
from bench.figures.postgres import managers
from bench.load import bench, drain, fill, handlers, lines, submit_bulk
from bench.servers import BUILD, Manager, out, program
from run import Bench

# The innermost of these that is found in a stack names it, the first first.
KERNEL = [
    ("wait for the disk", r"sys_(fdatasync|fsync)"),
    ("write files", r"sys_p?write(64|v)?$.*(ext4|generic_file)|ext4_|xfs_"),
    ("wake threads", r"futex|eventfd"),
    ("sockets", r"sock_|sys_(sendto|sendmsg|recvfrom|recvmsg)|tcp_|unix_"),
    ("wait for events", r"epoll|sys_poll|sys_ppoll|sys_select"),
    ("pipes", r"pipe_"),
    ("start and end processes", r"sys_(execve|clone|vfork|exit_group|wait4)|"
     r"begin_new_exec|do_exit"),
    ("file locks", r"sys_fcntl"),
    ("page faults", r"asm_exc_page_fault|sys_(mmap|munmap|brk)"),
]
USER = [
    ("SQLite", r"libsqlite3"), ("libpq", r"libpq|libssl|libcrypto"),
    ("hiredis", r"libhiredis"), ("libevent", r"libevent"),
    ("libcurl", r"libcurl"), ("libc", r"libc\.so"),
    ("the dynamic linker", r"ld-linux"),
]


def of_kernel(stack):
    text = "\n".join(stack)
    for name, pattern in KERNEL:
        if re.search(pattern, text, re.S | re.M):
            return name
    return "the kernel besides"


def kind(stack):
    """stack: lines of 'symbol (file)', the innermost first."""
    if not stack:
        return "unknown"
    if "[kernel" in stack[0] or "[guest" in stack[0]:
        return of_kernel([s.split(" ")[0] for s in stack])
    for name, pattern in USER:
        if re.search(pattern, stack[0]):
            return name
    return "own code"


def samples(text):
    """(program, stack) of each look."""
    for block in text.split("\n\n"):
        rows = [r for r in block.split("\n") if r.strip()]
        if rows:
            yield (rows[0].strip(),
                   [r.strip().split(" ", 1)[-1] for r in rows[1:]])


def fdatasyncs(path):
    """How many, and the mean in ms, of each program that waited for some."""
    found = collections.defaultdict(lambda: [0, 0.0])
    who = "?"
    with open(path, encoding="utf-8", errors="replace") as f:
        for line in f:
            m = re.match(r" (\S.*) \(\d+\), \d+ events", line)
            if m:
                who = m.group(1)
            v = line.split()
            if v and v[0] in ("fdatasync", "fsync"):
                found[who][0] += int(v[1])
                found[who][1] += float(v[3])
    return {w: (n, ms / n) for w, (n, ms) in found.items() if n}


def looked_at(b, load):
    """A load with perf beside it, and again with each fdatasync traced, which
    costs something: (what it says, looks, fdatasyncs)."""
    data, waits = f"{b.dir}/perf.data", f"{b.dir}/perf.trace"

    def beside(*argv):
        def run(f):
            with subprocess.Popen([*argv, "--", "sleep", "1000"],
                                  stdout=subprocess.DEVNULL) as p:
                try:
                    return f()
                finally:
                    p.send_signal(signal.SIGINT)
        return run

    value = load(beside("perf", "record", "-q", "-a", "-g", "-F", "997", "-e",
                        "cpu-clock", "-o", data))
    load(beside("perf", "trace", "-s", "-a", "-e", "fdatasync,fsync", "-o",
                waits))
    text = out("perf", "script", "-i", data, "-F", "comm,ip,sym,dso",
               stderr=subprocess.DEVNULL)
    return value, list(samples(text)), fdatasyncs(waits)


def show(name, value, looks, waits):
    programs = collections.Counter()
    kinds = collections.defaultdict(collections.Counter)
    for who, stack in looks:
        if who.startswith("perf"):
            continue
        programs[who] += 1
        kinds[who][kind(stack)] += 1
    total = sum(programs.values())
    print(f"\n{name}: {value:,.0f}")
    for who, n in programs.most_common():
        if n < total / 50:
            break
        print(f"  {n / total:4.0%} {'idle' if who == 'swapper' else who}")
        for k, c in kinds[who].most_common() if who != "swapper" else ():
            if c >= total / 100:
                print(f"         {c / total:4.0%} {k}")
    for who, (n, ms) in waits.items():
        if n >= 20:
            print(f"  {who}: {n:,} times fdatasync, {ms:.2f} ms each")


def loads(b):
    """Functions that are given what is to run beside the load itself."""
    def alone(before, run):
        def f(beside):
            with Manager(b) as m:
                before(m)
                return beside(lambda: run(m))
        return f

    def rate(*args):
        return alone(lambda m: None,
                     lambda m: bench(m, *args)[args[-1]])

    def postgres(n, redis):
        def f(beside):
            with managers(b, n, redis) as ms:
                fill(ms[0], 100000)
                return beside(lambda: drain(ms, 100000, "-H", handlers(b)))
        return f

    return {
        "submit1": rate("-c", "1", "-n", "10000", "submit"),
        "submit8": rate("-c", "8", "-n", "50000", "submit"),
        "submit64": rate("-c", "64", "-n", "200000", "submit"),
        "bulk": alone(lambda m: lines(b, 1000000), lambda m: submit_bulk(
            [m], lines(b, 1000000), 1000000)),
        "drain": alone(lambda m: fill(m, 200000), lambda m: drain(
            [m], 200000, "-H", handlers(b))),
        "both": rate("-c", "4", "-w", "4", "-n", "30000", "both"),
        "both64": rate("-c", "4", "-w", "4", "--slots", "64", "-n", "30000",
                       "both"),
        "command": alone(
            lambda m: fill(m, 5000, "--type", "spawned"),
            lambda m: drain([m], 5000, "-H", handlers(b), slots=2)),
        "postgres": postgres(1, False),
        "redis1": postgres(1, True),
        "redis3": postgres(3, True),
    }


def main():
    p = argparse.ArgumentParser(
        description="what the processors do during a measurement")
    p.add_argument("load", nargs="*", help="of: " + " ".join(loads(None)))
    p.add_argument("--dir", default=f"{BUILD}/bench")
    opt = p.parse_args()
    program("perf")
    signal.signal(signal.SIGTERM, lambda n, _: sys.exit(128 + n))
    b = Bench(os.path.abspath(opt.dir), False)
    with b.stack:
        every = loads(b)
        for name in opt.load or every:
            if name not in every:
                p.error(f"{name}: no such load")
            show(name, *looked_at(b, every[name]))


if __name__ == "__main__":
    main()
