/* SPDX-License-Identifier: MIT
 *
 * How fast the framer and the parser of proto/management are, beside a bare memchr('\n') scan of
 * the same bytes in the same run. A mix of 20 % STATE, 40 % BYTECOUNT and 40 % LOG lines, 55 bytes
 * on average. Aim: at most 4 times the scan's time, above 1 GB/s on an idle core. Use a Release
 * build:
 *
 *     bench_management                     a million lines, 11 rounds, medians
 *     bench_management --lines N           another number of lines
 *     bench_management --once --lines N    one pass of frame+parse only, for counting instructions:
 *
 *     for n in 10000 110000; do valgrind --tool=callgrind --callgrind-out-file=/dev/null \
 *         --toggle-collect=frame_and_parse bench_management --once --lines $n; done
 *
 * The difference of the two "Collected" figures over 100000 is the instructions a line.
 */
#include "proto/management.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#define ROUNDS	   11
#define LINE_ROOM  160
#define READ_BYTES 65536 /* what one read of a socket gives */

static double now_s(void)
{
	struct timespec t;
	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec + (double)t.tv_nsec / 1e9;
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a;
	double y = *(const double *)b;
	return (x > y) - (x < y);
}

static size_t put_state(char *at, unsigned long time, unsigned i)
{
	static const char *const states[] = {
	    "WAIT,,,,,,",
	    "AUTH,,,,,,",
	    "GET_CONFIG,,,,,,",
	    "ASSIGN_IP,,10.8.0.42,,,,",
	    "CONNECTED,SUCCESS,10.8.0.42,198.51.100.4,1194,192.0.2.17,50211",
	    "RECONNECTING,ping-restart,,,,,",
	};
	return (size_t)snprintf(at, LINE_ROOM, ">STATE:%lu,%s\r\n", time,
				states[i % (sizeof states / sizeof *states)]);
}

static size_t put_log(char *at, unsigned long time, unsigned i)
{
	static const char *const texts[] = {
	    "I,UDPv4 link remote: [AF_INET]198.51.100.4:1194",
	    ",VERIFY OK: depth=0, CN=server, O=Example, OU=Network, L=Springfield, C=US",
	    ",Socket Buffers: R=[212992->212992] S=[212992->212992]",
	    "D,MANAGEMENT: CMD 'state on all'",
	    "N,read UDPv4 [ECONNREFUSED]: Connection refused (fd=5,code=111)",
	    ",Control Channel: TLSv1.3, cipher TLSv1.3 TLS_AES_256_GCM_SHA384, peer certificate",
	    "I,[server] Inactivity timeout (--ping-restart), restarting",
	};
	return (size_t)snprintf(at, LINE_ROOM, ">LOG:%lu,%s\r\n", time,
				texts[i % (sizeof texts / sizeof *texts)]);
}

/* The mix in an order that a branch predictor cannot learn. */
static struct slice make_lines(unsigned long lines)
{
	char *bytes = malloc(lines * LINE_ROOM + LINE_ROOM);
	unsigned random = 1;
	size_t used = 0;
	if (bytes == NULL)
		exit(1);
	for (unsigned long i = 0; i < lines; i++) {
		char *at = bytes + used;
		unsigned long time = 1705361803 + i / 50;
		random = random * 1103515245U + 12345U;
		unsigned roll = random >> 16;
		if (roll % 5 == 0)
			used += put_state(at, time, roll / 5);
		else if (roll % 5 < 3)
			used += (size_t)snprintf(at, LINE_ROOM, ">BYTECOUNT:%lu,%lu\r\n",
						 2112 + i * 1400, 2018 + i * 800);
		else
			used += put_log(at, time, roll / 5);
	}
	return (struct slice){.p = bytes, .n = used};
}

static unsigned long scan(struct slice bytes)
{
	unsigned long lines = 0;
	const char *end = bytes.p + bytes.n;
	for (const char *at = bytes.p; at < end; lines++) {
		const char *newline = memchr(at, '\n', (size_t)(end - at));
		if (newline == NULL)
			break;
		at = newline + 1;
	}
	return lines;
}

unsigned long frame_and_parse(struct slice bytes, uint64_t *sum);

/* Not static, so that callgrind finds it by name. The sum keeps the work from being left out. */
__attribute__((noinline)) unsigned long frame_and_parse(struct slice bytes, uint64_t *sum)
{
	static char buf[MANAGEMENT_LINE_MAX];
	struct management_framer f;
	struct management_message m;
	unsigned long lines = 0;
	management_framer_init(&f, buf, sizeof buf);
	while (bytes.n > 0) {
		struct slice in = {.p = bytes.p, bytes.n < READ_BYTES ? bytes.n : READ_BYTES};
		struct slice line;
		bytes = slice_skip(bytes, in.n);
		while (management_framer_next(&f, &in, &line) == VERDICT_DONE) {
			if (management_parse(line, &m) != VERDICT_DONE)
				exit(1);
			*sum += (uint64_t)m.kind + m.u.bytecount.in;
			lines++;
		}
	}
	return lines;
}

static void print(const char *what, double *seconds, size_t bytes, unsigned long lines)
{
	qsort(seconds, ROUNDS, sizeof *seconds, by_value);
	double median = seconds[ROUNDS / 2];
	printf("%-12s %8.1f MB/s %7.2f ns/line   (fastest round %.1f MB/s)\n", what,
	       (double)bytes / median / 1e6, median * 1e9 / (double)lines,
	       (double)bytes / seconds[0] / 1e6);
}

int main(int argc, char **argv)
{
	unsigned long lines = 1000000;
	bool once = false;
	double scans[ROUNDS];
	double parses[ROUNDS];
	uint64_t sum = 0;
	for (int i = 1; i < argc; i++) {
		if (strcmp(argv[i], "--once") == 0)
			once = true;
		else if (strcmp(argv[i], "--lines") == 0 && i + 1 < argc)
			lines = strtoul(argv[++i], NULL, 10);
		else
			return fprintf(stderr, "usage: %s [--once] [--lines N]\n", argv[0]), 64;
	}
	if (lines == 0 || lines > 10000000)
		return fprintf(stderr, "--lines: 1 to 10000000\n"), 64;
	struct slice bytes = make_lines(lines);
	if (once)
		return frame_and_parse(bytes, &sum) == lines ? 0 : 1;
	printf("%lu lines, %.1f MB\n", lines, (double)bytes.n / 1e6);
	for (int i = 0; i < ROUNDS; i++) {
		double start = now_s();
		if (scan(bytes) != lines)
			return 1;
		double middle = now_s();
		if (frame_and_parse(bytes, &sum) != lines)
			return 1;
		scans[i] = middle - start;
		parses[i] = now_s() - middle;
	}
	print("memchr scan", scans, bytes.n, lines);
	print("frame+parse", parses, bytes.n, lines);
	printf("ratio %.2f (checksum %llu)\n", parses[ROUNDS / 2] / scans[ROUNDS / 2],
	       (unsigned long long)sum);
	free((char *)bytes.p);
	return 0;
}
