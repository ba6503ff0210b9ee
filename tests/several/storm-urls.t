#!/bin/sh
# SPDX-License-Identifier: MIT
# Three managers, workers and clients that know all of them, under load, while
# Redis hangs, is full, is read-only, and Postgres stops.
# shellcheck source=tests/several/storm.sh
. "${0%/*}/storm.sh"

postgres
redis
several 3 --lease 3
VIA=$URLS
storm redis-stopped manager-1 redis-full backends redis-readonly manager-2 \
    postgres-immediate flush worker
is 'managers and a worker were killed' $KILLS 3
is 'Redis hung, was full, and took no writes' $DEGRADED 3
is 'Redis was flushed' $FLUSHED 1
ok 'connections to Postgres were terminated' [ $TERMINATED -ge 3 ]
is 'and the managers saw it gone' $AWAY 1
done_testing
