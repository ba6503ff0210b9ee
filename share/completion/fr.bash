# SPDX-License-Identifier: MIT
# Completion for bash. The options are asked of the programs themselves.
# shellcheck shell=bash

_fr_words() { mapfile -t COMPREPLY < <(compgen -W "$1" -- "$2"); }

_fr_complete() {
	local name=${1##*/} word=$2 option arg
	COMPREPLY=()
	if [[ $word == -* ]]; then
		_fr_words "$("$1" --dump-options 2>/dev/null |
			awk '{ print "--" $2; if ($1 != "-") print "-" $1 }')" "$word"
		return
	fi
	# What the option before it wants; flags want nothing.
	read -r option arg < <("$1" --dump-options 2>/dev/null | awk -v o="$3" \
	    '(o == "--" $2 || o == "-" $1) && $3 != "flag" { print $2, $4 }')
	case $name,$option in
	fr-ctl,state) _fr_words 'complete failed cancelled' "$word" ;;
	*,state) _fr_words \
	    'scheduled queued running complete failed cancelled' "$word" ;;
	*,order) _fr_words 'fifo random weighted' "$word" ;;
	*,log-level) _fr_words 'error warn info debug' "$word" ;;
	*,type | fr-submit,) # one that the manager knows
		_fr_words "$(fr-status --json 2>/dev/null |
			grep -o '"[A-Za-z0-9_.-]*":{' | tr -d '":{')" "$word"
		;;
	fr-ctl,)
		if [[ $COMP_CWORD -eq 1 ]]; then
			_fr_words 'cancel retry delete pause resume purge' "$word"
		fi
		;;
	fr-bench,) _fr_words 'submit drain both latency idle backlog' "$word" ;;
	fr-worker,run | fr-worker, | fr-run,) # built in
		_fr_words 'fetch key_map ping targz word_count' "$word"
		;;
	fr-status,) ;;
	*) case $arg in
		FILE | DIR | '' | *URL*)
			mapfile -t COMPREPLY < <(compgen -f -- "$word")
			;;
		esac ;;
	esac
}

complete -F _fr_complete fr-manager fr-worker fr-submit fr-status fr-ctl \
    fr-run fr-bench fr-store-test fr-queue-test
