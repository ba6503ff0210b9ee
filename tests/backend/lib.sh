# SPDX-License-Identifier: MIT
# Sourced by the tests here: the helpers, the servers, and drivers.
# shellcheck shell=sh disable=SC2034,SC2154
DRIVE_a='' DRIVE_b=''
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/servers.sh
. "${0%/*}/../servers.sh"

# driver NAME: starts a program that holds a store or queue open and does what
# it is told; DRIVE_NAME is its pid. See drive.c.
driver() {
	mkfifo "$T/$1.in" "$T/$1.out"
	trap - HUP INT TERM
	# Not with the other one's pipes, or that would never see its end.
	"$FR_BUILD/tests/backend/drive" <"$T/$1.in" >"$T/$1.out" 2>>"$T/log" \
	    5>&- 6<&- 7>&- 8<&- &
	PIDS="$PIDS $!"
	eval "DRIVE_$1=$!"
	fr_traps
	case $1 in
	a) exec 7>"$T/a.in" 8<"$T/a.out" ;;
	*) exec 5>"$T/b.in" 6<"$T/b.out" ;;
	esac
}
# tell NAME LINE...: has it done, without waiting. hear NAME: its next answer.
tell() {
	fr_who=$1
	shift
	if [ "$fr_who" = a ]; then echo "$*" >&7; else echo "$*" >&5; fi
}
hear() {
	fr_line=
	if [ "$1" = a ]; then read -r fr_line <&8; else read -r fr_line <&6; fi
	printf '%s\n' "$fr_line"
}
drive() { # drive NAME LINE...: both
	tell "$@"
	hear "$1"
}
