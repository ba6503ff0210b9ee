#!/bin/sh
# SPDX-License-Identifier: MIT
# Manual pages are well formed, and each names only pages that there are.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
command -v mandoc >/dev/null || plan skip 'needs mandoc'

cd "$ROOT/man" || exit 99
for page in *.[1-8]; do
	is "$page is well formed" \
	    "$(mandoc -T lint -W warning "$page" 2>&1)" ''
	missing=$(sed -n 's/^\.\(It \)\{0,1\}Xr \([^ ]*\) \([1-8]\).*/\2.\3/p
		s/.* , Xr \([^ ]*\) \([1-8]\).*/\1.\2/p' "$page" |
		grep -E '^(fr-|forerunner)' | sort -u | while read -r other; do
		[ -e "$other" ] || echo "$other"
	done)
	is "$page refers to pages that there are" "$missing" ''
	name=${page%.*}
	isnt "another page refers to $page" "$(grep -lE \
	    "Xr $name ${page##*.}( |\$)" -- *.[1-8] | grep -vx "$page")" ''
	case $page in
	forerunner.7) ;;
	*) ok "$page leads to forerunner(7), or to a page that does" \
		grep -qE 'Xr (forerunner 7|fr-handler 7)' "$page" ;;
	esac
	case $name in fr-*) ;; *) continue ;; esac
	case $page in *.[18]) ;; *) continue ;; esac
	ok "$page describes a program that there is" test -x "$BIN/$name"
done
done_testing
