#!/bin/sh
# SPDX-License-Identifier: MIT
# Tokens and roles; nobody beyond this machine without them.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

S=submit-token-0123456789 W=work-token-0123456789 R=read-token-0123456789
A=admin-token-0123456789 B=both-token-0123456789
cat >"$T/tokens" <<END
# a comment
submit $S
work	$W

read $R
admin $A
submit,read $B
END
chmod 600 "$T/tokens"
manager --token-file "$T/tokens"
call() { # TOKEN METHOD PATH: the status
	api "$2" "$3" -H "Authorization: Bearer $1" \
		-H 'Content-Type: application/json' ${4:+-d "$4"} >/dev/null
	http
}
J='{"type":"a","id":"0190aaaa-0000-7000-8000-000000000001"}'
I=/v1/jobs/0190aaaa-0000-7000-8000-000000000001
is 'without a token' "$(api GET /v1/jobs >/dev/null; http)" 401
like 'it says which kind is wanted' "$(curl -sS -D - -o "$T/body" \
	"$FR_MANAGER/v1/jobs")" '^WWW-Authenticate: Bearer'
is 'with a wrong one' "$(call wrong-token-0123456789 GET /v1/jobs)" 401
is 'which is told' "$(api GET /v1/jobs \
	-H 'Authorization: Bearer wrong-token-0123456789' | json detail)" \
	'this token is not known'
is 'and told from none' "$(api GET /v1/jobs | json detail)" \
	'a bearer token is needed'
is 'with the beginning of one' "$(call "${R%?}" GET /v1/jobs)" 401
is 'with more than one' "$(call "${R}x" GET /v1/jobs)" 401
is 'with none' "$(call '' GET /v1/jobs)" 401
is 'in another scheme' "$(api GET /v1/jobs -H "Authorization: Basic $R" \
	>/dev/null; http)" 401
is 'never in the query' "$(api GET "/v1/jobs?token=$R" >/dev/null; http)" 401
is 'the scheme may be in any case' "$(api GET /v1/jobs \
	-H "Authorization: bEARER $R" >/dev/null; http)" 200

table() { # TOKEN submit work read admin
	is "$1: submit" "$(call "$1" POST /v1/jobs "$J")" "$2"
	is "$1: cancel" "$(call "$1" POST "$I/cancel")" "$3"
	is "$1: work" "$(call "$1" POST /v1/work '{"worker":"w"}')" "$4"
	is "$1: read" "$(call "$1" GET $I)" "$5"
	is "$1: metrics" "$(call "$1" GET /metrics)" "$5"
	is "$1: pause" "$(call "$1" POST /v1/types/zz/pause)" "$6"
}
table $S 201 200 403 403 403
table $W 403 403 200 403 403
table $R 403 403 403 200 403
table $A 200 200 200 200 200
table $B 200 200 403 200 403
is 'health is for everybody' "$(api GET /healthz >/dev/null; http)" 200
is 'readiness too' "$(api GET /readyz >/dev/null; http)" 200
is 'a body without a token is not read' "$(api POST /v1/jobs \
	-H 'Content-Type: application/json' -H 'Expect: 100-continue' \
	-d "$J" >/dev/null; http)" 401

printf 'read new-token-0123456789\n' >"$T/tokens"
kill -HUP "$MANAGER"
reread() { [ "$(call new-token-0123456789 GET /v1/jobs)" = 200 ] && echo yes; }
is 'SIGHUP reads the file again' "$(await reread)" yes
is 'the old ones are gone' "$(call $A GET /v1/jobs)" 401
echo 'nonsense' >"$T/tokens"
kill -HUP "$MANAGER"
said() { grep -q 'tokens stay as they were' "$T/log" && echo yes; }
is 'a file that cannot be read is reported' "$(await said)" yes
is 'and the tokens stay' "$(call new-token-0123456789 GET /v1/jobs)" 200
is 'no token is in the log' "$(grep -c 'token-0123456789' "$T/log")" 0
stop "$MANAGER"

starts() { limited fr-manager --store memory: "$@"; }
exits 'beyond loopback it does not listen without tokens' 64 \
	starts --listen 0.0.0.0:0
printf 'read %s\n' $R >"$T/tokens"
chmod 644 "$T/tokens"
exits 'a file that others may read is refused' 77 \
	starts --listen 127.0.0.1:0 --token-file "$T/tokens"
chmod 600 "$T/tokens"
manager --listen 0.0.0.0:0 --token-file "$T/tokens"
like 'with tokens it listens there' "$FR_MANAGER" '^http://0.0.0.0:'
stop "$MANAGER"
bad() { # NAME TEXT
	printf '%b' "$2" >"$T/tokens"
	exits "$1" 65 starts --listen 127.0.0.1:0 --token-file "$T/tokens"
}
bad 'an empty file is refused' ''
bad 'an unknown role' 'root some-token-0123456789\n'
bad 'a role without a token' 'read\n'
bad 'a short token' 'read 0123456789\n'
unlike 'the message does not show it' "$(cat "$T/err")" 0123456789
exits 'a file that is not there' 74 starts --token-file "$T/none"
done_testing
