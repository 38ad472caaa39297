/* SPDX-License-Identifier: MIT
 *
 * The life of alerts: firing once, updated when something about it changed, resolved once; the same
 * id for the same alert of the same tunnel, across restarts of ovpnwatch. Whether an alert ought to
 * fire is decided elsewhere (rules.c, episode.c); that it fires once only is decided here.
 */
#ifndef OVPNWATCH_CORE_ALERTS_H
#define OVPNWATCH_CORE_ALERTS_H

#include "core/notice.h"

struct alert_entry {
	bool firing;
	struct stamp since;
	unsigned count; /* since it began to fire; before that, what it will begin with */
	nsec hold;	/* mono: the condition has been so since; NSEC_UNKNOWN: it is not so */
};

struct alert_table {
	struct alert_entry entry[ALERT_COUNT];
};

void alert_table_init(struct alert_table *t);

/* Begins to fire (or, if it does already, counts once more) and writes the alert's part of *n,
 * which the caller has made with notice_init(): ALERT_FIRING or ALERT_UPDATED. `since` is when what
 * it says began. */
void alert_raise(struct alert_table *t, enum alert_name name, const struct stamp *since,
		 struct notice *n);

/* The alert, which is firing, has something new to say: ALERT_UPDATED. */
void alert_update(struct alert_table *t, enum alert_name name, struct notice *n);

/* The alert, which is firing, is over since `end`: ALERT_RESOLVED. */
void alert_resolve(struct alert_table *t, enum alert_name name, const struct stamp *end,
		   struct notice *n);

/* The alert, which is firing, has happened once more, and there is nothing new to say of it. */
void alert_again(struct alert_table *t, enum alert_name name);

/* The alert, which does not fire, will have happened so often when it is raised next. */
void alert_counted(struct alert_table *t, enum alert_name name, unsigned before);

bool alert_firing(const struct alert_table *t, enum alert_name name);

/* FNV-1a-64 over the sorted labels alertname and tunnel, each "name 0xff value 0xff": what
 * Alertmanager computes as the fingerprint of the same labels. `tunnel` NULL: no such label. */
uint64_t alert_id(enum alert_name name, const char *tunnel);

#endif
