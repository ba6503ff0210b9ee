/* SPDX-License-Identifier: MIT */
/*
 * The life of one job, as the engine (lib/core) leads it, with two managers on
 * one store and one lossy queue, two workers, and everything that may go
 * wrong: requests and answers are lost, a request is served late by a manager
 * that stood still, a manager dies between its commit and its push, the queue
 * is flushed or holds the job twice, leases end at any moment, workers are
 * killed and their keepers give back, and a person cancels.
 *
 * What a worker says counts only with the token of the current lease (FENCE),
 * and a sweep fills the queue from the store (SWEEP). A worker's exchange
 * names what it runs; what the store calls its own and it does not name was
 * lost on the way and is given back, uncounted (HANDBACK). Without FENCE or
 * SWEEP a property must fail, which shows that the model can tell.
 *
 * A token is the number of the attempt: both only grow, and are never
 * given twice.
 */
#ifndef FENCE
#define FENCE 1
#endif
#ifndef SWEEP
#define SWEEP 1
#endif
#ifndef HANDBACK
#define HANDBACK 1
#endif

#define MAX_ATTEMPTS 2 /* failures that end the job */
#define MAX_TOKENS 3   /* to keep the model finite: leases in all */
#define NOBODY 2

mtype = { NONE, QUEUED, RUNNING, COMPLETE, FAILED, CANCELLED };

/* the store: one row */
mtype state = NONE;
byte token = 0;    /* the attempt; the current lease while RUNNING */
byte reported = 0; /* the last lease that was ended by a report */
byte owner = NOBODY;
byte fails = 0;

/* the queue */
bool queued = false;

/* what is watched */
bool accepted = false;
byte outcomes = 0; /* how often an outcome was written */
byte stale = 0;    /* results that were taken though another had the lease */
bool late_run = false; /* a lease was given after the end */

/* the workers: the lease each believes to have, and whether it is done */
byte has[2] = 0;
bool done[2] = false;

#define ENDED (state == COMPLETE || state == FAILED || state == CANCELLED)

inline finish(s)
{
	state = s;
	outcomes++;
	owner = NOBODY
}

/* The engine: a result or a failure with the lease t. */
inline report(t, good)
{
	if
	:: !FENCE || (state == RUNNING && token == t) ->
		if
		:: token != t || state != RUNNING -> stale++
		:: token == t && state == RUNNING -> skip
		fi;
		reported = t;
		if
		:: good -> finish(COMPLETE)
		:: !good && fails + 1 >= MAX_ATTEMPTS -> fails++; finish(FAILED)
		:: !good && fails + 1 < MAX_ATTEMPTS ->
			fails++; state = QUEUED; owner = NOBODY
		fi
	/* refused as stale, or said twice: nothing changes */
	:: FENCE && !(state == RUNNING && token == t) -> skip
	fi
}

/* The engine: what this worker was given and does not name. */
inline take_back(w, named)
{
	if
	:: HANDBACK && state == RUNNING && owner == w && token != named ->
		state = QUEUED; owner = NOBODY
	:: !(HANDBACK && state == RUNNING && owner == w && token != named) ->
		skip
	fi
}

/* The engine: pop, then lease what is really queued. */
inline lease(w, got)
{
	got = 0;
	if
	:: queued && token < MAX_TOKENS ->
		queued = false;
		if
		:: state == QUEUED ->
			late_run = late_run || outcomes > 0;
			state = RUNNING; token++; owner = w; got = token
		:: state != QUEUED -> skip /* a stale ticket is harmless */
		fi
	:: !queued || token >= MAX_TOKENS -> skip
	fi
}

proctype Client()
{
	state = QUEUED;          /* commit, then answer, then push */
	accepted = true;
	if
	:: queued = true
	:: skip                  /* the manager died before the push */
	fi
}

proctype Person()
{
	atomic {
		if
		:: state == QUEUED || state == RUNNING -> finish(CANCELLED)
		:: ENDED -> skip
		:: skip          /* nobody cancels */
		fi
	}
}

proctype Worker(byte w)
{
	byte got = 0;
	byte old_named; /* of a request that a slow manager serves late */
	bool old = false;
	byte losses = 0, olds = 0; /* the network works in the end */

	do
	/* The handler ends. */
	:: atomic { has[w] != 0 && !done[w] -> done[w] = true }

	/* One exchange: report, name, take. The commit is one step. */
	:: atomic { !ENDED || has[w] != 0 ->
		if
		:: done[w] ->
			if
			:: report(has[w], true)
			:: report(has[w], false)
			fi;
			take_back(w, 0)
		:: !done[w] -> take_back(w, has[w])
		fi;
		got = 0;
		if
		:: done[w] || has[w] == 0 -> lease(w, got)
		:: !done[w] && has[w] != 0 -> skip
		fi;
		if
		:: /* the answer arrives */
			if
			:: done[w] -> has[w] = 0; done[w] = false
			:: !done[w] && (state != RUNNING || token != has[w]) ->
				has[w] = 0 /* told to stop */
			:: !done[w] && state == RUNNING && token == has[w] ->
				skip
			fi;
			if
			:: got != 0 -> has[w] = got; done[w] = false
			:: got == 0 -> skip
			fi
		/* it is lost: all is said again, to any manager */
		:: losses < 1 -> losses++
		fi;
		got = 0
	   }

	/* A request without a job in it hangs at a manager that stands still. */
	:: atomic { !old && olds < 1 && has[w] == 0 ->
		old = true; olds++; old_named = 0 }
	:: atomic { old -> old = false; take_back(w, old_named) }

	/* kill -9: the keeper gives back, or its host is dead, too. */
	:: atomic { has[w] != 0 ->
		if
		:: !done[w] -> report(has[w], false)
		:: skip
		fi;
		has[w] = 0; done[w] = false
	   }

	:: atomic { ENDED && has[w] == 0 -> break }
	od
}

/* Any manager, at any moment. */
proctype Sweeps()
{
	do
	:: atomic { state == RUNNING -> report(token, false) } /* lease over */
#if SWEEP
	:: atomic { state == QUEUED && !queued -> queued = true }
#endif
	/* The model runs out of tokens, the engine does not. */
	:: atomic { state == QUEUED && token >= MAX_TOKENS -> finish(FAILED) }
	:: atomic { ENDED -> break }
	od
}

proctype Chaos()
{
	byte n = 0;

	do
	:: atomic { n < 2 && queued -> queued = false; n++ }     /* flushed */
	:: atomic { n < 2 && state != NONE -> queued = true; n++ } /* twice */
	:: atomic { ENDED -> break }
	od
}

init
{
	atomic {
		run Client(); run Person(); run Worker(0); run Worker(1);
		run Sweeps(); run Chaos()
	}
}

/* Promise 2: one outcome, which does not change by itself. */
ltl once { [] (outcomes <= 1) }
ltl stable { [] (ENDED -> [] ENDED) }
/* No result but that of the current lease is ever taken. */
ltl nostale { [] (stale == 0) }
/* Nothing is run after its end. */
ltl nolate { [] !late_run }
/* Promise 3: what was accepted ends. */
ltl live { [] (accepted -> <> ENDED) }
