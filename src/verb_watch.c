/* SPDX-License-Identifier: MIT
 *
 * ovpnwatch watch: beside one tunnel until it is stopped.
 */
#include "core/watch.h"
#include "io/address.h"
#include "io/app.h"
#include "io/password_file.h"
#include "io/profile_load.h"
#include "io/stamp_now.h"
#include "proto/ntp.h"
#include "verbs.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <sys/stat.h>
#include <sysexits.h>
#include <unistd.h>

struct watching {
	const struct options *options;
	struct loaded_profile loaded;
	bool has_profile;
	const char *management; /* as the user or the profile wrote it */
	const char *password_file;
	struct address address;
	struct address peer_address; /* if options->peer_management */
	char name[NAME_MAX_BYTES + 1];
	char server[PROFILE_NAME_MAX + 16];
	char joined[2 * PROFILE_PATH_MAX];
	struct tunnel_config config;
	struct watch watch;
	struct tunnel tunnel;
};

static void step(void *self, const struct event *e, struct actions *out)
{
	watch_step(self, e, out);
}

static nsec deadline(const void *self)
{
	return watch_deadline(self);
}

/* What cannot be read because it may not, and what is wrong in itself. */
static int file_status(const char *path)
{
	return access(path, F_OK) == 0 && access(path, R_OK) != 0 ? EX_NOPERM : EX_CONFIG;
}

static int load_profile(struct watching *w)
{
	char error[320];
	const char *path = w->options->profile;
	if (path == NULL)
		return 0;
	if (profile_load(path, &w->loaded, error, sizeof error) != LOAD_FINE)
		return complain(file_status(path), "%s", error);
	w->has_profile = true;
	return 0;
}

/* OpenVPN reads names relative to where it was started; beside the profile is what people mean. */
static const char *beside_profile(struct watching *w, const char *path)
{
	const char *slash = strrchr(w->options->profile, '/');
	if (path[0] == '/' || slash == NULL)
		return path;
	snprintf(w->joined, sizeof w->joined, "%.*s/%s", (int)(slash - w->options->profile),
		 w->options->profile, path);
	return w->joined;
}

static int choose_management(struct watching *w)
{
	const struct options *o = w->options;
	const struct profile *p = &w->loaded.profile;
	char error[320];
	w->management = o->management;
	w->password_file = o->password_file;
	if (w->management == NULL && w->has_profile && p->management_client)
		return complain(EX_CONFIG,
				"%s has management-client: OpenVPN would call us, and ovpnwatch "
				"calls OpenVPN. Take that line out of the profile, or give "
				"--management",
				o->profile);
	if (w->management == NULL && w->has_profile && p->management[0] != '\0') {
		w->management = p->management;
		if (w->password_file == NULL && p->management_password_file[0] != '\0' &&
		    strcmp(p->management_password_file, "stdin") != 0)
			w->password_file = beside_profile(w, p->management_password_file);
	}
	if (w->management == NULL)
		return complain(EX_USAGE,
				"which tunnel? Give --management ADDR%s: put a line like "
				"'management 127.0.0.1 7505' into the client's profile and restart "
				"OpenVPN. A log needs none: ovpnwatch replay FILE",
				w->has_profile ? " (the profile has no management line)"
					       : ", or --profile with a profile that has one");
	if (!address_parse(w->management, &w->address, error, sizeof error))
		return complain(o->management != NULL ? EX_USAGE : EX_CONFIG, "%s", error);
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
static int check_password(const char *path)
{
	struct password password;
	char error[320];
	if (path == NULL)
		return 0;
	bool good = password_read(path, &password, error, sizeof error);
	password_wipe(&password);
	return good ? 0 : complain(password_status(path), "%s", error);
}

/* What was said about the server itself. */
static int check_peer(struct watching *w)
{
	const struct options *o = w->options;
	struct address ntp;
	char error[320];
	if (o->peer_ntp != NULL &&
	    !address_parse_server(o->peer_ntp, NTP_PORT, &ntp, error, sizeof error))
		return complain(EX_USAGE, "--peer-ntp: %s", error);
	if (o->peer_management != NULL &&
	    !address_parse(o->peer_management, &w->peer_address, error, sizeof error))
		return complain(EX_USAGE, "--peer-management: %s", error);
	return check_password(o->peer_password_file);
}

/* The profile's file name without folder and ending, else the address. */
static void choose_name(struct watching *w)
{
	const char *from = w->management;
	int length = (int)strlen(from);
	if (w->options->name != NULL) {
		from = w->options->name;
		length = (int)strlen(from);
	} else if (w->has_profile) {
		const char *slash = strrchr(w->options->profile, '/');
		from = slash != NULL ? slash + 1 : w->options->profile;
		const char *dot = strrchr(from, '.');
		length = dot != NULL && dot != from ? (int)(dot - from) : (int)strlen(from);
	}
	snprintf(w->name, sizeof w->name, "%.*s", length, from);
}

static void configure(struct watching *w)
{
	const struct options *o = w->options;
	const struct profile *p = &w->loaded.profile;
	struct tunnel_config *c = &w->config;
	choose_name(w);
	*c = (struct tunnel_config){
	    .name = w->name,
	    .address = w->management,
	    .profile = o->profile,
	    .same_machine = w->address.loopback,
	    .has_password = w->password_file != NULL,
	    .ping = -1,
	    .ping_restart = -1,
	    .reneg_sec = -1,
	    /* Behind a proxy the daemon is connected to that, and says the proxy's address. */
	    .may_ask = !o->no_probe && !(w->has_profile && p->proxy),
	    .peer_ntp = o->peer_ntp != NULL,
	    .peer_address = o->peer_management,
	    .peer_has_password = o->peer_password_file != NULL,
	};
	if (getrandom(&c->seed, sizeof c->seed, 0) != sizeof c->seed)
		c->seed = (uint64_t)getpid();
	if (!w->has_profile) {
		c->no_probe = "give the client's profile with --profile";
		return;
	}
	c->ping = p->ping;
	c->ping_restart = p->ping_restart;
	c->reneg_sec = p->reneg_sec;
	if (p->n_remotes > 0) {
		const struct profile_remote *r =
		    &p->remotes[w->loaded.can_probe ? w->loaded.probe_remote : 0];
		snprintf(w->server, sizeof w->server, "%s:%u/%s", r->host, r->port,
			 profile_proto_is_tcp(r->proto) ? "tcp" : "udp");
		c->server = w->server;
	}
	c->no_probe = o->no_probe	     ? "--no-probe was given"
		      : !w->loaded.can_probe ? w->loaded.no_probe
					     : NULL;
	c->probe = c->no_probe == NULL;
	c->probe_has_time = c->probe && w->loaded.key.wrap != WRAP_PLAIN;
	c->other_remotes = c->probe && p->n_remotes > 1;
	c->probe_by_tcp =
	    c->probe && profile_proto_is_tcp(p->remotes[w->loaded.probe_remote].proto);
}

static int run(struct watching *w)
{
	const struct options *o = w->options;
	const struct app_options options = {.output = o->output,
					    .format = o->format,
					    .ntp = o->ntp,
					    .n_ntp = o->n_ntp,
					    .verbose = o->verbose};
	const struct app_brain brain = {.self = &w->watch, .step = step, .deadline = deadline};
	const struct watch_config config = {
	    .offset_limit_s = o->offset_limit_s, .n_ntp = o->n_ntp, .ntp_names = o->ntp};
	struct app_tunnel hands = {
	    .tunnel = &w->tunnel,
	    .management = &w->address,
	    .password_file = w->password_file,
	    .peer_management = o->peer_management != NULL ? &w->peer_address : NULL,
	    .peer_password_file = o->peer_password_file,
	    .peer_ntp = o->peer_ntp,
	};
	struct stamp now = stamp_now();
	struct app *app;
	char error[320];

	watch_init(&w->watch, &config, &now);
	watch_add(&w->watch, &w->tunnel, &w->config, &now);
	if (w->config.probe) {
		hands.remote = &w->loaded.profile.remotes[w->loaded.probe_remote];
		hands.key = &w->loaded.key;
		hands.follow = &w->loaded.profile;
	}
	int status = app_open(&app, &options, &brain, error, sizeof error);
	if (status != 0)
		return complain(status, "%s", error);
	status = app_add(app, &hands);
	if (status != 0)
		status = complain(EXIT_FAILURE, "cannot start: no memory or no descriptors left");
	else
		status = app_run(app);
	return app_close(app, status);
}

int verb_watch(const struct options *o)
{
	struct watching *w = calloc(1, sizeof *w);
	if (w == NULL)
		return complain(EXIT_FAILURE, "no memory");
	w->options = o;
	int status = load_profile(w);
	if (status == 0)
		status = choose_management(w);
	if (status == 0)
		status = check_password(w->password_file);
	if (status == 0)
		status = check_peer(w);
	if (status == 0) {
		configure(w);
		status = run(w);
	}
	if (w->has_profile)
		profile_unload(&w->loaded);
	free(w);
	return status;
}
