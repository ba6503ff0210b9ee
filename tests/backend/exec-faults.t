#!/bin/sh
# SPDX-License-Identifier: MIT
# Backends that are child processes, good ones and bad ones.
# shellcheck source=tests/backend/lib.sh
# shellcheck disable=SC2016,SC2028 # the programs are for another shell
. "${0%/*}/lib.sh"
E=$ROOT/share/examples/backends

# child NAME CODE: a shell program that serves in the background of `exec`,
# with say TEXT for an answer.
child() {
	{
		echo '#!/bin/sh'
		echo "echo \$\$ >$T/$1.pid"
		# shellcheck disable=SC2016
		echo 'say() { printf "%s\n" "$1"; }'
		printf '%s\n' "hello='{\"version\":1,\"kind\":\"queue\"}'"
		printf '%s\n' "$2"
	} >"$T/$1"
	chmod +x "$T/$1"
}

# One that hangs is given up after 10 s; others are tried meanwhile.
driver b
child mute 'read -r _; say "$hello"; exec sleep 1000'
is 'a queue that will hang opens' "$(drive b queue "exec:$T/mute")" ok
before=$(date +%s)
tell b pop 1

driver a
is 'the Python store opens' "$(drive a store "exec:$E/store.py $T/db")" ok
like 'it says what it promises' "$(drive a describe)" 'survives a power cut'
is 'a second process reads' "$(drive a reader "exec:$E/store.py $T/db")" ok
is 'jobs are created, leased and ended' \
	"$(drive a put 50) $(drive a work 20)" 'ok 50 new ok 20 ended'
is 'both agree on the rest' "$(drive a queued) $(drive a stats)" \
	'ok 30 ok 0 30 0 20 0 0'
is 'the same again is nothing new' "$(drive a repeat)" 'ok 0 new'

# A child leads a process group of its own.
strike() {
	for fr_child in $(ps -o pid= --ppid "$DRIVE_a"); do
		kill -KILL "-$fr_child" 2>/dev/null
	done
}
deaths() { grep -c 'exec store .* started again' "$T/log"; }
more_deaths() { [ "$(deaths)" -gt "$before_it" ]; }
before_it=$(deaths)
strike
like 'a store that was killed works' \
	"$(drive a put 1 >/dev/null; drive a put 5)" '^ok 5 new'
ok 'having been started again' more_deaths
ended() {
	sqlite3 -cmd '.timeout 5000' "$T/db" \
		'SELECT count(*) FROM jobs WHERE state = 3'
}
more() { [ "$(ended)" -gt "$was" ]; }
tell a load
for n in 1 2 3 4; do
	was=$(ended) before_it=$(deaths)
	until_ok more
	strike
	ok "while it works it is killed, time $n" until_ok more_deaths
done
was=$(ended)
ok 'and works again' until_ok more
tell a check
like 'it never lied' "$(hear a)" '^ok again=.* unknown=0$'
is 'and nothing is lost' "$(hear a)" 'ok missing=0 unfinished=0'

# One whose first commit fails and leaves its transaction open.
awk '/self.db.execute\("COMMIT"\)/ {
	print "        if not os.path.exists(self.path + \".full\"):"
	print "            open(self.path + \".full\", \"w\").close()"
	print "            raise sqlite3.OperationalError(\"disk is full\")"
} { print }' "$E/store.py" >"$T/full.py"
chmod +x "$T/full.py"
drive a store "exec:$T/full.py $T/full" >/dev/null
like 'a commit may be refused' "$(drive a put 5)" '^no-space: .*disk is full'
is 'then it is rolled back, and the next one counts' \
	"$(drive a put 5) $(drive a stats)" 'ok 5 new ok 0 5 0 0 0 0'

# A queue is only a hint, so that a bad one may fail, but never hold us.
like 'one that hangs is given up after 10 s' "$(hear b)" \
	'^again: .*no answer in 10 s'
ok 'not before' test $(($(date +%s) - before)) -ge 10
is 'and is gone' "$(alive "$(cat "$T/mute.pid")")" no
is 'the awk queue opens' "$(drive b queue "exec:$E/queue.sh")" ok
is 'and works' "$(drive b push 300) $(drive b pop 100) $(drive b length)" \
	'ok ok 100 ok 200'

child garbage 'read -r _; say "$hello"; read -r _; say "{\"tickets\":[}"; read -r _'
drive b queue "exec:$T/garbage" >/dev/null
like 'garbage is said to be garbage' "$(drive b pop 1)" '^again: .*its answer: '
child wrong 'read -r _; say "$hello"; read -r _; say "{\"tickets\":[{\"id\":1}]}"; read -r _'
drive b queue "exec:$T/wrong" >/dev/null
like 'and so is what makes no sense' "$(drive b pop 1)" \
	'^again: .*a ticket that is none'
child more 'read -r _; say "$hello"; say "{}"; read -r _; say "{}"; read -r _'
drive b queue "exec:$T/more" >/dev/null
like 'and an answer to nothing' "$(drive b pop 1)" '^again: .*(more than it was asked|without tickets)'
child unasked 'read -r _; say "$hello"; read -r _; say "{\"tickets\":[{\"id\":\"01890000-0000-7000-8000-000000000000\",\"type\":\"u\",\"priority\":0}]}"; read -r _'
drive b queue "exec:$T/unasked" >/dev/null
like 'a ticket of another type is not handed out' "$(drive b pop 1)" \
	'^again: .*nobody asked for'
child dies 'read -r _; say "$hello"; read -r _; exit 3'
drive b queue "exec:$T/dies" >/dev/null
like 'an end is said with its status' "$(drive b pop 1)" '^again: .*status 3'
child refuses 'read -r _; say "$hello"; while read -r _; do say "{\"error\":\"full\",\"rc\":\"no-space\"}"; done'
drive b queue "exec:$T/refuses" >/dev/null
like 'an error is passed on' "$(drive b push 1)" '^no-space: .*: full$'
is 'and is not its end' "$(alive "$(cat "$T/refuses.pid")")" yes
child other 'read -r _; say "{\"version\":2,\"kind\":\"queue\"}"; read -r _'
like 'another version is refused' "$(drive b queue "exec:$T/other")" \
	'^broken: .*version 1'
like 'a command that is none is said so' "$(drive b queue "exec:$T/none")" \
	'^again: .*status 127'
like 'and no command at all' "$(drive b queue exec:)" '^usage: '
child long 'read -r _; say "$hello"; read -r _; sleep 1000 >&- & echo $! >'"$T"'/long.child; exec 1>&-; read -r _'
drive b queue "exec:exec $T/long" >/dev/null
drive b pop 1 >/dev/null
fr_gone 30 "$(cat "$T/long.child")"
is 'what it started goes with it' "$(alive "$(cat "$T/long.child")")" no
done_testing
