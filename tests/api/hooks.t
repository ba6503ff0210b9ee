#!/bin/sh
# SPDX-License-Identifier: MIT
# Hooks: each event at least once, and none that hangs delays another.
# shellcheck source=tests/lib.sh
. "${0%/*}/../lib.sh"
# shellcheck source=tests/api/api.sh
. "${0%/*}/api.sh"

mkdir "$T/hooks"
hook() { # NAME, script on stdin
	{
		echo '#!/bin/sh'
		cat
	} >"$T/hooks/$1.new"
	chmod +x "$T/hooks/$1.new"
	mv "$T/hooks/$1.new" "$T/hooks/$1"
}
work() { post /v1/work "$1"; }
finish() { # TYPE STATE...: one job of it
	work "{\"worker\":\"w\",\"types\":[\"$1\"],\"slots\":1}" >"$T/jobs"
	work "{\"worker\":\"w\",\"slots\":0,\"finished\":[{
		\"id\":\"$(json jobs.0.id <"$T/jobs")\",
		\"lease\":\"$(json jobs.0.lease <"$T/jobs")\",$2}]}" >/dev/null
}

hook complete <<END
cat >>"$T/complete"
END
hook complete.b <<END
cat >>"$T/complete.b"
END
hook created.env <<END
env >"$T/env"
ls -l /proc/self/fd >"$T/fds"
grep Sig /proc/self/status >"$T/signals"
END
hook created.bad <<END
echo try >>"$T/tries"
[ -e "$T/good" ]
END
hook created.pair <<END
echo pair >>"$T/pair"
exit 1
END
hook created.hang <<END
echo \$\$ >>"$T/hang"
sleep 300 &
sleep 300
END
hook created.dies <<END
echo \$\$ >>"$T/died"
[ -e "$T/again" ] && exit 0
touch "$T/dying"
sleep 300
END
echo 'no hook' >"$T/hooks/README"
echo 'no executable' >"$T/hooks/failed"
export SECRET=x
manager --hooks "$T/hooks" --hook-timeout 700ms

submit '{"type":"a"}' >/dev/null
finish a '"state":"complete","result":{"x": 1e400}'
is 'a hook gets the event' "$(await cat "$T/complete" | json event)" complete
is 'with the result, token for token' \
	"$(grep -c '"result":{"x":1e400}' "$T/complete")" 1
is 'the other is for another type' "$(test -e "$T/complete.b" || echo no)" no
submit '{"type":"b"}' >/dev/null
finish b '"state":"complete","result":2'
is 'the one for its type gets it' "$(await cat "$T/complete.b" | json type)" b
two() { [ "$(grep -c . "$T/complete")" = 2 ] && echo yes; }
is 'and the one for all types' "$(await two)" yes

e=$(submit '{"type":"env"}')
await cat "$T/signals" >/dev/null
is 'it knows what it is about' "$(grep -E '^FR_' "$T/env" | sort)" \
	"FR_EVENT=created
FR_JOB_ID=$e
FR_JOB_TYPE=env
FR_MANAGER=$FR_MANAGER"
is 'and nothing else of the manager' \
	"$(grep -vE '^(FR_.*|PATH|HOME|LANG|TZ|PWD|SHLVL|_|OLDPWD|LC_ALL)=' "$T/env")" ''
is 'no descriptor is left open' "$(grep -c ' -> ' "$T/fds")" 4
like 'no signal is blocked' "$(cat "$T/signals")" '^SigBlk:.*0000000000000000$'
# 32 and 33 are the C library's own.
like 'or ignored' "$(cat "$T/signals")" '^SigIgn:.*0000000[01]80000000$|^SigIgn:.*0{16}$'

submit '{"type":"bad"}' >/dev/null
tried() { [ "$(grep -c . "$T/tries")" -ge "$1" ] && echo yes; }
await tried 1 >/dev/null
is 'one that fails runs again' "$(await tried 2)" yes
touch "$T/good"
await tried 3 >/dev/null
n=$(grep -c . "$T/tries")
submit '{"type":"a"}' >/dev/null
finish a '"state":"complete"'
three() { [ "$(grep -c . "$T/complete")" = 3 ] && echo yes; }
is 'others run meanwhile' "$(await three)" yes

submit '{"type":"hang"}' >/dev/null
p=$(await head -n 1 "$T/hang")
submit '{"type":"a"}' >/dev/null
finish a '"state":"complete"'
four() { [ "$(grep -c . "$T/complete")" = 4 ] && echo yes; }
is 'one that hangs delays nobody' "$(await four)" yes
gone() { [ "$(alive "$p")" = no ] && echo yes; }
is 'it is killed when its time is over' "$(await gone)" yes
group() { pgrep -s "$p" >/dev/null || echo none; }
is 'with all that it has started' "$(await group)" none
rm "$T/hooks/created.hang"

# The manager dies while a hook runs.
submit '{"type":"dies"}' >/dev/null
await test -e "$T/dying"
kill -KILL "$MANAGER"
touch "$T/again"
kill -KILL "$(head -n 1 "$T/died")" 2>/dev/null
restart
again() { [ "$(grep -c . "$T/died")" -ge 2 ] && echo yes; }
FR_TEST_SLOW=$((FR_TEST_SLOW * 3))
is 'the event comes again after the manager was killed' "$(await again)" yes
FR_TEST_SLOW=$((FR_TEST_SLOW / 3))

is 'one that succeeded meanwhile has not run again' \
	"$(grep -c . "$T/tries")" "$n"

hook cancelled <<END
cat >"$T/cancelled"
END
kill -HUP "$MANAGER"
said() { grep -q 'read again' "$T/log" && echo yes; }
await said >/dev/null
post "/v1/jobs/$e/cancel" '' >/dev/null
is 'SIGHUP reads the directory again' \
	"$(await cat "$T/cancelled" | json event)" cancelled
kill -TERM "$MANAGER"
stopped() { [ "$(alive "$MANAGER")" = no ]; }
ok 'the manager stops' until_ok stopped
wait "$MANAGER"
is 'with exit 0' "$?" 0
exits 'a directory that is not there is an error' 74 limited fr-manager \
	--store memory: --listen 127.0.0.1:0 --hooks "$T/nowhere"
done_testing
