#!/bin/sh
# SPDX-License-Identifier: MIT
# word_count counts what stands between separators, in any encoding.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 21

count() { # count MORE: of the file $T/f; MORE: ,"key":value...
	printf '{"location":"%s"%s}' "$T/f" "${1:-}" | "$HANDLERS/word_count"
}
text() {
	# shellcheck disable=SC2059 # escapes are wanted
	printf "$1" >"$T/f"
}
text 'the cat and the dog\nand  the\tbird\r\n'
is 'the most frequent word is first, then by the alphabet' "$(count)" \
    '{"count":{"the":3,"and":2,"bird":1,"cat":1,"dog":1}}'
text ''
is 'an empty file has no words' "$(count)" '{"count":{}}'
text ' \n\t '
is 'nor has white space' "$(count)" '{"count":{}}'
text 'word'
is 'the last word needs no separator' "$(count)" '{"count":{"word":1}}'
text 'a\302\240b\342\200\203c\343\200\200d\302\205e'
is 'white space is what Unicode says it is' "$(count)" \
    '{"count":{"a":1,"b":1,"c":1,"d":1,"e":1}}'
text 'a,b,,c d,a'
is 'a token separates' "$(count ',"token":","')" \
    '{"count":{"a":2,"b":1,"c d":1}}'
text 'a--b-c--a'
is 'a token may be longer' "$(count ',"token":"--"')" \
    '{"count":{"a":2,"b-c":1}}'
text 'b\303\266se b\366se'
is 'what is invalid counts as a replacement character' "$(count)" \
    '{"count":{"böse":1,"b�se":1}}'
text 'b\366se'
is 'an encoding can be named' "$(count ',"encoding":"latin1"')" \
    '{"count":{"böse":1}}'
text 'b\366se'
is 'also by its usual name' "$(count ',"encoding":"ISO-8859-15"')" \
    '{"count":{"böse":1}}'
text 'a\000 \000\344\000'
is 'also one of two bytes a letter' "$(count ',"encoding":"utf16le"')" \
    '{"count":{"a":1,"ä":1}}'
text '\357\273\277a a'
is 'a byte order mark is no text' "$(count)" '{"count":{"a":2}}'
text '"\\q "\\q'
is 'words are escaped' "$(count)" '{"count":{"\"\\q":2}}'
"$FR_PYTHON" -c 'import sys
sys.stdout.write("ab, " + "x" * 70000 + ", " + "ü, " * 60000)' >"$T/f"
is 'words and tokens may lie across pieces' \
    "$(count ',"token":", "' | sed 's/xx*/LONG/')" \
    '{"count":{"ü":60000,"ab":1,"LONG":1}}'
text 'a b'
is 'several files are counted together' \
    "$(printf '{"location":["%s","%s"]}' "$T/f" "$T/f" |
	"$HANDLERS/word_count")" '{"count":{"a":2,"b":2}}'
is 'with a root, a path begins there' \
    "$(echo '{"location":"f"}' | "$HANDLERS/word_count" --root "$T")" \
    '{"count":{"a":1,"b":1}}'
status() { # status DATA [option...]
	fr_data=$1
	shift
	printf '%s' "$fr_data" | "$HANDLERS/word_count" "$@"
}
exits 'with a root, a file outside of it is refused' 65 \
    status '{"location":"/etc/passwd"}' --root "$T"
exits 'a missing file fails for good' 65 status "{\"location\":\"$T/no\"}"
exits 'a directory is no file' 65 status "{\"location\":\"$T\"}"
exits 'an unknown encoding fails for good' 65 count ',"encoding":"klingon"'
exits 'an empty token fails for good' 65 count ',"token":""'
