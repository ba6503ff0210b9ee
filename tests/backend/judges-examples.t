#!/bin/sh
# SPDX-License-Identifier: MIT
# The judges on the examples of share/examples/backends.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
E=$ROOT/share/examples/backends
plan 7

exits 'the judge passes the store in Python' 0 \
	fr-store-test "exec:$E/store.py $T/jobs.db"
unlike 'which is durable' "$(cat "$T/out")" 'SKIP .*durable'
exits 'the judge passes the queue in Python' 0 fr-queue-test "exec:$E/queue.py"
exits 'the judge passes the queue in awk' 0 fr-queue-test "exec:$E/queue.sh"
ok 'the queue in C compiles as its head says' \
	sh -c "cd '$T' && \${CC:-cc} -std=c17 -O2 -fPIC -shared \
	-fvisibility=hidden -Wall -Wextra -Werror -I'$ROOT/lib' \
	-o queue.so '$E/queue.c'"
exits 'the judge passes the queue in C' 0 fr-queue-test "$T/queue.so:fifo"
fails 'and the module says what it does not know' \
	fr-queue-test "$T/queue.so:lifo"
