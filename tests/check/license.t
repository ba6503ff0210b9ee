#!/bin/sh
# SPDX-License-Identifier: MIT
# Whatever is written here says under which license it may be used.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99

# Notes, data for tests, and what a tool reads that knows no comments.
unmarked() {
	git ls-files | grep -vE '(^|/)\.[^/]*$|^LICENSE$|\.md$|/README$|\.(cfg|json)$|^tests/fuzz/corpus/' |
		while IFS= read -r f; do
			head -n 3 "$f" | grep -q SPDX-License-Identifier ||
				echo "$f"
		done
}
git ls-files >/dev/null 2>&1 || plan skip 'this is no clone'
is 'each file has a line for it at its top' "$(unmarked)" ''
done_testing
