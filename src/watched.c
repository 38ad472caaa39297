/* SPDX-License-Identifier: MIT */
#include "watched.h"
#include "core/farewell.h"
#include "io/log_check.h"
#include "io/password_file.h"
#include "proto/ntp.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct making {
	struct watched *w;
	char *error;
	size_t error_size;
};

static int __attribute__((format(printf, 3, 4)))
refuse(struct making *m, int status, const char *format, ...)
{
	va_list args;
	va_start(args, format);
	vsnprintf(m->error, m->error_size, format, args);
	va_end(args);
	return status;
}

/* What cannot be read because it may not, and what is wrong in itself. */
static int file_status(const char *path)
{
	return access(path, F_OK) == 0 && access(path, R_OK) != 0 ? EX_NOPERM : EX_CONFIG;
}

/* A mistake on the command line, or in the configuration file. */
static int said_wrong(const struct making *m)
{
	return m->w->settings.line == 0 ? EX_USAGE : EX_CONFIG;
}

static int load_profile(struct making *m)
{
	struct watched *w = m->w;
	const char *path = w->settings.profile;
	if (path == NULL)
		return 0;
	struct loaded_profile *loaded = calloc(1, sizeof *loaded);
	if (loaded == NULL)
		return refuse(m, EXIT_FAILURE, "no memory");
	if (profile_load(path, loaded, m->error, m->error_size) != LOAD_FINE) {
		free(loaded);
		return file_status(path);
	}
	w->loaded = loaded;
	return 0;
}

/* OpenVPN reads names relative to where it was started; beside the profile is what people mean. */
static char *beside_profile(const struct watched *w, const char *path)
{
	const char *profile = w->settings.profile, *slash = strrchr(profile, '/');
	char *joined = NULL;
	if (path[0] == '/' || slash == NULL)
		return strdup(path);
	if (asprintf(&joined, "%.*s/%s", (int)(slash - profile), profile, path) < 0)
		return NULL;
	return joined;
}

static int management_of_profile(struct making *m)
{
	struct watched *w = m->w;
	const struct profile *p = &w->loaded->profile;
	if (w->settings.log != NULL)
		return 0;
	if (p->management_client)
		return refuse(
		    m, EX_CONFIG,
		    "%s has management-client: OpenVPN calls, and ovpnwatch has to be there "
		    "first. Give --management listen:ADDR with the address of that line",
		    w->settings.profile);
	if (p->management[0] == '\0')
		return 0;
	w->management = p->management;
	if (w->password_file != NULL || p->management_password_file[0] == '\0' ||
	    strcmp(p->management_password_file, "stdin") == 0)
		return 0;
	w->beside = beside_profile(w, p->management_password_file);
	w->password_file = w->beside;
	return w->beside != NULL ? 0 : refuse(m, EXIT_FAILURE, "no memory");
}

static int choose_management(struct making *m)
{
	struct watched *w = m->w;
	char error[240];
	w->management = w->settings.management;
	w->password_file = w->settings.management_password_file;
	if (w->management == NULL && w->loaded != NULL) {
		int status = management_of_profile(m);
		if (status != 0)
			return status;
	}
	if (w->management == NULL && w->settings.log == NULL)
		return refuse(
		    m, said_wrong(m),
		    "which tunnel? Give --management ADDR%s: put a line like 'management "
		    "127.0.0.1 7505' into the client's profile and restart OpenVPN; or give "
		    "--log FILE with the log that it writes",
		    w->loaded != NULL ? " (the profile has no management line)"
				      : ", or --profile with a profile that has one");
	if (w->management == NULL)
		return 0;
	w->address = calloc(1, sizeof *w->address);
	if (w->address == NULL)
		return refuse(m, EXIT_FAILURE, "no memory");
	if (!address_parse(w->management, w->address, error, sizeof error))
		return refuse(m, w->settings.management != NULL ? said_wrong(m) : EX_CONFIG, "%s",
			      error);
	/* Whoever calls is taken for OpenVPN, and may ask for the password. */
	if (w->address->listen && !w->address->loopback)
		return refuse(
		    m, said_wrong(m),
		    "%s: anybody in the network could call there and pass for OpenVPN. "
		    "Listen at 127.0.0.1 or a unix socket; from another machine, bring the "
		    "call there with ssh -R",
		    w->management);
	return 0;
}

/* A password that others may read is a matter of permissions too. */
static int password_status(const char *path)
{
	struct stat st;
	bool open_to_others = stat(path, &st) == 0 && (st.st_mode & (S_IRWXG | S_IRWXO)) != 0;
	return open_to_others ? EX_NOPERM : file_status(path);
}

/* Now rather than when OpenVPN asks for it: whoever starts us is still looking. */
static int check_password(struct making *m, const char *path)
{
	struct password password;
	if (path == NULL)
		return 0;
	bool good = password_read(path, &password, m->error, m->error_size);
	password_wipe(&password);
	return good ? 0 : password_status(path);
}

/* What was said about the server itself. */
static int check_peer(struct making *m)
{
	struct watched *w = m->w;
	const struct tunnel_settings *s = &w->settings;
	struct address ntp;
	char error[240];
	if (s->peer_ntp != NULL &&
	    !address_parse_server(s->peer_ntp, NTP_PORT, &ntp, error, sizeof error))
		return refuse(m, said_wrong(m), "--peer-ntp: %s", error);
	if (s->peer_management == NULL)
		return 0;
	w->peer_address = calloc(1, sizeof *w->peer_address);
	if (w->peer_address == NULL)
		return refuse(m, EXIT_FAILURE, "no memory");
	if (!address_parse(s->peer_management, w->peer_address, error, sizeof error))
		return refuse(m, said_wrong(m), "--peer-management: %s", error);
	return check_password(m, s->peer_management_password_file);
}

static int check_log(struct making *m)
{
	const char *log = m->w->settings.log;
	int status = log != NULL ? log_check(log, m->error, m->error_size) : 0;
	return status == EX_USAGE ? said_wrong(m) : status;
}

/* --- with whom it is shared ------------------------------------------------------------------ */

static int add_places(struct making *m, const struct text_list *list, bool readonly)
{
	struct relay_config *r = m->w->relay;
	char error[240];
	for (unsigned i = 0; i < list->n; i++) {
		if (r->n_addresses == RELAY_ADDRESSES_MAX)
			return refuse(m, said_wrong(m), "a tunnel has %d relays at most",
				      RELAY_ADDRESSES_MAX);
		struct relay_address *a = &r->addresses[r->n_addresses++];
		a->readonly = readonly;
		if (!address_parse(list->items[i], &a->address, error, sizeof error))
			return refuse(m, said_wrong(m), "%s: %s",
				      readonly ? "--relay-readonly" : "--relay", error);
	}
	return 0;
}

static int choose_relay(struct making *m)
{
	const struct tunnel_settings *s = &m->w->settings;
	char error[400];
	if (s->relay.n + s->relay_readonly.n == 0)
		return 0;
	if (m->w->management == NULL)
		return refuse(m, said_wrong(m),
			      "--relay shares a management interface, and a log is none: give "
			      "--management too");
	m->w->relay = calloc(1, sizeof *m->w->relay);
	if (m->w->relay == NULL)
		return refuse(m, EXIT_FAILURE, "no memory");
	m->w->relay->password_file = s->relay_password_file;
	m->w->relay->group = s->relay_group;
	m->w->relay->allow_remote = s->relay_allow_remote == FLAG_YES;
	int status = add_places(m, &s->relay, false);
	if (status == 0)
		status = add_places(m, &s->relay_readonly, true);
	if (status == 0 && !relay_config_check(m->w->relay, error, sizeof error))
		status = refuse(m, said_wrong(m), "%s", error);
	return status != 0 ? status : check_password(m, s->relay_password_file);
}

/* The name of the profile without folder and ending, else the address, else that of the log. */
static char *choose_name(const struct watched *w)
{
	const struct tunnel_settings *s = &w->settings;
	const char *log = s->log != NULL && strcmp(s->log, "-") == 0 ? "stdin" : s->log;
	const char *file = w->loaded != NULL ? s->profile : log;
	if (s->name != NULL)
		return strdup(s->name);
	if (w->loaded == NULL && w->management != NULL)
		return strndup(w->management, NAME_MAX_BYTES);
	const char *slash = strrchr(file, '/');
	const char *from = slash != NULL ? slash + 1 : file;
	const char *dot = strrchr(from, '.');
	size_t length = dot != NULL && dot != from ? (size_t)(dot - from) : strlen(from);
	return strndup(from, length < NAME_MAX_BYTES ? length : NAME_MAX_BYTES);
}

/* What the profile says of the server and the timers. */
static void configure_by_profile(struct watched *w)
{
	const struct profile *p = &w->loaded->profile;
	struct tunnel_config *c = &w->config;
	c->ping = p->ping;
	c->ping_restart = p->ping_restart;
	c->reneg_sec = p->reneg_sec;
	c->management_options =
	    (p->management_signal ? FAREWELL_OPTION(OPTION_MANAGEMENT_SIGNAL) : 0) |
	    (p->management_forget_disconnect ? FAREWELL_OPTION(OPTION_MANAGEMENT_FORGET_DISCONNECT)
					     : 0) |
	    (p->management_client ? FAREWELL_OPTION(OPTION_MANAGEMENT_CLIENT) : 0);
	if (p->n_remotes > 0) {
		const struct profile_remote *r =
		    &p->remotes[w->loaded->can_probe ? w->loaded->probe_remote : 0];
		if (asprintf(&w->server, "%s:%u/%s", r->host, r->port,
			     profile_proto_is_tcp(r->proto) ? "tcp" : "udp") < 0)
			w->server = NULL;
		c->server = w->server;
	}
	c->no_probe = w->settings.no_probe == FLAG_YES ? "--no-probe was given"
		      : !w->loaded->can_probe	       ? w->loaded->no_probe
						       : NULL;
	c->probe = c->no_probe == NULL;
	c->probe_has_time = c->probe && w->loaded->key.wrap != WRAP_PLAIN;
	c->other_remotes = c->probe && p->n_remotes > 1;
	c->probe_by_tcp =
	    c->probe && profile_proto_is_tcp(p->remotes[w->loaded->probe_remote].proto);
}

static void configure(struct watched *w)
{
	const struct tunnel_settings *s = &w->settings;
	struct tunnel_config *c = &w->config;
	*c = (struct tunnel_config){
	    .name = w->name,
	    .address = w->management,
	    .log = s->log,
	    .profile = s->profile,
	    .same_machine = w->address != NULL ? w->address->loopback : log_is_here(s->log),
	    .has_password = w->password_file != NULL,
	    .release_hold = s->release_hold == FLAG_YES,
	    .ping = -1,
	    .ping_restart = -1,
	    .reneg_sec = -1,
	    /* Behind a proxy the daemon is connected to that, and says the proxy's address. */
	    .may_ask = s->no_probe != FLAG_YES && !(w->loaded != NULL && w->loaded->profile.proxy),
	    .peer_ntp = s->peer_ntp != NULL,
	    .peer_address = s->peer_management,
	    .peer_has_password = s->peer_management_password_file != NULL,
	};
	if (getrandom(&c->seed, sizeof c->seed, 0) != sizeof c->seed)
		c->seed = (uint64_t)getpid();
	if (w->loaded == NULL)
		c->no_probe = "give the client's profile with --profile";
	else
		configure_by_profile(w);
}

static void choose_hands(struct watched *w)
{
	const struct tunnel_settings *s = &w->settings;
	w->hands = (struct app_tunnel){
	    .tunnel = &w->tunnel,
	    .management = w->address,
	    .password_file = w->password_file,
	    .log = s->log,
	    .peer_management = w->peer_address,
	    .peer_password_file = s->peer_management_password_file,
	    .peer_ntp = s->peer_ntp,
	    .relay = w->relay,
	};
	if (w->config.probe) {
		w->hands.remote = &w->loaded->profile.remotes[w->loaded->probe_remote];
		w->hands.key = &w->loaded->key;
		w->hands.follow = &w->loaded->profile;
	}
}

int watched_new(struct watched **out, const struct tunnel_settings *settings, char *error,
		size_t error_size)
{
	struct watched *w = calloc(1, sizeof *w);
	struct making m = {.w = w, .error = error, .error_size = error_size};
	if (w == NULL || !tunnel_settings_copy(&w->settings, settings)) {
		free(w);
		return refuse(&m, EXIT_FAILURE, "no memory");
	}
	int status = load_profile(&m);
	if (status == 0)
		status = choose_management(&m);
	if (status == 0)
		status = check_password(&m, w->password_file);
	if (status == 0)
		status = check_peer(&m);
	if (status == 0)
		status = check_log(&m);
	if (status == 0)
		status = choose_relay(&m);
	if (status == 0) {
		w->name = choose_name(w);
		if (w->name == NULL)
			status = refuse(&m, EXIT_FAILURE, "no memory");
	}
	if (status != 0) {
		watched_free(w);
		return status;
	}
	configure(w);
	choose_hands(w);
	*out = w;
	return 0;
}

void watched_free(struct watched *w)
{
	if (w == NULL)
		return;
	if (w->loaded != NULL)
		profile_unload(w->loaded);
	free(w->loaded);
	tunnel_done(&w->tunnel);
	free(w->address);
	free(w->peer_address);
	free(w->relay);
	free(w->server);
	free(w->beside);
	free(w->name);
	tunnel_settings_free(&w->settings);
	free(w);
}
