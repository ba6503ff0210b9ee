#!/bin/sh
# SPDX-License-Identifier: MIT
# fetch downloads whole files under plain names, or says why not.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
plan 40

"$FR_PYTHON" -I "$ROOT/tests/handlers/server.py" >"$T/asked" 2>>"$T/log" &
PIDS="$PIDS $!"
url=$(await head -n 1 "$T/asked")
d=$T/files

fetch() { # fetch DATA [option...]
	fr_data=$1
	shift
	printf '%s\n' "$fr_data" | "$HANDLERS/fetch" --allow-private "$@"
}
get() { fetch "{\"origin\":\"$url$1\",\"destination\":\"$d\"}"; }

# ---- files
is 'one URL gives an array with one path' "$(get /a.txt)" \
    "{\"location\":[\"$d/a.txt\"]}"
is 'the directory is made, and the file has what the server sent' \
    "$(cat "$d/a.txt")" 'file a'
is 'paths come in the order of the URLs, with names of their own' \
    "$(fetch "{\"origin\":[\"$url/b.txt\",\"$url/a.txt\",\"$url/dir/a.txt\",\
\"$url/a.txt\"],\"destination\":\"$d/\"}")" \
    "{\"location\":[\"$d/b.txt\",\"$d/a.txt\",\"$d/a-2.txt\",\"$d/a-3.txt\"]}"
is 'files of the same name are kept apart' \
    "$(cat "$d/b.txt" "$d/a.txt" "$d/a-2.txt" "$d/a-3.txt")" 'file b
file a
another a
file a'
is 'a URL without a name gives index.html' "$(get /)" \
    "{\"location\":[\"$d/index.html\"]}"
is 'no URLs give no files' "$(fetch "{\"origin\":[],\"destination\":\"$d\"}")" \
    '{"location":[]}'
is 'an empty file is a file' "$(get /empty; wc -c <"$d/empty" | tr -d ' ')" \
    "{\"location\":[\"$d/empty\"]}
0"
is 'a redirect is followed and keeps the name asked for' \
    "$(get /moved; cat "$d/moved")" "{\"location\":[\"$d/moved\"]}
file a"
is 'a large file is whole' "$(get /big >/dev/null; wc -c <"$d/big" |
	tr -d ' ')" 300000
is 'a file without a length is whole' \
    "$(get /unknown-length >/dev/null; wc -c <"$d/unknown-length" |
	tr -d ' ')" 300000
is 'a relative directory is below the working directory' \
    "$(cd "$T" && fetch "{\"origin\":\"$url/a.txt\",\"destination\":\"rel\"}" &&
	cat rel/a.txt)" '{"location":["rel/a.txt"]}
file a'
is 'a hundred files come a few at a time' "$(fetch "{\"origin\":[$(
	i=0
	while [ $i -lt 99 ]; do
		printf '"%s/a.txt",' "$url"
		i=$((i + 1))
	done
	printf '"%s/b.txt"' "$url"
)],\"destination\":\"$d/many\"}" --parallel 8 >/dev/null
	find "$d/many" -type f | wc -l | tr -d ' ')" 100

# ---- names
is 'a hidden name is not hidden any more' "$(get /.hidden)" \
    "{\"location\":[\"$d/_hidden\"]}"
is 'nor is one taken for an option' "$(get /-rf)" \
    "{\"location\":[\"$d/_rf\"]}"
is 'an escaped path does not lead out of the directory' \
    "$(get /..%2f..%2fetc%2fpasswd)" \
    "{\"location\":[\"$d/_._.._etc_passwd\"]}"
is 'a name may have letters of any language' "$(get /caf%C3%A9.txt)" \
    "{\"location\":[\"$d/café.txt\"]}"
is 'bytes that are no letters are replaced' "$(get /bad%FFname%0A)" \
    "{\"location\":[\"$d/bad_name_\"]}"

# ---- failures
exits 'a missing file fails for good' 65 get /status/404
like 'and the error has the status' "$(cat "$T/err")" \
    "^fetch: fetch $url/status/404: HTTP status 404"
ok 'and leaves no file' test ! -e "$d/404"
exits 'a server error is to be tried again' 75 get /status/503
exits 'so is a server that wants fewer requests' 75 get /status/429
exits 'a status that is no success fails' 65 get /status/304
exits 'a body that ends early is to be tried again' 75 get /short
exits 'also one without a length' 75 get /short-chunked
is 'nothing is left of either' "$(find "$d" -name '*short*' -o -name '.fr*')" ''
exits 'redirects in a circle fail' 65 get /loop
exits 'a redirect to another scheme fails' 65 get "/to/file:///etc/passwd"
exits 'nobody there: to be tried again' 75 \
    fetch "{\"origin\":\"http://127.0.0.1:1/x\",\"destination\":\"$d\"}"
exits 'a file over the limit fails for good' 65 \
    fetch "{\"origin\":\"$url/big\",\"destination\":\"$d/l\"}" --max-bytes 1000
exits 'also one without a length is stopped' 65 \
    fetch "{\"origin\":\"$url/unknown-length\",\"destination\":\"$d/l\"}" \
    --max-bytes 100k
is 'nothing is left of it' "$(ls -A "$d/l")" ''
exits 'a slow server is given up' 75 \
    fetch "{\"origin\":\"$url/slow\",\"destination\":\"$d\"}" --timeout 300ms
exits 'one bad URL of several fails the job' 65 \
    fetch "{\"origin\":[\"$url/a.txt\",\"$url/status/410\"],\
\"destination\":\"$d\"}"
exits 'other schemes are refused' 65 \
    fetch "{\"origin\":\"file:///etc/passwd\",\"destination\":\"$d\"}"
exits 'what is no URL is refused' 65 \
    fetch "{\"origin\":\"not a url\",\"destination\":\"$d\"}"
fetch "{\"origin\":\"http://me:hidden@${url#http://}/q?token=hidden\",\
\"destination\":\"$d\"}" 2>"$T/err" >&2
unlike 'an error shows no password and no query' "$(cat "$T/err")" hidden

# ---- data
for data in '{}' '{"origin":1,"destination":"x"}' '{"origin":["http://h/"]}' \
	'[]' '{"origin":"http://h/","destination":"a\u0000b"}' 'nonsense' ''; do
	printf '%s' "$data" | "$HANDLERS/fetch" >/dev/null 2>"$T/err"
	echo "$? $data"
done >"$T/statuses"
is 'bad data fails for good' "$(grep -v '^65 ' "$T/statuses")" ''
exits 'with a root, a directory outside of it is refused' 65 \
    fetch "{\"origin\":\"$url/a.txt\",\"destination\":\"../out\"}" --root "$d"
is 'with a root, directories begin there' \
    "$(fetch "{\"origin\":\"$url/a.txt\",\"destination\":\"in\"}" --root "$d"
	cat "$d/in/a.txt")" '{"location":["in/a.txt"]}
file a'
