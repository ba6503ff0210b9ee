# SPDX-License-Identifier: MIT
# shellcheck shell=sh
# Runs a document's commands in a network of their own, where the default port
# is free and nothing but loopback is there.
session() { # session FILE
	mkdir "$T/work" "$T/home"
	if unshare -rn true 2>/dev/null; then
		set -- unshare -rn sh -c 'ip link set lo up && exec "$@"' sh \
		    "$FR_PYTHON" -I "$ROOT/tests/docs/session.py" "$1"
	elif unshare -n true 2>/dev/null; then
		set -- unshare -n sh -c 'ip link set lo up && exec "$@"' sh \
		    "$FR_PYTHON" -I "$ROOT/tests/docs/session.py" "$1"
	else
		plan skip 'needs a network of its own'
	fi
	command -v ip >/dev/null || plan skip 'needs ip(8)'
	cd "$T/work" || exit 99
	HOME=$T/home "$@"
}
