/* SPDX-License-Identifier: MIT */
#include "core/alerts.h"

#include <assert.h>
#include <stddef.h>

void alert_table_init(struct alert_table *t)
{
	for (int i = 0; i < ALERT_COUNT; i++)
		t->entry[i] = (struct alert_entry){.hold = NSEC_UNKNOWN};
}

static uint64_t fnv1a(uint64_t hash, const char *text)
{
	for (; *text != '\0'; text++)
		hash = (hash ^ (unsigned char)*text) * 0x100000001b3;
	return (hash ^ 0xff) * 0x100000001b3;
}

uint64_t alert_id(enum alert_name name, const char *tunnel)
{
	uint64_t hash = 0xcbf29ce484222325;
	hash = fnv1a(fnv1a(hash, "alertname"), name_alert(name));
	return tunnel != NULL ? fnv1a(fnv1a(hash, "tunnel"), tunnel) : hash;
}

static void write_alert(const struct alert_entry *e, enum alert_name name, enum alert_status status,
			struct notice *n)
{
	assert(n->type == NOTICE_ALERT);
	n->alert.name = name;
	n->alert.status = status;
	n->alert.id = alert_id(name, n->tunnel);
	n->alert.starts_at = e->since.wall;
	n->alert.count = e->count;
}

void alert_raise(struct alert_table *t, enum alert_name name, const struct stamp *since,
		 struct notice *n)
{
	struct alert_entry *e = &t->entry[name];
	enum alert_status status = e->firing ? ALERT_UPDATED : ALERT_FIRING;
	if (!e->firing) {
		e->firing = true;
		e->since = *since;
	}
	e->count++;
	write_alert(e, name, status, n);
}

void alert_update(struct alert_table *t, enum alert_name name, struct notice *n)
{
	assert(t->entry[name].firing);
	write_alert(&t->entry[name], name, ALERT_UPDATED, n);
}

void alert_resolve(struct alert_table *t, enum alert_name name, const struct stamp *end,
		   struct notice *n)
{
	struct alert_entry *e = &t->entry[name];
	assert(e->firing);
	write_alert(e, name, ALERT_RESOLVED, n);
	e->firing = false;
	e->count = 0;
	/* The wall clock may have been set meanwhile; an end before the start helps nobody. */
	n->alert.ends_at = nsec_max(end->wall, e->since.wall);
	n->alert.duration_s = end->boot - e->since.boot;
	n->severity = SEVERITY_INFO;
}

void alert_again(struct alert_table *t, enum alert_name name)
{
	assert(t->entry[name].firing);
	t->entry[name].count++;
}

void alert_counted(struct alert_table *t, enum alert_name name, unsigned before)
{
	assert(!t->entry[name].firing);
	t->entry[name].count = before;
}

bool alert_firing(const struct alert_table *t, enum alert_name name)
{
	return t->entry[name].firing;
}
