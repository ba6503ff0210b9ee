# SPDX-License-Identifier: MIT
# Sourced behind tests/lib.sh.
# shellcheck shell=sh

# small_disk SIZE: one of its own at $T/disk, until the test ends.
small_disk() {
	mkdir "$T/disk"
	mount -t tmpfs -o size="$1" tmpfs "$T/disk" 2>/dev/null ||
		plan skip 'mounting a small disk takes root'
	trap 'unmount $?' EXIT
}
unmount() {
	umount -l "$T/disk"
	fr_end "$1"
}

# full LISTEN: a manager on that disk.
full() {
	fr_manager --store "sqlite:$T/disk/db" --listen "$1"
}
