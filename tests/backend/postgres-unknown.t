#!/bin/sh
# SPDX-License-Identifier: MIT
# A connection that is lost at the COMMIT: what became of it is found out.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

postgres
start python3 "${0%/*}/cut.py" "$PG_DIR/.s.PGSQL.$PG_PORT" "$T/orders" "$T/port"
port=$(await cat "$T/port")
driver a
is 'the store opens through the proxy' \
	"$(drive a store "postgres://fr@127.0.0.1:$port/postgres")" ok
is 'a batch' "$(drive a put 10)" 'ok 10 new'

echo after >"$T/orders"
is 'a commit that arrived before the cut is one' "$(drive a put 20)" 'ok 20 new'
ok 'although it was cut' test ! -e "$T/orders"
is 'its jobs are there' "$(sql 'SELECT count(*) FROM forerunner.jobs')" 30

echo before >"$T/orders"
like 'a commit that did not arrive is none' "$(drive a put 40)" '^again: '
ok 'it was cut' test ! -e "$T/orders"
is 'its jobs are not there' "$(sql 'SELECT count(*) FROM forerunner.jobs')" 30
is 'they can be sent again' "$(drive a repeat)" 'ok 40 new'
is 'once' "$(drive a repeat)" 'ok 0 new'

# The hard one: the session is still open, and the COMMIT on its way.
echo late >"$T/orders"
is 'a commit that arrives after the cut is waited for' \
	"$(drive a put 80)" 'ok 80 new'
ok 'it was cut' test ! -e "$T/orders"
is 'its jobs are there' "$(sql 'SELECT count(*) FROM forerunner.jobs')" 150

# And where it cannot be known, that is the answer.
echo after >"$T/orders"
tell a put 5
until_ok test ! -e "$T/orders"
postgres_stop QUIT
like 'a server that does not come back leaves it unknown' "$(hear a)" \
	'^unknown: postgres: commit: may or may not have happened: '
postgres_start
said=again
while [ "${said#again}" != "$said" ]; do said=$(drive a repeat); done
like 'the same jobs can be sent again' "$said" '^ok [05] new$'
is 'and are there once' "$(sql 'SELECT count(*) FROM forerunner.jobs')" 155
done_testing
