/* SPDX-License-Identifier: MIT */
#include "core/log_speaker.h"

void log_speaker_init(struct log_speaker *s)
{
	*s = (struct log_speaker){.pid = -1, .before = -1};
}

static bool first_sign(struct log_speaker *s)
{
	bool news = !s->told;
	s->told = true;
	return news;
}

static bool is_other(const struct log_speaker *s, int64_t pid)
{
	for (unsigned i = 0; i < s->n_others; i++)
		if (s->others[i] == pid)
			return true;
	return false;
}

static void add_other(struct log_speaker *s, int64_t pid)
{
	if (s->n_others == LOG_SPEAKER_OTHERS)
		s->n_others = 0; /* the oldest have ended, most likely */
	s->others[s->n_others++] = pid;
}

static bool ends(const struct log_fact *fact)
{
	return fact->kind == LOG_SIGNAL &&
	       (slice_is(fact->signal, "SIGTERM") || slice_is(fact->signal, "SIGINT"));
}

static bool hear_pid(struct log_speaker *s, int64_t pid, const struct log_fact *fact, bool *news)
{
	if (pid == -1 || pid == s->pid) {
		if (ends(fact)) { /* whoever comes next may be its successor */
			s->before = -1;
			s->n_others = 0;
		}
		return true;
	}
	if (is_other(s, pid))
		return false;
	if (pid != s->before) {
		s->before = s->pid;
		s->pid = pid;
		return true;
	}
	s->before = -1;
	if (ends(fact)) /* its successor was quicker */
		return false;
	/* It lives: the one that we took for its successor is another. */
	add_other(s, s->pid);
	s->pid = pid;
	*news = first_sign(s);
	return true;
}

bool log_speaker_hear(struct log_speaker *s, struct slice ident, int64_t pid,
		      const struct log_fact *fact, bool *news)
{
	char name[sizeof s->ident];
	*news = false;
	if (ident.n == 0)
		return true;
	slice_copy(ident, name, sizeof name);
	bool says = fact->kind != LOG_NOTHING, vpn = slice_find(ident, "vpn") != SIZE_MAX;
	bool better = says && vpn && slice_find(slice_from(s->ident), "vpn") == SIZE_MAX;
	if (s->ident[0] == '\0' && !says && !vpn)
		return false;
	if (s->ident[0] == '\0' || better) {
		memcpy(s->ident, name, sizeof name);
		s->pid = pid;
		s->before = -1;
	}
	if (strcmp(name, s->ident) == 0)
		return hear_pid(s, pid, fact, news);
	*news = says && first_sign(s);
	return false;
}
