# SPDX-License-Identifier: MIT
"""Servers on scratch directories, stopped and removed when left."""
import contextlib
import ctypes
import os
import pwd
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from .measure import Missing

BUILD = os.path.abspath(os.environ.get("FR_BUILD", "build"))
BIN = f"{BUILD}/bin"
TOOLS = f"{BUILD}/tests/bench"
_libc = ctypes.CDLL(None)


def _die_with_us():
    _libc.prctl(1, signal.SIGKILL)  # PR_SET_PDEATHSIG


def out(*argv, **kw):
    """What a command prints."""
    return subprocess.run([str(a) for a in argv], check=True, text=True,
                          stdout=subprocess.PIPE, **kw).stdout


def seconds(argv, **kw):
    """How long a command takes, from its start to its end."""
    kw.setdefault("stdout", subprocess.DEVNULL)
    t = time.monotonic()
    subprocess.run(argv, check=True, **kw)
    return time.monotonic() - t


def seconds_all(argvs, **kw):
    """The same for several at once, until the last has ended."""
    kw.setdefault("stdout", subprocess.DEVNULL)
    with contextlib.ExitStack() as stack:
        t = time.monotonic()
        those = [subprocess.Popen(a, preexec_fn=_die_with_us, **k)
                 for a, k in ((a[0], {**kw, **a[1]}) for a in argvs)]
        for p in those:
            stack.callback(p.wait)
            stack.callback(p.kill)
        for p in those:
            if p.wait() != 0:
                sys.exit(f"{p.args}: exit {p.returncode}")
        return time.monotonic() - t


def program(name):
    if not shutil.which(name):
        raise Missing(name)
    return name


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Server:
    """A process on a directory of its own; user: its owner when we are
    root and there is such a user."""

    def __init__(self, b, user=None):
        self.b = b
        self.dir = tempfile.mkdtemp(dir=b.dir)
        self.proc = None
        self.user = None
        os.chmod(self.dir, 0o755)
        if user and os.geteuid() == 0:
            try:
                pw = pwd.getpwnam(user)
            except KeyError:
                pw = pwd.getpwnam("nobody")
            os.chown(self.dir, pw.pw_uid, pw.pw_gid)
            self.user = {"user": pw.pw_uid, "group": pw.pw_gid,
                         "extra_groups": []}

    def launch(self, argv, **kw):
        with open(f"{self.dir}/log", "ab") as log:
            self.proc = subprocess.Popen(
                argv, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=_die_with_us, **(self.user or {}), **kw)

    def until(self, ready, what):
        for _ in range(500):
            if self.proc.poll() is not None:
                break
            if ready():
                return
            time.sleep(0.02)
        log = Path(f"{self.dir}/log").read_text(errors="replace")
        self.__exit__()
        sys.exit(f"{what} does not start: {log[-500:]}")

    def listens(self, port):
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
            return True
        except OSError:
            return False

    def status_kib(self, field="VmRSS"):
        for line in Path(f"/proc/{self.proc.pid}/status").open():
            if line.startswith(field + ":"):
                return int(line.split()[1])
        raise KeyError(field)

    def cpu_seconds(self):
        v = Path(f"/proc/{self.proc.pid}/stat").read_text()
        v = v.rsplit(")", 1)[1].split()
        return (int(v[11]) + int(v[12])) / os.sysconf("SC_CLK_TCK")

    def stop(self, sig=signal.SIGTERM):
        if self.proc:
            self.proc.send_signal(sig)
            try:
                self.proc.wait(20)
            except subprocess.TimeoutExpired:
                self.proc.kill()
                self.proc.wait()
            self.proc = None

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.stop()
        shutil.rmtree(self.dir, ignore_errors=True)


class Manager(Server):
    """fr-manager; on SQLite, unless store is a URL."""

    def __init__(self, b, *args, store=None):
        super().__init__(b)
        self.args = ["--store", store or f"sqlite:{self.dir}/db", *args]
        self.start()

    def start(self):
        r, w = os.pipe()
        self.launch([f"{BIN}/fr-manager", "-l", "127.0.0.1:0",
                     "--ready-fd", str(w), *self.args], pass_fds=[w])
        os.close(w)
        with os.fdopen(r) as f:
            self.url = f.readline().strip()
        self.until(lambda: self.url, "fr-manager")
        self.env = dict(os.environ, FR_MANAGER=self.url)

    def wait_connections(self, n):
        """Until so many are open, for a while."""
        name = "forerunner_http_connections "
        for _ in range(500):
            text = out("curl", "-s", f"{self.url}/metrics")
            if any(line.startswith(name) and float(line.split()[1]) >= n
                   for line in text.splitlines()):
                return
            time.sleep(0.02)
        raise TimeoutError(f"there are no {n} connections")


class Postgres(Server):
    """A cluster with the settings that Debian's package has, on a Unix
    socket; synchronous_commit is on."""

    def __init__(self, b):
        found = sorted(Path("/usr/lib/postgresql").glob("*/bin/postgres"))
        if not found:
            raise Missing("postgresql")
        self.bin = str(found[-1].parent)
        super().__init__(b, user="postgres")
        self.port = free_port()
        self._data()
        self.launch([f"{self.bin}/postgres", "-D", f"{self.dir}/data",
                     "-p", str(self.port), "-c", "listen_addresses=",
                     "-c", f"unix_socket_directories={self.dir}",
                     "-c", "max_connections=100"])
        self.until(lambda: subprocess.run(
            [f"{self.bin}/pg_isready", "-q", "-U", "fr", "-h", self.dir,
             "-p", str(self.port)], check=False).returncode == 0, "postgres")
        self.url = (f"postgres:///postgres?host={self.dir}"
                    f"&port={self.port}&user=fr")

    def _data(self):
        """initdb once; each cluster is a copy of its work."""
        made = Path(self.b.dir, "postgres.template")
        try:
            if not made.exists():
                subprocess.run(
                    [f"{self.bin}/initdb", "-D", f"{self.dir}/data", "-A",
                     "trust", "-U", "fr", "-E", "UTF8", "--locale=C",
                     "--no-instructions"], check=True, text=True,
                    stdout=subprocess.DEVNULL, stderr=subprocess.PIPE,
                    **(self.user or {}))
                subprocess.run(["cp", "-a", f"{self.dir}/data", made],
                               check=True)
                self.b.at_end(lambda: shutil.rmtree(made, True))
            else:
                subprocess.run(["cp", "-a", made, f"{self.dir}/data"],
                               check=True)
                os.sync()
        except subprocess.CalledProcessError as e:
            super().__exit__()
            raise Missing(f"initdb: {(e.stderr or str(e)).strip()}") from e

    def stop(self, sig=signal.SIGINT):
        super().stop(sig)


class Redis(Server):
    """fsync: "always" or "everysec" with a log, "no" without one."""

    def __init__(self, b, fsync):
        program("redis-server")
        super().__init__(b, user="redis")
        self.port = free_port()
        self.socket = f"{self.dir}/sock"
        log = (["--appendonly", "no"] if fsync == "no" else
               ["--appendonly", "yes", "--appendfsync", fsync])
        self.launch(["redis-server", "--port", str(self.port), "--bind",
                     "127.0.0.1", "--unixsocket", self.socket,
                     "--unixsocketperm", "777", "--save", "",
                     "--dir", self.dir, *log])
        self.until(lambda: self.listens(self.port), "redis-server")
        self.url = f"redis://{self.socket}"
