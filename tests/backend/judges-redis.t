#!/bin/sh
# SPDX-License-Identifier: MIT
# The queue judge on a real Redis, in each order.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"
redis_server || plan skip 'no redis-server'
plan 3

redis
for order in fifo random weighted; do
	exits "the judge passes $order on Redis" 0 \
		fr-queue-test "$REDIS_URL?order=$order"
done
