# SPDX-License-Identifier: MIT
"""What can be the matter with a tunnel: each fault is done to a real OpenVPN, and its cause is known
because we make it. A fault is a function of a Bench (bench.py); its doc string says what is injected.

    expect   the causes that are right when they are named first; () if the tunnel must not restart
    silent   the tunnel falls silent before OpenVPN acts: ovpnwatch must be the first to say so
    alert    an alert that must come, where no restart does
"""
import signal
import time

from daemons import make_authority, make_control_key, make_stale_crl
from rig import SERVER_IP, Clock

FAULTS = {}


def fault(expect, silent=False, alert=None):
    def register(function):
        function.expect = (expect,) if isinstance(expect, str) else expect
        function.silent, function.alert = silent, alert
        FAULTS[function.__name__] = function
        return function
    return register


# --- the path ---------------------------------------------------------------------------------------

@fault("path_outage", silent=True)
def path_dead(b):
    """nothing passes the wire, in either direction, until 4 s after the restart"""
    b.up()
    b.inject()
    b.filter("server", "in", "drop")
    b.filter("client", "in", "drop")
    b.heal_after_restart(4)


@fault("path_outage", silent=True)
def path_dead_to_server(b):
    """nothing of what the client sends arrives"""
    b.up()
    b.inject()
    b.filter("server", "in", "drop")
    b.heal_after_restart(4, within=4 * b.v.window + 10)


@fault("path_outage", silent=True)
def path_dead_to_client(b):
    """nothing of what the server sends arrives"""
    b.up()
    b.inject()
    b.filter("client", "in", "drop")
    b.heal_after_restart(4)


@fault("path_outage", silent=True)
def path_lossy(b):
    """60 % of the packets are lost, in each direction"""
    b.up()
    b.inject()
    b.filter("server", "in", "numgen random mod 100 < 60 drop")
    b.filter("client", "in", "numgen random mod 100 < 60 drop")
    b.heal_after_restart(4, within=150)


@fault(())
def path_lossy_a_little(b):
    """30 % of the packets are lost in each direction; the window is six pings"""
    b.up()
    b.inject()
    b.filter("server", "in", "numgen random mod 100 < 30 drop")
    b.filter("client", "in", "numgen random mod 100 < 30 drop")
    b.quiet(30)


def unplug(b, host):
    """One end of the wire is down until 3 s after the restart."""
    b.up()
    b.inject()
    b.rig.run(host, "ip", "link", "set", "wire0", "down")
    b.wait_restart()
    time.sleep(3)
    b.rig.run(host, "ip", "link", "set", "wire0", "up")
    b.wait_up_again()


@fault("path_outage", silent=True)
def interface_down(b):
    """the client's interface is set down until 3 s after the restart"""
    unplug(b, "client")


@fault("path_outage", silent=True)
def carrier_lost(b):
    """the other end of the client's wire is unplugged until 3 s after the restart"""
    unplug(b, "server")


# --- the server -------------------------------------------------------------------------------------

@fault("server_down", silent=True)
def server_killed(b):
    """the server is killed; its port refuses until 4 s after the restart"""
    b.up()
    b.inject()
    b.server.kill()
    b.wait_restart()
    time.sleep(4)
    b.server.start()
    b.wait_up_again()


@fault("session_lost", silent=True)
def server_restarted(b):
    """the server is killed and started again at once"""
    b.up()
    b.inject()
    b.server.kill()
    b.server.start()
    b.wait_restart()
    b.wait_up_again()


@fault("server_unresponsive", silent=True)
def server_frozen(b):
    """the server is stopped (SIGSTOP) until 4 s after the restart"""
    b.up()
    b.inject()
    b.server.process.freeze()
    b.wait_restart()
    time.sleep(4)
    b.server.process.thaw()
    b.wait_up_again()


@fault("server_initiated")
def server_says_goodbye(b):
    """the server ends with explicit-exit-notify"""
    b.up(goodbye=True)
    b.inject()
    b.server.process.end(patience=8)
    b.server.start()
    b.wait_restart()
    b.wait_up_again()


@fault("server_initiated")
def server_drops_client(b):
    """an administrator drops the client (client-kill at the server's management interface)"""
    b.up(server_extra="management 127.0.0.1 7506")
    b.inject()
    b.manage_server("client-kill 0")
    b.wait_restart()
    b.wait_up_again()


# --- the clocks -------------------------------------------------------------------------------------

@fault("local_clock_step")
def local_step_forward(b):
    """this machine's clock is set 60 s forward"""
    b.up(client_clock=Clock(b.rig.path("client.clock")))
    b.inject()
    b.note(f"try {b.client.step(60, tries=20, pause=2.5)}")
    b.wait_up_again()


@fault((), alert="local_clock_step")
def local_step_small(b):
    """this machine's clock is set forward by a quarter of the window"""
    b.up(client_clock=Clock(b.rig.path("client.clock")))
    b.inject()
    b.client.clock.step(b.v.window / 4)
    b.quiet(2 * b.v.window)


@fault((), alert="local_clock_step")
def local_step_back(b):
    """this machine's clock is set 60 s back"""
    b.up(client_clock=Clock(b.rig.path("client.clock")))
    b.inject()
    b.client.clock.step(-60)
    b.quiet(2 * b.v.window)


@fault("peer_clock_step", silent=True)
def server_step_forward(b):
    """the server's clock is set 60 s forward"""
    b.up(server_clock=b.server_clock())
    b.inject()
    b.note(f"try {b.server.step(60, tries=20, pause=2.7)}")
    b.inject()  # the steps before it did nothing
    b.wait_restart()
    b.wait_up_again()


@fault((), alert="peer_clock_step")
def server_step_small(b):
    """the server's clock is set forward by half of the client's window"""
    b.up(server_clock=b.server_clock())
    b.inject()
    b.server.clock.step(b.v.window / 2)
    b.quiet(65)  # in which the next of the quiet probes falls


@fault(())
def server_step_back(b):
    """the server's clock is set 60 s back"""
    b.up(server_clock=b.server_clock())
    b.inject()
    b.server.clock.step(-60)
    b.quiet(3 * b.v.window)


@fault(())
def skew_alone(b):
    """the server's clock is 7 s ahead, steadily"""
    b.up()
    b.inject()
    b.quiet(3 * b.v.window)


# --- keepalive and NAT ------------------------------------------------------------------------------

@fault("keepalive_mismatch", silent=True)
def keepalive_missing(b):
    """the server sends no pings; the client waits, by its own profile"""
    b.up(keepalive=None, client_extra=f"ping-restart {b.v.window}", settle=False)
    b.inject(b.began)
    b.wait_restart(count=3)
    b.wait_up_again()


@fault("keepalive_mismatch", silent=True)
def keepalive_too_slow(b):
    """the server pings every three windows"""
    b.up(keepalive=None, settle=False,
         server_extra=f'ping {3 * b.v.window}\npush "ping-restart {b.v.window}"')
    b.inject(b.began)
    b.wait_restart(count=3)
    b.wait_up_again()


@fault("nat_timeout", silent=True)
def nat_forgets(b):
    """a stateful firewall forgets the connection after 5 s in which the client sent nothing"""
    b.rig.run("client", "nft", "-f", "-", stdin="""table inet nat {
  set alive { type inet_service; flags dynamic,timeout; timeout 5s; }
  chain out { type filter hook output priority 0; udp dport 1194 update @alive { udp sport }; }
  chain in { type filter hook prerouting priority -300;
    iifname wire0 udp sport 1194 udp dport != @alive drop; }
}
""")
    b.up(keepalive=None, settle=False,
         server_extra=f'ping {b.v.ping}\npush "ping-restart {b.v.window}"')
    b.inject(b.began)
    b.wait_restart(count=3)
    b.wait_up_again()


@fault("duplicate_client", silent=True)
def duplicate(b):
    """two clients share one certificate"""
    b.up()
    b.inject()
    b.second_client()
    b.wait_restart(count=4, within=12 * b.v.window)
    b.wait_up_again()


@fault("duplicate_client", silent=True)
def duplicate_seen_by_server(b):
    """two clients share one certificate, and the server's management interface is watched"""
    b.up(server_extra=f"management {SERVER_IP} 7506",
         watch=("--peer-management", f"{SERVER_IP}:7506"))
    b.inject()
    b.second_client()
    b.wait_restart(within=5 * b.v.window)
    b.wait_up_again()


# --- keys and certificates --------------------------------------------------------------------------

CONTROL = "udp dport 1194 @th,64,5 { 3, 4, 5 } drop", "udp sport 1194 @th,64,5 { 3, 4, 5 } drop"


def block_control(b):
    """Neither soft reset, nor control packets, nor acknowledgements pass; data does."""
    b.filter("server", "in", CONTROL[0])
    b.filter("client", "in", CONTROL[1])


SHORT = "hand-window 5\ntran-window 10"  # a handshake that fails is given up soon


def blocked_renegotiation(b, client, server):
    """The end with the shorter --reneg-sec begins a renegotiation that cannot be ended."""
    b.up(client_extra=f"{client}\n{SHORT}", server_extra=f"{server}\n{SHORT}")
    b.inject()
    block_control(b)
    b.heal_after_restart(0, within=60)


@fault("renegotiation")
def renegotiation_by_client(b):
    """the client renegotiates, and its control packets do not pass"""
    blocked_renegotiation(b, "reneg-sec 15", "reneg-sec 3600")


@fault("renegotiation")
def renegotiation_by_server(b):
    """the server renegotiates, and its control packets do not pass"""
    blocked_renegotiation(b, "reneg-sec 3600", "reneg-sec 15")


def never_up(b, client_extra="", **options):
    """A tunnel that does not come up, however often OpenVPN tries."""
    b.down(client_extra=f"{SHORT}\n{client_extra}", server_extra=SHORT, **options)
    b.wait_restart(count=3, within=40)
    time.sleep(3)


def shifted(b, host, days):
    clock = Clock(b.rig.path(f"{host}.clock"))
    clock.set(days * 86400)
    return clock


@fault("certificate_time")
def not_yet_valid_here(b):
    """this machine's clock is 10 days back: the server's certificate is not yet valid to it"""
    never_up(b, client_clock=shifted(b, "client", -10))


@fault("certificate_time")
def not_yet_valid_there(b):
    """the server's clock is 10 days back: the client's certificate is not yet valid to it"""
    never_up(b, server_clock=shifted(b, "server", -10))


@fault("certificate_time")
def expired_there(b):
    """the server's clock is 60 days ahead: the client's certificate has expired to it"""
    never_up(b, server_clock=shifted(b, "server", 60))


@fault("certificate_time")
def crl_expired(b):
    """the client's revocation list has expired"""
    make_stale_crl(b.rig)
    never_up(b, "crl-verify crl.pem")


@fault("certificate")
def wrong_authority(b):
    """the client trusts another authority"""
    make_authority(b.rig, "other")
    never_up(b, client={"authority": "other.crt"})


@fault("authentication")
def wrong_key(b):
    """the client has another tls-auth or tls-crypt key"""
    make_control_key(b.rig, "other.key")
    never_up(b, client={"key": "other.key"})


def refuse(b):
    """A server that does not accept the password; it takes a moment, as a real one does."""
    script = b.rig.write("refuse", "#!/bin/sh\nsleep 3\nexit 1\n", mode=0o755)
    return f"script-security 3\nauth-user-pass-verify {script} via-env"


@fault("authentication")
def auth_failed(b):
    """the server does not accept the password; the client ends"""
    b.down(client_extra=f"auth-user-pass {b.password()}", server_extra=refuse(b))
    b.wait_end(20)


@fault("authentication")
def auth_failed_again_and_again(b):
    """the server does not accept the password; the client tries again and again"""
    b.down(client_extra=f"auth-user-pass {b.password()}\nauth-retry nointeract",
           server_extra=refuse(b))
    b.wait_restart(count=3, within=60)
    time.sleep(3)


@fault("authentication")
def token_expired(b):
    """the token of auth-gen-token has expired when the client renegotiates"""
    b.up(client_extra=f"auth-user-pass {b.password()}\nreneg-sec 25\nauth-nocache",
         server_extra="auth-gen-token 8\nscript-security 3\n"
         "auth-user-pass-verify /bin/true via-env")
    b.inject()
    b.wait_restart_or_end(60)


# --- by hand, and nothing ---------------------------------------------------------------------------

@fault("user_initiated")
def restarted_by_hand(b):
    """SIGUSR1 is sent to the client"""
    b.up()
    b.inject()
    b.client.process.send(signal.SIGUSR1)
    b.wait_restart()
    b.wait_up_again()


@fault("user_initiated")
def reloaded_by_hand(b):
    """SIGHUP is sent to the client"""
    b.up()
    b.inject()
    b.client.process.send(signal.SIGHUP)
    b.wait_restart()
    b.wait_up_again()


@fault("user_initiated")
def stopped_by_hand(b):
    """the client is ended (SIGTERM) and started again"""
    b.up()
    b.inject()
    b.client.process.end()
    b.wait_end(5)
    b.client.start()
    b.wait_up_again()


@fault(())
def healthy(b):
    """nothing but 5 % loss and a busy wire"""
    b.up()
    b.inject()
    b.filter("server", "in", "numgen random mod 100 < 5 drop")
    b.filter("client", "in", "numgen random mod 100 < 5 drop")
    b.quiet(60)
