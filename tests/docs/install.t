#!/bin/sh
# SPDX-License-Identifier: MIT
# make install puts all that is needed under one directory, which may be moved.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 20

san=${FR_BUILD##*/build} san=${san#/san-}
case $FR_BUILD in */san-*) san=$(echo "$san" | tr - ,) ;; *) san='' ;; esac
mk() {
	env -u MAKEFLAGS -u MFLAGS make -s -C "$ROOT" SAN="$san" PREFIX=/opt/fr \
	    DESTDIR="$T/stage" "$@"
}
ok 'it can be installed into a stage' mk install
is 'nothing is written outside of the prefix' "$(ls -A "$T/stage" "$T/stage/opt")" \
    "$T/stage:
opt

$T/stage/opt:
fr"
mv "$T/stage/opt/fr" "$T/moved"
cd "$T/moved" || exit 99
for file in bin/fr-manager libexec/forerunner/handlers/fetch \
	include/fr/store.h share/man/man7/fr-handler.7 \
	share/forerunner/examples/handlers/primes; do
	ok "$file is there" test -e "$file"
done
there() { (cd "$1" && find . -type f -o -type l | sed 's,.*/,,' | sort); }
is 'every manual page is there' "$(there share/man)" "$(there "$ROOT/man")"
is 'in its section' "$(find share/man -type f |
	grep -vE '/man([1-8])/[^/]*\.\1$')" ''
is 'every program and built-in handler is there' \
    "$(there bin; there libexec)" "$(there "$BIN"; there "$HANDLERS")"
is 'every header is there' "$(there include)" "$(there "$ROOT/lib/fr")"
like 'units name the programs by the prefix' \
    "$(cat lib/systemd/system/forerunner-worker.service)" \
    '^ExecStart=/opt/fr/bin/fr-worker'
ok 'the headers can be used as they are' sh -c \
    "printf '#include <fr/backend.h>\nint main(void) { return 0; }\n' |
	cc -std=c17 -Wall -Werror -Iinclude -xc -fsyntax-only -"

# From here on only what was installed.
unset FR_LIBEXEC
PATH=$T/moved/bin:/usr/bin:/bin
manager
worker ping
is 'a worker that was moved finds the built-in handlers' \
    "$(fr-submit --wait=60 ping)" '{"ack":"PONG"}'
stop
mkdir -p "$T/stage/opt"
mv "$T/moved" "$T/stage/opt/fr"
cd / || exit 99
words() { # words WORD...: what the last one may become
	# shellcheck disable=SC2016 # for bash
	bash --norc -c '
	. "$1"/share/bash-completion/completions/fr-submit
	PATH=$1/bin:$PATH
	shift
	COMP_CWORD=$(($# - 1))
	before=$((COMP_CWORD))
	_fr_complete "$1" "${!#}" "${!before}"
	echo "${COMPREPLY[@]}"' bash "$T/stage/opt/fr" "$@"
}
is 'completion knows the options' "$(words fr-submit --wai)" --wait
is 'and what they may be' "$(words fr-ctl purge --state c)" \
    'complete cancelled'
is 'and the commands' "$(words fr-ctl pau)" pause
is 'a flag wants nothing' "$(words fr-bench --json dr)" drain
ok 'it can be uninstalled' mk uninstall
is 'no file is left then' "$(find "$T/stage" ! -type d)" ''
