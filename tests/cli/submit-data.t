#!/bin/sh
# SPDX-License-Identifier: MIT
# What may stand behind TYPE, and what is sent for it.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 44
standin ok

n=0
# sends NAME DATA ARG...
sends() {
	name=$1 want=$2
	shift 2
	run fr-submit "$@"
	n=$((n + 1))
	is "$name" "$STATUS $(request $n body | json data)" "0 $want"
}
sends 'no data is null' null echo
sends 'a JSON text is sent as it is' '{"a":1e400,"a":0.10,"b":"\u00e9"}' \
    echo '{"a":1e400,"a":0.10,"b":"\u00e9"}'
sends 'white space around it goes' '[1, 2]' echo ' [1, 2]
'
sends 'a number is JSON' -12345678901234567890 echo -- -12345678901234567890
sends 'an object on stdin' '{"x":[]}' echo - <<'EOF'
{"x":[]}
EOF
printf '[true]\n' >"$T/f"
sends 'a file' '[true]' echo "@$T/f"
sends 'KEY=TEXT is a string' '{"a":"1"}' echo a=1
sends 'KEY:=JSON is JSON' '{"a":1,"b":[{}],"c":"x"}' echo a:=1 'b:=[{}]' c=x
sends 'text is escaped' '{"a":"say \"hi\" \\ \n"}' echo 'a=say "hi" \ 
'
sends 'a second = is text' '{"a":"b=c:=d"}' echo a=b=c:=d
sends 'an empty text' '{"a":""}' echo a=
sends 'a key in UTF-8' '{"größe":"10 €"}' echo 'größe=10 €'
sends 'a quoted text with = in it is JSON' a=b echo '"a=b"'

exits 'bad JSON is bad data' 65 fr-submit echo '{"a":}'
like 'and the position is told' "$(cat "$T/err")" 'DATA: not JSON: byte 6'
exits 'more attempts than there may be' 64 \
    fr-submit --max-attempts 1000001 echo
exits 'a word is not JSON' 65 fr-submit echo hello
like 'and how to quote it is told' "$(cat "$T/err")" 'in quotes: .*"text"'
exits 'a time of nothing' 64 fr-submit --timeout 0 echo 1
exits 'a bad value of a key is bad data' 65 fr-submit echo b:=x
like 'and the key is told' "$(cat "$T/err")" '^fr-submit: b: not JSON: byte 1'
exits 'text that is not UTF-8 is bad data' 65 \
    fr-submit echo "$(printf 'a=x\377')"
exits 'two JSON texts are wrong usage' 64 fr-submit echo 1 2
exits 'an empty file is bad data' 65 fr-submit echo @/dev/null
is 'and said to be empty' "$(cat "$T/err")" \
    'fr-submit: /dev/null: empty, which is not JSON'
exits 'no name behind @ is wrong usage' 64 fr-submit echo @
exits 'a number that looks like an option' 64 fr-submit echo -5
like 'is told where to stand' "$(cat "$T/err")" 'goes behind --$'
exits 'a time behind --wait is a type' 65 fr-submit --wait 5s echo
like 'which is told' "$(cat "$T/err")" 'is written --wait=5s$'
exits 'a file that is not there is an I/O error' 74 fr-submit echo "@$T/none"
like 'and it is named' "$(cat "$T/err")" "$T/none: No such file"
exits 'a name that no type can have' 64 fr-submit 'a/b' 1
exits 'no type' 64 fr-submit
is 'of all these the manager never heard' "$(requests)" "$n"

run fr-submit echo --priority 5 --delay 90s --max-attempts 1 \
    --timeout 1.5 --key 'a"b' --id 01A20CCC-AF22-72C0-A42E-E6E1580ED242 a=1
n=$((n + 1))
is 'options become members of the job' "$(request $n body)" \
    '{"id":"01a20ccc-af22-72c0-a42e-e6e1580ed242","type":"echo","priority":5,"max_attempts":1,"delay":90,"timeout":1.5,"key":"a\"b","data":{"a":"1"}}'
is 'and the id is printed' "$(cat "$T/out")" \
    01a20ccc-af22-72c0-a42e-e6e1580ed242
run fr-submit --at 2030-01-01T12:00:00+02:00 echo
n=$((n + 1))
is 'a time is sent in UTC' "$(request $n body | json run_at)" \
    2030-01-01T10:00:00.000Z
exits 'a bad time is wrong usage' 64 fr-submit --at tomorrow echo
exits 'a bad id is wrong usage' 64 fr-submit --id 17 echo
exits 'a time and a delay are wrong usage' 64 \
    fr-submit --at 2030-01-01T12:00:00Z --delay 5 echo
exits 'a bad duration is wrong usage' 64 fr-submit --delay soon echo
exits 'a priority that is no number is wrong usage' 64 fr-submit -p high echo
exits '--raw without --wait is wrong usage' 64 fr-submit --raw echo
