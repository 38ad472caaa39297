/* SPDX-License-Identifier: MIT */
#include "core/traffic.h"

void traffic_init(struct traffic *t)
{
	*t = (struct traffic){.last_rx = NSEC_UNKNOWN, .last_tx = NSEC_UNKNOWN};
}

void traffic_count(struct traffic *t, uint64_t in, uint64_t out, nsec mono)
{
	if (t->counting && in != t->in && t->last_rx != NSEC_UNKNOWN)
		t->usual_gap = nsec_max(t->usual_gap, mono - t->last_rx);
	if (t->counting && in != t->in)
		t->heard = true;
	if (!t->counting || in != t->in)
		t->last_rx = mono;
	if (!t->counting || out != t->out)
		t->last_tx = mono;
	t->counting = true;
	t->in = in;
	t->out = out;
}

void traffic_connected(struct traffic *t, nsec mono)
{
	t->last_rx = t->last_tx = mono;
	t->usual_gap = 0;
	t->heard = true;
}

void traffic_stop(struct traffic *t)
{
	traffic_init(t);
}

nsec traffic_silence(const struct traffic *t, nsec mono)
{
	if (!t->counting || t->last_rx == NSEC_UNKNOWN)
		return NSEC_UNKNOWN;
	return mono - t->last_rx;
}

nsec traffic_idle(const struct traffic *t)
{
	if (!t->counting || t->last_rx == NSEC_UNKNOWN || t->last_tx == NSEC_UNKNOWN ||
	    t->last_tx > t->last_rx)
		return NSEC_UNKNOWN;
	return t->last_rx - t->last_tx;
}
