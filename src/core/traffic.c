/* SPDX-License-Identifier: MIT */
#include "core/traffic.h"

void traffic_init(struct traffic *t)
{
	*t = (struct traffic){.last_rx = NSEC_UNKNOWN, .last_tx = NSEC_UNKNOWN};
}

/* The first count after a handshake counts the handshake, which is dated better than that. */
#define OF_HANDSHAKE (NSEC_PER_SEC * 3 / 2)

void traffic_count(struct traffic *t, uint64_t in, uint64_t out, nsec mono)
{
	bool handshake = t->counting && t->fresh && mono - t->last_rx <= OF_HANDSHAKE;
	bool rx = t->counting && in != t->in && !handshake;
	bool tx = t->counting && out != t->out && !handshake;

	if (rx && t->last_rx != NSEC_UNKNOWN)
		t->usual_gap = nsec_max(t->usual_gap, mono - t->last_rx);
	if (rx)
		t->heard = true;
	if (!t->counting || rx)
		t->last_rx = mono;
	if (!t->counting || tx)
		t->last_tx = mono;
	t->counting = true;
	t->fresh = false;
	t->in = in;
	t->out = out;
}

void traffic_connected(struct traffic *t, nsec mono)
{
	t->last_rx = t->last_tx = mono;
	t->usual_gap = 0;
	t->heard = t->fresh = true;
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
