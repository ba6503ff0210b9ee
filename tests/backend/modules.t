#!/bin/sh
# SPDX-License-Identifier: MIT
# Which modules are loaded, and which are refused and why.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

good=$FR_BUILD/tests/bad/bad-queue.so
refuses() { # refuses NAME STATUS ERE COMMAND...
	_name=$1 _status=$2 _says=$3
	shift 3
	run "$@"
	is "$_name" "$STATUS" "$_status"
	like "$_name: the message" "$(cat "$T/err")" "$_says"
}
try='fr-queue-test --only describes'

cp "$good" "$T/q.so"
chmod 755 "$T/q.so"
# shellcheck disable=SC2086
{
	exits 'a module by its absolute path is loaded' 0 \
		$try "$T/q.so:fifo,none"
	cd "$T" || exit 99
	exits 'a module by a path with a slash is loaded' 0 $try ./q.so:fifo,none
	refuses 'a module without a slash is not looked for' 64 \
		'q\.so: a module.s path contains a slash; write \./q\.so' \
		$try q.so:fifo,none
	refuses 'the arguments are the module.s own' 64 'no such order, fault' \
		$try ./q.so:nonsense
	refuses 'a module that is not there is refused' 74 \
		'load \./none\.so: No such file' $try ./none.so:
	chmod 775 q.so
	refuses 'a module that a group may write to is refused' 77 \
		'others may write to it \(mode 775\)' $try ./q.so:fifo,none
	chmod 757 q.so
	refuses 'a module that anybody may write to is refused' 77 \
		'mode 757' $try ./q.so:fifo,none
	chmod 755 q.so
	if [ "$(id -u)" -eq 0 ]; then
		chown nobody q.so
		refuses 'a module of somebody else is refused' 77 \
			'belongs to user' $try ./q.so:fifo,none
		chown root q.so
	fi
	mkdir dir.so
	refuses 'a directory is refused' 65 'not a file' $try ./dir.so:
	echo text >text.so
	refuses 'what is no shared object is refused' 74 'text\.so' \
		$try ./text.so:
	refuses 'a module without a queue is refused as one' 64 \
		'it has no queue' $try "$FR_BUILD/tests/bad/bad-store.so:none"
	refuses 'a module without a store is refused as one' 64 \
		'it has no store' fr-store-test --only describes ./q.so:fifo,none
	refuses 'a name that no check has is refused' 64 'no check has `xyz`' \
		fr-queue-test --only xyz memory:
	refuses 'a queue whose server is away is not judged' 75 \
		'^fr-queue-test: redis: .*refused' \
		fr-queue-test redis://127.0.0.1:1
	refuses 'nor is a store' 75 '^fr-store-test: postgres: .*refused' \
		fr-store-test postgres://127.0.0.1:1/x
	refuses 'an unknown queue is told those that are known' 64 \
		'`nosuch:`: not known; known are memory: .*PATH\.so:' \
		$try nosuch:x
	refuses 'what is no URL is shown' 64 '`jobs.db`: begins with none of ' \
		fr-store-test jobs.db
	refuses 'an unknown store is told those that are known' 64 \
		'known are .*sqlite: .*PATH\.so:' fr-store-test nosuch://u:secret@h
	unlike 'a password in the URL is not shown' "$(cat "$T/err")" secret
}

# Modules that break the rules for tables.
module() { # module NAME [cc option...]
	_so=$T/$1.so
	shift
	cc -shared -fPIC -I"$ROOT/lib" -o "$_so" "$@" "$T/m.c" 2>"$T/err" ||
		bail "cc: $(cat "$T/err")"
	chmod 755 "$_so"
}
cat >"$T/m.c" <<'EOF'
#include <fr/backend.h>
#ifndef ABI
#define ABI FR_BACKEND_ABI
#endif
#ifndef SIZE
#define SIZE sizeof(struct fr_module)
#endif
#ifndef NAME
#define NAME fr_module
#endif
static const struct fr_queue_ops ops = { .abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_queue_ops),
	.scheme = "m" };
static const struct fr_store_ops store = { .abi = FR_BACKEND_ABI,
	.size = sizeof(struct fr_store_ops) - 8,
	.scheme = "m" };
const struct fr_module NAME = { .abi = ABI, .size = SIZE, .queue = &ops,
	.store = &store };
EOF
# shellcheck disable=SC2086
{
	module abi -DABI=77
	refuses 'a module for another interface is refused, with both numbers' \
		74 'made for version 77 of the interface, this is [0-9]' \
		$try "$T/abi.so:"
	module size -DSIZE=8
	refuses 'a module of another size is refused, with both numbers' \
		74 'has 8 bytes, ours has [0-9]' $try "$T/size.so:"
	module name -DNAME=something_else
	refuses 'a module without its symbol is refused' \
		74 'it has no fr_module' $try "$T/name.so:"
	module table
	refuses 'a table without a required call is refused, by its name' \
		74 'its table lacks open' $try "$T/table.so:"
	refuses 'a table of another size is refused, with both numbers' \
		74 'its table has [0-9]+ bytes, ours has [0-9]+' \
		fr-store-test --only describes "$T/table.so:"
}
done_testing
