#!/bin/sh
# SPDX-License-Identifier: MIT
# Redis as others have set it up: users with few rights, renamed commands, a
# cluster, a replica that is promoted, keys that are dropped when it is full.
# shellcheck disable=SC2317 # called by until_ok
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
redis_server || plan skip 'no redis-server'

# gone: both servers, and what they have written.
gone() {
	stop "$REDIS_PID" ${FIRST_PID:+"$FIRST_PID"}
	FIRST_PID=
	rm -rf "$T/redis" "$T/redis2"
}
# cluster_port: one whose second port, 10000 higher, there is, too.
cluster_port() {
	while :; do
		fr_p=$(free_port)
		[ "$fr_p" -gt 55000 ] || break
	done
	echo "$fr_p"
}
# another [option...]: a second server, in place of the first for rcli.
another() {
	FIRST_DIR=$REDIS_DIR FIRST_PID=$REDIS_PID
	REDIS_DIR=$T/redis2 REDIS_PORT=$(cluster_port)
	own "$REDIS_DIR" redis
	redis_start "$@"
}
first() { redis-cli -s "$FIRST_DIR/sock" "$@"; }
# soon WANTED LINE...: asks until that is the answer.
soon() {
	fr_wanted=$1
	shift
	answers() { [ "$(drive a "$@")" = "$fr_wanted" ]; }
	until_ok answers "$@" || drive a "$@"
}

# ---- users ---------------------------------------------------------------

redis
host=127.0.0.1:$REDIS_PORT
driver a
may="on >geheim ~{forerunner}:* -@all +evalsha +script|load +smembers +sadd
+zadd +zcard +zrange +zrank +zrem +zremrangebyrank +zscore +hget +hset +hdel
+hincrby +exists +unlink"
# shellcheck disable=SC2086 # words
rcli ACL SETUSER few $may >/dev/null
is 'a user with few rights is let in' \
    "$(drive a queue "redis://few:geheim@$host")" ok
is 'and all works' "$(drive a push 5) $(drive a pop 2) $(drive a requeue 2) $(drive a length) $(drive a empty) $(drive a length)" \
    'ok ok 2 ok ok 5 ok ok 0'
like 'but not under another prefix' \
    "$(drive a queue "redis://few:geheim@$host?prefix=other")" \
    '^denied: redis: .*NOPERM'
rcli ACL SETUSER few -evalsha >/dev/null
like 'without scripts it says what is missing' \
    "$(drive a queue "redis://few:geheim@$host")" \
    '^denied: redis: NOPERM.*evalsha'
rcli ACL SETUSER few +evalsha -zadd >/dev/null
is 'what a script may not do shows when it does' \
    "$(drive a queue "redis://few:geheim@$host")" ok
like 'and says so' "$(drive a push 5)" '^denied: redis: .*(run|zadd)'
like 'a user that is not there' "$(drive a queue "redis://no:body@$host")" \
    '^denied: redis: WRONGPASS'
like 'a password where none is set' "$(drive a queue "redis://:x@$host")" \
    '^denied: redis: '
like 'a database that is not there' "$(drive a queue "redis://$host/999")" \
    '^denied: redis: .*DB index'
fails 'a manager does not start with a queue that it may not use' \
    fr-manager -l 127.0.0.1:0 --store memory: \
    --queue "redis://few:geheim@$host?prefix=other"
like 'and says why' "$(cat "$T/err")" 'NOPERM'

# ---- a replica, promoted --------------------------------------------------

ln -s "$REDIS_DIR/sock" "$T/primary"
is 'the queue is behind a name' "$(drive a queue "redis://$T/primary")" ok
drive a push 10 >/dev/null
another --replicaof 127.0.0.1 "$REDIS_PORT"
copied() { [ "$(rcli ZCARD '{forerunner}:fifo:queue:t')" = 10 ]; }
ok 'it is replicated' until_ok copied
ln -sfn "$REDIS_DIR/sock" "$T/primary"
kill -KILL "$FIRST_PID"
wait "$FIRST_PID" 2>/dev/null
like 'without the primary it says so' "$(drive a pop 1)" '^again: redis: '
is 'a replica is not taken for one' \
    "$(soon 'again: redis: this is a replica, which takes no writes' push 5)" ''
rcli REPLICAOF NO ONE >/dev/null
is 'once promoted it is, with what was replicated' "$(soon 'ok 4' pop 4)" ''
is 'and all works' "$(drive a push 1) $(drive a length)" 'ok ok 7'
gone

# ---- commands that are renamed ----------------------------------------------

redis --rename-command CONFIG c1 --rename-command INFO i1 \
    --rename-command FLUSHALL f1 --rename-command KEYS k1
is 'without CONFIG and INFO it works' \
    "$(drive a queue "$REDIS_URL") $(drive a push 5) $(drive a pop 9)" \
    'ok ok ok 5'
like 'and does not know its version' "$(drive a describe)" '^ok Redis \?, keys'
gone
redis --rename-command EVALSHA e1
like 'without scripts it says so' "$(drive a queue "$REDIS_URL")" \
    '^denied: redis: .*unknown command.*EVALSHA'
gone

# ---- a cluster --------------------------------------------------------------

redis --cluster-enabled yes --port "$(cluster_port)"
like 'a cluster that is not set up is away' \
    "$(drive a queue "$REDIS_URL") $(drive a push 1)" \
    '^ok again: redis: .*CLUSTERDOWN'
# shellcheck disable=SC2046 # words
rcli CLUSTER ADDSLOTS $(seq 0 16383) >/dev/null
is 'a cluster of one node works' \
    "$(soon ok push 5)$(drive a pop 9) $(drive a push 3) $(drive a length) $(drive a empty)" \
    'ok 5 ok ok 3 ok'
like 'which has one database' "$(drive a queue "$REDIS_URL?db=1")" \
    '^denied: redis: .*SELECT'
another --cluster-enabled yes
rcli CLUSTER MEET 127.0.0.1 "$(first CONFIG GET port | tail -n 1)" >/dev/null
elsewhere() {
	drive a queue "redis://$REDIS_DIR/sock" >"$T/said"
	grep -q MOVED "$T/said"
}
ok 'a node without the keys is refused' until_ok elsewhere
like 'and the one that has them is named' "$(cat "$T/said")" \
    "^denied: redis: a node of a cluster .* 127.0.0.1:[0-9]+\)"
gone

# ---- keys that are dropped when it is full ------------------------------------

redis --maxmemory-policy allkeys-lru
used=$(rcli INFO memory | tr -d '\r' | sed -n 's/^used_memory://p')
rcli CONFIG SET maxmemory $((used + 3000000)) >/dev/null
filler() { # its other user
	seq 1 4000 | sed "s/.*/SET filler-& $(printf %01000d 0)/" |
		rcli >/dev/null
}
manager --queue "$REDIS_URL" --sweep 1s
like 'a server that drops keys is known by it' "$(api GET /readyz)" \
    'drops keys when full: allkeys-lru'
seq 1 1000 | fr-submit --bulk --quiet ping
(until [ -e "$T/enough" ]; do filler; done) &
filling=$!
dropped() { [ "$(rcli EXISTS '{forerunner}:fifo:queue:ping')" = 0 ]; }
ok 'and our keys are dropped' until_ok dropped
: >"$T/enough"
wait "$filling"
worker -c 4 ping
complete() { [ "$(api GET /v1/types | json ping.complete)" = 1000 ]; }
ok 'no job is lost by that' until_ok complete
is 'and none was done twice' "$(api GET '/v1/jobs?state=complete&limit=1000' |
	grep -o '"attempt":1[^0-9]' | wc -l)" 1000
done_testing
