# SPDX-License-Identifier: MIT
# Completion for bash. The options are asked of the programs themselves.
# shellcheck shell=bash

_fr_complete() {
	local word=$2 kind
	local -a options types
	COMPREPLY=()
	if [[ $word == -* ]]; then
		mapfile -t options < <("$1" --dump-options 2>/dev/null |
			awk '{ print "--" $2; if ($1 != "-") print "-" $1 }')
		mapfile -t COMPREPLY < <(compgen -W "${options[*]}" -- "$word")
		return
	fi
	kind=$("$1" --dump-options 2>/dev/null | awk -v o="$3" \
	    'o == "--" $2 || o == "-" $1 { print $3 }')
	case $1,$kind in
	*fr-submit,) # a type that the manager knows
		mapfile -t types < <(fr-status --json 2>/dev/null |
			grep -o '"[A-Za-z0-9_.-]*":{' | tr -d '":{')
		mapfile -t COMPREPLY < <(compgen -W "${types[*]}" -- "$word")
		;;
	*) mapfile -t COMPREPLY < <(compgen -f -- "$word") ;;
	esac
}

complete -F _fr_complete fr-manager fr-worker fr-submit fr-status fr-ctl \
    fr-run fr-bench fr-store-test fr-queue-test
