/* SPDX-License-Identifier: MIT */
#include "proto/client_list.h"

static const char list[] = "CLIENT_LIST";
static const char header[] = "HEADER";

/* Takes the fields apart; their number, or 0: there are too many, or the first is not `first`. */
static int split(struct slice line, const char *first, struct slice fields[CLIENT_COLUMNS_MAX])
{
	size_t n = strlen(first);
	int count = 0;
	if (!slice_starts(line, first) || line.n == n || (line.p[n] != '\t' && line.p[n] != ','))
		return 0;
	char separator = line.p[n];
	while (line.p != NULL) {
		if (count == CLIENT_COLUMNS_MAX)
			return 0;
		fields[count++] = slice_cut(&line, separator);
	}
	return count;
}

static int column(const struct slice *fields, int n, const char *title)
{
	for (int i = 1; i < n; i++)
		if (slice_is(fields[i], title))
			return i;
	return -1;
}

enum verdict client_list_header(struct slice line, struct client_columns *out)
{
	struct slice fields[CLIENT_COLUMNS_MAX];
	int n = split(line, header, fields);
	if (n < 3 || !slice_is(fields[1], list))
		return VERDICT_INVALID;
	const struct slice *titles = fields + 1;
	n--;
	struct client_columns c = {
	    .name = column(titles, n, "Common Name"),
	    .address = column(titles, n, "Real Address"),
	    .virtual_ip = column(titles, n, "Virtual Address"),
	    .received = column(titles, n, "Bytes Received"),
	    .sent = column(titles, n, "Bytes Sent"),
	    .since = column(titles, n, "Connected Since (time_t)"),
	    .id = column(titles, n, "Client ID"),
	    .n = n,
	};
	if (c.name < 0 || c.address < 0)
		return VERDICT_INVALID;
	*out = c;
	return VERDICT_DONE;
}

/* A number, or -1 where there is none. False: something else is there. */
static bool number(const struct slice *fields, int at, int64_t *out)
{
	uint64_t value = 0;
	*out = -1;
	if (at < 0 || fields[at].n == 0)
		return true;
	if (!slice_to_u64(fields[at], &value))
		return false;
	*out = value <= INT64_MAX ? (int64_t)value : -1;
	return true;
}

enum verdict client_list_row(struct slice line, const struct client_columns *columns,
			     struct client_row *out)
{
	struct slice fields[CLIENT_COLUMNS_MAX];
	struct client_row row = {0};
	int64_t id = -1;
	if (split(line, list, fields) != columns->n)
		return VERDICT_INVALID;
	row.name = fields[columns->name];
	row.address = fields[columns->address];
	if (row.name.n == 0 || row.address.n == 0 ||
	    !number(fields, columns->received, &row.received) ||
	    !number(fields, columns->sent, &row.sent) ||
	    !number(fields, columns->since, &row.since) || !number(fields, columns->id, &id))
		return VERDICT_INVALID;
	if (columns->virtual_ip >= 0)
		row.virtual_ip = fields[columns->virtual_ip];
	row.id = id >= 0 ? (uint64_t)id : UINT64_MAX;
	*out = row;
	return VERDICT_DONE;
}
