/* SPDX-License-Identifier: MIT
 *
 * How good the estimate of the server's clock is: simulated servers and paths on virtual time, each
 * row RUNS times. Run it by hand: build/tests/bench_clock [RUNS]. Exit 1 if a row whose drift is
 * within OFFSET_DRIFT_PPM had the truth outside the claimed bound, once.
 *
 * A run is 12 probes, aimed, 0.75 s apart or more (a lost one is not sent again), then an hour of
 * one a minute. The truth is looked for after each answer and before each probe, when the
 * interval is at its oldest. `ideal` is RTT + 2^-(k-1) s, after k probes that were answered.
 */
#include "core/offset_estimator.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MS	 NSEC_PER_MSEC
#define SEC	 NSEC_PER_SEC
#define BURST	 12
#define QUIET	 60
#define RUNS_MAX 100000

static uint64_t seed;

static uint64_t random_u64(void)
{
	uint64_t z = (seed += UINT64_C(0x9e3779b97f4a7c15)); /* splitmix64 */
	z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
	z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
	return z ^ (z >> 31);
}

static nsec random_nsec(nsec lo, nsec hi)
{
	return lo + (nsec)(random_u64() % (uint64_t)(hi - lo + 1));
}

static bool one_in(unsigned n)
{
	return random_u64() % n == 0;
}

struct row {
	const char *name;
	nsec rtt, jitter;
	int there_percent; /* of the round trip on the way there; -1: any */
	bool loss, spikes; /* 20 %; 5 % of one second, on either way */
	int ppm;	   /* up to, either sign; beyond the assumed: exactly */
};

static const struct row rows[] = {
    {"plain", MS * 2 / 5, 0, 50, false, false, 0},
    {"plain", 5 * MS, 0, 50, false, false, 0},
    {"plain", 50 * MS, 0, 50, false, false, 0},
    {"plain", 300 * MS, 0, 50, false, false, 0},
    {"jitter 20 ms", 50 * MS, 20 * MS, 50, false, false, 0},
    {"jitter 1 RTT", 300 * MS, 300 * MS, 50, false, false, 0},
    {"asymmetric 90:10", 50 * MS, 0, 90, false, false, 0},
    {"asymmetric 0:100", 300 * MS, 0, 0, false, false, 0},
    {"20 % lost", 50 * MS, 5 * MS, 50, true, false, 0},
    {"5 % spikes of 1 s", 50 * MS, 5 * MS, 50, false, true, 0},
    {"drift to 50 ppm", 5 * MS, 1 * MS, 50, false, false, 50},
    {"drift to 100 ppm", 50 * MS, 5 * MS, 50, false, false, 100},
    {"all, 100 ppm", MS * 2 / 5, MS, -1, true, true, 100},
    {"all, 100 ppm", 5 * MS, 5 * MS, -1, true, true, 100},
    {"all, 100 ppm", 50 * MS, 20 * MS, -1, true, true, 100},
    {"all, 100 ppm", 300 * MS, 100 * MS, -1, true, true, 100},
    {"drift 150 ppm", 5 * MS, 1 * MS, 50, false, false, 150},
    {"drift 200 ppm", MS * 2 / 5, 0, 50, false, false, 200},
    {"drift 200 ppm", 50 * MS, 5 * MS, 50, false, false, 200},
};

struct path {
	const struct row *row;
	nsec offset, there, ppm;
};

static nsec truth(const struct path *p, nsec boot)
{
	return p->offset + boot / 1000000 * p->ppm;
}

/* False: it was lost. *received is when the answer came, or when it was given up. */
static bool probe(struct offset_estimator *e, const struct path *p, nsec sent, nsec *received,
		  enum estimate_change *change)
{
	const struct row *r = p->row;
	nsec there = p->there + random_nsec(0, r->jitter);
	nsec back = r->rtt - p->there + random_nsec(0, r->jitter);
	if (r->spikes && one_in(20))
		*(one_in(2) ? &there : &back) += SEC;
	*received = sent + there + back;
	if (r->loss && one_in(5))
		return false;
	*change =
	    offset_estimator_add(e, sent, *received, (sent + there + truth(p, sent + there)) / SEC);
	return true;
}

struct tally {
	unsigned looks, inside, quiet_looks, quiet_inside;
	unsigned steps, restarts;
	double width[BURST + 1]; /* sums, after so many answers */
	unsigned n_width[BURST + 1];
	double quiet_width;
};

static bool inside(const struct offset_estimator *e, const struct path *p, nsec boot, nsec *width)
{
	nsec lo, hi;
	if (!offset_estimator_at(e, boot, &lo, &hi))
		return true; /* nothing is claimed */
	*width = hi - lo;
	return lo <= truth(p, boot) && truth(p, boot) <= hi;
}

static void run(const struct row *row, struct tally *t)
{
	struct path p = {.row = row,
			 .offset = 1705361803 * SEC + random_nsec(-100 * SEC, 100 * SEC)};
	p.there =
	    row->rtt / 100 * (row->there_percent < 0 ? random_nsec(0, 100) : row->there_percent);
	p.ppm = row->ppm > OFFSET_DRIFT_PPM ? row->ppm * (one_in(2) ? 1 : -1)
					    : random_nsec(-row->ppm, row->ppm);
	struct offset_estimator e;
	offset_estimator_init(&e);
	nsec sent = random_nsec(0, 100000 * SEC), received = sent, width = 0;
	for (int k = 0; k < BURST + QUIET; k++) {
		bool burst = k < BURST;
		unsigned *looks = burst ? &t->looks : &t->quiet_looks;
		unsigned *good = burst ? &t->inside : &t->quiet_inside;
		if (k > 0)
			sent = burst ? offset_estimator_aim(&e, nsec_max(sent + 750 * MS, received))
				     : offset_estimator_aim_check(&e, sent + 60 * SEC);
		*looks += 1;
		*good += inside(&e, &p, sent, &width);
		enum estimate_change change = ESTIMATE_KEPT;
		if (!probe(&e, &p, sent, &received, &change))
			continue;
		t->steps += change == ESTIMATE_STEPPED;
		t->restarts += change == ESTIMATE_RESTARTED;
		*looks += 1;
		*good += inside(&e, &p, received, &width);
		if (burst && e.samples <= BURST) {
			t->width[e.samples] += nsec_to_s(width);
			t->n_width[e.samples]++;
		}
		if (!burst)
			t->quiet_width += nsec_to_s(width) / QUIET;
	}
}

static double percent(unsigned part, unsigned whole)
{
	return whole == 0 ? 100 : 100.0 * part / whole;
}

static bool report(const struct row *row, const struct tally *t, unsigned runs)
{
	printf("%-18s %6.1f ", row->name, nsec_to_s(row->rtt) * 1e3);
	for (int k = 4; k <= BURST; k += 4)
		printf(" %7.2f/%-7.2f", t->n_width[k] == 0 ? 0 : t->width[k] / t->n_width[k] * 1e3,
		       (nsec_to_s(row->rtt) + 1.0 / (1 << (k - 1))) * 1e3);
	printf(" %8.2f  %8.3f %8.3f  %6.2f %6.2f\n", t->quiet_width / runs * 1e3,
	       percent(t->inside, t->looks), percent(t->quiet_inside, t->quiet_looks),
	       (double)t->restarts / runs, (double)t->steps / runs);
	return row->ppm > OFFSET_DRIFT_PPM ||
	       (t->inside == t->looks && t->quiet_inside == t->quiet_looks && t->steps == 0);
}

int main(int argc, char **argv)
{
	long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	if (wanted < 1 || wanted > RUNS_MAX) {
		fprintf(stderr, "usage: bench_clock [RUNS up to %d]\n", RUNS_MAX);
		return 64;
	}
	unsigned runs = (unsigned)wanted;
	bool good = true;
	printf("%u runs a row; ms; width of the interval, mean/ideal, after 4, 8, 12 answers\n"
	       "%-18s %6s  %-15s %-15s %-15s %8s  %17s  %13s\n",
	       runs, "path and clock", "RTT", "4 answers", "8 answers", "12 answers", "1 hour",
	       "truth inside, %", "a run");
	printf("%-18s %6s  %-15s %-15s %-15s %8s  %8s %8s  %6s %6s\n", "", "", "", "", "",
	       "of quiet", "burst", "quiet", "restart", "steps");
	for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
		struct tally t = {0};
		seed = 1 + i;
		for (unsigned k = 0; k < runs; k++)
			run(&rows[i], &t);
		good &= report(&rows[i], &t, runs);
	}
	printf(
	    "\nThe interval is right by construction as long as the two clocks drift apart by at "
	    "most %d ppm.\nBeyond that the truth leaves it between answers that do not show it, "
	    "until one contradicts it:\nthen it starts anew (restart) and twice the drift is "
	    "assumed from then on, up to %d ppm.\nA contradiction below %.0f ms is never called a "
	    "step.\n",
	    OFFSET_DRIFT_PPM, OFFSET_DRIFT_PPM_MAX, nsec_to_s(OFFSET_STEP_MIN) * 1e3);
	puts(good ? "PASS" : "FAIL");
	return good ? 0 : 1;
}
