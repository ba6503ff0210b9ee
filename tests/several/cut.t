#!/bin/sh
# SPDX-License-Identifier: MIT
# A manager on another machine, which is cut off from everybody: packets are
# dropped without a word. Its workers go on at the next manager, its clients
# are not lied to, and it works again when the network is back.
# shellcheck source=tests/several/lib.sh
. "${0%/*}/lib.sh"

[ "$(id -u)" = 0 ] || plan skip 'network namespaces need root'
for c in ip nft; do
	command -v $c >/dev/null || plan skip "$c is not installed"
done
NS=fr$$ HERE=10.213.$(($$ % 250)).1 THERE=10.213.$(($$ % 250)).2
ip netns add "$NS" 2>/dev/null || plan skip 'no network namespaces here'
trap 'several_cut_end $?' EXIT
several_cut_end() {
	heal
	fr_status=$1
	(several_end "$fr_status")
	fr_status=$?
	ip netns del "$NS"
	exit $fr_status
}
heal() { ip netns exec "$NS" nft flush ruleset 2>/dev/null; }
cut() {
	printf '%s\n' 'table inet cut {' \
	    'chain in { type filter hook input priority 0; counter name dropped drop; }' \
	    'chain out { type filter hook output priority 0; counter name dropped drop; }' \
	    'counter dropped { }' '}' | ip netns exec "$NS" nft -f -
}
dropped() {
	ip netns exec "$NS" nft list counters | sed -n 's/.*packets \([0-9]*\).*/\1/p'
}
ip link add "fa$$" type veth peer name "fb$$" netns "$NS" ||
	plan skip 'no veth here'
ip addr add "$HERE/30" dev "fa$$"
ip link set "fa$$" up
ip -n "$NS" addr add "$THERE/30" dev "fb$$"
ip -n "$NS" link set "fb$$" up
ip -n "$NS" link set lo up

postgres
echo "host all all $THERE/32 trust" >>"$PG_DATA/pg_hba.conf"
postgres_stop
postgres_start -c "listen_addresses=127.0.0.1,$HERE"
redis --bind "127.0.0.1 $HERE" --protected-mode no
(
	umask 077
	echo "admin 0123456789abcdef0123" >"$T/tokens"
	echo 0123456789abcdef0123 >"$T/token"
)
FR_TOKEN_FILE=$T/token
export FR_TOKEN_FILE
several 1 --lease 15 --token-file "$T/tokens"
here=$URL_1
cat >"$T/there" <<E2
#!/bin/sh
exec ip netns exec "$NS" "$BIN/fr-manager" "\$@"
E2
chmod +x "$T/there"
mkdir "$T/bin"
mv "$T/there" "$T/bin/fr-manager"
PATH=$T/bin:$PATH
STORE=postgres://fr@$HERE:$PG_PORT/postgres QUEUE=redis://$HERE:$REDIS_PORT
several_start 2 "$THERE:0"
PATH=${PATH#*:}
is 'a manager on another machine is ready' "$(ready 2 ready)" true

start fr-worker -m "$URL_2,$here" -c 2 \
    "long=echo \$\$ >>$T/long; while [ ! -e $T/finish ]; do sleep 0.1; done; echo 7" \
    quick=cat
is 'a worker of it does the jobs of the other' \
    "$(at 1 fr-submit --wait=60 quick 1)" 1
id=$(at 2 fr-submit long)
until_ok test -s "$T/long"
seq 1 50 | at 2 fr-submit --bulk quick >"$T/acked"

t0=$(ms)
cut
fails 'a client of the manager that is cut off is not told yes' \
    timeout 2 fr-submit -m "$URL_2" --retry 0 quick 1
is 'one that knows both managers is served' \
    "$(fr-submit -m "$URL_2,$here" --wait=60 quick 2)" 2
quick 'soon: it waits for no lock of the other one' 15000 "$t0"
diag "after $(($(ms) - t0)) ms"
done_all() { [ "$(sql "SELECT count(*) FROM forerunner.jobs
	WHERE type = 'quick' AND state <> 3")" = 0 ]; }
FR_TEST_SLOW=$((FR_TEST_SLOW * 2))
ok 'what it had acknowledged is done through the other one' until_ok done_all
# Longer than a lease: so it was renewed elsewhere.
while [ $(($(ms) - t0)) -lt 18000 ]; do sleep 0.2; done
: >"$T/finish"
is 'its worker has kept the long job' \
    "$(at 1 fr-status --wait=60 --json "$id" | json attempt)" 1
is 'and delivered it' "$(at 1 field "$id" result)" 7
is 'having run it once' "$(wc -l <"$T/long")" 1
ok 'packets were dropped' [ "$(dropped)" -ge 5 ]
diag "$(dropped) packets"
heal
t0=$(ms)
back() { [ "$(ready 2 ready)" = true ]; }
ok 'with its network the manager is back' until_ok back
diag "after $(($(ms) - t0)) ms"
is 'and says the same as the other' "$(at 2 field "$id" result)" 7
is 'and takes jobs' "$(at 2 fr-submit --wait=60 quick 3)" 3
done_testing
