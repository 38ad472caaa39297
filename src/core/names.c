/* SPDX-License-Identifier: MIT */
#include "core/names.h"

#include <assert.h>
#include <stddef.h>

static const struct {
	const char *word;
	enum severity severity;
	const char *text;
} alerts[ALERT_COUNT] = {
#define X(name, word, severity, text) [name] = {word, severity, text},
#include "core/alerts.def"
#undef X
};

static const struct {
	const char *word;
	const char *phrase;
} causes[CAUSE_COUNT] = {
#define X(name, word, rule, phrase) [name] = {word, phrase},
#include "core/causes.def"
#undef X
};

/* All of words.def as one table: a list is a handful of words, and they are looked up to be
 * printed. */
enum word_list {
	LIST_notice_type,
	LIST_severity,
	LIST_alert_status,
	LIST_confidence,
	LIST_local_clock_state,
	LIST_local_clock_source,
	LIST_peer_clock_source,
	LIST_clock_verdict,
	LIST_scope,
	LIST_step_clock,
	LIST_timer_source,
	LIST_monitor_kind,
	LIST_management_option,
	LIST_client_change,
};

static const struct {
	enum word_list list;
	int value;
	const char *word;
} words[] = {
#define W(list, name, word) {LIST_##list, name, word},
#include "core/words.def"
#undef W
};

static const char *word_of(enum word_list list, int value)
{
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (words[i].list == list && words[i].value == value)
			return words[i].word;
	assert(0 && "an enumerator without a word in words.def");
	return "";
}

const char *name_alert(enum alert_name a)
{
	assert(a < ALERT_COUNT);
	return alerts[a].word;
}

enum severity alert_severity(enum alert_name a)
{
	assert(a < ALERT_COUNT);
	return alerts[a].severity;
}

const char *alert_text(enum alert_name a)
{
	assert(a < ALERT_COUNT);
	return alerts[a].text;
}

const char *name_cause(enum cause_name c)
{
	assert(c < CAUSE_COUNT);
	return causes[c].word;
}

const char *cause_phrase(enum cause_name c)
{
	assert(c < CAUSE_COUNT);
	return causes[c].phrase;
}

#define NAME_FUNCTION(list)                              \
	const char *name_##list(enum list value)         \
	{                                                \
		return word_of(LIST_##list, (int)value); \
	}

NAME_FUNCTION(notice_type)
NAME_FUNCTION(severity)
NAME_FUNCTION(alert_status)
NAME_FUNCTION(confidence)
NAME_FUNCTION(local_clock_state)
NAME_FUNCTION(local_clock_source)
NAME_FUNCTION(peer_clock_source)
NAME_FUNCTION(clock_verdict)
NAME_FUNCTION(scope)
NAME_FUNCTION(step_clock)
NAME_FUNCTION(timer_source)
NAME_FUNCTION(monitor_kind)
NAME_FUNCTION(management_option)
NAME_FUNCTION(client_change)
