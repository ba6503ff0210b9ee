#!/bin/sh
# SPDX-License-Identifier: MIT
# The queue judge passes good queues and finds each fault: its exit status is
# 1, and the name of a check that failed says what is wrong.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

bad=$FR_BUILD/tests/bad/bad-queue.so

for order in fifo random weighted; do
	exits "the judge passes memory:$order" 0 fr-queue-test "memory:$order"
	exits "and a module without a fault before it" 0 \
		fr-queue-test --order "$order" "$bad:$order,none"
done

# ORDER of the queue|ORDER it claims|FAULT|what the failing check's name says
while IFS='|' read -r order claims fault says; do
	run fr-queue-test --order "$claims" "$bad:$order,$fault"
	is "$order as $claims, $fault: the judge says no" "$STATUS" 1
	like "$fault: and says why" "$(grep '^not ok' "$T/out")" "$says"
done <<'EOF'
fifo|fifo|blocks|a type that nobody asks for holds nobody up
fifo|fifo|doubles|what is pushed twice is handed out once
fifo|fifo|drops-last|a batch of any size is pushed whole
fifo|fifo|empty-keeps|an emptied queue is empty
fifo|fifo|half-id|ids that differ in one bit
fifo|fifo|hands-out-twice|loses nothing and doubles nothing
fifo|fifo|ignores-priority|a higher priority goes out first
fifo|fifo|length-late|the length is exact
fifo|fifo|lifo|first in, first out
fifo|fifo|loses-requeue|what is requeued is handed out again
fifo|fifo|no-case|types are told apart in case
fifo|fifo|one-for-many|two hundred types can be asked for at once
fifo|fifo|place-off|place is the number of those before it
fifo|fifo|remove-keeps|what is removed is not handed out
fifo|fifo|remove-takes-any|removes nothing else
fifo|fifo|requeue-reversed|a batch goes to the front with its first foremost
fifo|fifo|requeue-to-end|what is requeued goes to the front
fifo|fifo|type-by-type|over several types the order is by priority
fifo|fifo|unsigned-priority|a higher priority goes out first
random|random|prefers-old|drawn first, second and last equally often
random|random|hands-out-twice|doubles nothing
random|random|prefers-one-type|even over all jobs of several types
fifo|random|none|drawn first, second and last equally often
weighted|random|none|even whatever the priorities
random|fifo|none|first in, first out
random|weighted|none|in proportion to their priority
fifo|weighted|none|in proportion to their priority
weighted|weighted|prefers-one-type|proportion holds over all jobs of several types
weighted|weighted|prefers-old|in proportion to their priority
weighted|weighted|weight-plus-one|in proportion to their priority
EOF
done_testing
