#!/bin/sh
# SPDX-License-Identifier: MIT
# Two managers' handles on one Postgres store, and its configuration.
# shellcheck source=tests/backend/lib.sh
. "${0%/*}/lib.sh"

postgres
driver a
driver b
tell a store "$PG_URL"
tell b store "$PG_TCP"
is 'two handles open at once, and one makes the schema' \
	"$(hear a) $(hear b)" 'ok ok'
is 'it has a version' "$(sql 'SELECT max(version) FROM forerunner.version')" 2

is 'a listener first hears that it may have missed something' \
	"$(drive a watch 5000 lost)" 'ok heard'
tell a watch 5000 created
is 'the other one creates a job' "$(drive b put 1)" 'ok 1 new'
is 'and it is news' "$(hear a)" 'ok heard'
tell a watch 5000 complete
is 'the other one ends it' "$(drive b work 1)" 'ok 1 ended'
is 'which is news too' "$(hear a)" 'ok heard'
is 'its own doings are no news' \
	"$(drive a put 1) $(drive a watch 200 created)" 'ok 1 new ok nothing'
tell a watch 5000 created
is 'a large batch fits into the news' "$(drive b put 5000)" 'ok 5000 new'
is 'which say so' "$(hear a)" 'ok heard'
sql "SELECT pg_terminate_backend(pid) FROM pg_stat_activity
	WHERE query LIKE 'LISTEN%'" >/dev/null
is 'a listener whose connection was cut listens again' \
	"$(drive a watch 5000 lost)" 'ok heard'
tell a watch 5000 created
drive b put 1 >/dev/null
is 'and hears what comes then' "$(hear a)" 'ok heard'

ended() { sql 'SELECT count(*) FROM forerunner.jobs WHERE state = 3'; }
more() { [ "$(ended)" -gt $((was + 2000)) ]; }
was=$(ended)
tell a load
tell b load
until_ok more
tell a check
tell b check
like 'both work at once' "$(hear a) / $(hear b)" '^ok again.* / ok again'
is 'and each finds its own work done' "$(hear a) $(hear b)" \
	'ok missing=0 unfinished=0 ok missing=0 unfinished=0'
is 'the store gives the time' "$(drive a now)" 'ok 0'

is 'another schema is another store' \
	"$(drive b store "$PG_URL&schema=other") $(drive b queued)" 'ok ok 0'
like 'a schema is no SQL' "$(drive b store "$PG_URL&schema=a;b")" '^usage: '
like 'an unknown parameter is refused' "$(drive b store "$PG_URL&nosuch=1")" \
	'^usage: .*nosuch'
like 'a password is not shown' \
	"$(drive b store "postgres://u:geheim@h/%zz")" '^usage: postgres: bad URL$'
like 'a server that is not there is said so' \
	"$(drive b store "postgres://127.0.0.1:1/x")" '^again: postgres: .*refused'
sql 'INSERT INTO other.version VALUES (99)' >/dev/null
like 'a newer schema is left alone' \
	"$(drive b store "$PG_URL&schema=other")" '^invalid: .*99'

postgres_stop
postgres_start -c fsync=off
like 'without fsync it does not open' \
	"$(drive b store "$PG_URL&schema=third")" '^invalid: .*fsync is off'
is 'unless the user says that he knows' \
	"$(drive b store "$PG_URL&schema=third&durable=no")" ok
like 'and then says what is not promised' "$(drive b describe)" \
	'may be lost in a power cut'
postgres_stop
postgres_start -c synchronous_commit=off
is 'synchronous_commit is turned on' \
	"$(drive b store "$PG_URL&schema=third")" ok
like 'for this store' "$(drive b describe)" 'synchronous_commit=on'
done_testing
