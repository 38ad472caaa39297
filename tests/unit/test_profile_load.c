/* SPDX-License-Identifier: MIT */
#include "io/profile_load.h"
#include "support/text_fixture.h"

#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <setjmp.h>
#include <stdarg.h>
#include <cmocka.h>

static char dir[64], path[96], key_file[96], key_text[1024];
static char v2_file[96], v2_text[4096], server_file[96];

static void put(const char *file, const char *text, size_t n)
{
	unlink(file);
	int fd = open(file, O_WRONLY | O_CREAT | O_EXCL, 0600);
	assert_true(fd >= 0);
	assert_int_equal(write(fd, text, n), n);
	close(fd);
}

static int make_dir(void **state)
{
	(void)state;
	strcpy(dir, "/tmp/ovpnwatch-test-XXXXXX");
	if (mkdtemp(dir) == NULL)
		return -1;
	snprintf(path, sizeof path, "%s/client.ovpn", dir);
	snprintf(key_file, sizeof key_file, "%s/ta.key", dir);
	char *at = key_text;
	at += sprintf(at, "#\n# 2048 bit OpenVPN static key\n#\n"
			  "-----BEGIN OpenVPN Static key V1-----\n");
	for (int i = 0; i < 256; i++)
		at += sprintf(at, "%02x%s", i, i % 16 == 15 ? "\n" : "");
	sprintf(at, "-----END OpenVPN Static key V1-----\n");
	put(key_file, key_text, strlen(key_text));
	char text[1024];
	struct slice key = text_fixture("tls_crypt_v2_client.key", v2_text, sizeof v2_text);
	snprintf(v2_file, sizeof v2_file, "%s/v2.key", dir);
	put(v2_file, key.p, key.n);
	key = text_fixture("tls_crypt_v2_server.key", text, sizeof text);
	snprintf(server_file, sizeof server_file, "%s/v2s.key", dir);
	put(server_file, key.p, key.n);
	return 0;
}

static int remove_dir(void **state)
{
	(void)state;
	unlink(path);
	unlink(key_file);
	unlink(v2_file);
	unlink(server_file);
	return rmdir(dir);
}

static struct loaded_profile loaded;
static char error[512];

static enum load_result load(const char *text)
{
	put(path, text, strlen(text));
	error[0] = '\0';
	return profile_load(path, &loaded, error, sizeof error);
}

static void key_is_the_files(void)
{
	for (size_t i = 0; i < STATIC_KEY_SIZE; i++)
		assert_int_equal(loaded.key.key.bytes[i], i);
}

static void key_from_a_file_beside_the_profile(void **state)
{
	(void)state;
	assert_int_equal(load("client\nremote vpn.example 1195 udp\ntls-auth ta.key 1\n"
			      "auth SHA256\nkeepalive 10 60\n"),
			 LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_true(loaded.probe_has_time);
	assert_string_equal(loaded.no_probe, "");
	assert_int_equal(loaded.key.wrap, WRAP_TLS_AUTH);
	assert_int_equal(loaded.key.direction, KEY_INVERSE);
	assert_string_equal(loaded.key.digest, "SHA256");
	assert_string_equal(loaded.profile.remotes[loaded.probe_remote].host, "vpn.example");
	assert_int_equal(loaded.profile.ping_restart, 60);
	key_is_the_files();
	profile_unload(&loaded);
	for (size_t i = 0; i < sizeof loaded.key; i++)
		assert_int_equal(((const char *)&loaded.key)[i], 0);
}

static void key_by_its_whole_path_or_inline(void **state)
{
	char text[2048];
	(void)state;
	snprintf(text, sizeof text, "remote 192.0.2.1\ntls-auth \"%s\"\n", key_file);
	assert_int_equal(load(text), LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_int_equal(loaded.key.direction, KEY_BIDIRECTIONAL);
	assert_string_equal(loaded.key.digest, "SHA1");
	key_is_the_files();

	snprintf(text, sizeof text,
		 "remote 192.0.2.1\nkey-direction 1\n<tls-auth>\n%s</tls-auth>\n", key_text);
	assert_int_equal(load(text), LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_int_equal(loaded.key.direction, KEY_INVERSE);
	assert_null(loaded.profile.key_text.p); /* that text is gone */
	key_is_the_files();
}

static void assert_loaded(const char *text, enum control_wrap wrap)
{
	assert_int_equal(load(text), LOAD_FINE);
	assert_string_equal(loaded.no_probe, "");
	assert_true(loaded.can_probe);
	assert_true(loaded.probe_has_time);
	assert_int_equal(loaded.key.wrap, wrap);
	assert_null(loaded.profile.key_text.p);
}

/* In a file, inline, in a <connection> block; `auth` is not about the control channel then. */
static void tls_crypt_keys(void **state)
{
	(void)state;
	char text[2048];
	assert_loaded("client\nremote a\ntls-crypt ta.key\nauth NO-SUCH\n", WRAP_TLS_CRYPT);
	key_is_the_files();
	assert_int_equal(loaded.key.wrapped.size, 0);
	snprintf(text, sizeof text, "remote a\n<tls-crypt>\n%s</tls-crypt>\nauth none\n", key_text);
	assert_loaded(text, WRAP_TLS_CRYPT);
	key_is_the_files();
	snprintf(text, sizeof text,
		 "client\n<connection>\nremote a\n<tls-crypt>\n%s</tls-crypt>\n</connection>\n",
		 key_text);
	assert_loaded(text, WRAP_TLS_CRYPT);
	key_is_the_files();
	assert_loaded("<connection>\nremote a\ntls-crypt ta.key\n</connection>\n", WRAP_TLS_CRYPT);
	key_is_the_files();
}

static void tls_crypt_v2_keys(void **state)
{
	(void)state;
	char text[sizeof v2_text + 256];
	struct static_key key;
	struct wrapped_key wrapped;
	assert_int_equal(wrapped_key_parse(slice_from(v2_text), &key, &wrapped), VERDICT_DONE);
	const char *const forms[] = {
	    "client\nremote a\ntls-crypt-v2 v2.key\nauth NO-SUCH\n",
	    "remote a\n<tls-crypt-v2>\n%s</tls-crypt-v2>\n",
	    "<connection>\nremote a\n<tls-crypt-v2>\n%s</tls-crypt-v2>\n</connection>\n",
	    "<connection>\nremote a\ntls-crypt-v2 v2.key\n</connection>\n",
	};
	for (size_t i = 0; i < sizeof forms / sizeof *forms; i++) {
		const char *at = strstr(forms[i], "%s");
		if (at != NULL)
			snprintf(text, sizeof text, "%.*s%s%s", (int)(at - forms[i]), forms[i],
				 v2_text, at + 2);
		else
			strcpy(text, forms[i]);
		assert_loaded(text, WRAP_TLS_CRYPT_V2);
		assert_memory_equal(&loaded.key.key, &key, sizeof key);
		assert_int_equal(loaded.key.wrapped.size, wrapped.size);
		assert_memory_equal(loaded.key.wrapped.bytes, wrapped.bytes, wrapped.size);
	}
	profile_unload(&loaded);
	for (size_t i = 0; i < sizeof loaded.key; i++)
		assert_int_equal(((const char *)&loaded.key)[i], 0);
}

/* A profile in the working directory has no folder in its name. */
static void profile_without_a_folder(void **state)
{
	(void)state;
	char before[1024];
	assert_non_null(getcwd(before, sizeof before));
	static const char text[] = "remote 192.0.2.1\ntls-auth ta.key\n";
	put(path, text, strlen(text));
	assert_int_equal(chdir(dir), 0);
	assert_int_equal(profile_load("client.ovpn", &loaded, error, sizeof error), LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_int_equal(chdir(before), 0);
}

static void plain_has_no_time(void **state)
{
	(void)state;
	assert_int_equal(load("client\nremote 192.0.2.1\n"), LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_false(loaded.probe_has_time);
	assert_int_equal(loaded.key.wrap, WRAP_PLAIN);
}

static void first_remote_is_probed(void **state)
{
	(void)state;
	assert_int_equal(
	    load("remote a.example 1 tcp\nremote b.example 2 udp\nremote c.example 3 udp\n"),
	    LOAD_FINE);
	assert_true(loaded.can_probe);
	assert_int_equal(loaded.probe_remote, 0);
	assert_int_equal(loaded.profile.remotes[0].proto, PROTO_TCP);
	assert_loaded("remote a 1 tcp-client\ntls-crypt ta.key\n", WRAP_TLS_CRYPT);
}

static void why_not(void **state)
{
	(void)state;
	static const struct {
		const char *text, *says;
	} cases[] = {
	    {"client\n", "names no server"},
	    {"remote a 1 tcp\nhttp-proxy proxy.example 8080\n", "(http-proxy, socks-proxy)"},
	    {"remote a 1\nsocks-proxy proxy.example 1080\n",
	     "if it can be reached directly: ovpnwatch probe --remote HOST:PORT"},
	    {"remote a 1\ntls-crypt-v2 ta.key\nsocks-proxy proxy.example\n", "through a proxy"},
	    {"remote a 1\ntls-crypt gone.key\n", "the tls-crypt key file"},
	    {"remote a 1\ntls-crypt-v2 gone.key\n", "the tls-crypt-v2 key file"},
	    {"remote a 1\ntls-crypt client.ovpn\n", "not an \"OpenVPN Static key V1\""},
	    {"remote a 1\ntls-crypt v2.key\n", "v2.key) is a tls-crypt-v2 client key"},
	    {"remote a 1\ntls-auth v2.key\n", "v2.key) is a tls-crypt-v2 client key"},
	    {"remote a 1\ntls-crypt v2s.key\n", "v2s.key) is a tls-crypt-v2 server key"},
	    {"remote a 1\ntls-crypt-v2 ta.key\n", "ta.key) is a tls-auth or tls-crypt key"},
	    {"remote a 1\ntls-crypt-v2 v2s.key\n",
	     "v2s.key) is a tls-crypt-v2 server key; the client's is wanted"},
	    {"remote a 1\ntls-crypt-v2 client.ovpn\n", "tls-crypt-v2 client key\"; give"},
	    {"remote a 1\n<tls-crypt-v2>\nnonsense\n</tls-crypt-v2>\n", "(inline) is not a whole"},
	    {"remote a 1\nsecret ta.key\n", "static key"},
	    {"remote a 1\ntls-auth gone.key 1\n", "gone.key: no such file"},
	    {"remote a 1\ntls-auth . 1\n", "is a directory"},
	    {"remote a 1\ntls-auth client.ovpn 1\n", "not an \"OpenVPN Static key V1\""},
	    {"remote a 1\n<tls-auth>\nnonsense\n</tls-auth>\n", "not an \"OpenVPN Static key V1\""},
	    {"remote a 1\ntls-auth ta.key\nauth NO-SUCH\n", "auth NO-SUCH"},
	    {"remote a 1\ntls-auth ta.key\nauth none\n", "auth none"},
	};
	for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
		if (load(cases[i].text) != LOAD_FINE)
			fail_msg("%s: %s", cases[i].text, error);
		assert_false(loaded.can_probe);
		assert_false(loaded.probe_has_time);
		if (strstr(loaded.no_probe, cases[i].says) == NULL)
			fail_msg("%s: said %s", cases[i].text, loaded.no_probe);
	}
}

/* A path of any length leaves room for what is wrong with it, and for the way out. */
static void long_key_paths(void **state)
{
	(void)state;
	char text[512];
	for (int n = 40; n <= 230; n += 10) {
		char name[240];
		memset(name, 'k', (size_t)n);
		name[n] = '\0';
		snprintf(text, sizeof text, "remote a 1\ntls-auth %s 1\n", name);
		assert_int_equal(load(text), LOAD_FINE);
		assert_false(loaded.can_probe);
		assert_non_null(strstr(loaded.no_probe, "kkk: no such file"));
		assert_non_null(strstr(loaded.no_probe, "correct its name"));
		snprintf(text, sizeof text, "remote a 1\ntls-crypt-v2 %s\n", name);
		assert_int_equal(load(text), LOAD_FINE);
		assert_non_null(strstr(loaded.no_probe, "correct its name"));
	}
}

static void broken_profiles(void **state)
{
	(void)state;
	char says[128];
	assert_int_equal(load("client\nremote\n"), LOAD_BROKEN);
	snprintf(says, sizeof says, "%s:2: ", path);
	assert_non_null(strstr(error, says));
	assert_int_equal(load("# x\n\nremote a 70000\n"), LOAD_BROKEN);
	snprintf(says, sizeof says, "%s:3: ", path);
	assert_non_null(strstr(error, says));
}

static void unreadable_profiles(void **state)
{
	(void)state;
	unlink(path);
	assert_int_equal(profile_load(path, &loaded, error, sizeof error), LOAD_UNREADABLE);
	assert_non_null(strstr(error, "client.ovpn: no such file"));
	assert_int_equal(profile_load(dir, &loaded, error, sizeof error), LOAD_UNREADABLE);
	assert_non_null(strstr(error, "is a directory"));
	assert_int_equal(mkfifo(path, 0600), 0); /* nobody writes to it: must not wait */
	assert_int_equal(profile_load(path, &loaded, error, sizeof error), LOAD_UNREADABLE);
	assert_non_null(strstr(error, "is not a regular file"));

	size_t limit = (size_t)1 << 20;
	char *big = malloc(limit + 1);
	assert_non_null(big);
	memset(big, '\n', limit + 1);
	memcpy(big, "remote a", 8);
	put(path, big, limit);
	assert_int_equal(profile_load(path, &loaded, error, sizeof error), LOAD_FINE);
	put(path, big, limit + 1);
	assert_int_equal(profile_load(path, &loaded, error, sizeof error), LOAD_UNREADABLE);
	assert_non_null(strstr(error, "larger than 1024 KiB"));
	free(big);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
	    cmocka_unit_test(key_from_a_file_beside_the_profile),
	    cmocka_unit_test(key_by_its_whole_path_or_inline),
	    cmocka_unit_test(tls_crypt_keys),
	    cmocka_unit_test(tls_crypt_v2_keys),
	    cmocka_unit_test(profile_without_a_folder),
	    cmocka_unit_test(plain_has_no_time),
	    cmocka_unit_test(first_remote_is_probed),
	    cmocka_unit_test(why_not),
	    cmocka_unit_test(long_key_paths),
	    cmocka_unit_test(broken_profiles),
	    cmocka_unit_test(unreadable_profiles),
	};
	return cmocka_run_group_tests(tests, make_dir, remove_dir);
}
