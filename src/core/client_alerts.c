/* SPDX-License-Identifier: MIT */
#include "core/client_alerts.h"

#include <string.h>

struct slice client_host(const char *address)
{
	struct slice host = slice_from(address);
	if (slice_starts(host, "udp") || slice_starts(host, "tcp"))
		(void)slice_cut(&host, ':');
	struct slice rest = host;
	struct slice first = slice_cut(&rest, ':');
	/* One colon: a port is behind it. More: an IPv6 address, which has none here. */
	bool port = rest.p != NULL && memchr(rest.p, ':', rest.n) == NULL;
	return port ? first : host;
}

static bool same_host(const char *a, const char *b)
{
	return slice_equal(client_host(a), client_host(b));
}

struct eviction_verdict evictions_add(struct evictions *e, const struct client_eviction *of,
				      nsec mono)
{
	struct eviction_verdict v = {.count = 0};
	const struct client_eviction *later = of;
	unsigned turns = 1, kept = e->n < EVICTIONS_KEPT ? e->n : EVICTIONS_KEPT;
	bool in_turn = !same_host(of->winner, of->loser);
	e->ring[e->n % EVICTIONS_KEPT].at = mono;
	e->ring[e->n % EVICTIONS_KEPT].of = *of;
	e->n++;
	kept += kept < EVICTIONS_KEPT;
	for (unsigned i = 0; i < kept; i++) {
		unsigned at = (e->n - 1 - i) % EVICTIONS_KEPT;
		const struct client_eviction *this = &e->ring[at].of;
		if (mono - e->ring[at].at > EVICTION_WINDOW || strcmp(this->name, of->name) != 0)
			continue;
		v.count++;
		v.span = mono - e->ring[at].at;
		if (i == 0)
			continue;
		/* Who was evicted then came back and evicted in its turn. */
		in_turn = in_turn && same_host(this->winner, later->loser) &&
			  same_host(this->loser, later->winner);
		turns += in_turn;
		later = this;
	}
	v.turns = turns >= EVICTIONS_TURNS;
	v.duplicate = v.turns || v.count >= EVICTIONS_MANY;
	return v;
}

bool losses_add(struct losses *l, unsigned n, unsigned before, const struct stamp *at)
{
	if (n == 0)
		return false;
	if (l->n == 0 || at->mono - l->first.mono > LOST_WITHIN)
		*l = (struct losses){.first = *at, .before = before};
	l->n += n;
	l->last = at->mono;
	return l->n >= LOST_MANY && 2 * l->n >= l->before;
}
