# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# For the tests of the HTTP API; sourced behind tests/lib.sh.
#
#   raw [-n N] [-t S] PIECE...  see raw.py; what came stands in $T/raw too
#   status                      the status of the first answer in $T/raw
#   post PATH JSON [curl option...]   the answer; its status in $T/http
#   http                        that status
#   submit JSON                 the id of a new job

raw() {
	fr_opts=
	while case ${1:-} in -*) true ;; *) false ;; esac do
		fr_opts="$fr_opts $1 $2"
		shift 2
	done
	# shellcheck disable=SC2086 # options
	"$FR_PYTHON" -I -S "$ROOT/tests/api/raw.py" $fr_opts "$FR_MANAGER" \
	    "$@" >"$T/raw" 2>>"$T/log"
	cat "$T/raw"
}
status() { sed -n '1s/^HTTP[^ ]* \([0-9]*\).*/\1/p' "$T/raw"; }
post() {
	fr_p=$1 fr_body=$2
	shift 2
	api POST "$fr_p" -H 'Content-Type: application/json' \
	    --data-binary "$fr_body" "$@"
}
http() { cat "$T/http"; }
submit() { post /v1/jobs "$1" | json id; }
detail() { json detail <"$T/body"; }
