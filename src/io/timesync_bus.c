/* SPDX-License-Identifier: MIT */
#include "io/timesync_bus.h"

#if OVPNWATCH_SYSTEMD

#include <assert.h>
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#define DESTINATION "org.freedesktop.timesync1"
#define OBJECT	    "/org/freedesktop/timesync1"
#define INTERFACE   "org.freedesktop.timesync1.Manager"
#define PROPERTY    "NTPMessage"
#define PROPERTIES  "org.freedesktop.DBus.Properties"

/* Steps of sd-bus that one question may take. It takes less than ten, if the bus does not talk. */
#define STEPS_MAX 100

#define NOT_UNDERSTOOD "systemd-timesyncd's answer is not of the type that it should be"
#define HUNG_UP	       "the system bus hung up"

struct timesync_bus {
	uv_poll_t poll;
	sd_bus *bus;
	const struct timesync_bus_callbacks *callbacks;
	void *arg;
	unsigned steps;
	/* What came, kept until sd-bus is not on the stack any more. */
	bool replied;
	const char *reason; /* NULL: `message` it is */
	struct timesync_message message;
};

/* --- the answer --- */

static const char *why_refused(const sd_bus_error *e)
{
	static const struct {
		const char *name, *reason;
	} known[] = {
	    {SD_BUS_ERROR_SERVICE_UNKNOWN, "systemd-timesyncd does not run"},
	    {SD_BUS_ERROR_NAME_HAS_NO_OWNER, "systemd-timesyncd does not run"},
	    {SD_BUS_ERROR_UNKNOWN_PROPERTY, "this systemd-timesyncd does not tell (too old)"},
	    {SD_BUS_ERROR_UNKNOWN_INTERFACE, "this systemd-timesyncd does not tell (too old)"},
	    {SD_BUS_ERROR_UNKNOWN_METHOD, "this systemd-timesyncd does not tell (too old)"},
	    {SD_BUS_ERROR_UNKNOWN_OBJECT, "this systemd-timesyncd does not tell (too old)"},
	    {SD_BUS_ERROR_ACCESS_DENIED, "the system bus does not permit the question"},
	    {SD_BUS_ERROR_NO_REPLY, HUNG_UP},
	    {SD_BUS_ERROR_DISCONNECTED, HUNG_UP},
	};
	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (sd_bus_error_has_name(e, known[i].name))
			return known[i].reason;
	return "systemd-timesyncd refuses to answer";
}

/* The members of TIMESYNC_SIGNATURE, in its order. */
static int read_members(sd_bus_message *m, struct timesync_message *t)
{
	const void *refid;
	size_t size;
	int spike;
	int rc = sd_bus_message_read(m, "uuuuitt", &t->leap, &t->version, &t->mode, &t->stratum,
				     &t->precision, &t->root_delay_usec, &t->root_dispersion_usec);
	if (rc >= 0)
		rc = sd_bus_message_read_array(m, 'y', &refid, &size);
	if (rc >= 0 && size != sizeof t->refid)
		rc = -EBADMSG;
	if (rc < 0)
		return rc;
	memcpy(t->refid, refid, sizeof t->refid);
	rc = sd_bus_message_read(m, "ttttbtt", &t->origin_usec, &t->receive_usec, &t->transmit_usec,
				 &t->destination_usec, &spike, &t->packet_count, &t->jitter_usec);
	t->spike = spike != 0;
	return rc;
}

static bool read_message(sd_bus_message *m, struct timesync_message *t)
{
	*t = (struct timesync_message){0};
	/* A signature of our own: another one is refused here. */
	int rc = sd_bus_message_enter_container(m, 'v', TIMESYNC_SIGNATURE);
	if (rc > 0)
		rc = sd_bus_message_enter_container(m, 'r', "uuuuittayttttbtt");
	return rc > 0 && read_members(m, t) >= 0;
}

static int on_reply(sd_bus_message *m, void *userdata, sd_bus_error *error)
{
	struct timesync_bus *b = userdata;
	(void)error;
	if (sd_bus_message_is_method_error(m, NULL) > 0)
		b->reason = why_refused(sd_bus_message_get_error(m));
	else if (!read_message(m, &b->message))
		b->reason = NOT_UNDERSTOOD;
	b->replied = true;
	return 1;
}

/* --- the connection --- */

/* Its last act: the owner closes it. */
static void fail(struct timesync_bus *b, const char *reason)
{
	b->callbacks->failed(b->arg, reason);
}

static void on_ready(uv_poll_t *poll, int status, int events);

/* Waits for what sd-bus waits for. Its time-outs are not asked for: the shortest is 25 s, and the
 * owner is not so patient. */
static int wait_for_bus(struct timesync_bus *b)
{
	int events = sd_bus_get_events(b->bus);
	if (events < 0)
		return events;
	return uv_poll_start(&b->poll,
			     ((events & POLLIN) != 0 ? UV_READABLE : 0) |
				 ((events & POLLOUT) != 0 ? UV_WRITABLE : 0),
			     on_ready);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct timesync_bus *b = poll->data;
	int rc = status == 0 ? 1 : -ECONNRESET;
	(void)events;
	/* Until nothing is left: what sd-bus has read already would not wake us. */
	while (rc > 0 && !b->replied && b->steps++ < STEPS_MAX)
		rc = sd_bus_process(b->bus, NULL);
	if (b->replied && b->reason == NULL)
		b->callbacks->message(b->arg, &b->message);
	else if (b->replied)
		fail(b, b->reason);
	else if (rc > 0)
		fail(b, "the system bus says more than it was asked");
	else if (rc < 0 || wait_for_bus(b) != 0)
		fail(b, HUNG_UP);
}

static int ask(struct timesync_bus *b)
{
	sd_bus_message *m = NULL;
	int rc = sd_bus_message_new_method_call(b->bus, &m, DESTINATION, OBJECT, PROPERTIES, "Get");
	if (rc >= 0)
		rc = sd_bus_message_set_auto_start(m, 0); /* asking must not start a daemon */
	if (rc >= 0)
		rc = sd_bus_message_append(m, "ss", INTERFACE, PROPERTY);
	if (rc >= 0)
		rc = sd_bus_call_async(b->bus, NULL, m, on_reply, b, 0);
	sd_bus_message_unref(m);
	return rc;
}

static const char *why_not_open(int error)
{
	if (error == -ENOENT || error == -ECONNREFUSED)
		return "there is no system bus";
	if (error == -EACCES || error == -EPERM)
		return "the system bus: permission denied";
	return "the system bus cannot be reached";
}

struct timesync_bus *timesync_bus_ask(uv_loop_t *loop,
				      const struct timesync_bus_callbacks *callbacks, void *arg,
				      const char **reason)
{
	struct timesync_bus *b = calloc(1, sizeof *b);
	int rc = b != NULL ? sd_bus_open_system(&b->bus) : -ENOMEM;
	if (rc >= 0)
		rc = ask(b);
	if (rc >= 0)
		rc = sd_bus_get_fd(b->bus);
	if (rc >= 0)
		rc = uv_poll_init(loop, &b->poll, rc);
	if (rc < 0) {
		*reason = why_not_open(rc);
		if (b != NULL)
			sd_bus_close_unref(b->bus);
		free(b);
		return NULL;
	}
	b->poll.data = b;
	b->callbacks = callbacks;
	b->arg = arg;
	rc = uv_poll_start(&b->poll, UV_READABLE | UV_WRITABLE, on_ready);
	assert(rc == 0); /* it fails for a handle that is being closed, only */
	return b;
}

static void on_close(uv_handle_t *handle)
{
	struct timesync_bus *b = handle->data;
	b->callbacks->closed(b->arg);
	free(b);
}

void timesync_bus_close(struct timesync_bus *b)
{
	uv_close((uv_handle_t *)&b->poll, on_close);
	sd_bus_close_unref(b->bus); /* not flushed: that could block */
}

#else

struct timesync_bus *timesync_bus_ask(uv_loop_t *loop,
				      const struct timesync_bus_callbacks *callbacks, void *arg,
				      const char **reason)
{
	(void)loop;
	(void)callbacks;
	(void)arg;
	*reason = "built without libsystemd";
	return NULL;
}

void timesync_bus_close(struct timesync_bus *b)
{
	(void)b; /* there never was one */
}

#endif
