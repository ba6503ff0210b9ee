#!/bin/sh
# SPDX-License-Identifier: MIT
# Starting, telling so, listening in several places, and stopping.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

manager
like 'the URL goes to the descriptor' "$FR_MANAGER" \
	'^http://127\.0\.0\.1:[1-9][0-9]*$'
said() { grep "ready on $FR_MANAGER\$" "$T/log"; }
ok 'and to stderr' said
is 'the descriptor is closed then' \
	"$(find "/proc/$MANAGER/fd" -lname "*$T/ready*" | grep -c .)" 0
exits 'the address is taken' 74 limited fr-manager --store memory: \
	--listen "${FR_MANAGER#http://}"
kill -TERM "$MANAGER"
wait "$MANAGER"
is 'SIGTERM: exit 0' "$?" 0
manager
kill -INT "$MANAGER"
wait "$MANAGER"
is 'SIGINT: exit 0' "$?" 0

manager --listen "unix:$T/sock" --listen 127.0.0.1:0
is 'a Unix socket' "$FR_MANAGER" "unix:$T/sock"
is 'answers' "$(api GET /healthz >/dev/null; http)" 200
is 'to its owner only' "$(stat -c %a "$T/sock")" 600
second=$(sed -n 's/.*listening url=//p' "$T/log" | tail -n 1)
is 'the second address answers, too' \
	"$(curl -sS -o /dev/null -w '%{http_code}' "$second/healthz")" 200
restart
is 'after kill -9 the socket is taken again' \
	"$(api GET /healthz >/dev/null; http)" 200
stop "$MANAGER"

# Sockets that somebody else has opened, and telling systemd.
cat >"$T/systemd.py" <<'END'
import os, socket, sys
n = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
n.bind(sys.argv[1])
n.settimeout(60)
a = socket.socket()
a.bind(("127.0.0.1", 0))
a.listen()
port = a.getsockname()[1]
pid = os.fork()
if pid == 0:
    fd = os.dup2(a.fileno(), 3, inheritable=True)
    os.environ.update(LISTEN_PID=str(os.getpid()), LISTEN_FDS="1",
                      NOTIFY_SOCKET=sys.argv[1])
    os.execvp("fr-manager", ["fr-manager", "--store", "memory:"])
print(n.recv(100).decode())
s = socket.create_connection(("127.0.0.1", port))
s.sendall(b"GET /healthz HTTP/1.0\r\n\r\n")
print(s.recv(100).decode().split("\r")[0])
os.kill(pid, 15)
print(n.recv(100).decode())
print(os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1]))
END
is 'LISTEN_FDS and NOTIFY_SOCKET' \
	"$("$FR_PYTHON" -I -S "$T/systemd.py" "$T/notify" 2>>"$T/log")" \
	'READY=1
HTTP/1.1 200 OK
STOPPING=1
0'

start fr-manager --store memory: --listen 127.0.0.1:0
warned() { grep -q 'lost when this program ends' "$T/log"; }
ok 'a memory store says so' until_ok warned
stop "$PID"
XDG_STATE_HOME=$T/state HOME=$T/home FR_STATE_DIR=$T/fr start fr-manager \
	--listen 127.0.0.1:0
until_ok test -s "$T/fr/forerunner.db"
is 'without --store jobs are in the state directory' \
	"$(stat -c %a "$T/fr") $(test -s "$T/fr/forerunner.db" && echo there)" \
	'700 there'
stop "$PID"
STATE_DIRECTORY=$T/sd:/nowhere start fr-manager --listen 127.0.0.1:0
until_ok test -s "$T/sd/forerunner.db"
ok 'systemd may name it' test -s "$T/sd/forerunner.db"
stop "$PID"
exits 'an argument is wrong use' 64 fr-manager what
exits 'an unknown option too' 64 fr-manager --frobnicate
exits 'an unknown store too' 64 limited fr-manager --store nosuch:x
exits 'an unknown queue too' 64 limited fr-manager --store memory: \
	--queue nosuch:x
exits 'a log level that is none' 64 fr-manager --store memory: --log-level x
exits 'data that no row of a store can hold' 64 limited \
    fr-manager --store memory: --max-data 257M
like 'is refused with the most there can be' "$(cat "$T/err")" 'from 1 to 268435456'
exits 'a store that is not there is an I/O error' 74 limited \
    fr-manager --store "$T/none.so" --listen 127.0.0.1:0
exits 'a store in a directory that is not there, too' 74 limited \
    fr-manager --store "sqlite:$T/none/db" --listen 127.0.0.1:0
is 'it is not made' "$(test -e "$T/none" || cat "$T/err")" \
    "fr-manager: open $T/none/db: there is no directory $T/none"
exits 'a directory is not taken for a store' 74 limited \
    fr-manager --store "sqlite:$T" --listen 127.0.0.1:0
is 'it is said so, and nothing is made' \
    "$(test -e "$T.lock" || cat "$T/err")" "fr-manager: open $T: Is a directory"
mkfifo "$T/fifo"
exits 'nor is a pipe' 74 limited \
    fr-manager --store "sqlite:$T/fifo" --listen 127.0.0.1:0
is 'it is said so, too' "$(cat "$T/err")" \
    "fr-manager: open $T/fifo: not a regular file"
exits 'a memory store has no name' 64 limited \
    fr-manager --store memory:jobs --listen 127.0.0.1:0
like 'it is told so' "$(cat "$T/err")" '`memory:jobs`: nothing comes behind'
exits 'a command that is no store' 75 limited \
    fr-manager --store exec:/nonexistent --listen 127.0.0.1:0
unlike 'is not started again' "$(cat "$T/err")" 'started again'
exits 'an address that is not of this machine, too' 74 limited \
    fr-manager --store memory: --listen 192.0.2.1:0
exits 'an address that is none' 64 limited fr-manager --store memory: \
	--listen nowhere
ok 'routes can be listed' fr-manager --dump-routes
is 'each with method, path and role' \
	"$(grep -vcE '^(GET|POST|DELETE) /[^ ]* (submit|work|read|admin|anybody)$' \
		"$T/out")" 0

# Stopping while somebody waits.
manager
start curl -sS -o "$T/waited" -w '%{http_code}' "$FR_MANAGER/v1/work" \
	-H 'Content-Type: application/json' \
	-d '{"worker":"v","types":["c"],"slots":1,"wait":300}'
waits() { api GET /metrics | grep -q '^forerunner_engine_waiting 1$' && echo yes; }
await waits >/dev/null
kill -TERM "$MANAGER"
gone() { [ "$(alive "$MANAGER")" = no ]; }
ok 'it stops long before their time is over' until_ok gone
wait "$MANAGER"
is 'with exit 0' "$?" 0
wait "$PID"
like 'who waits is told to come again' "$(cat "$T/waited")" '"status":503|"jobs":\[\]'

# 2,000 idle connections cost little, and one more is served.
manager
cat >"$T/idle.py" <<'END'
import resource, signal, socket, sys
resource.setrlimit(resource.RLIMIT_NOFILE, (4096, 4096))
host, port = sys.argv[1].split("//")[1].split(":")
v = [socket.create_connection((host, int(port))) for i in range(2000)]
signal.pause()
END
start "$FR_PYTHON" -I -S "$T/idle.py" "$FR_MANAGER"
all() { api GET /metrics | grep -q '^forerunner_http_connections 2001$' && echo yes; }
is '2,000 idle connections' "$(await all)" yes
ok 'and less than 20 MiB' test \
	"$(api GET /metrics | sed -n 's/^forerunner_resident_memory_bytes //p')" \
	-lt $((20 << 20 << (FR_TEST_SLOW > 1 ? 5 : 0)))
stop "$PID"
stop

# Messages must not get into the store because 2 was closed and so its number.
fr-manager -l 127.0.0.1:0 --store "sqlite:$T/std.db" --ready-fd 9 9>"$T/std" \
	<&- >&- 2>&- &
PID=$!
PIDS="$PIDS $PID"
until_ok test -s "$T/std"
is 'closed standard descriptors get no other use' \
	"$(for n in 0 1 2; do readlink "/proc/$PID/fd/$n"; done | sort -u)" \
	/dev/null
stop "$PID"
is 'and results that cannot be written are no success' \
	"$(fr-bench --help >&- 2>/dev/null; echo $?)" 74
# A log whose reader has stopped does not keep it from being ready.
mkfifo "$T/full" "$T/begun"
# shellcheck disable=SC2016 # the shell that is started
start sh -c 'exec 8<>"$0/full"
	dd if=/dev/zero of="$0/full" bs=4096 oflag=nonblock
	exec fr-manager -l 127.0.0.1:0 --store memory: --ready-fd 3 \
	    3>"$0/begun" 2>"$0/full"' "$T"
read -r FR_MANAGER <"$T/begun"
is 'it starts while nobody reads its log' \
	"$(api GET /healthz >/dev/null; http)" 200
done_testing
