#!/bin/sh
# SPDX-License-Identifier: MIT
# No file and no function is too long to be understood in one reading.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99

git ls-files 'lib/*.[ch]' 'backends/*.[ch]' 'cmd/*.[ch]' 'tests/*.[ch]' | xargs awk '
	FNR == 1 { open = 0 }
	FNR == 801 && FILENAME !~ /^tests/ { print FILENAME ": more than 800 lines" }
	/^{/ { open = FNR }
	/^}/ { if (open && FNR - open > 121)
		print FILENAME ":" open ": function of " FNR - open - 1 " lines"
		open = 0 }' >"$T/long"
is 'no file has over 800 lines, no function over 120' "$(cat "$T/long")" ''
done_testing
