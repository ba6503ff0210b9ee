#!/bin/sh
# SPDX-License-Identifier: MIT
# Tokens, sockets and TLS: who may talk to a manager, and what is kept secret.
# shellcheck source=tests/cli/lib.sh
. "${0%/*}/lib.sh"
plan 34

echo 's3cret-token' >"$T/token"
standin ok
ok 'a token from a file' fr-submit --token-file "$T/token" echo
is 'goes into the header' "$(request 1 headers.authorization)" \
    'Bearer s3cret-token'
FR_TOKEN_FILE=$T/token fr-submit echo >/dev/null 2>>"$T/log"
is 'so does one that FR_TOKEN_FILE names' \
    "$(request 2 headers.authorization)" 'Bearer s3cret-token'
standin redirect
run fr-submit --token-file "$T/token" echo
is 'a redirect is not followed with it' "$STATUS $(requests)" '74 1'
unlike 'no message has it' "$(cat "$T/err")" s3cret
exits 'a token file that is not there is exit 77' 77 \
    fr-submit --token-file "$T/none" echo
: >"$T/empty"
exits 'an empty one, too' 77 fr-submit --token-file "$T/empty" echo
exits 'a URL that is none is wrong usage' 64 \
    fr-submit -m http://127.0.0.1:99999 echo
like 'and is shown' "$(cat "$T/err")" 'http://127.0.0.1:99999'
standin '404:{"detail":"no such path"}'
exits 'where no manager is' 69 fr-submit -m "$FR_MANAGER/x" echo
is 'is told, and that nothing was accepted' "$(cat "$T/err")" \
    "fr-submit: $FR_MANAGER/x: /v1/jobs is not there (HTTP 404); is this fr-manager's URL?"
exits 'also for a job' 69 fr-status -m "$FR_MANAGER/x" 01a20ccd
exits 'certificates that cannot be read' 74 \
    fr-submit --ca-file "$T/nothing" -m https://127.0.0.1:1 echo
like 'are named' "$(cat "$T/err")" "open $T/nothing: No such file"
exits 'https where there is none' 69 \
    fr-submit -m "https${FR_MANAGER#http}" echo
unlike 'cannot have been accepted' "$(cat "$T/err")" 'accepted'
exits 'a token in the URL is wrong usage' 64 \
    fr-submit -m http://s3cret@127.0.0.1:1 echo
unlike 'and not repeated' "$(cat "$T/err")" s3cret
export http_proxy=http://127.0.0.1:1 https_proxy=http://127.0.0.1:1
standin ok
ok 'proxies of the environment are not used' fr-submit echo
unset http_proxy https_proxy

# A real manager with roles.
printf 'submit sub-token-1234567890\nread read-token-1234567890\nadmin admin-token-1234567890\n' \
    >"$T/tokens"
chmod 600 "$T/tokens"
for role in sub read admin; do echo "$role-token-1234567890" >"$T/$role"; done
manager --token-file "$T/tokens"
exits 'without a token nothing is accepted' 77 fr-submit echo
exits 'who may submit may' 0 fr-submit --token-file "$T/sub" nobody
id=$(cat "$T/out")
exits 'but not pause' 77 fr-ctl --token-file "$T/sub" pause nobody
exits 'who may read may' 0 fr-status --token-file "$T/read" "$id"
exits 'but not submit' 77 fr-submit --token-file "$T/read" nobody
exits 'the administrator may' 0 fr-ctl --token-file "$T/admin" pause nobody
stop "$MANAGER"

# A socket of its own.
manager --listen "unix:$T/socket"
is 'the manager has a socket' "$FR_MANAGER" "unix:$T/socket"
exits 'fr-submit takes it' 0 fr-submit nobody
exits 'fr-status, too' 0 fr-status "$(cat "$T/out")"
exits 'also after a dead one' 0 \
    fr-submit -m "unix:$T/none,$FR_MANAGER" nobody
stop "$MANAGER"

# TLS, as a proxy in front of a manager has it.
if ! command -v openssl >/dev/null; then
	for what in 'an unknown certificate' 'its reason' 'a trusted one' \
	    'another name' 'https needs https'; do skip "$what" 'no openssl'; done
	exit 0
fi
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes \
    -keyout "$T/key" -out "$T/cert" -days 2 -subj /CN=localhost \
    -addext subjectAltName=DNS:localhost >>"$T/log" 2>&1
STANDIN_TLS="$T/cert:$T/key"
export STANDIN_TLS
standin ok
port=${FR_MANAGER##*:}
exits 'an unknown certificate is not trusted' 69 \
    fr-submit -m "https://localhost:$port" echo
like 'and it is said' "$(cat "$T/err")" 'cannot be trusted.*--ca-file'
exits 'one that is named is' 0 fr-submit --ca-file "$T/cert" \
    -m "https://localhost:$port" echo
exits 'but not under another name' 69 fr-submit --ca-file "$T/cert" \
    -m "https://127.0.0.1:$port" echo
exits 'http is not spoken there' 69 \
    fr-submit --retry 0 -m "http://localhost:$port" echo
