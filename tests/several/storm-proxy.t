#!/bin/sh
# SPDX-License-Identifier: MIT
# Three managers behind HAProxy, under load, while managers and workers are
# killed, Redis is flushed and killed, and Postgres stops in the middle.
# shellcheck source=tests/several/storm.sh
. "${0%/*}/storm.sh"

command -v haproxy >/dev/null || plan skip 'haproxy is not installed'
postgres
redis
several 3 --lease 3
port=$(free_port)
{
	cat <<END
global
	maxconn 500
defaults
	mode http
	option redispatch
	retry-on conn-failure
	retries 3
	timeout connect 2s
	timeout client 60s
	timeout server 60s
	timeout queue 5s
frontend jobs
	bind 127.0.0.1:$port
	default_backend managers
backend managers
	balance roundrobin
	option httpchk GET /readyz
END
	for m in 1 2 3; do
		eval "echo '	server m$m' \${URL_$m#http://} check inter 200ms fall 2 rise 1"
	done
} >"$T/haproxy.cfg"
start haproxy -db -f "$T/haproxy.cfg"
HAPROXY_PID=$PID
VIA=http://127.0.0.1:$port
proxied() { curl -sf "$VIA/readyz"; }
until_ok proxied >/dev/null

storm manager-1 flush backends manager-2 redis-killed manager-3 worker \
    postgres-immediate manager-1
is 'managers and workers were killed' $KILLS 5
is 'Redis was flushed' $FLUSHED 1
is 'and was away' $DEGRADED 1
ok 'connections to Postgres were terminated' [ $TERMINATED -ge 3 ]
is 'and the managers saw it gone' $AWAY 1
done_testing
