/* SPDX-License-Identifier: MIT
 *
 * proto/management: the same messages whatever the cutting. The first byte chooses the longest
 * line, the second and third seed the cuts; the rest is the stream. Every message's slices must lie
 * in its line, and a rejected line must leave the output alone.
 */
#include "fuzz/check.h"
#include "proto/management.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void check_inside(struct slice line, struct slice part)
{
	CHECK(part.n == 0 || (part.p >= line.p && part.p + part.n <= line.p + line.n));
}

static void check_parts(const struct management_message *m)
{
	const struct management_state *s = &m->u.state;
	const struct management_password *p = &m->u.password;
	check_inside(m->line, m->word);
	check_inside(m->line, m->text);
	if (m->kind == MANAGEMENT_STATE) {
		const struct slice parts[] = {s->name,	    s->detail,	  s->local_ip,
					      s->remote_ip, s->source_ip, s->local_ip6};
		for (size_t i = 0; i < sizeof parts / sizeof *parts; i++)
			check_inside(m->line, parts[i]);
	} else if (m->kind == MANAGEMENT_LOG) {
		check_inside(m->line, m->u.log.flags);
		check_inside(m->line, m->u.log.text);
	} else if (m->kind == MANAGEMENT_PASSWORD) {
		check_inside(m->line, p->type);
		check_inside(m->line, p->text);
	} else if (m->kind == MANAGEMENT_CLIENT) {
		check_inside(m->line, m->u.client.key);
		check_inside(m->line, m->u.client.value);
	} else if (m->kind == MANAGEMENT_NEED_OK || m->kind == MANAGEMENT_NEED_STR) {
		check_inside(m->line, m->u.need.name);
		check_inside(m->line, m->u.need.message);
	} else if (m->kind == MANAGEMENT_NOTIFY) {
		check_inside(m->line, m->u.notify.text);
	}
}

static uint64_t mix(uint64_t hash, struct slice s)
{
	for (size_t i = 0; i < s.n; i++)
		hash = (hash ^ (unsigned char)s.p[i]) * 1099511628211U;
	return (hash ^ s.n) * 1099511628211U;
}

static uint64_t parse(struct slice line)
{
	struct management_message m;
	struct management_message untouched;
	memset(&m, 0xa5, sizeof m);
	memset(&untouched, 0xa5, sizeof untouched);
	enum verdict v = management_parse(line, &m);
	CHECK(v == VERDICT_DONE || v == VERDICT_INVALID);
	if (v == VERDICT_INVALID) {
		CHECK(memcmp(&m, &untouched, sizeof m) == 0);
		return mix(1, line);
	}
	check_parts(&m);
	return mix(mix((uint64_t)m.kind + 2, m.word), m.text);
}

/* Feeds the stream in pieces (all at once if seed is 0), each in an allocation of its own. */
static uint64_t run(struct slice stream, size_t line_max, unsigned seed, uint64_t *dropped)
{
	uint64_t hash = 14695981039346656037U;
	char *buf = malloc(line_max);
	struct management_framer f;
	CHECK(buf != NULL);
	management_framer_init(&f, buf, line_max);
	for (unsigned step = seed; stream.n > 0; step = step * 1103515245U + 12345U) {
		size_t n = seed == 0 ? stream.n : 1 + (step >> 16) % 23;
		n = n < stream.n ? n : stream.n;
		char *piece = malloc(n);
		CHECK(piece != NULL);
		memcpy(piece, stream.p, n);
		struct slice in = {.p = piece, .n = n};
		struct slice line;
		while (management_framer_next(&f, &in, &line) == VERDICT_DONE) {
			CHECK(line.n <= line_max);
			hash = (hash ^ parse(line)) * 1099511628211U;
		}
		CHECK(in.n == 0);
		free(piece);
		stream = slice_skip(stream, n);
	}
	*dropped = f.dropped;
	free(buf);
	return hash;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 3)
		return 0;
	struct slice stream = {.p = (const char *)data + 3, .n = size - 3};
	size_t line_max = data[0] == 0xff ? MANAGEMENT_LINE_MAX : (size_t)data[0] + 1;
	unsigned seed = (unsigned)data[1] << 8 | data[2];
	uint64_t dropped_whole = 0;
	uint64_t dropped_torn = 0;
	uint64_t whole = run(stream, line_max, 0, &dropped_whole);
	CHECK(whole == run(stream, line_max, seed | 1U << 20, &dropped_torn));
	CHECK(dropped_whole == dropped_torn);
	return 0;
}
