#!/bin/sh
# SPDX-License-Identifier: MIT
# rediss://: the queue over TLS.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

command -v openssl >/dev/null || plan skip 'no openssl command'
redis_server || plan skip 'no redis-server'
# certificate NAME SUBJECT EXTENSION: signed by ca.
certificate() {
	openssl req -newkey rsa:2048 -nodes -keyout "$T/$1.key" -subj "/CN=$2" \
	    -out "$T/$1.csr" &&
		echo "$3" >"$T/ext" &&
		openssl x509 -req -in "$T/$1.csr" -CA "$T/ca.crt" \
		    -CAkey "$T/ca.key" -CAcreateserial -days 2 \
		    -extfile "$T/ext" -out "$T/$1.crt"
}
{
	openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=ca \
	    -keyout "$T/ca.key" -out "$T/ca.crt" &&
		certificate server localhost \
		    'subjectAltName=DNS:localhost,IP:127.0.0.1' &&
		certificate client me 'extendedKeyUsage=clientAuth'
} 2>>"$T/log" || bail 'no certificates'
chmod 644 "$T"/*.key "$T"/*.crt

TLS_PORT=$(free_port)
redis --tls-port "$TLS_PORT" --tls-cert-file "$T/server.crt" \
    --tls-key-file "$T/server.key" --tls-ca-cert-file "$T/ca.crt"
url=rediss://127.0.0.1:$TLS_PORT
us="cert=$T/client.crt&key=$T/client.key"
driver a
is 'it opens' "$(drive a queue "$url?cacert=$T/ca.crt&$us")" ok
is 'and works' "$(drive a push 10000) $(drive a pop 5000) $(drive a length)" \
	'ok ok 5000 ok 5000'
is 'by name too' "$(drive a queue \
	"rediss://localhost:$TLS_PORT?cacert=$T/ca.crt&$us")" ok
is 'with the same queue' "$(drive a length)" 'ok 5000'
like 'a certificate that nobody vouches for is refused' \
	"$(drive a queue "$url?$us")" '^denied: redis: certificate of 127'
like 'a certificate for another host is refused' \
	"$(drive a queue "rediss://127.0.0.2:$TLS_PORT?cacert=$T/ca.crt&$us")" \
	'^denied: redis: certificate of 127.0.0.2: '
like 'a file that is not there is said so' \
	"$(drive a queue "$url?cacert=$T/none")" '^invalid: redis: cacert '
redis_stop
like 'without a server it says so' "$(drive a pop 1)" '^again: '
done_testing
