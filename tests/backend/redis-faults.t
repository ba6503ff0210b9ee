#!/bin/sh
# SPDX-License-Identifier: MIT
# What happens to the Redis queue when the server is not itself.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

# back NAME LINE...: retries until it says ok.
back() {
	fr_until=$(($(date +%s%3N) + 30000 * FR_TEST_SLOW))
	while :; do
		fr_said=$(drive "$@")
		case $fr_said in ok*) break ;; esac
		[ "$(date +%s%3N)" -lt "$fr_until" ] || break
	done
	echo "$fr_said"
}

redis
driver a
is 'the queue opens' "$(drive a queue "$REDIS_URL")" ok
like 'and says what it is' "$(drive a describe)" '^ok (Redis|Valkey) [0-9.]+, keys'
is 'tickets go in' "$(drive a push 1000) $(drive a length)" 'ok ok 1000'
rcli FLUSHALL >/dev/null
is 'a flush loses hints' "$(drive a length) $(drive a pop 10)" 'ok 0 ok 0'
is 'and no more' "$(drive a push 1000) $(drive a pop 10)" 'ok ok 10'
scripts() { rcli INFO memory | sed -n 's/^number_of_cached_scripts:\([0-9]*\).*/\1/p'; }
isnt 'the server has our scripts' "$(scripts)" 0
is 'and loses them' "$(rcli SCRIPT FLUSH) $(scripts)" 'OK 0'
is 'forgotten scripts are loaded again' "$(drive a pop 10)" 'ok 10'
like 'the server cuts a connection' "$(rcli CLIENT KILL TYPE normal)" '^[1-9]'
is 'a cut connection is made again' "$(back a pop 10)" 'ok 10'

redis_stop
like 'without a server it says so' "$(drive a pop 1)" '^again: redis: '
redis_start
is 'and works again when it is back' "$(back a push 20)" ok
is 'with what it was given since' "$(drive a length)" 'ok 20'

kill -STOP "$REDIS_PID"
before=$(date +%s)
like 'a server that hangs is given up' "$(drive a pop 1)" '^again: redis: no answer'
like 'soon' "$(($(date +%s) - before))" '^1?[0-9]$'
like 'and not asked again' "$(drive a pop 1)" '^again: redis: no answer'
# Five seconds, since the tries to connect take two. Who asks waits for none.
longest=0 asked=0 late=0 fr_until=$(($(date +%s) + 5))
while fr_t=$(date +%s%3N) && [ $((fr_t / 1000)) -lt $fr_until ]; do
	drive a pop 1 >/dev/null
	fr_t=$(($(date +%s%3N) - fr_t))
	[ $fr_t -le $longest ] || longest=$fr_t
	asked=$((asked + 1))
	[ $fr_t -lt 500 ] || late=$((late + 1))
done
ok 'which holds up nobody' [ $((late * 10)) -lt $asked ]
diag "of $asked answers $late took half a second; $longest ms at most"
kill -CONT "$REDIS_PID"
is 'until it answers' "$(back a pop 1)" 'ok 1'

rcli SET '{forerunner}:fifo:queue:t' garbage >/dev/null
like 'a key of ours that is not ours is deleted' "$(drive a push 5)" \
	'^again: .*not ours'
is 'and all is well' "$(drive a push 5) $(drive a pop 9)" 'ok ok 5'
drive a push 2 >/dev/null
rcli ZADD '{forerunner}:fifo:queue:t' -5 nonsense >/dev/null
is 'a member that is no ticket goes nowhere' "$(drive a pop 9)" 'ok 2'
drive a push 3 >/dev/null
rcli DEL '{forerunner}:fifo:queue:t' >/dev/null
is 'an index without its queue does not hide jobs' "$(drive a length)" 'ok 0'

rcli CONFIG SET maxmemory 1 >/dev/null
like 'a full server refuses' "$(drive a push 5)" '^again: redis: .*OOM'
rcli CONFIG SET maxmemory 0 >/dev/null
is 'and takes again' "$(drive a empty) $(drive a push 5) $(drive a length)" \
	'ok ok ok 5'
rcli REPLICAOF 127.0.0.1 1 >/dev/null
like 'a replica is not written to' "$(drive a push 5)" '^again: redis: '
rcli REPLICAOF NO ONE >/dev/null
is 'a primary is' "$(back a push 5)" ok

rcli CONFIG SET requirepass geheim >/dev/null
like 'a password is needed' "$(drive a queue "$REDIS_TCP")" '^denied: .*NOAUTH'
like 'the right one' \
	"$(drive a queue "redis://:falsch@127.0.0.1:$REDIS_PORT")" '^denied: '
is 'in the URL' \
	"$(drive a queue "redis://:geheim@127.0.0.1:$REDIS_PORT/3")" ok
printf 'geheim\n' >"$T/password"
is 'or in a file' \
	"$(drive a queue "$REDIS_TCP/3?password-file=$T/password")" ok
is 'a database has its own keys' "$(drive a length)" 'ok 0'
is 'and so has a prefix' "$(drive a push 3) $(drive a queue \
	"$REDIS_TCP/3?prefix=other&password-file=$T/password") \
$(drive a length)" 'ok ok ok 0'
like 'an order that is none' "$(drive a queue "$REDIS_TCP?order=lifo")" '^usage: '
like 'a parameter that is none' "$(drive a queue "$REDIS_TCP?ordre=fifo")" \
	'^usage: .*ordre'
is 'a server that is away does not keep a manager from starting' \
	"$(drive a queue redis://127.0.0.1:1)" ok
like 'which says so' "$(drive a describe)" 'not reachable now'
done_testing
