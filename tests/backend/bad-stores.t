#!/bin/sh
# SPDX-License-Identifier: MIT
# The store judge passes good stores and finds each fault: its exit status is
# 1, and the name of a check that failed says what is wrong.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

bad=$FR_BUILD/tests/bad/bad-store.so

exits 'the judge passes the memory store' 0 fr-store-test memory:
exits 'the judge passes the SQLite store' 0 fr-store-test "sqlite:$T/good"
exits 'a module without a fault passes' 0 fr-store-test "$bad:none"
exits 'so does one in front of SQLite' 0 fr-store-test "$bad:none,$T/none"
exits 'an ended job need not show its lease' 0 fr-store-test \
	"$bad:forgets-leases"
exits 'not even after a kill' 0 fr-store-test --only 'killed with -9' \
	"$bad:forgets-leases,$T/leases"
exits 'a run with another seed passes' 0 fr-store-test --seed 77 memory:

# FAULT|what the failing check's name says
while IFS='|' read -r fault says; do
	# Two need a durable store; a commit for each job takes time.
	case $fault in
	lazy-commit) set -- "$bad:$fault,$T/$fault" ;;
	torn-batch) set -- --only 'killed with -9' "$bad:$fault,$T/$fault" ;;
	*) set -- "$bad:$fault" ;;
	esac
	run fr-store-test "$@"
	is "$fault: the judge says no" "$STATUS" 1
	like "$fault: and says why" "$(grep '^not ok' "$T/out")" "$says"
done <<'EOF'
attempt-stuck|the number of an attempt only grows
callback-ignored|a callback that fails stops every walk
cancel-ended|what has ended cannot be cancelled
canonical|come back digit for digit
conflict-blind|same id with other data is a conflict
drops-last|a batch creates all of its jobs
early-commit|what is not committed is not seen
expired-early|leases that have ended are found
find-even|found by any beginning of its id
forgets-fails|failed attempts add up
half-token|a report with a wrong lease is stale
ignores-key|unfinished jobs with one type and key there is only one
lazy-commit|killed with -9 all that was acknowledged is there
leases-twice|a job that is leased is not leased again
loses-rollback|a rollback undoes
miscounts|jobs are counted by type and state
next-due-late|the earliest time and the earliest end
no-reopen|as they were after reopening
outbox-drops|events are taken whole
outbox-unclaimed|an event that is claimed is not handed out
page-repeats|neither skip nor repeat
pause-forgets|a type can be paused
promotes-all|no more jobs are promoted at once
purges-unfinished|what has not ended is never purged
readonly-writes|a read-only handle cannot change anything
release-counts|given back is queued again, uncounted
remembers-unsaid|a lease that ended without a word is stale
removes-running|what has not ended cannot be removed
renew-any|wrong, ended or unknown lease cannot be renewed
renew-all-shortens|shortens nothing
repeat-counts|complete twice is known as a repeat
retries-running|what has not ended cannot be retried
running-of-all|what runs is listed by worker
stale-lease|a lease is stale when the job has been leased again
torn-batch|batches are whole
truncates|a mebibyte comes back whole
unknown-complete|a report about an unknown id is stale
walk-skips|the walk of what is queued is complete
EOF
done_testing
