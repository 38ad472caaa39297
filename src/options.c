/* SPDX-License-Identifier: MIT */
#include "options.h"

#include <errno.h>
#include <getopt.h>
#include <math.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define OFFSET_LIMIT_DEFAULT 1.0
#define OFFSET_LIMIT_MAX     1e6
#define SEE_HELP	     "see ovpnwatch --help"

#define FOR(verb) (1u << (verb))
#define FOR_ALL	  (FOR(VERB_WATCH) | FOR(VERB_REPLAY) | FOR(VERB_PROBE) | FOR(VERB_CLOCK))
#define FOR_LIVE  (FOR_ALL & ~FOR(VERB_REPLAY))

enum option_id {
	OPT_NAME,
	OPT_MANAGEMENT,
	OPT_PASSWORD_FILE,
	OPT_PROFILE,
	OPT_PEER_NTP,
	OPT_PEER_MANAGEMENT,
	OPT_PEER_PASSWORD_FILE,
	OPT_NTP,
	OPT_NO_PROBE,
	OPT_FORMAT,
	OPT_OUTPUT,
	OPT_OFFSET_LIMIT,
	OPT_VERBOSE,
	OPT_COUNT,
	OPT_INTERVAL,
	OPT_REMOTE,
	OPT_PROTO,
	OPT_TLS_AUTH,
	OPT_TLS_CRYPT,
	OPT_TLS_CRYPT_V2,
	OPT_KEY_DIRECTION,
	OPT_AUTH,
	OPT_HELP,
	OPT_VERSION,
	OPT_N
};

/* Indexed by option_id, as getopt_long wants it; the verbs that take each are beside it. */
static const struct option known[] = {
    [OPT_NAME] = {"name", required_argument, NULL, 0},
    [OPT_MANAGEMENT] = {"management", required_argument, NULL, 0},
    [OPT_PASSWORD_FILE] = {"management-password-file", required_argument, NULL, 0},
    [OPT_PROFILE] = {"profile", required_argument, NULL, 0},
    [OPT_PEER_NTP] = {"peer-ntp", required_argument, NULL, 0},
    [OPT_PEER_MANAGEMENT] = {"peer-management", required_argument, NULL, 0},
    [OPT_PEER_PASSWORD_FILE] = {"peer-management-password-file", required_argument, NULL, 0},
    [OPT_NTP] = {"ntp", required_argument, NULL, 0},
    [OPT_NO_PROBE] = {"no-probe", no_argument, NULL, 0},
    [OPT_FORMAT] = {"format", required_argument, NULL, 0},
    [OPT_OUTPUT] = {"output", required_argument, NULL, 0},
    [OPT_OFFSET_LIMIT] = {"offset-limit", required_argument, NULL, 0},
    [OPT_VERBOSE] = {"verbose", no_argument, NULL, 0},
    [OPT_COUNT] = {"count", required_argument, NULL, 0},
    [OPT_INTERVAL] = {"interval", required_argument, NULL, 0},
    [OPT_REMOTE] = {"remote", required_argument, NULL, 0},
    [OPT_PROTO] = {"proto", required_argument, NULL, 0},
    [OPT_TLS_AUTH] = {"tls-auth", required_argument, NULL, 0},
    [OPT_TLS_CRYPT] = {"tls-crypt", required_argument, NULL, 0},
    [OPT_TLS_CRYPT_V2] = {"tls-crypt-v2", required_argument, NULL, 0},
    [OPT_KEY_DIRECTION] = {"key-direction", required_argument, NULL, 0},
    [OPT_AUTH] = {"auth", required_argument, NULL, 0},
    [OPT_HELP] = {"help", no_argument, NULL, 0},
    [OPT_VERSION] = {"version", no_argument, NULL, 0},
    [OPT_N] = {0},
};
static const unsigned applies[OPT_N] = {
    [OPT_NAME] = FOR(VERB_WATCH) | FOR(VERB_REPLAY) | FOR(VERB_PROBE),
    [OPT_MANAGEMENT] = FOR(VERB_WATCH),
    [OPT_PASSWORD_FILE] = FOR(VERB_WATCH),
    [OPT_PROFILE] = FOR(VERB_WATCH) | FOR(VERB_PROBE),
    [OPT_PEER_NTP] = FOR(VERB_WATCH),
    [OPT_PEER_MANAGEMENT] = FOR(VERB_WATCH),
    [OPT_PEER_PASSWORD_FILE] = FOR(VERB_WATCH),
    [OPT_NTP] = FOR_LIVE,
    [OPT_NO_PROBE] = FOR(VERB_WATCH),
    [OPT_FORMAT] = FOR_ALL,
    [OPT_OUTPUT] = FOR_ALL,
    [OPT_OFFSET_LIMIT] = FOR_ALL,
    [OPT_VERBOSE] = FOR_ALL,
    [OPT_COUNT] = FOR(VERB_PROBE),
    [OPT_INTERVAL] = FOR(VERB_PROBE),
    [OPT_REMOTE] = FOR(VERB_PROBE),
    [OPT_PROTO] = FOR(VERB_PROBE),
    [OPT_TLS_AUTH] = FOR(VERB_PROBE),
    [OPT_TLS_CRYPT] = FOR(VERB_PROBE),
    [OPT_TLS_CRYPT_V2] = FOR(VERB_PROBE),
    [OPT_KEY_DIRECTION] = FOR(VERB_PROBE),
    [OPT_AUTH] = FOR(VERB_PROBE),
    [OPT_HELP] = FOR_ALL,
    [OPT_VERSION] = FOR_ALL,
};

_Static_assert(OPT_N <= 32, "struct parse has a bit for each");

static const char *const verbs[] = {
    [VERB_WATCH] = "watch", [VERB_REPLAY] = "replay",	[VERB_PROBE] = "probe",
    [VERB_CLOCK] = "clock", [VERB_EXPLAIN] = "explain",
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

struct parse {
	struct options *out;
	unsigned given; /* a bit for each option_id */
	char *error;
	size_t error_size;
};

static bool __attribute__((format(printf, 2, 3))) wrong(struct parse *p, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(p->error, p->error_size, format, args);
	va_end(args);
	return false;
}

static bool take_verb(struct parse *p, const char *word)
{
	for (size_t i = 0; i < N_VERBS; i++) {
		if (strcmp(word, verbs[i]) == 0) {
			p->out->verb = (enum verb)i;
			return true;
		}
	}
	return wrong(p,
		     "unknown verb '%s': the verbs are watch, replay, probe, clock and explain; %s",
		     word, SEE_HELP);
}

static bool take_format(struct parse *p, const char *word)
{
	static const char *const words[] = {
	    [FORMAT_AUTO] = "auto", [FORMAT_JSON] = "json", [FORMAT_TEXT] = "text"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i]) == 0) {
			p->out->format = (enum output_format)i;
			return true;
		}
	}
	return wrong(p, "--format is auto, json or text, not '%s'", word);
}

static bool take_limit(struct parse *p, const char *word)
{
	char *end;
	double s = strtod(word, &end);
	if (end == word || *end != '\0' || !isfinite(s) || s <= 0 || s > OFFSET_LIMIT_MAX)
		return wrong(p, "--offset-limit is a number of seconds above 0, not '%s'", word);
	p->out->offset_limit_s = s;
	return true;
}

static bool take_count(struct parse *p, const char *word)
{
	char *end;
	errno = 0;
	long n = strtol(word, &end, 10);
	if (end == word || *end != '\0' || errno != 0 || n < 1 || n > PROBE_COUNT_MAX)
		return wrong(p, "--count is a number from 1 to %d, not '%s'", PROBE_COUNT_MAX,
			     word);
	p->out->count = (unsigned)n;
	return true;
}

static bool take_interval(struct parse *p, const char *word)
{
	char *end;
	double s = strtod(word, &end);
	/* Not a NaN either. */
	if (end == word || *end != '\0' || !(s >= PROBE_INTERVAL_MIN && s <= PROBE_INTERVAL_MAX))
		return wrong(p, "--interval is a number of seconds from %.1f to %.0f, not '%s'",
			     PROBE_INTERVAL_MIN, PROBE_INTERVAL_MAX, word);
	p->out->interval_s = s;
	return true;
}

static bool take_proto(struct parse *p, const char *word)
{
	static const char *const words[] = {
	    [PROTO_UDP] = "udp", [PROTO_UDP4] = "udp4", [PROTO_UDP6] = "udp6",
	    [PROTO_TCP] = "tcp", [PROTO_TCP4] = "tcp4", [PROTO_TCP6] = "tcp6"};
	for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
		if (strcmp(word, words[i]) == 0) {
			p->out->proto = (enum profile_proto)i;
			return true;
		}
	}
	return wrong(p, "--proto is udp, udp4, udp6, tcp, tcp4 or tcp6, not '%s'", word);
}

static bool take_key(struct parse *p, enum control_wrap wrap, const char *file)
{
	if (p->out->wrap != WRAP_PLAIN && p->out->wrap != wrap)
		return wrong(p, "--tls-auth, --tls-crypt and --tls-crypt-v2 exclude one another: "
				"give the one that the profile has");
	p->out->wrap = wrap;
	p->out->key = file;
	return true;
}

static bool take_direction(struct parse *p, const char *word)
{
	if (strcmp(word, "0") != 0 && strcmp(word, "1") != 0)
		return wrong(p, "--key-direction is 0 or 1 (a client's is usually 1), not '%s'",
			     word);
	p->out->key_direction = word[0] - '0';
	return true;
}

static bool take_name(struct parse *p, const char *word)
{
	if (word[0] == '\0' || strlen(word) > NAME_MAX_BYTES)
		return wrong(p, "--name is a word of 1 to %d bytes", NAME_MAX_BYTES);
	p->out->name = word;
	return true;
}

static bool take_ntp(struct parse *p, const char *word)
{
	if (p->out->n_ntp == NTP_SERVERS_MAX)
		return wrong(p, "--ntp can be given %d times, not more", NTP_SERVERS_MAX);
	if (word[0] == '\0')
		return wrong(p, "--ntp needs the name or address of an NTP server");
	p->out->ntp[p->out->n_ntp++] = word;
	return true;
}

static bool take_option(struct parse *p, enum option_id id, const char *value)
{
	struct options *o = p->out;
	p->given |= 1u << id;
	switch (id) {
	case OPT_NAME:
		return take_name(p, value);
	case OPT_MANAGEMENT:
		o->management = value;
		return true;
	case OPT_PASSWORD_FILE:
		o->password_file = value;
		return true;
	case OPT_PROFILE:
		o->profile = value;
		return true;
	case OPT_PEER_NTP:
		o->peer_ntp = value;
		return true;
	case OPT_PEER_MANAGEMENT:
		o->peer_management = value;
		return true;
	case OPT_PEER_PASSWORD_FILE:
		o->peer_password_file = value;
		return true;
	case OPT_NTP:
		return take_ntp(p, value);
	case OPT_NO_PROBE:
		o->no_probe = true;
		return true;
	case OPT_FORMAT:
		return take_format(p, value);
	case OPT_OUTPUT:
		o->output = value;
		return true;
	case OPT_OFFSET_LIMIT:
		return take_limit(p, value);
	case OPT_VERBOSE:
		o->verbose = true;
		return true;
	case OPT_COUNT:
		return take_count(p, value);
	case OPT_INTERVAL:
		return take_interval(p, value);
	case OPT_REMOTE:
		o->remote = value;
		return true;
	case OPT_PROTO:
		return take_proto(p, value);
	case OPT_TLS_AUTH:
		return take_key(p, WRAP_TLS_AUTH, value);
	case OPT_TLS_CRYPT:
		return take_key(p, WRAP_TLS_CRYPT, value);
	case OPT_TLS_CRYPT_V2:
		return take_key(p, WRAP_TLS_CRYPT_V2, value);
	case OPT_KEY_DIRECTION:
		return take_direction(p, value);
	case OPT_AUTH:
		o->auth = value;
		return true;
	case OPT_HELP:
	case OPT_VERSION:
	case OPT_N:
		return true; /* by p->given */
	}
	return true;
}

/* getopt_long takes any beginning of a name that is unique today; one that a new option makes
 * ambiguous would break scripts. */
static bool spelled_out(const char *argument, const char *name)
{
	size_t n = strlen(name);
	return strncmp(argument, "--", 2) == 0 && strncmp(argument + 2, name, n) == 0 &&
	       (argument[2 + n] == '\0' || argument[2 + n] == '=');
}

/* What is no option: the file of `replay`, the cause of `explain`. */
static bool take_operand(struct parse *p, const char *word)
{
	bool replay = p->out->verb == VERB_REPLAY;
	const char **operand = replay ? &p->out->recording : &p->out->cause;
	if (!replay && p->out->verb != VERB_EXPLAIN)
		return wrong(p, "what is '%s'? %s takes options only; %s", word,
			     verbs[p->out->verb], SEE_HELP);
	if (*operand != NULL)
		return wrong(p, "%s takes one %s, and '%s' is the second", verbs[p->out->verb],
			     replay ? "file" : "cause", word);
	*operand = word;
	return true;
}

static bool misused(struct parse *p, int sign, const char *argument)
{
	if (sign == ':')
		return wrong(p, "%s needs a value; %s", argument, SEE_HELP);
	if (strncmp(argument, "--", 2) == 0 && strchr(argument, '=') != NULL)
		for (size_t i = 0; i < OPT_N; i++)
			if (known[i].has_arg == no_argument && spelled_out(argument, known[i].name))
				return wrong(p, "--%s takes no value; %s", known[i].name, SEE_HELP);
	return wrong(p, "unknown option '%s'; %s", argument, SEE_HELP);
}

static bool take_arguments(struct parse *p, int argc, char **argv)
{
	int id = 0;
	opterr = 0;
	optind = 0; /* glibc: begin anew */
	for (;;) {
		int at = optind > 0 ? optind : 1;
		/* '-': in order; ':': tell a missing value from an unknown option. */
		int sign = getopt_long(argc, argv, "-:hV", known, &id);
		if (sign == -1)
			break;
		if (sign == 1) {
			if (!take_operand(p, optarg))
				return false;
		} else if (sign == 'h' || sign == 'V') {
			p->given |= 1u << (sign == 'h' ? OPT_HELP : OPT_VERSION);
		} else if (sign != 0 || !spelled_out(argv[at], known[id].name)) {
			return misused(p, sign, argv[at]);
		} else if (!take_option(p, (enum option_id)id, optarg)) {
			return false;
		}
	}
	for (; optind < argc; optind++) /* after "--" */
		if (!take_operand(p, argv[optind]))
			return false;
	return true;
}

static bool given(const struct parse *p, enum option_id id)
{
	return (p->given & (1u << id)) != 0;
}

/* Whom to probe: by the profile or by hand, and of what is by hand, what goes together. */
static bool fits_probe(struct parse *p)
{
	const struct options *o = p->out;
	bool by_hand = o->remote != NULL || given(p, OPT_PROTO) || o->key != NULL ||
		       o->auth != NULL || o->key_direction >= 0;
	if (o->profile != NULL && by_hand)
		return wrong(p,
			     "probe takes the server and its key from --profile, or from --remote "
			     "and what goes with it; not both");
	if (o->profile == NULL && o->remote == NULL)
		return wrong(p, "probe whom? Give --profile with the client's profile, or --remote "
				"HOST[:PORT] and, if the server has one, the key");
	if (o->wrap != WRAP_TLS_AUTH && (o->auth != NULL || o->key_direction >= 0))
		return wrong(p, "--%s is about the key of --tls-auth, and none was given",
			     o->auth != NULL ? "auth" : "key-direction");
	return true;
}

static bool fits(struct parse *p)
{
	const struct options *o = p->out;
	for (size_t i = 0; i < OPT_N; i++)
		if (given(p, (enum option_id)i) && (applies[i] & FOR(o->verb)) == 0)
			return wrong(p, "--%s is not for %s; %s", known[i].name, verbs[o->verb],
				     SEE_HELP);
	if (o->peer_password_file != NULL && o->peer_management == NULL)
		return wrong(p, "--peer-management-password-file is the password of which "
				"interface? Give --peer-management ADDR too");
	if (o->verb == VERB_REPLAY && o->recording == NULL)
		return wrong(p, "replay what? Give a log or a recorded management session, or - "
				"for standard input");
	return o->verb != VERB_PROBE || fits_probe(p);
}

bool options_parse(int argc, char **argv, struct options *out, char *error, size_t error_size)
{
	struct parse p = {.out = out, .error = error, .error_size = error_size};
	*out = (struct options){.verb = VERB_WATCH,
				.offset_limit_s = OFFSET_LIMIT_DEFAULT,
				.count = PROBE_COUNT_DEFAULT,
				.interval_s = PROBE_INTERVAL_DEFAULT,
				.key_direction = -1};
	if (argc > 1 && argv[1][0] != '-') {
		if (!take_verb(&p, argv[1]))
			return false;
		argc--;
		argv++;
	}
	if (!take_arguments(&p, argc, argv))
		return false;
	if (given(&p, OPT_HELP))
		out->verb = VERB_HELP;
	else if (given(&p, OPT_VERSION))
		out->verb = VERB_VERSION;
	else
		return fits(&p);
	return true;
}

const char *options_help(void)
{
	return "ovpnwatch says why an OpenVPN tunnel restarted, and what the clocks showed.\n"
	       "usage: ovpnwatch [watch] [--management ADDR] [--profile FILE] [options]\n"
	       "       ovpnwatch replay [options] FILE|-   judge a recorded log or session\n"
	       "       ovpnwatch probe --profile FILE      measure the VPN server's clock\n"
	       "       ovpnwatch clock [--ntp HOST]        measure this machine's clock\n"
	       "       ovpnwatch explain [CAUSE]           what a cause is and what to do\n"
	       "\n"
	       "  --management ADDR [--management-password-file FILE]  else from the profile;\n"
	       "                       HOST:PORT, [V6]:PORT or unix:PATH\n"
	       "  --profile FILE       the client's .ovpn or .conf: server, key, timers\n"
	       "  --name NAME          the tunnel's name in every event\n"
	       "  --peer-ntp HOST      the server's clock by its NTP service, if it has one\n"
	       "  --peer-management ADDR [--peer-management-password-file FILE]  the server's\n"
	       "  --ntp HOST           compare this machine's clock with it (up to 8 times)\n"
	       "  --no-probe           send nothing to the VPN server\n"
	       "  --offset-limit S     a clock further off than this is an alert (default 1)\n"
	       "  --format FORMAT      json, text, or auto: text on a terminal, else JSON\n"
	       "  --output FILE        append to it instead of standard output\n"
	       "  --verbose            say more on standard error; the manual: man ovpnwatch\n"
	       "  probe: --count N (default 12), --interval S (0.75); or --remote HOST[:PORT]\n"
	       "         --proto udp|tcp[4|6] and --tls-crypt, --tls-crypt-v2 or --tls-auth FILE\n"
	       "         [--key-direction 0|1] [--auth DIGEST (SHA1)]\n"
	       "examples: ovpnwatch --management unix:/run/openvpn/client.sock | jq .message\n"
	       "          ovpnwatch replay --format text openvpn.log\n";
}
