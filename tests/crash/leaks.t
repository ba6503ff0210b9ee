#!/bin/sh
# SPDX-License-Identifier: MIT
# Valgrind finds no leak and no wrong access in a manager and a worker that did
# a bit of everything.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

case $FR_BUILD in */san-*) plan skip 'the sanitizers look for the same' ;; esac
command -v valgrind >/dev/null || plan skip 'valgrind is not installed'

mkdir "$T/bin" "$T/hooks"
# Valgrind does not know pidfd_open, of which it warns; that is no error.
for p in fr-manager fr-worker; do
	cat >"$T/bin/$p" <<-E
		#!/bin/sh
		exec valgrind -q --leak-check=full --error-exitcode=97 \\
		    --show-leak-kinds=definite,indirect,possible \\
		    --errors-for-leak-kinds=definite,indirect,possible \\
		    --log-file="$T/valgrind.%p" "$BIN/$p" "\$@"
	E
done
printf '#!/bin/sh\ncat >/dev/null\n' >"$T/hooks/complete"
chmod +x "$T/bin/"* "$T/hooks/"*
PATH=$T/bin:$PATH FR_TEST_SLOW=$((FR_TEST_SLOW * 4))

manager --hooks "$T/hooks"
worker -c 2 ping t=cat bad='echo why >&2; exit 3' slow='sleep 60'
is 'a job' "$(fr-submit --wait ping)" '{"ack":"PONG"}'
exits 'a failure' 1 fr-submit --wait --max-attempts 1 bad
is 'a batch' "$(seq 1 100 | fr-submit --bulk t | wc -l)" 100
slow=$(fr-submit slow)
running() { [ "$(field "$slow" state)" = running ]; }
until_ok running
ok 'a cancelled job' fr-ctl cancel "$slow"
ok 'a refused one' sh -c '! fr-submit t "{"'
ok 'figures' fr-bench -n 100 -w 2 -c 2 both
ok 'what there is' sh -c 'fr-status && fr-status --list && fr-status --workers'
manager_pid=$MANAGER
kill -TERM "$WORKER"
wait "$WORKER"
is 'the worker ends well' $? 0
kill -TERM "$manager_pid"
wait "$manager_pid"
is 'the manager ends well' $? 0
is 'valgrind has nothing to say' "$(cat "$T"/valgrind.* |
	grep -Ev 'WARNING: unhandled|You may be able|Read the file|Neverthe|it at http')" ''
done_testing
