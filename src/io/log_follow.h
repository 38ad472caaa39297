/* SPDX-License-Identifier: MIT
 *
 * A tunnel's log, followed as `tail -F` does, or read from a pipe.
 *
 * Happy path: what is there already is told as history, LOG_FILE_FOLLOWED, and then each line as it
 * comes. Of a file, its last LOG_PAST bytes are history; of a pipe, what comes at once
 * (`journalctl -f`, `docker logs -f` and `tail -f` begin with old lines), until it pauses or a line
 * says that it was written just now. Failure modes: a file that is not there or may not be read
 * (LOG_FILE_ABSENT once, waited for); moved away (its rest is read, also what the daemon goes on to
 * write there until something is in the new one, and then the new one from its beginning); cut off
 * (from the beginning); removed and not replaced (LOG_FILE_GONE once, waited for); a pipe that ends
 * (LOG_FILE_ENDED); a line without end (its beginning is told).
 *
 * A file is looked at when inotify says so, and every LOG_LOOK_MS besides. Network file systems say
 * nothing of what others do, and may hang: there only the clock says when, and another thread
 * looks.
 */
#ifndef OVPNWATCH_IO_LOG_FOLLOW_H
#define OVPNWATCH_IO_LOG_FOLLOW_H

#include "io/prober.h"

#define LOG_PAST    (1 << 20)
#define LOG_LOOK_MS 1000
/* While it is waited for, or inotify is not to be had. */
#define LOG_SOON_MS 250
/* A pipe that says nothing for so long has told what it had. */
#define LOG_PAUSE_MS 500
/* Rotated logs are away for a moment. */
#define LOG_GONE_MS 2000

struct log_follow;

/* `path` "-" is standard input; it is copied. Events go to the sink (EVENT_LOG, EVENT_LOG_FILE),
 * none before this returns. 0 and *out, or a negative UV_E…. */
int log_follow_open(struct log_follow **out, uv_loop_t *loop, const char *path,
		    struct tunnel *tunnel, event_sink sink, void *arg)
    __attribute__((warn_unused_result));

/* No event comes after this call; it is freed within the loop. NULL will do. */
void log_follow_close(struct log_follow *l);

#endif
