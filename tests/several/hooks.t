#!/bin/sh
# SPDX-License-Identifier: MIT
# Hooks of three managers on one store: each event is run by one of them, and
# at least once also when the one that runs it is killed.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

mkdir "$T/hooks"
: >"$T/ran"
cat >"$T/hooks/complete" <<E2
#!/bin/sh
echo "\$FR_JOB_ID \$FR_MANAGER" >>"$T/ran"
E2
cat >"$T/hooks/created.hang" <<E2
#!/bin/sh
echo "\$FR_MANAGER \$\$" >>"$T/hang"
[ -e "$T/killed" ] && exit 0
exec sleep 60
E2
chmod +x "$T/hooks/"*
postgres
redis
several 3 --hooks "$T/hooks"
start env FR_MANAGER="$URL_2" fr-worker -c 2 ping

(seq 1 100 | at 1 fr-submit --bulk ping) >"$T/ids"
(seq 1 100 | at 3 fr-submit --bulk ping) >>"$T/ids"
ran() { [ "$(cut -d ' ' -f 1 <"$T/ran" | sort -u | wc -l)" = 200 ]; }
forgotten() { [ "$(sql 'SELECT count(*) FROM forerunner.outbox')" = 0 ]; }
ok 'the hook of every event is run' until_ok ran
ok 'and the event is forgotten' until_ok forgotten
is 'each once' "$(wc -l <"$T/ran")" 200
is 'for the jobs there are' "$(cut -d ' ' -f 1 <"$T/ran" | sort)" \
    "$(sort "$T/ids")"
diag "run by: $(cut -d ' ' -f 2 <"$T/ran" | sort | uniq -c | tr -s ' \n' ' ')"

# The manager whose hook is running is killed.
t0=$(ms)
at 1 fr-submit hang >/dev/null
until_ok test -s "$T/hang"
read -r who pid <"$T/hang"
quick 'a hook starts at once' 2000 "$t0"
for m in 1 2 3; do
	[ "$(eval "echo \$URL_$m")" = "$who" ] && break
done
is 'it is run by one only' "$(wc -l <"$T/hang")" 1
: >"$T/killed"
down "$m"
kill -KILL "$pid"
t0=$(ms)
FR_TEST_SLOW=$((FR_TEST_SLOW * 2))
more() { [ "$(wc -l <"$T/hang")" -ge 2 ]; }
ok 'another manager runs it when that one is killed' until_ok more
diag "after $(($(ms) - t0)) ms"
isnt 'another one' "$(sed -n '2s/ .*//p' "$T/hang")" "$who"
ok 'and then it is forgotten' until_ok forgotten
is 'having run twice in all' "$(wc -l <"$T/hang")" 2
done_testing
