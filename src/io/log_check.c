/* SPDX-License-Identifier: MIT */
#include "io/log_check.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>
#include <sysexits.h>
#include <unistd.h>

static int is_log(const struct dirent *entry)
{
	size_t n = strlen(entry->d_name);
	return n > 4 && strcmp(entry->d_name + n - 4, ".log") == 0;
}

/* The file *.log in a folder that was written last; "" if there is none. */
static void newest_log(const char *folder, char *out, size_t size)
{
	struct dirent **names = NULL;
	int n = scandir(folder, &names, is_log, alphasort);
	int fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	time_t newest = 0;
	struct stat st;
	out[0] = '\0';
	for (int i = 0; i < n; i++) {
		if (fstatat(fd, names[i]->d_name, &st, 0) == 0 && S_ISREG(st.st_mode) &&
		    (out[0] == '\0' || st.st_mtime > newest)) {
			newest = st.st_mtime;
			snprintf(out, size, "%s", names[i]->d_name);
		}
		free(names[i]);
	}
	free(names);
	if (fd >= 0)
		close(fd);
}

static int say_folder(const char *path, char *error, size_t size)
{
	char name[256];
	const char *slash = path[strlen(path) - 1] == '/' ? "" : "/";
	newest_log(path, name, sizeof name);
	if (name[0] != '\0')
		snprintf(error, size,
			 "%s is a folder: give the log of one tunnel in it; the one that was "
			 "written last is %s%s%s",
			 path, path, slash, name);
	else
		snprintf(
		    error, size,
		    "%s is a folder, and has no file *.log in it: give the client's log itself",
		    path);
	return EX_USAGE;
}

static int check_standard_input(char *error, size_t size)
{
	struct stat st;
	if (fstat(STDIN_FILENO, &st) != 0) {
		snprintf(error, size, "--log -: there is no standard input");
		return EX_USAGE;
	}
	if (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode))
		return 0;
	snprintf(error, size,
		 "--log -: standard input is a file, which is not followed: give its "
		 "name with --log FILE, or judge it with ovpnwatch replay -");
	return EX_USAGE;
}

int log_check(const char *path, char *error, size_t size)
{
	struct stat st;
	if (strcmp(path, "-") == 0)
		return check_standard_input(error, size);
	bool there = stat(path, &st) == 0;
	if (path[0] == '\0' || (!there && path[strlen(path) - 1] == '/')) {
		snprintf(error, size, "--log needs the name of a file, or -");
		return EX_USAGE;
	}
	if (!there && errno != EACCES)
		return 0;
	if (there && S_ISDIR(st.st_mode))
		return say_folder(path, error, size);
	if (there && S_ISSOCK(st.st_mode)) {
		snprintf(error, size, "%s is a socket, not a log: is it meant for --management?",
			 path);
		return EX_USAGE;
	}
	int fd = there && S_ISREG(st.st_mode) ? open(path, O_RDONLY | O_CLOEXEC) : -1;
	bool may = fd >= 0 || (there && !S_ISREG(st.st_mode) && access(path, R_OK) == 0);
	int reason = errno;
	if (fd >= 0)
		close(fd);
	if (may)
		return 0;
	snprintf(error, size,
		 "%s may not be read (%s): be root, or a member of the group that may (often adm)",
		 path, strerror(reason));
	return EX_NOPERM;
}

bool log_is_here(const char *path)
{
	/* statfs(2): NFS, CIFS, SMB2, 9P, FUSE, AFS, Ceph. */
	static const unsigned long elsewhere[] = {0x6969,     0xff534d42, 0xfe534d42, 0x01021997,
						  0x65735546, 0x5346414f, 0x00c36400};
	struct statfs fs;
	struct stat st;
	if (strcmp(path, "-") == 0)
		return false;
	if (stat(path, &st) != 0 || statfs(path, &fs) != 0)
		return true; /* not there yet */
	if (!S_ISREG(st.st_mode))
		return false;
	for (size_t i = 0; i < sizeof elsewhere / sizeof *elsewhere; i++)
		if (((unsigned long)fs.f_type & 0xffffffff) == elsewhere[i])
			return false;
	return true;
}
