/* SPDX-License-Identifier: MIT
 *
 * What --help prints: each verb's options, one screen each. A test compares them with the manual.
 */
#include "options.h"

static const char of_watch[] =
    "ovpnwatch says why an OpenVPN tunnel restarted, and what the clocks showed.\n"
    "usage: ovpnwatch [watch] [options]      (each verb has its own --help:)\n"
    "       ovpnwatch replay FILE|- | probe --profile FILE | clock | explain [CAUSE]\n"
    "  --management [listen:]ADDR [--management-password-file FILE]\n"
    "                    ADDR: HOST:PORT, [V6]:PORT, unix:PATH; else from the profile\n"
    "  --log FILE|-      instead, or beside it: the daemon's log as it is written\n"
    "  --profile FILE    the client's .ovpn or .conf: server, key, timers\n"
    "  --name NAME       the tunnel's name; of several tunnels, first of each\n"
    "  --relay ADDR, --relay-readonly ADDR  serve the interface to other programs\n"
    "    --relay-password-file FILE, --relay-group GROUP, --relay-allow-remote\n"
    "  --release-hold    release a hold; without it, nothing does\n"
    "  --config FILE     many tunnels; --check-config, --print-config look at it\n"
    "  --discover GLOB   management sockets that come and go\n"
    "  --peer-ntp HOST   the server's clock by its NTP service, if it has one\n"
    "  --peer-management ADDR [--peer-management-password-file FILE]  the server's\n"
    "  --ntp HOST        compare this machine's clock with it (up to 8 times)\n"
    "  --no-probe        send nothing to the VPN server\n"
    "  --offset-limit S  a clock further off than this is an alert (default 1)\n"
    "  --format FORMAT   json, text, or auto: text on a terminal, else JSON\n"
    "  --output FILE     append to it instead of standard output\n"
    "  --verbose         say more on standard error; the manual: man ovpnwatch\n"
    "examples: ovpnwatch --management unix:/run/openvpn/client.sock | jq .message\n"
    "          ovpnwatch --config /etc/ovpnwatch.conf --format text\n";

static const char of_replay[] =
    "usage: ovpnwatch replay [options] FILE|-\n"
    "Judges a recorded log or management session on the recording's own clock.\n"
    "  --name NAME       the tunnel's name in every event (default: recording)\n"
    "  --offset-limit S  a clock further off than this is an alert (default 1)\n"
    "  --format FORMAT   json, text, or auto: text on a terminal, else JSON\n"
    "  --output FILE     append to it instead of standard output\n"
    "  --verbose         say more on standard error; the manual: man ovpnwatch\n"
    "example: ovpnwatch replay --format text openvpn.log\n";

static const char of_probe[] =
    "usage: ovpnwatch probe --profile FILE [options]\n"
    "       ovpnwatch probe --remote HOST[:PORT] [options]\n"
    "Measures the VPN server's clock, and says whether it answers.\n"
    "  --profile FILE    the client's .ovpn or .conf: server and key\n"
    "  --remote HOST[:PORT]  or by hand, with --proto udp|udp4|udp6|tcp|tcp4|tcp6 and\n"
    "    --tls-crypt FILE, --tls-crypt-v2 FILE, or --tls-auth FILE\n"
    "    [--key-direction 0|1] [--auth DIGEST (SHA1)]\n"
    "  --count N         so many probes (default 12)\n"
    "  --interval S      so far apart (default 0.75)\n"
    "  --ntp HOST        compare this machine's clock with it (up to 8 times)\n"
    "  --name NAME, --offset-limit S, --format FORMAT, --output FILE, --verbose\n"
    "example: ovpnwatch probe --profile client.ovpn\n";

static const char of_clock[] =
    "usage: ovpnwatch clock [options]\n"
    "Measures this machine's clock: asks everybody who may know, once.\n"
    "  --ntp HOST        ask this NTP server, too (up to 8 times)\n"
    "  --offset-limit S  a clock further off than this is not fine (default 1)\n"
    "  --format FORMAT   json, text, or auto: text on a terminal, else JSON\n"
    "  --output FILE     append to it instead of standard output\n"
    "  --verbose         say what each source said, or why it did not answer\n"
    "example: ovpnwatch clock --ntp ntp.example.org\n";

static const char of_explain[] =
    "usage: ovpnwatch explain [CAUSE]\n"
    "Says what a cause is, how it looks, and what to do; without one, lists them all.\n"
    "example: ovpnwatch explain nat_timeout\n";

const char *options_help(enum verb of)
{
	switch (of) {
	case VERB_REPLAY:
		return of_replay;
	case VERB_PROBE:
		return of_probe;
	case VERB_CLOCK:
		return of_clock;
	case VERB_EXPLAIN:
		return of_explain;
	case VERB_WATCH:
	case VERB_HELP:
	case VERB_VERSION:
		break;
	}
	return of_watch;
}
