#!/bin/sh
# SPDX-License-Identifier: MIT
# Who includes what: arrows only go one way, and libraries stay in their room.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
cd "$ROOT" || exit 99
build=${FR_BUILD:-$ROOT/build}
rel=${build#"$ROOT"/}

# folder: what it may include besides itself
cat >"$T/table" <<'E'
lib/fr
lib/base lib/fr
lib/cli lib/fr lib/base
lib/core lib/fr lib/base
lib/wire lib/fr lib/base lib/core/op.h
lib/client lib/fr lib/base lib/wire lib/core/op.h
lib/run lib/fr lib/base
lib/conform lib/fr lib/base
backends lib/fr lib/base
backends/exec lib/wire lib/run lib/core/op.h
cmd lib backends/registry.h cmd/shared
E
find "$build/lib" "$build/backends" "$build/cmd" -name '*.d' -exec cat {} + |
	awk -v gen="$rel/gen/" '
	function dir(f, p) { split(f, p, "/"); return p[1] "/" p[2] }
	NR == FNR { for (i = 2; i <= NF; i++) may[$1, $i]; next }
	{ sub(/\\$/, "") }
	/^[^ ].*\.o:/ { src = "" }
	{ for (i = 1; i <= NF; i++) {
		f = $i
		if (src == "" && f ~ /\.c$/) {
			src = f; from = dir(src); top = src; sub(/\/.*/, "", top)
		}
		if (f ~ /:$/ || f == src || f ~ /^\// || index(f, gen) == 1 || f !~ /\.h$/)
			continue
		d = dir(f); t = f; sub(/\/.*/, "", t)
		if (d == from || (top == "backends" && f ~ /^backends\/[a-z]*\.h$/))
			continue
		if (!((from, d) in may) && !((from, f) in may) && !((top, d) in may) &&
		    !((top, f) in may) && !((top, t) in may))
			print src " includes " f
	} }' "$T/table" - | sort -u >"$T/wrong"
is 'no folder includes what is not below it' "$(cat "$T/wrong")" ''

only() { # only HEADERS PLACES: #include <HEADERS> stands in PLACES alone
	is "$1 is included in its own place" "$(git grep -lE \
	    "#include <($1)" -- lib backends cmd | grep -vE "^($2)")" ''
}
only 'sqlite3' backends/sqlite/
only 'libpq' backends/postgres/
only 'hiredis|openssl' backends/redis/
only 'dlfcn' backends/module.c
only 'curl' 'lib/client/|cmd/handlers/fetch.c|cmd/fr-bench'
only 'event2' 'cmd/fr-manager/|cmd/fr-worker/|cmd/fr-run|cmd/fr-bench'
only 'archive' cmd/handlers/targz.c
only 'jansson' 'cmd/'
done_testing
