/* SPDX-License-Identifier: MIT
 *
 * core/replay over a recording of any bytes: it ends, the monotonic clock never goes back and
 * accounts for every forward move of the wall clock, and no line is handed out empty from a log.
 * The first byte chooses the room for a line, the second the year.
 */
#include "fuzz/check.h"
#include "core/replay.h"

#include <stdio.h>
#include <stdlib.h>

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static nsec local_time(nsec naive)
{
	return naive - 3600 * NSEC_PER_SEC;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	if (size < 2)
		return 0;
	struct slice text = {.p = (const char *)data + 2, .n = size - 2};
	size_t room = data[0] == 0xff ? 4096 : (size_t)data[0] + 2;
	char *buf = malloc(room);
	char zone[16];
	struct replay r;
	struct event e;
	uint64_t events = 0;
	CHECK(buf != NULL);
	replay_init(&r, text, buf, room, local_time, 1900 + 4 * data[1]);
	struct stamp last = r.now;
	CHECK(last.mono == 0);
	while (replay_next(&r, NULL, &e)) {
		CHECK(r.format != REPLAY_EMPTY);
		CHECK(e.kind == (r.format == REPLAY_LOG ? EVENT_LOG : EVENT_LINE));
		CHECK(e.kind == EVENT_LINE || e.u.line.n > 0);
		CHECK(e.at.mono >= last.mono && e.at.mono <= INT64_MAX / 4);
		CHECK(e.at.boot == e.at.mono);
		if (e.at.wall > last.wall && e.at.mono < INT64_MAX / 4)
			CHECK(e.at.mono - last.mono >= e.at.wall - last.wall);
		last = e.at;
		events++;
	}
	CHECK(events == r.lines && events <= size);
	replay_zone(&r, zone, sizeof zone);
	CHECK(strlen(zone) >= 3);
	free(buf);
	return 0;
}
