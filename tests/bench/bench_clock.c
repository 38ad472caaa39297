/* SPDX-License-Identifier: MIT
 *
 * How good the estimate of the server's clock is: simulated servers and paths on virtual time, each
 * row RUNS times. Run it by hand: build/tests/bench_clock [RUNS]. Exit 1 if a row misses: the truth
 * must lie inside the claimed bound in all looks while the clocks are within what is assumed of
 * them (steady, up to OFFSET_DRIFT_PPM apart; wandering by up to OFFSET_WANDER_PPM), whatever the
 * path does, and in 99.5 % of them where a time service slews the server's clock; and on
 * paths without jitter and loss the width must come within WIDTH_SPARE of the ideal. Rows without a
 * figure under `must` show what happens beyond the assumptions.
 *
 * A run is 12 probes, aimed, 0.75 s apart or more (a lost one is not sent again), then an hour of
 * one a minute. The truth is looked for after each answer and before each probe, when the
 * interval is at its oldest. `ideal` is RTT + 2^-(k-1) s, after k probes that were answered, and
 * 10 ms more where the server's clock is read from the ticks of its timer (see core/peer_time.h).
 *
 * The second table is the drift of the server against UTC, from the same readings and a UTC that is
 * known within so much at each.
 */
#include "core/offset_estimator.h"
#include "random.h"

#include <math.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define MS	 NSEC_PER_MSEC
#define SEC	 NSEC_PER_SEC
#define BURST	 12
#define QUIET	 60
#define RUNS_MAX 100000
#define ANY	 (-1)
/* By how much the mean width may be above the ideal: the interval ages while it is narrowed. */
#define WIDTH_SPARE MS

static double random_in(double lo, double hi)
{
	return lo + (hi - lo) * (double)(random_u64() >> 11) / (double)(UINT64_C(1) << 53);
}

static bool one_in(unsigned n)
{
	return random_u64() % n == 0;
}

/* What the server's clock does beside drifting by so many ppm, up to, either sign; `exact`: by just
 * that. */
enum habit {
	STEADY,
	WANDERS, /* by a sine of 30 minutes to 4 hours, `amount` ppm from the smallest to the
		    largest rate */
	POLLS,	 /* falls behind by 1 to 4 ppm; what is missing is made up in about 20 s every
		    17 minutes, as systemd-timesyncd and the kernel do */
	CHANGES, /* its rate changes by `amount` ppm, once in the hour */
	SLEWS	 /* 0.1 s is taken away at `amount` ppm, once in the hour */
};

struct clock_row {
	const char *name;
	int ppm;
	bool exact;
	enum habit habit;
	int amount;
	double must; /* %; 0: only shown */
};

/* The path, in parts of its round trip or in ms. */
struct path_row {
	const char *name;
	int jitter_percent;
	int there_percent; /* of the round trip on the way there; or ANY */
	bool loss, spikes; /* 20 %; 5 % of one second, on either way */
	int tick_ms;	   /* the server reads its clock from its timer's last tick; 0: at once */
};

static const nsec rtts[] = {MS * 2 / 5, 5 * MS, 50 * MS, 300 * MS};

static const struct path_row paths[] = {
    {"plain", 0, 50, false, false, 0},
    {"jitter 1 RTT", 100, 50, false, false, 0},
    {"asymmetric 90:10", 0, 90, false, false, 0},
    {"asymmetric 0:100", 0, 0, false, false, 0},
    {"20 % lost", 10, 50, true, false, 0},
    {"5 % spikes of 1 s", 10, 50, false, true, 0},
    {"tick of 1 ms", 0, 50, false, false, 1},
    {"4 ms, 5 % missed", 0, 50, false, false, 4},
    {"tick of 10 ms", 0, 50, false, false, 10},
    {"all of these", 50, ANY, true, true, 4},
};

static const struct clock_row still = {"none", 0, false, STEADY, 0, 100};
static const struct clock_row apart = {"to 200 ppm", 200, false, STEADY, 0, 100};

/* Clocks that are worth a row of their own, on the path with all of these. */
static const struct clock_row clocks[] = {
    {"to 50 ppm", 50, false, STEADY, 0, 100},
    {"200 ppm", 200, true, STEADY, 0, 100},
    {"wanders 14 ppm", 100, false, WANDERS, 14, 100},
    {"wanders 49 ppm", 100, false, WANDERS, 49, 100},
    {"polls NTP", 0, false, POLLS, 0, 99.5},
    {"change 30 ppm", 50, false, CHANGES, 30, 100},
    {"change 100 ppm", 50, false, CHANGES, 100, 0},
    {"slew 500 ppm", 50, false, SLEWS, 500, 0},
    {"300 ppm", 300, true, STEADY, 0, 0},
};

struct world {
	const struct path_row *path;
	const struct clock_row *clock;
	nsec rtt, there, offset, tick_phase;
	double ppm, phase, period_s, amount, when_s;
};

static double polled(const struct world *w, double t)
{
	double since = fmod(t + w->phase * 1024, 1024);
	return w->amount * 1e-6 * (1024 * exp(-since / 8) - since);
}

/* What the habit adds to the offset, in seconds. */
static double habit(const struct world *w, double t)
{
	double since = t > w->when_s ? t - w->when_s : 0;
	switch (w->clock->habit) {
	case STEADY:
		return 0;
	case WANDERS: /* the integral of amount / 2 * sin */
		return w->amount * 1e-6 / 2 * w->period_s / 6.283185307 *
		       cos(6.283185307 * (t / w->period_s + w->phase));
	case POLLS:
		return polled(w, t);
	case CHANGES:
		return since * w->amount * 1e-6;
	case SLEWS:
		return fmax(-0.1, -since * w->amount * 1e-6);
	}
	return 0;
}

static nsec truth(const struct world *w, nsec ruler)
{
	double t = nsec_to_s(ruler);
	return w->offset + nsec_from_s(t * w->ppm * 1e-6 + habit(w, t));
}

/* What is read of the server's clock when it shows `clock`. */
static nsec shown(const struct world *w, nsec clock)
{
	nsec tick = w->path->tick_ms * MS;
	if (tick == 0)
		return clock;
	nsec late = (clock + w->tick_phase) % tick;
	if (w->path->tick_ms == 4 && one_in(20))
		late += tick;
	return clock - late;
}

/* False: it was lost. *received is when the answer came, or when it was given up. */
static bool probe(struct offset_estimator *e, const struct world *w, nsec sent, nsec *received,
		  enum estimate_change *change)
{
	nsec jitter = w->rtt * w->path->jitter_percent / 100;
	nsec there = w->there + random_nsec(0, jitter);
	nsec back = w->rtt - w->there + random_nsec(0, jitter);
	if (w->path->spikes && one_in(20))
		*(one_in(2) ? &there : &back) += SEC;
	*received = sent + there + back;
	if (w->path->loss && one_in(5))
		return false;
	nsec arrived = sent + there;
	*change =
	    offset_estimator_add(e, sent, *received, shown(w, arrived + truth(w, arrived)) / SEC);
	return true;
}

static struct world some_world(const struct path_row *path, nsec rtt, const struct clock_row *clock,
			       nsec begin)
{
	struct world w = {.path = path, .clock = clock, .rtt = rtt};
	w.offset = 1705361803 * SEC + random_nsec(-100 * SEC, 100 * SEC);
	w.there = rtt / 100 *
		  (path->there_percent == ANY ? random_nsec(0, 100) : (nsec)path->there_percent);
	w.ppm =
	    clock->exact ? clock->ppm * (one_in(2) ? 1 : -1) : random_in(-clock->ppm, clock->ppm);
	w.phase = random_in(0, 1);
	w.tick_phase = path->tick_ms > 0 ? random_nsec(0, path->tick_ms * MS) : 0;
	w.period_s = random_in(1800, 14400);
	w.amount = clock->habit == POLLS ? random_in(1, 4) : clock->amount * (one_in(2) ? 1 : -1);
	if (clock->habit == SLEWS)
		w.amount = clock->amount;
	w.when_s = nsec_to_s(begin) + random_in(300, 3000);
	return w;
}

struct tally {
	unsigned looks, inside, quiet_looks, quiet_inside;
	unsigned steps, restarts;
	double width[BURST + 1]; /* sums, after so many answers */
	unsigned n_width[BURST + 1];
	double quiet_width;
	unsigned n_quiet_width;
	nsec outside; /* the farthest that the truth was outside */
};

/* Looks whether the truth is inside; returns the width, or 0 if nothing is claimed. */
static nsec look(const struct offset_estimator *e, const struct world *w, nsec ruler, bool burst,
		 struct tally *t)
{
	nsec lo, hi, is = truth(w, ruler);
	if (!offset_estimator_at(e, ruler, &lo, &hi))
		return 0;
	bool inside = lo <= is && is <= hi;
	*(burst ? &t->looks : &t->quiet_looks) += 1;
	*(burst ? &t->inside : &t->quiet_inside) += inside;
	t->outside = nsec_max(t->outside, nsec_max(lo - is, is - hi));
	return hi - lo;
}

static void count(struct tally *t, unsigned samples, bool burst, nsec width,
		  enum estimate_change change)
{
	t->steps += change == ESTIMATE_STEPPED;
	t->restarts += change == ESTIMATE_RESTARTED;
	if (burst && samples <= BURST) {
		t->width[samples] += nsec_to_s(width);
		t->n_width[samples]++;
	}
	if (!burst) {
		t->quiet_width += nsec_to_s(width);
		t->n_quiet_width++;
	}
}

/* What is allowed for, as for every server: it is not known which tick it has. */
static nsec late(const struct path_row *path)
{
	return path->tick_ms > 0 ? 10 * MS : 0;
}

static void run(const struct path_row *path, nsec rtt, const struct clock_row *clock,
		struct tally *t)
{
	struct offset_estimator e;
	nsec sent = random_nsec(0, 100000 * SEC), received = sent;
	const struct world w = some_world(path, rtt, clock, sent);
	offset_estimator_init(&e);
	offset_estimator_expect_late(&e, late(path));
	for (int k = 0; k < BURST + QUIET; k++) {
		bool burst = k < BURST;
		enum estimate_change change;
		if (k > 0)
			sent =
			    burst ? offset_estimator_aim(&e, nsec_max(sent + 750 * MS, received), 0)
				  : offset_estimator_aim_check(&e, sent + 60 * SEC, 0);
		(void)look(&e, &w, sent, burst, t);
		if (!probe(&e, &w, sent, &received, &change))
			continue;
		count(t, e.samples, burst, look(&e, &w, received, burst, t), change);
	}
}

static double percent(unsigned part, unsigned whole)
{
	return whole == 0 ? 100 : 100.0 * part / whole;
}

static double ideal_s(const struct path_row *path, nsec rtt, int answers)
{
	return nsec_to_s(rtt + late(path)) + 1.0 / (1 << (answers - 1));
}

static double mean_width_s(const struct tally *t, int answers)
{
	return t->width[answers] / fmax(1, t->n_width[answers]);
}

static bool narrow(const struct path_row *path, nsec rtt, const struct tally *t)
{
	for (int k = 4; k <= BURST; k += 4)
		if (mean_width_s(t, k) > ideal_s(path, rtt, k) + nsec_to_s(WIDTH_SPARE))
			return false;
	return true;
}

static bool report(const struct path_row *path, nsec rtt, const struct clock_row *clock,
		   const struct tally *t, unsigned runs)
{
	double burst = percent(t->inside, t->looks);
	double quiet = percent(t->quiet_inside, t->quiet_looks);
	bool good = fmin(burst, quiet) >= clock->must &&
		    (clock->must < 100 || t->steps + t->restarts == 0) &&
		    (path->jitter_percent > 0 || narrow(path, rtt, t));
	printf("%-18s %-15s %5.1f ", path->name, clock->name, nsec_to_s(rtt) * 1e3);
	for (int k = 4; k <= BURST; k += 4)
		printf(" %6.1f/%-6.1f", mean_width_s(t, k) * 1e3, ideal_s(path, rtt, k) * 1e3);
	printf(" %6.1f  %7.3f %7.3f %6.1f  %5.2f %5.2f  ",
	       t->quiet_width / fmax(1, t->n_quiet_width) * 1e3, burst, quiet,
	       nsec_to_s(t->outside) * 1e3, (double)t->restarts / runs, (double)t->steps / runs);
	if (clock->must > 0)
		printf("%5.1f  %s\n", clock->must, good ? "ok" : "MISSED");
	else
		puts("    -");
	return good;
}

static bool row(const struct path_row *path, nsec rtt, const struct clock_row *clock, unsigned runs)
{
	struct tally t = {0};
	seed = 1;
	for (unsigned k = 0; k < runs; k++)
		run(path, rtt, clock, &t);
	return report(path, rtt, clock, &t, runs);
}

static bool offsets(unsigned runs)
{
	bool good = true;
	printf("%u runs a row; times in ms. Width of the claimed interval: mean/ideal after 4, 8, "
	       "12 answers,\nmean over an hour of one probe a minute. Truth inside: %% of looks, "
	       "and how far outside at most.\n\n",
	       runs);
	printf("%-18s %-15s %5s  %-13s %-13s %-13s %6s  %-22s  %-11s  %5s\n", "path", "drift",
	       "RTT", "4 answers", "8 answers", "12 answers", "1 h of", "truth inside, %", "a run",
	       "must");
	printf("%-18s %-15s %5s  %-13s %-13s %-13s %6s  %7s %7s %6s  %5s %5s\n", "", "", "", "", "",
	       "", "quiet", "burst", "quiet", "out by", "anew", "steps");
	for (size_t p = 0; p < sizeof paths / sizeof *paths; p++)
		for (size_t r = 0; r < sizeof rtts / sizeof *rtts; r++) {
			good &= row(&paths[p], rtts[r], &still, runs);
			good &= row(&paths[p], rtts[r], &apart, runs);
		}
	const struct path_row *worst = &paths[sizeof paths / sizeof *paths - 1];
	for (size_t c = 0; c < sizeof clocks / sizeof *clocks; c++)
		for (size_t r = 0; r < 4; r += 2)
			good &= row(worst, rtts[r], &clocks[c], runs);
	return good;
}

/* The server against UTC. */
struct drift_tally {
	unsigned told, inside;
	double error, bound;
};

static void drift_look(const struct drift_estimator *d, double is, struct drift_tally *t)
{
	double ppm, max_error_ppm;
	if (!drift_estimator_read(d, &ppm, &max_error_ppm))
		return;
	t->told++;
	t->inside += fabs(ppm - is) <= max_error_ppm;
	t->error += fabs(ppm - is);
	t->bound += max_error_ppm;
}

/* One run; what is told after 10 and 20 minutes and an hour. The ruler is off UTC by up to 100 ppm,
 * and the server by up to as much the other way. False: the estimator saw a contradiction. */
static bool drift_run(nsec rtt, nsec utc_known, struct drift_tally t[3])
{
	static const int minutes[] = {10, 20, 60};
	struct offset_estimator e;
	struct drift_estimator d;
	nsec sent = random_nsec(0, 100000 * SEC), received;
	const struct world w = some_world(&paths[0], rtt, &apart, sent);
	double utc_ppm = random_in(fmax(-100, w.ppm - 100), fmin(100, w.ppm + 100));
	bool good = true;
	offset_estimator_init(&e);
	drift_estimator_init(&d, DRIFT_WANDER_PPM);
	for (int k = 0, next = 0; k < BURST + 60; k++) {
		nsec lo, hi;
		enum estimate_change change;
		if (k > 0)
			sent = k < BURST ? offset_estimator_aim(&e, sent + 750 * MS, 0)
					 : offset_estimator_aim_check(&e, sent + 60 * SEC, 0);
		(void)probe(&e, &w, sent, &received, &change);
		nsec utc = 1705361803 * SEC + nsec_from_s(nsec_to_s(received) * utc_ppm * 1e-6) +
			   random_nsec(-utc_known, utc_known);
		good &= offset_estimator_at(&e, received, &lo, &hi);
		good &= drift_estimator_add(&d, received, lo - (utc + utc_known),
					    hi - (utc - utc_known)) != DRIFT_CONTRADICTED;
		if (k == BURST - 1 + minutes[next])
			drift_look(&d, w.ppm - utc_ppm, &t[next++]);
	}
	return good;
}

static bool drift_row(nsec rtt, nsec utc_known, unsigned runs)
{
	struct drift_tally t[3] = {{0}};
	bool good = true;
	seed = 1;
	for (unsigned k = 0; k < runs; k++)
		good &= drift_run(rtt, utc_known, t);
	printf("%6.1f %6.1f ", nsec_to_s(rtt) * 1e3, nsec_to_s(utc_known) * 1e3);
	for (int i = 0; i < 3; i++) {
		good &= t[i].inside == t[i].told;
		printf("  %5.1f", percent(t[i].told, runs));
		if (t[i].told > 0)
			printf(" %6.2f %6.2f %7.3f", t[i].error / t[i].told, t[i].bound / t[i].told,
			       percent(t[i].inside, t[i].told));
		else
			printf(" %6s %6s %7s", "-", "-", "-");
	}
	puts(good ? "  ok" : "  MISSED");
	return good;
}

static bool drifts(unsigned runs)
{
	static const nsec known[] = {1 * MS, 20 * MS};
	bool good = true;
	printf(
	    "\nDrift of the server against UTC, one probe a minute; ppm: told in %% of the runs, "
	    "mean error, mean\nclaimed bound, %% of the told whose truth is inside.\n\n");
	printf("%6s %6s   %-29s  %-29s  %-29s\n", "RTT", "UTC", "10 minutes", "20 minutes",
	       "1 hour");
	printf("%6s %6s ", "ms", "+-ms");
	for (int i = 0; i < 3; i++)
		printf("  %5s %6s %6s %7s", "told", "error", "bound", "inside");
	puts("");
	for (size_t u = 0; u < sizeof known / sizeof *known; u++)
		for (size_t r = 0; r < sizeof rtts / sizeof *rtts; r++)
			good &= drift_row(rtts[r], known[u], runs);
	return good;
}

int main(int argc, char **argv)
{
	long wanted = argc > 1 ? strtol(argv[1], NULL, 10) : 1000;
	if (wanted < 1 || wanted > RUNS_MAX) {
		fprintf(stderr, "usage: bench_clock [RUNS up to %d]\n", RUNS_MAX);
		return 64;
	}
	bool good = offsets((unsigned)wanted);
	good &= drifts((unsigned)wanted);
	printf(
	    "\nThe told interval is right by construction as long as the two clocks drift apart "
	    "by at most %d ppm\nand their rate changes by at most %d ppm. Beyond that the truth "
	    "leaves it between answers that do\nnot show it, until one contradicts it: then what "
	    "was learned is forgotten (anew) and the assumption\nthat was wrong is doubled. A "
	    "contradiction below %.0f ms is never called a step.\n",
	    OFFSET_DRIFT_PPM, OFFSET_WANDER_PPM, nsec_to_s(OFFSET_STEP_MIN) * 1e3);
	puts(good ? "PASS" : "FAIL");
	return good ? 0 : 1;
}
