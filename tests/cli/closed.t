#!/bin/sh
# SPDX-License-Identifier: MIT
# Standard descriptors that are closed, full, or read by nobody.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 12
manager --store "sqlite:$T/db"

limited fr-submit --bulk echo <&- 2>"$T/err"
is 'a closed standard input is an I/O error, and no waiting' $? 74
like 'and it is said' "$(cat "$T/err")" '^fr-submit: read stdin: '
limited fr-submit echo - <&- 2>/dev/null
is 'for one job, too' $? 74
fr-submit echo >&- 2>"$T/err"
is 'a closed standard output is an I/O error' $? 74
fr-status --json >&- 2>/dev/null
is 'for fr-status, too' $? 74
echo '{"type":"echo"}' >"$T/in"
fr-run echo=cat <"$T/in" >&- 2>/dev/null
is 'for fr-run, too' $? 74
fr-submit --quiet echo 2>&-
is 'a closed standard error is nothing' $? 0
seq 1 3 | fr-submit --bulk echo >/dev/full 2>"$T/err"
is 'a full disk under the ids is an I/O error' $? 74
is 'and is told once, with the reason' "$(cat "$T/err")" \
    'fr-submit: write to standard output: No space left on device'

# Much more than a pipe holds, for a reader that has gone.
seq 1 3000 | fr-submit --bulk --quiet echo
{
	fr-status --list --limit 0 2>"$T/err"
	echo $? >"$T/st"
} | head -n 1 >/dev/null
is 'a list is ended with its reader' "$(cat "$T/st")" 74
is 'without a word' "$(cat "$T/err")" ''
is 'and nothing was written where it did not belong' \
    "$(fr-status --list --limit 0 | wc -l)" 3006
