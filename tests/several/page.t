#!/bin/sh
# SPDX-License-Identifier: MIT
# The setup of forerunner(7), "On several machines": passwords in files,
# tokens, two managers, workers and clients that know both.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

postgres
sql "SET password_encryption = 'scram-sha-256';
	CREATE ROLE forerunner LOGIN PASSWORD 'geheim'" >/dev/null
sql 'CREATE DATABASE jobs OWNER forerunner'
sed -i "1i host jobs forerunner 127.0.0.1/32 scram-sha-256" \
    "$PG_DATA/pg_hba.conf"
postgres_stop
postgres_start
redis
rcli CONFIG SET requirepass SECRET >/dev/null
(
	umask 077
	echo SECRET >"$T/redis-password"
	echo "127.0.0.1:$PG_PORT:*:forerunner:geheim" >"$T/pgpass"
	echo 'submit,read 5b6d0c1f6f5e4f8d9a0b' >"$T/tokens"
	echo 'work 0e3c1d5a7b994c2f8e6d' >>"$T/tokens"
	echo 5b6d0c1f6f5e4f8d9a0b >"$T/submit"
	echo 0e3c1d5a7b994c2f8e6d >"$T/work"
)
export PGPASSFILE="$T/pgpass"
STORE=postgres://forerunner@127.0.0.1:$PG_PORT/jobs
QUEUE="redis://127.0.0.1:$REDIS_PORT?password-file=$T/redis-password"
several 2 --token-file "$T/tokens"
# shellcheck disable=SC2031 # it was set for one command only
export FR_MANAGER="$URLS"
start env FR_TOKEN_FILE="$T/work" fr-worker ping
export FR_TOKEN_FILE="$T/submit"
is 'a job is done' "$(fr-submit --wait=60 ping)" '{"ack":"PONG"}'
like 'the overview says what is behind it' "$(fr-status)" 'store: *PostgreSQL'
unlike 'and no secret' "$(fr-status --json; cat "$T/log")" 'geheim|SECRET'
down 1
is 'one manager is enough' "$(fr-submit --wait=60 ping)" '{"ack":"PONG"}'
like 'without a password the store is closed' \
    "$(PGPASSFILE=/dev/null fr-manager -l 127.0.0.1:0 --store "$STORE" 2>&1)" \
    password
done_testing
