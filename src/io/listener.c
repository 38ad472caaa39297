/* SPDX-License-Identifier: MIT */
#include "io/listener.h"

#include <errno.h>
#include <grp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#define BACKLOG 16

struct listener {
	uv_loop_t *loop;
	union listener_stream u;
	bool waiting; /* a call that was not taken */
	void (*called)(void *arg);
	void *arg;
	char path[sizeof((struct address *)0)->path]; /* "" for TCP */
	dev_t device; /* of the socket's file: what is there later may be another's */
	ino_t inode;
};

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

static void on_called(uv_stream_t *stream, int status)
{
	struct listener *l = stream->data;
	if (status < 0)
		return; /* it was gone before it was there, or no descriptors are left */
	l->waiting = true;
	l->called(l->arg);
}

/* --- TCP ------------------------------------------------------------------------------------- */

static int open_tcp(struct listener *l, const struct address *a, const char **why)
{
	struct sockaddr_storage at = {0};
	const char *host = strcasecmp(a->host, "localhost") == 0 ? "127.0.0.1" : a->host;
	if (uv_ip4_addr(host, a->port, (struct sockaddr_in *)&at) != 0 &&
	    uv_ip6_addr(host, a->port, (struct sockaddr_in6 *)&at) != 0) {
		*why = "to listen needs the number of an address of this machine, not a name";
		return UV_EINVAL;
	}
	int rc = uv_tcp_init(l->loop, &l->u.tcp);
	if (rc == 0)
		rc = uv_tcp_bind(&l->u.tcp, (const struct sockaddr *)&at, 0);
	if (rc == 0)
		rc = uv_listen(&l->u.stream, BACKLOG, on_called);
	if (rc == UV_EADDRINUSE)
		*why = "another program listens there already";
	else if (rc == UV_EADDRNOTAVAIL)
		*why = "this machine does not have that address";
	else if (rc == UV_EACCES)
		*why = "permission denied: ports below 1024 are root's";
	return rc;
}

/* --- Unix ------------------------------------------------------------------------------------ */

/* A socket that is left over is removed; anything else in the way stays. */
static int clear_path(const struct sockaddr_un *at, const char **why)
{
	struct stat there;
	if (lstat(at->sun_path, &there) != 0)
		return errno == ENOENT ? 0 : uv_translate_sys_error(errno);
	if (!S_ISSOCK(there.st_mode)) {
		*why = "there is a file in the way, which is no socket";
		return UV_EADDRINUSE;
	}
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return uv_translate_sys_error(errno);
	int rc = connect(fd, (const struct sockaddr *)at, sizeof *at) == 0 ? 0 : errno;
	close(fd);
	if (rc == ECONNREFUSED)
		return unlink(at->sun_path) == 0 ? 0 : uv_translate_sys_error(errno);
	if (rc == ENOENT)
		return 0;
	*why = "another program listens there already";
	return UV_EADDRINUSE;
}

/* The mode of the descriptor before bind(2) is that of the file (Linux unix(7), net/unix/af_unix.c
 * unix_bind), so that nobody else can open it for a single moment, whatever the umask is. */
static int bind_private(int fd, const struct sockaddr_un *at)
{
	if (fchmod(fd, S_IRUSR | S_IWUSR) != 0 ||
	    bind(fd, (const struct sockaddr *)at, sizeof *at) != 0)
		return uv_translate_sys_error(errno);
	return 0;
}

static int share_with(const char *path, const char *group, const char **why)
{
	char room[16384]; /* its members' names, too */
	struct group found, *g = NULL;
	if (getgrnam_r(group, &found, room, sizeof room, &g) != 0 || g == NULL) {
		*why = "there is no group of that name";
		return UV_EINVAL;
	}
	if (lchown(path, (uid_t)-1, g->gr_gid) != 0) {
		*why = "its group cannot be changed: be root, or a member of the group";
		return uv_translate_sys_error(errno);
	}
	return chmod(path, S_IRUSR | S_IWUSR | S_IRGRP | S_IWGRP) == 0
		   ? 0
		   : uv_translate_sys_error(errno);
}

static int own_path(struct listener *l, const char *path)
{
	struct stat mine;
	if (lstat(path, &mine) != 0)
		return uv_translate_sys_error(errno);
	snprintf(l->path, sizeof l->path, "%s", path);
	l->device = mine.st_dev;
	l->inode = mine.st_ino;
	return 0;
}

static int listen_at(struct listener *l, int *fd, const struct sockaddr_un *at, const char *group,
		     const char **why)
{
	int rc = clear_path(at, why);
	if (rc == 0)
		rc = bind_private(*fd, at);
	if (rc == 0)
		rc = own_path(l, at->sun_path);
	if (rc == 0 && group != NULL)
		rc = share_with(l->path, group, why);
	if (rc == 0)
		rc = uv_pipe_open(&l->u.pipe, *fd);
	if (rc == 0) {
		*fd = -1; /* libuv's */
		rc = uv_listen(&l->u.stream, BACKLOG, on_called);
	}
	return rc;
}

static int open_unix(struct listener *l, const struct address *a, const char *group,
		     const char **why)
{
	struct sockaddr_un at = {.sun_family = AF_UNIX};
	memcpy(at.sun_path, a->path, sizeof at.sun_path);
	int rc = uv_pipe_init(l->loop, &l->u.pipe, 0);
	int fd = rc == 0 ? socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0) : -1;
	if (rc == 0 && fd < 0)
		rc = uv_translate_sys_error(errno);
	if (rc == 0)
		rc = listen_at(l, &fd, &at, group, why);
	if (fd >= 0)
		close(fd);
	return rc;
}

static void remove_path(const struct listener *l)
{
	struct stat there;
	if (l->path[0] != '\0' && lstat(l->path, &there) == 0 && there.st_dev == l->device &&
	    there.st_ino == l->inode)
		unlink(l->path);
}

/* --- the listener ---------------------------------------------------------------------------- */

int listener_open(struct listener **out, uv_loop_t *loop, const struct address *address,
		  const char *group, void (*called)(void *arg), void *arg, char *error,
		  size_t error_size)
{
	struct listener *l = calloc(1, sizeof *l);
	const char *why = NULL;
	int rc = UV_ENOMEM;
	if (l != NULL) {
		l->loop = loop;
		l->called = called;
		l->arg = arg;
		rc = address->kind == ADDRESS_UNIX ? open_unix(l, address, group, &why)
						   : open_tcp(l, address, &why);
		l->u.handle.data = l;
	}
	if (rc == 0) {
		*out = l;
		return 0;
	}
	snprintf(error, error_size, "%s", why != NULL ? why : uv_strerror(rc));
	if (l != NULL && l->u.handle.loop == NULL)
		free(l);
	else
		listener_close(l);
	return rc;
}

int listener_accept(struct listener *l, union listener_stream *out)
{
	out->handle.loop = NULL;
	if (!l->waiting)
		return UV_EAGAIN;
	int rc = l->path[0] != '\0' ? uv_pipe_init(l->loop, &out->pipe, 0)
				    : uv_tcp_init(l->loop, &out->tcp);
	if (rc != 0)
		return rc;
	l->waiting = false;
	return uv_accept(&l->u.stream, &out->stream);
}

void listener_close(struct listener *l)
{
	if (l == NULL)
		return;
	remove_path(l);
	uv_close(&l->u.handle, on_closed);
}
