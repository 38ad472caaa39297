/* SPDX-License-Identifier: MIT
 *
 * Whose lines in a journal are this tunnel's daemon's. A journal has the lines of many programs,
 * perhaps of several OpenVPNs; what tells them apart is what the logger writes in front:
 * "nm-openvpn[123]:".
 *
 * Happy path: the first that speaks like OpenVPN is the one (but one that is called like it is
 * better than one that is not), and a new process of the same name is the same daemon, started
 * again. Failure modes: another name (passed over, told once); two
 * processes of one name that speak in turn (the one that was there first counts); no logger at all
 * (everything counts).
 */
#ifndef OVPNWATCH_CORE_LOG_SPEAKER_H
#define OVPNWATCH_CORE_LOG_SPEAKER_H

#include "proto/log_text.h"

#define LOG_SPEAKER_OTHERS 4

struct log_speaker {
	char ident[48]; /* "": nobody yet */
	int64_t pid;	/* whose lines count; -1 unknown */
	int64_t before; /* whose lines counted before that; -1 */
	/* Processes of the same name that are other daemons. */
	int64_t others[LOG_SPEAKER_OTHERS];
	unsigned n_others;
	bool told; /* that there is another */
};

void log_speaker_init(struct log_speaker *s);

/* A line by `ident` (empty: there is no logger) and `pid` (-1: it is not there) that says `fact`.
 * True: it is this tunnel's daemon's. *news is always written: it is the first sign that there is
 * another OpenVPN. */
bool log_speaker_hear(struct log_speaker *s, struct slice ident, int64_t pid,
		      const struct log_fact *fact, bool *news);

#endif
