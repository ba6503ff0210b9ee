#!/bin/sh
# SPDX-License-Identifier: MIT
# targz packs a directory, always the same way, and nothing outside of it.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 23

targz() { # targz DATA [option...]
	fr_data=$1
	shift
	printf '%s\n' "$fr_data" | "$HANDLERS/targz" "$@"
}
pack() { targz "{\"origin\":\"$1\",\"destination\":\"$2\"}"; }

mkdir -p "$T/tree/sub/empty" "$T/other"
echo one >"$T/tree/b"
echo two >"$T/tree/a"
echo three >"$T/tree/sub/c"
echo secret >"$T/other/secret"
chmod 600 "$T/tree/b"
ln -s ../other/secret "$T/tree/link"
ln -s "$T/other" "$T/tree/dirlink"
mkfifo "$T/tree/pipe"

is 'the result is the path as it was given' \
    "$(pack "$T/tree" "$T/to/x.tar.gz" 2>"$T/err")" \
    "{\"location\":\"$T/to/x.tar.gz\"}"
is 'names are sorted and begin with that of the directory' \
    "$(tar -tzf "$T/to/x.tar.gz")" 'tree/
tree/a
tree/b
tree/dirlink
tree/link
tree/sub/
tree/sub/c
tree/sub/empty/'
like 'special files are skipped with a note' "$(cat "$T/err")" \
    '^targz: tree/pipe: skipped'
mkdir "$T/x"
ok 'tar unpacks it' tar -xzf "$T/to/x.tar.gz" -C "$T/x"
rm "$T/tree/pipe"
is 'what is unpacked is the same' \
    "$(diff -r --no-dereference "$T/tree" "$T/x/tree" 2>&1)" ''
is 'a symbolic link is stored, not followed' "$(readlink "$T/x/tree/link")" \
    ../other/secret
is 'so is one to a directory' "$(readlink "$T/x/tree/dirlink")" "$T/other"
is 'modes are kept' "$(stat -c %a "$T/x/tree/b")" 600
touch -r "$T/x/tree" "$T/tree" # its time changed with the pipe
pack "$T/tree" "$T/to/y.tar.gz" >/dev/null
ok 'the same tree gives the same bytes' cmp "$T/to/x.tar.gz" "$T/to/y.tar.gz"
is 'nothing else is left beside it' "$(ls -A "$T/to")" 'x.tar.gz
y.tar.gz'

pack "$T/tree" "$T/tree/self.tar.gz" >/dev/null
pack "$T/tree" "$T/tree/self.tar.gz" >/dev/null
unlike 'an archive in its own directory does not hold itself' \
    "$(tar -tzf "$T/tree/self.tar.gz")" self
rm "$T/tree/self.tar.gz"
(cd "$T/tree" && pack . "$T/to/dot.tar.gz" >/dev/null)
is 'the directory "." has no name of its own' \
    "$(tar -tzf "$T/to/dot.tar.gz" | head -n 1)" a
mkdir "$T/none"
pack "$T/none" "$T/to/none.tar.gz" >/dev/null
is 'an empty directory is an archive' "$(tar -tzf "$T/to/none.tar.gz")" none/
long=$(printf '%0200d' 0)
mkdir -p "$T/deep/$long/$long"
echo deep >"$T/deep/$long/$long/ü"
pack "$T/deep" "$T/to/deep.tar.gz" >/dev/null
is 'long names and other letters are kept' \
    "$(tar -xOzf "$T/to/deep.tar.gz" "deep/$long/$long/ü")" deep

exits 'a missing directory fails for good' 65 pack "$T/no" "$T/to/no.tar.gz"
ok 'and leaves no file' test ! -e "$T/to/no.tar.gz"
exits 'a file is no directory' 65 pack "$T/tree/a" "$T/to/no.tar.gz"
exits 'a destination without a name is refused' 65 pack "$T/tree" "$T/to/"
exits 'so is missing data' 65 targz '{"origin":"x"}'
is 'with a root, paths begin there' \
    "$(targz '{"origin":"tree","destination":"in/t.gz"}' --root "$T"
	tar -tzf "$T/in/t.gz" | head -n 1)" '{"location":"in/t.gz"}
tree/'
exits 'with a root, ".." is refused' 65 \
    targz '{"origin":"../other","destination":"x.gz"}' --root "$T/tree"
exits 'with a root, so is a link out of it' 65 \
    targz '{"origin":"dirlink","destination":"x.gz"}' --root "$T/tree"
exits 'and an archive outside of it' 65 \
    targz "{\"origin\":\"sub\",\"destination\":\"$T/to/z.gz\"}" \
    --root "$T/tree"
