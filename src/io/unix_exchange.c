/* SPDX-License-Identifier: MIT */
#include "io/unix_exchange.h"
#include "io/exchange.h"
#include "io/stamp_now.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct unix_exchange *x = poll->data;
	/* One byte of room more than any answer has: what fills it is longer. */
	uint8_t bytes[EXCHANGE_PACKET_MAX + 1];
	(void)events;
	ssize_t n = status == 0 ? recv(x->fd, bytes, sizeof bytes, MSG_DONTWAIT) : -1;
	const struct stamp at = stamp_now();
	if (status == 0 && n < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (n < 0)
		x->callbacks->error(x, status != 0 ? status : uv_translate_sys_error(errno));
	else if (n <= EXCHANGE_PACKET_MAX)
		x->callbacks->packet(x, &at, bytes, (size_t)n);
}

static int set_path(struct sockaddr_un *a, const char *path)
{
	size_t n = strlen(path);
	*a = (struct sockaddr_un){.sun_family = AF_UNIX};
	if (n >= sizeof a->sun_path)
		return UV_ENAMETOOLONG;
	memcpy(a->sun_path, path, n);
	return 0;
}

/* A name that nobody has: another process may have our PID, in a container that shares the folder.
 */
static int choose_path(struct sockaddr_un *a, const char *server)
{
	const char *slash = strrchr(server, '/');
	unsigned n;
	char path[2 * sizeof a->sun_path];
	if (getrandom(&n, sizeof n, GRND_NONBLOCK) != sizeof n)
		return UV_EAGAIN;
	snprintf(path, sizeof path, "%.*s/ovpnwatch.%ld.%08x.sock",
		 slash != NULL ? (int)(slash - server) : 1, slash != NULL ? server : ".",
		 (long)getpid(), n);
	return set_path(a, path);
}

/* The folder belongs to the server's user, who could put a link in the place of what was just
 * bound: chmod() by that path would then be theirs to aim. So the mode is set on the socket itself,
 * and bind() makes the path from it, as the umask allows. */
static int bind_for_all(int fd, const struct sockaddr_un *a)
{
	if (fchmod(fd, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP | S_IROTH | S_IWOTH) != 0)
		return uv_translate_sys_error(errno);
	mode_t before = umask(0);
	int rc = bind(fd, (const struct sockaddr *)a, sizeof *a);
	int error = errno;
	umask(before);
	return rc == 0 ? 0 : uv_translate_sys_error(error);
}

/* Connected first: where there is no server, nothing is made. */
static int prepare(int fd, const char *server, struct sockaddr_un *bound)
{
	struct sockaddr_un to;
	int rc = set_path(&to, server);
	if (rc == 0 && connect(fd, (const struct sockaddr *)&to, sizeof to) != 0)
		rc = uv_translate_sys_error(errno);
	if (rc == 0)
		rc = choose_path(bound, server);
	return rc == 0 ? bind_for_all(fd, bound) : rc;
}

int unix_exchange_open(struct unix_exchange *x, uv_loop_t *loop, const char *server,
		       const struct unix_exchange_callbacks *callbacks, void *arg)
{
	assert(!x->open);
	int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return uv_translate_sys_error(errno);
	int rc = prepare(fd, server, &x->bound);
	if (rc == 0) {
		rc = uv_poll_init(loop, &x->poll, fd);
		if (rc != 0)
			unlink(x->bound.sun_path);
	}
	if (rc != 0) {
		close(fd);
		return rc;
	}
	x->callbacks = callbacks;
	x->arg = arg;
	x->fd = fd;
	x->open = true;
	x->poll.data = x;
	rc = uv_poll_start(&x->poll, UV_READABLE, on_readable);
	assert(rc == 0); /* it fails for a handle that is being closed, only */
	return 0;
}

int unix_exchange_send(struct unix_exchange *x, const void *bytes, size_t size)
{
	assert(x->open);
	return send(x->fd, bytes, size, MSG_DONTWAIT | MSG_NOSIGNAL) >= 0
		   ? 0
		   : uv_translate_sys_error(errno);
}

static void on_close(uv_handle_t *handle)
{
	struct unix_exchange *x = handle->data;
	x->callbacks->closed(x);
}

void unix_exchange_close(struct unix_exchange *x)
{
	if (!x->open)
		return;
	x->open = false;
	unlink(x->bound.sun_path);
	uv_close((uv_handle_t *)&x->poll, on_close);
	close(x->fd); /* uv_close() has stopped to look at it */
}
