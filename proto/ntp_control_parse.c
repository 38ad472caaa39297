/* SPDX-License-Identifier: MIT
 *
 * The text of an answer of mode 6: NAME=VALUE, separated by commas and line ends, a value perhaps
 * in quotes with commas of its own (RFC 9327 section 4; NTPsec ntp_control.c ctl_putsys,
 * ctl_putdata). Times are printed in milliseconds, with three or six decimals.
 *
 * Numbers are read here and not by strtod(), which takes the locale's decimal point, "inf", "nan"
 * and hexadecimal.
 */
#include "proto/ntp_control.h"

#include "proto/slice.h"

#include <math.h>

#define TIME_MAX_S 2147483648.0
#define PPM_MAX	   1e6

enum kind { WHOLE, REAL, STAMP, TEXT };

#define MEMBER(m) offsetof(struct ntp_control_system, m)

static const struct variable {
	const char *name;
	enum kind kind;
	size_t member;
	double per_unit; /* of the wire's unit to the member's */
	double min, max; /* in the member's unit */
} known[] = {
    {"leap", WHOLE, MEMBER(leap), 1, 0, 3},
    {"stratum", WHOLE, MEMBER(stratum), 1, 0, 255},
    {"offset", REAL, MEMBER(offset_s), 1000, -TIME_MAX_S, TIME_MAX_S},
    {"sys_jitter", REAL, MEMBER(jitter_s), 1000, 0, TIME_MAX_S},
    {"rootdelay", REAL, MEMBER(root_delay_s), 1000, 0, TIME_MAX_S},
    {"rootdisp", REAL, MEMBER(root_dispersion_s), 1000, 0, TIME_MAX_S},
    {"refid", TEXT, MEMBER(refid), 1, 0, 0},
    {"reftime", STAMP, MEMBER(reftime), 1, 0, 0},
    {"tc", WHOLE, MEMBER(tc), 1, 0, 31},
    {"frequency", REAL, MEMBER(frequency_ppm), 1, -PPM_MAX, PPM_MAX},
};

enum { N_KNOWN = sizeof known / sizeof *known };

/* Takes one sign off the front; true if it was a minus. */
static bool take_sign(struct slice *s)
{
	bool minus = s->n > 0 && s->p[0] == '-';
	if (minus || (s->n > 0 && s->p[0] == '+'))
		*s = slice_skip(*s, 1);
	return minus;
}

/* Digits, and perhaps a point and more digits, off the front: mantissa * 10^scale. The mantissa
 * stays below 2^53, where a double holds every whole number; more digits than that are not a
 * measurement. */
static bool take_digits(struct slice *s, int64_t *mantissa, int *scale)
{
	const int64_t limit = INT64_C(1) << 53;
	bool digit = false, point = false;
	*mantissa = 0;
	*scale = 0;
	for (; s->n > 0; *s = slice_skip(*s, 1)) {
		char c = s->p[0];
		if (c == '.' && digit && !point) {
			point = true;
			digit = false;
			continue;
		}
		if (c < '0' || c > '9')
			break;
		digit = true;
		*mantissa = *mantissa * 10 + (c - '0');
		*scale -= point;
		if (*mantissa >= limit)
			return false;
	}
	return digit;
}

/* Nothing, or 'e', a sign perhaps, and digits: adds to the scale. */
static bool take_exponent(struct slice s, int *scale)
{
	uint64_t digits;
	if (s.n == 0)
		return true;
	if (s.p[0] != 'e' && s.p[0] != 'E')
		return false;
	s = slice_skip(s, 1);
	bool minus = take_sign(&s);
	if (!slice_to_u64(s, &digits) || digits > 99)
		return false;
	*scale += minus ? -(int)digits : (int)digits;
	return true;
}

static bool to_double(struct slice s, double *out)
{
	/* Powers of ten that a double holds exactly: one rounding, in the last step, and none is
	 * ever infinite. What would need others is beyond every range above, or below every use. */
	static const double tens[] = {1e0,  1e1,  1e2,	1e3,  1e4,  1e5,  1e6,	1e7,
				      1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
				      1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22};
	const int most = sizeof tens / sizeof *tens - 1;
	int64_t mantissa;
	int scale;
	bool minus = take_sign(&s);
	if (!take_digits(&s, &mantissa, &scale) || !take_exponent(s, &scale))
		return false;
	if (scale < -most || scale > most)
		return false;
	double size = (double)mantissa;
	size = scale < 0 ? size / tens[-scale] : size * tens[scale];
	*out = minus ? -size : size;
	return true;
}

static int hex_value(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	if (c >= 'A' && c <= 'F')
		return c - 'A' + 10;
	return -1;
}

/* 0xSSSSSSSS.FFFFFFFF (ctl_putts). */
static bool to_stamp(struct slice s, uint64_t *out)
{
	enum { SIZE = 19, POINT = 10 };
	uint64_t stamp = 0;
	if (s.n != SIZE || !slice_starts(s, "0x") || s.p[POINT] != '.')
		return false;
	for (size_t i = 2; i < SIZE; i++) {
		int digit = hex_value(s.p[i]);
		if (i == POINT)
			continue;
		if (digit < 0)
			return false;
		stamp = stamp << 4 | (uint64_t)digit;
	}
	*out = stamp;
	return true;
}

/* What does not fit is cut, what is not printable ASCII becomes '?'. */
static void to_text(struct slice s, char *out, size_t size)
{
	size_t n = 0;
	for (; n < s.n && n < size - 1; n++)
		out[n] = s.p[n] >= ' ' && s.p[n] <= '~' ? s.p[n] : '?';
	out[n] = '\0';
}

static bool to_number(const struct variable *v, struct slice value, double *out)
{
	double number;
	if (!to_double(value, &number))
		return false;
	number /= v->per_unit;
	if (!(number >= v->min && number <= v->max))
		return false;
	*out = number;
	return true;
}

static bool set(const struct variable *v, struct slice value, struct ntp_control_system *out)
{
	char *member = (char *)out + v->member;
	double number;
	int whole;
	uint64_t stamp;
	switch (v->kind) {
	case REAL:
		if (!to_number(v, value, &number))
			return false;
		memcpy(member, &number, sizeof number);
		return true;
	case WHOLE:
		if (!to_number(v, value, &number) || number != (int)number)
			return false;
		whole = (int)number;
		memcpy(member, &whole, sizeof whole);
		return true;
	case STAMP:
		if (!to_stamp(value, &stamp))
			return false;
		memcpy(member, &stamp, sizeof stamp);
		return true;
	case TEXT:
		to_text(value, member, sizeof out->refid);
		return true;
	}
	return false;
}

/* The next item off the front of `rest`: up to a comma that is not within quotes. */
static struct slice cut_item(struct slice *rest)
{
	bool quoted = false;
	size_t n = 0;
	for (; n < rest->n && (quoted || rest->p[n] != ','); n++)
		quoted ^= rest->p[n] == '"';
	struct slice item = {.p = rest->p, .n = n};
	*rest = slice_skip(*rest, n + 1);
	return item;
}

static struct slice unquoted(struct slice s)
{
	if (s.n >= 2 && s.p[0] == '"' && s.p[s.n - 1] == '"')
		return (struct slice){.p = s.p + 1, .n = s.n - 2};
	return s;
}

/* The index in known[], or N_KNOWN. */
static unsigned look_up(struct slice name)
{
	unsigned i = 0;
	while (i < N_KNOWN && !slice_is(name, known[i].name))
		i++;
	return i;
}

enum verdict ntp_control_parse(const struct ntp_control_reply *r, struct ntp_control_system *out)
{
	struct ntp_control_system s = {
	    .status_leap = r->status >> 14,
	    .leap = -1,
	    .stratum = -1,
	    .offset_s = NAN,
	    .jitter_s = NAN,
	    .root_delay_s = NAN,
	    .root_dispersion_s = NAN,
	    .tc = -1,
	    .frequency_ppm = NAN,
	};
	unsigned found = 0;
	if (r->refused)
		return VERDICT_INVALID;
	if (!r->ended || r->have != r->total)
		return VERDICT_MORE;

	struct slice text = {.p = r->data, .n = r->total};
	while (text.n > 0) {
		struct slice value = cut_item(&text);
		bool has_value = memchr(value.p, '=', value.n) != NULL;
		unsigned i = look_up(slice_trim(slice_cut(&value, '=')));
		if (i == N_KNOWN || !has_value)
			continue;
		if (found & 1u << i || !set(&known[i], unquoted(slice_trim(value)), &s))
			return VERDICT_INVALID;
		found |= 1u << i;
	}
	if (found == 0)
		return VERDICT_INVALID;
	*out = s;
	return VERDICT_DONE;
}
