/* SPDX-License-Identifier: MIT */
#include "options.h"
#include "config.h"

#include <errno.h>
#include <getopt.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <stdint.h>
#include <string.h>

#define SEE_HELP "see ovpnwatch --help"

#define FOR(verb) (1u << (verb))
#define FOR_ALL	  (FOR(VERB_WATCH) | FOR(VERB_REPLAY) | FOR(VERB_PROBE) | FOR(VERB_CLOCK))
#define FOR_LIVE  (FOR_ALL & ~FOR(VERB_REPLAY))

enum option_id {
	OPT_NAME,
	OPT_MANAGEMENT,
	OPT_PASSWORD_FILE,
	OPT_PROFILE,
	OPT_LOG,
	OPT_RELAY,
	OPT_RELAY_READONLY,
	OPT_RELAY_PASSWORD_FILE,
	OPT_RELAY_GROUP,
	OPT_RELAY_ALLOW_REMOTE,
	OPT_RELEASE_HOLD,
	OPT_DISCOVER,
	OPT_CONFIG,
	OPT_CHECK_CONFIG,
	OPT_PRINT_CONFIG,
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
    [OPT_LOG] = {"log", required_argument, NULL, 0},
    [OPT_RELAY] = {"relay", required_argument, NULL, 0},
    [OPT_RELAY_READONLY] = {"relay-readonly", required_argument, NULL, 0},
    [OPT_RELAY_PASSWORD_FILE] = {"relay-password-file", required_argument, NULL, 0},
    [OPT_RELAY_GROUP] = {"relay-group", required_argument, NULL, 0},
    [OPT_RELAY_ALLOW_REMOTE] = {"relay-allow-remote", no_argument, NULL, 0},
    [OPT_RELEASE_HOLD] = {"release-hold", no_argument, NULL, 0},
    [OPT_DISCOVER] = {"discover", required_argument, NULL, 0},
    [OPT_CONFIG] = {"config", required_argument, NULL, 0},
    [OPT_CHECK_CONFIG] = {"check-config", no_argument, NULL, 0},
    [OPT_PRINT_CONFIG] = {"print-config", no_argument, NULL, 0},
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
    [OPT_LOG] = FOR(VERB_WATCH),
    [OPT_RELAY] = FOR(VERB_WATCH),
    [OPT_RELAY_READONLY] = FOR(VERB_WATCH),
    [OPT_RELAY_PASSWORD_FILE] = FOR(VERB_WATCH),
    [OPT_RELAY_GROUP] = FOR(VERB_WATCH),
    [OPT_RELAY_ALLOW_REMOTE] = FOR(VERB_WATCH),
    [OPT_RELEASE_HOLD] = FOR(VERB_WATCH),
    [OPT_DISCOVER] = FOR(VERB_WATCH),
    [OPT_CONFIG] = FOR(VERB_WATCH),
    [OPT_CHECK_CONFIG] = FOR(VERB_WATCH),
    [OPT_PRINT_CONFIG] = FOR(VERB_WATCH),
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

_Static_assert(OPT_N <= 64, "struct parse has a bit for each");

static const char *const verbs[] = {
    [VERB_WATCH] = "watch", [VERB_REPLAY] = "replay",	[VERB_PROBE] = "probe",
    [VERB_CLOCK] = "clock", [VERB_EXPLAIN] = "explain",
};
#define N_VERBS (sizeof verbs / sizeof verbs[0])

struct parse {
	struct options *out;
	struct tunnel_settings *t; /* the tunnel that is spoken of; NULL: none yet */
	uint64_t given;		   /* a bit for each option_id */
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

/* The tunnel that an option is about. The first that is named begins with whatever is said first;
 * each --name after that begins another. */
static bool choose_tunnel(struct parse *p, const struct setting *what)
{
	bool names = strcmp(what->name, "name") == 0;
	if (p->t == NULL || (names && p->t->name != NULL))
		p->t = settings_add_tunnel(&p->out->settings, 0);
	else if (strcmp(what->name, "management") == 0 && p->t->management != NULL)
		return wrong(p, "a tunnel has one --management; of several tunnels, give --name "
				"before all else that is said of each");
	return p->t != NULL || wrong(p, "no memory");
}

/* What can also stand in the configuration file. */
static bool take_setting(struct parse *p, const struct setting *what, const char *value)
{
	struct settings *s = &p->out->settings;
	struct tunnel_settings *t = &s->defaults;
	char error[160];
	/* Whoever forbids probing means all tunnels, wherever it stands. */
	if (what->of_tunnel && strcmp(what->name, "no-probe") != 0) {
		if (!choose_tunnel(p, what))
			return false;
		t = p->t;
	}
	if (settings_set(s, t, what, value != NULL ? value : "yes", error, sizeof error))
		return true;
	return wrong(p, "--%s %s", what->name, error);
}

static bool take_option(struct parse *p, enum option_id id, const char *value)
{
	struct options *o = p->out;
	const struct setting *what = setting_find(known[id].name);
	p->given |= UINT64_C(1) << id;
	if (what != NULL)
		return take_setting(p, what, value);
	switch ((int)id) {
	case OPT_CONFIG:
		return true; /* it was read before */
	case OPT_CHECK_CONFIG:
		o->check_config = true;
		return true;
	case OPT_PRINT_CONFIG:
		o->print_config = true;
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
	default: /* --help, --version: by p->given */
		return true;
	}
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
			p->given |= UINT64_C(1) << (sign == 'h' ? OPT_HELP : OPT_VERSION);
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
	return (p->given & (UINT64_C(1) << id)) != 0;
}

/* Whom to probe: by the profile or by hand, and of what is by hand, what goes together. */
static bool fits_probe(struct parse *p)
{
	const struct options *o = p->out;
	const char *profile = options_tunnel(o)->profile;
	bool by_hand = o->remote != NULL || given(p, OPT_PROTO) || o->key != NULL ||
		       o->auth != NULL || o->key_direction >= 0;
	if (profile != NULL && by_hand)
		return wrong(p,
			     "probe takes the server and its key from --profile, or from --remote "
			     "and what goes with it; not both");
	if (profile == NULL && o->remote == NULL)
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
	if ((o->check_config || o->print_config) && o->config == NULL)
		return wrong(p, "--%s of which file? Give --config FILE too",
			     o->check_config ? "check-config" : "print-config");
	if (o->verb == VERB_REPLAY && o->recording == NULL)
		return wrong(p, "replay what? Give a log or a recorded management session, or - "
				"for standard input");
	return o->verb != VERB_PROBE || fits_probe(p);
}

/* The file that --config names comes first: what the command line says goes over it. */
static enum options_result load_config(struct parse *p, int argc, char **argv)
{
	int id = 0;
	opterr = 0;
	optind = 0;
	for (int sign; (sign = getopt_long(argc, argv, "-:hV", known, &id)) != -1;)
		if (sign == 0 && id == OPT_CONFIG)
			p->out->config = optarg;
	if (p->out->config == NULL)
		return OPTIONS_FINE;
	switch (config_load(p->out->config, &p->out->settings, p->error, p->error_size)) {
	case CONFIG_FINE:
		return OPTIONS_FINE;
	case CONFIG_UNREADABLE:
		return OPTIONS_CONFIG_UNREADABLE;
	case CONFIG_WRONG:
		break;
	}
	return OPTIONS_CONFIG_WRONG;
}

static enum options_result finish(struct parse *p)
{
	struct options *o = p->out;
	char what[280];
	unsigned line;
	if (settings_finish(&o->settings, &line, what, sizeof what))
		return OPTIONS_FINE;
	if (line == 0) {
		wrong(p, "%s", what);
		return OPTIONS_MISUSED;
	}
	wrong(p, "%s:%u: %s", o->config, line, what);
	return OPTIONS_CONFIG_WRONG;
}

enum options_result options_parse(int argc, char **argv, struct options *out, char *error,
				  size_t error_size)
{
	struct parse p = {.out = out, .error = error, .error_size = error_size};
	*out = (struct options){.verb = VERB_WATCH,
				.count = PROBE_COUNT_DEFAULT,
				.interval_s = PROBE_INTERVAL_DEFAULT,
				.key_direction = -1};
	settings_init(&out->settings);
	if (argc > 1 && argv[1][0] != '-') {
		if (!take_verb(&p, argv[1]))
			return OPTIONS_MISUSED;
		argc--;
		argv++;
	}
	enum options_result loaded =
	    out->verb == VERB_WATCH ? load_config(&p, argc, argv) : OPTIONS_FINE;
	if (loaded == OPTIONS_FINE && !take_arguments(&p, argc, argv))
		return OPTIONS_MISUSED;
	out->help_of = out->verb;
	if (given(&p, OPT_HELP))
		out->verb = VERB_HELP;
	else if (given(&p, OPT_VERSION))
		out->verb = VERB_VERSION;
	else if (loaded != OPTIONS_FINE)
		return loaded;
	else if (!fits(&p))
		return OPTIONS_MISUSED;
	else if (out->verb == VERB_WATCH)
		return finish(&p);
	return OPTIONS_FINE;
}

void options_free(struct options *o)
{
	settings_free(&o->settings);
}

const struct tunnel_settings *options_tunnel(const struct options *o)
{
	static const struct tunnel_settings none;
	return o->settings.n_tunnels > 0 ? &o->settings.tunnels[0] : &none;
}
