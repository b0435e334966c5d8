/* How many threads there are, and how many of them work at the moment.
 *
 * Work is divided among a number of threads that is fixed for a run, because sums and preconditioners depend on the
 * division. How many of the operating system's threads then do it changes no result: where other programs keep the
 * processors busy, threads that wait for one another at every step make a run several times slower than one thread
 * alone. So every parallel loop asks irz_threads() how many are to take part, and irz_threads() watches how long the
 * threads wait for a processor. */
#ifndef IREZONE_BASE_THREADS_H
#define IREZONE_BASE_THREADS_H

/// Threads for a process that is not told how many: the processors it may run on (affinity, which batch systems set),
/// or the share of them that its control groups allow, rounded; at least one.
int irz_threads_available(void);

/// Threads to divide the work among.
/// @param[in] wanted  what the user or the caller says, or 0: OMP_NUM_THREADS, else irz_threads_available()
int irz_threads_choose(int wanted);

/// How many of `n` threads shall work in the next parallel loop: at least one, fewer than `n` while other programs need
/// the processors. OMP_DYNAMIC=false makes it `n` always. Each calling thread has a state of its own. Costs a look at
/// the clock, and every few milliseconds a look at the threads' waiting times.
int irz_threads(int n);

#endif
