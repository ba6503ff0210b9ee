#!/bin/sh
# SPDX-License-Identifier: MIT
# A program's manual page, its --help and its parser know the same options.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

# The option names in a page: ".It Fl h , \-help", ".It Fl h , Fl \-help".
options_of() {
	sed -n '/^\.It Fl/p' "$1" | sed 's/\\-/-/g' |
		grep -oE '(Fl|,) -[a-z][a-z-]*' | sed 's/.* -//' | sort -u
}
for page in "$ROOT"/man/*.[18]; do
	name=${page##*/} name=${name%.*}
	[ -x "$BIN/$name" ] || continue
	"$BIN/$name" --dump-options >"$T/dump"
	cut -d ' ' -f 2 "$T/dump" | sort -u >"$T/known"
	options_of "$page" >"$T/written"
	is "$name: every option is in the manual" \
	    "$(comm -23 "$T/known" "$T/written")" ''
	is "$name: every option in the manual is one" \
	    "$(comm -13 "$T/known" "$T/written")" ''
	"$BIN/$name" --help | grep -o -e '--[a-z][a-z-]*' | sort -u >"$T/help"
	is "$name: every option is in --help" \
	    "$(sed 's/^/--/' "$T/known" | comm -23 - "$T/help")" ''
	is "$name: options are sorted" "$(cut -d ' ' -f 2 "$T/dump")" \
	    "$(cut -d ' ' -f 2 "$T/dump" | sort)"
done
for h in fetch targz key_map word_count; do
	"$HANDLERS/$h" --dump-options | cut -d ' ' -f 2 |
		grep -vx -e help -e version | sort >"$T/known"
	sed 's/\\-/-/g' "$ROOT/man/fr-handler.7" | grep "^\.It Sy $h" |
		grep -o 'Fl -[a-z][a-z-]*' | sed 's/Fl -//' | sort >"$T/written"
	is "$h: the manual has its options" "$(cat "$T/written")" \
	    "$(cat "$T/known")"
done
for prog in "$BIN"/fr-* "$HANDLERS"/*; do
	name=${prog##*/}
	"$prog" --help >"$T/help"
	is "$name --help fits a terminal" \
	    "$(awk 'length > 80' "$T/help")" ''
	is "$name --help says its options once" \
	    "$(grep -E 'usage:.*\[options\].*\[(-|options)' "$T/help")" ''
done
for prog in "$BIN"/fr-*; do
	name=${prog##*/}
	# shellcheck disable=SC2016 # for the inner shell
	ok "$name has a manual page" sh -c 'test -e "$1".[18]' sh \
	    "$ROOT/man/$name"
	exits "$name: an unknown option is a mistake in use" 64 \
	    "$prog" --no-such-option
	like "$name --version" "$("$prog" --version)" "^$name .*[0-9]+\.[0-9]+"
done
done_testing
