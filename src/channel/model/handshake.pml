/*
 * Model of a session's handshake: slots.h, bell.h, service_loop.cc, slot_client.cc.
 *
 * Both sides' words are sequentially consistent in the code, so every interleaving of single loads and stores below is
 * what can happen, and nothing else. Each d_step and atomic has at most one such load or store in it (or is one
 * step in the kernel). Generations count modulo 3 and bells modulo SLOTS + 2, instead of 2^32: a bell may
 * be rung once for each slot, and once late, between two looks at it.
 *
 * Left out, because they only shorten waits and so could only hide a lost wake-up: spinning, and the client's 50 ms slices
 * as long as the service lives. Left in: pipelining, abandoned slots, late answers, stop at any moment.
 *
 * What is checked: no state is reachable in which both sides wait for each other (an invalid end state: the only end is
 * after stop); each accepted answer is the answer of this very submit (assertions); a stopped service ends (ltl `ends`).
 *
 * Built with:
 *   SLOTS                     number of slots
 *   NO_RECHECK_BY_SERVICE     seeded bug: sleeps without looking again after it has said so
 *   NO_RECHECK_BY_CLIENT      the same on the other side
 *   HOSTILE                   the client is replaced by one that writes whatever it likes and steals futex waiters
 *   BELL_ONLY                 seeded bug for HOSTILE: the service waits on the bell alone, without its private stop word
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

inline wake_service() { if :: !service_stolen -> service_blocked = false :: else fi }
inline wake_client() { client_blocked = false }

/* The service's look at all slots, one load after the other; leaves the first pending slot in `found`, or SLOTS. */
inline look()
{
	found = SLOTS;
	i = 0;
	do
	:: i < SLOTS && found == SLOTS ->
		d_step {
			if
			:: request_word[i] != taken[i] -> found = i
			:: else
			fi;
			i++
		}
	:: else -> break
	od;
	i = 0
}

active proctype service()
{
	byte taken[SLOTS];
	byte i, found, content, bell;

	do
	:: stop -> break
	:: else ->
		look();
		if
		:: found < SLOTS ->
			taken[found] = request_word[found];
			content = request_area[found];
			answer_area[found] = content;
			answer_word[found] = taken[found];
			if
			:: client_sleeping ->
				client_bell = (client_bell + 1) % BELLS;
				wake_client()
			:: else
			fi;
			content = 0
		:: else ->
			bell = service_bell;
			service_sleeping = true;
#ifndef NO_RECHECK_BY_SERVICE
			look();
#endif
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
		fi;
		found = 0
	od;
	hung_up = true
}

/* stop() comes at any moment, except that it does not help out when both sides wait for each other. */
active proctype owner()
{
	atomic { !(service_blocked && client_blocked) -> stop = true }
}

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
			request_word[s] = generation[s];
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
			:: else ->
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
				!client_blocked || hung_up;
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
out:	skip
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
