/*
 * Model of a session's handshake: slots.h, bell.h, service_loop.cc, slot_client.cc.
 *
 * Both sides' words are sequentially consistent in the code, so every interleaving of single loads and stores below is
 * what can happen, and nothing else. Each d_step and atomic has at most one such load or store in it (or is one
 * step in the kernel). Generations count modulo 3 and bells modulo SLOTS + 2, instead of 2^32: a bell may
 * be rung once for each slot, and once late, between two looks at it.
 *
 * Spinning is a choice: whoever finds no news looks again or goes to sleep, any number of times. Left out, because they only
 * shorten waits and so could only hide a lost wake-up: the client's 50 ms slices as long as the service lives. Left in:
 * pipelining, abandoned slots, late answers, stop and death at any moment.
 *
 * What is checked, each with a seeded bug that the same run must find:
 *   no wake-up is lost      no state is reachable in which both sides wait for each other (an invalid end state: the only
 *                           end is after stop)
 *   no slot is served twice each serve belongs to a submit that was not served before (assertion on `owed`); with a hostile
 *                           client: to a change of the slot's word (assertion on `seen`)
 *   no wrong answer         each accepted answer is the answer of this very submit (assertion on `answer_area`)
 *   a stopped service ends  with a hostile client (ltl `ends`)
 *   a survivor ends         of a killed client or service (ltl `survivor`)
 *
 * Built with:
 *   SLOTS                     number of slots
 *   HOSTILE                   the client is replaced by one that writes whatever it likes and steals futex waiters
 *   DEATH                     the service's or the client's process is killed at any moment, instead of stop
 * and seeded bugs:
 *   NO_RECHECK_BY_SERVICE     sleeps without looking again after it has said so: takes its last spinning look for enough
 *   NO_RECHECK_BY_CLIENT      the same on the other side
 *   FORGETS                   the service does not note which generation it has taken
 *   PUBLISHES_EARLY           the service stores the answer's word before the answer
 *   DOUBLE_FETCH              the service reads a slot's word a second time to note it
 *   BELL_ONLY                 the service waits on the bell alone, without its private stop word
 *   NO_SLICES                 the client waits on its bell alone, without looking at the socket
 */

#ifndef SLOTS
#define SLOTS 2
#endif
#ifndef GENERATIONS
#define GENERATIONS 3
#endif
#define BELLS (SLOTS + 2)

/* shared region */
byte request_word[SLOTS];
byte request_area[SLOTS];
byte answer_word[SLOTS];
byte answer_area[SLOTS];
bool service_sleeping;
byte service_bell;
bool client_sleeping;
byte client_bell;

/* kernel: who is blocked in a wait, and whether a hostile client has moved the service's waiter away from its bell */
bool service_blocked;
bool client_blocked;
bool service_stolen;

/* private to the service's program */
bool stop;

/* the socket: closed when the service's worker has ended */
bool hung_up;

/* for the properties only: what was submitted and not taken yet, who was killed, that the client's program has ended */
bool owed[SLOTS];
bool service_killed;
bool client_killed;
bool client_ended;

inline wake_service() { if :: !service_stolen -> service_blocked = false :: else fi }
inline wake_client() { client_blocked = false }

/* The service's look at all slots, one load after the other; leaves the first pending slot in `found`, or SLOTS, and what
 * its word was in `seen`. */
inline look()
{
	found = SLOTS;
	i = 0;
	do
	:: i < SLOTS && found == SLOTS ->
		d_step {
			if
			:: request_word[i] != taken[i] -> found = i; seen = request_word[i]
			:: else
			fi;
			i++
		}
	:: else -> break
	od;
	i = 0
}

inline serve()
{
#ifdef DOUBLE_FETCH
	seen = request_word[found];
#endif
	d_step {
#ifdef HOSTILE
		assert(seen != taken[found]);
#else
		assert(owed[found]);
		owed[found] = false;
#endif
#ifndef FORGETS
		taken[found] = seen
#endif
	}
	content = request_area[found];
#ifdef PUBLISHES_EARLY
	answer_word[found] = seen;
	answer_area[found] = content;
#else
	answer_area[found] = content;
	answer_word[found] = seen;
#endif
	if
	:: client_sleeping ->
		client_bell = (client_bell + 1) % BELLS;
		wake_client()
	:: else
	fi;
	content = 0;
	seen = 0
}

inline sleep_as_service()
{
	bell = service_bell;
	service_sleeping = true;
#ifndef NO_RECHECK_BY_SERVICE
	look();
#endif
	seen = 0;
	if
	:: found == SLOTS ->
		/* the kernel compares the words and queues the waiter in one step */
		atomic {
			if
			:: service_bell == bell && !stop -> service_blocked = true
			:: else
			fi
		};
#ifdef BELL_ONLY
		!service_blocked;
#else
		!service_blocked || stop;
#endif
		atomic { service_blocked = false; service_stolen = false }
	:: else
	fi;
	service_sleeping = false;
	bell = 0
}

active proctype service()
{
	byte taken[SLOTS];
	byte i, found, seen, content, bell;

	{
		do
		:: stop -> break
		:: else ->
			look();
			if
			:: found < SLOTS -> serve()
			:: found == SLOTS -> skip /* spins: looks again */
			:: found == SLOTS -> sleep_as_service()
			fi;
			found = 0
		od
	} unless { service_killed };
	hung_up = true
}

#ifdef DEATH

/* Kills one of the two. The service's program is told of its client's death by the kernel, and stops the worker. */
active proctype killer()
{
	if
	:: service_killed = true
	:: client_killed = true; stop = true
	fi
}

ltl survivor { [] ((service_killed -> <> client_ended) && (client_killed -> <> hung_up)) }

#else

/* stop() comes at any moment, except that it does not help out when both sides wait for each other. */
active proctype owner()
{
	atomic { !(service_blocked && client_blocked) -> stop = true }
}

#endif

#ifndef HOSTILE

mtype = { FREE, IN_FLIGHT, ABANDONED };

/* One program that submits, awaits and abandons in any order. */
active proctype client()
{
	mtype state[SLOTS];
	byte generation[SLOTS];
	byte s, bell;

	d_step {
		s = 0;
		do
		:: s < SLOTS -> state[s] = FREE; s++
		:: else -> break
		od;
		s = 0
	}

	{
		do
		:: hung_up -> break
		:: else ->
			/* any slot */
			if
			:: s = 0
#if SLOTS > 1
			:: s = 1
#endif
#if SLOTS > 2
			:: s = 2
#endif
			fi;
			if
			:: state[s] == ABANDONED && answer_word[s] == generation[s] -> state[s] = FREE
			:: state[s] == FREE ->
				/* submit */
				d_step {
					generation[s] = (generation[s] + 1) % GENERATIONS;
					state[s] = IN_FLIGHT;
					request_area[s] = generation[s]
				}
				d_step { request_word[s] = generation[s]; owed[s] = true };
				if
				:: service_sleeping ->
					service_bell = (service_bell + 1) % BELLS;
					wake_service()
				:: else
				fi
			:: state[s] == IN_FLIGHT -> state[s] = ABANDONED
			:: state[s] == IN_FLIGHT ->
				/* await */
				do
				:: answer_word[s] == generation[s] -> break
				/* spins: looks again; not for ever, and then it looks at the socket */
				:: answer_word[s] != generation[s] && !hung_up -> skip
				:: answer_word[s] != generation[s] ->
					bell = client_bell;
					client_sleeping = true;
#ifndef NO_RECHECK_BY_CLIENT
					if
					:: answer_word[s] == generation[s] -> client_sleeping = false; break
					:: else
					fi;
#endif
					atomic {
						if
						:: client_bell == bell -> client_blocked = true
						:: else
						fi
					};
#ifdef NO_SLICES
					!client_blocked;
#else
					!client_blocked || hung_up;
#endif
					client_blocked = false;
					client_sleeping = false;
					bell = 0;
					if
					:: hung_up && answer_word[s] != generation[s] -> goto out
					:: else
					fi
				od;
				bell = 0;
				assert(answer_area[s] == generation[s]);
				state[s] = FREE
			:: else	/* abandoned and unfinished: busy */
			fi;
			s = 0
		od;
	} unless { client_killed };
out:	client_ended = true
}

#else

/* It writes everything that the service reads, at any moment; and it can wake the service's futex or requeue its waiter. */
active proctype hostile()
{
	byte s, value;

	do
	:: hung_up -> break
	:: else ->
		if
		:: value = 0
		:: value = 1
		:: value = 2
		fi;
		if
		:: request_word[0] = value
#if SLOTS > 1
		:: request_word[1] = value
#endif
#if SLOTS > 2
		:: request_word[2] = value
#endif
		:: service_bell = value
		:: client_sleeping = !client_sleeping
		:: wake_service()
		:: atomic { service_blocked -> service_stolen = true }
		fi;
		value = 0
	od
}

ltl ends { [] (stop -> <> hung_up) }

#endif
