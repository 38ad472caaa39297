/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch: says why an OpenVPN tunnel restarted, and what the clocks at both ends showed.
 */
#include "verbs.h"

#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sysexits.h>
#include <unistd.h>

int exit_status_of(enum clock_verdict verdict)
{
	switch (verdict) {
	case CLOCK_AHEAD:
	case CLOCK_BEHIND:
		return EXIT_FAILURE;
	case CLOCK_FINE:
		return EXIT_SUCCESS;
	case CLOCK_INCONCLUSIVE:
		break;
	}
	return EXIT_UNKNOWN;
}

int complain(int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	fputs("ovpnwatch: ", stderr);
	vfprintf(stderr, format, args);
	fputc('\n', stderr);
	va_end(args);
	return status;
}

/* Were standard output closed, the next socket would be called 1 and events would be sent to
 * OpenVPN. What is opened here fails when it is written to, as a closed one should. */
static void keep_standard_descriptors(void)
{
	int fd;
	do
		fd = open("/dev/null", O_RDONLY);
	while (fd >= 0 && fd <= STDERR_FILENO);
	if (fd >= 0)
		close(fd);
}

int print(const char *text)
{
	if (fputs(text, stdout) == EOF || fflush(stdout) != 0)
		return complain(EX_IOERR, "cannot write to standard output");
	return EXIT_SUCCESS;
}

int exit_status_of_options(enum options_result result)
{
	switch (result) {
	case OPTIONS_FINE:
		return EXIT_SUCCESS;
	case OPTIONS_MISUSED:
		return EX_USAGE;
	case OPTIONS_CONFIG_UNREADABLE:
		return EX_NOPERM;
	case OPTIONS_CONFIG_WRONG:
		break;
	}
	return EX_CONFIG;
}

static int run(const struct options *options, int argc, char **argv)
{
	switch (options->verb) {
	case VERB_WATCH:
		return verb_watch(options, argc, argv);
	case VERB_REPLAY:
		return verb_replay(options);
	case VERB_PROBE:
		return verb_probe(options);
	case VERB_CLOCK:
		return verb_clock(options);
	case VERB_EXPLAIN:
		return verb_explain(options);
	case VERB_HELP:
		return print(options_help(options->help_of));
	case VERB_VERSION:
		return print("ovpnwatch " OVPNWATCH_VERSION "\n");
	}
	return EXIT_FAILURE;
}

int main(int argc, char **argv)
{
	struct options options;
	char error[320];

	keep_standard_descriptors();
	/* Not as uv_signal_t: an end of reading shall be an error of write, and so shall a limit
	 * on the size of files. */
	signal(SIGPIPE, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	enum options_result result = options_parse(argc, argv, &options, error, sizeof error);
	int status = result == OPTIONS_FINE ? run(&options, argc, argv)
					    : complain(exit_status_of_options(result), "%s", error);
	options_free(&options);
	return status;
}
