#!/bin/sh
# SPDX-License-Identifier: MIT
# Commands in documents use programs and options that there are.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"

mkdir "$T/options"
for prog in "$BIN"/fr-*; do
	"$prog" --dump-options >"$T/options/${prog##*/}" 2>/dev/null
done
# Each "fr-NAME ... --option" of a line, without what is quoted.
check() { # check FILE: prints what is wrong
	sed -e 's/\\-/-/g' -e "s/'[^']*'//g" -e 's/"[^"]*"//g' \
	    -e 's/\\&//g' "$1" |
		grep -E '^(\.Dl )?\$ |^  +fr-|^fr-' |
		grep -oE "\bfr-[a-z-]+( [^|;&]*|$)" | while read -r name rest; do
		if [ ! -e "$BIN/$name" ]; then
			echo "no such program: $name"
			continue
		fi
		for word in $rest; do
			case $word in
			--) break ;;
			--*) option=${word#--} option=${option%%=*} ;;
			*) continue ;;
			esac
			cut -d ' ' -f 2 "$T/options/$name" | grep -qx -e "$option" ||
				echo "no such option: $name --$option"
		done
	done
}
cd "$ROOT" || exit 99
for doc in README.md man/*.[1-8] share/examples/README; do
	is "$doc: programs and options exist" "$(check "$doc")" ''
done
done_testing
