# SPDX-License-Identifier: MIT
"""What can happen around a tunnel, done to a real one, and what ovpnwatch has to say about it. What
can be the matter with the tunnel itself is in faults.py.

A scenario is a function of a Lab (lab.py). Its doc string is what the table calls "injected".
The tunnel runs with `keepalive 2 8`: the client restarts after 8 s of silence, the server forgets
the client after 16.
"""
import signal
import time

from daemons import CLIENT_CONNECT, Chrony, Client, Management, Server
from rig import SERVER_IP, Clock, Failure
from watcher import RESTARTS, alert, measured, monitor, state

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


@scenario
def server_skewed_7s(lab):
    """the server's clock is 7 s ahead, steadily"""
    clock = Clock(lab.rig.path("server.clock"))
    clock.set(7)
    lab.fault()
    lab.tunnel(server_clock=clock, settle=False)
    if not lab.watch:
        time.sleep(40)
        return lab.transcript()
    at, event = lab.watch.expect(alert("peer_clock_offset"), 20, "alert peer_clock_offset")
    lab.first_alert(at)
    # Eight probes make it 9 ms on a quiet machine; here other tests run beside this one, and a probe may have
    # waited for a processor. How good it gets is for clocks.py to say.
    at, event = lab.watch.expect(measured(peer_clock=0.020), 25, "peer_clock within 20 ms")
    offset, bound = event["peer_clock"]["offset_s"], event["peer_clock"]["max_error_s"]
    if abs(offset - 7) > min(bound, 0.020) + 0.0002:  # two programs read two clocks
        raise Failure(f"7 s were measured as {offset} +- {bound}")
    lab.verdict(at, f"{offset:+.4f} s", f"+-{bound * 1000:.1f} ms")
    time.sleep(25)  # three ping-restart windows
    lab.watch.never(alert(*RESTARTS), "a restart that nobody saw")
    if lab.client.restarted(0, lab.since):
        raise Failure("the client restarted with a constant offset")


@scenario
def healthy(lab):
    """nothing, with both clocks kept by chronyd"""
    Chrony(lab.rig)
    Chrony.wait_synced(lab.rig)
    lab.tunnel(settle=False)
    lab.fault()
    end = time.monotonic() + lab.minutes * 60
    while time.monotonic() < end:
        time.sleep(min(1.0, max(0.0, end - time.monotonic())))
        if lab.watch:
            lab.watch.never(alert(), "an alert although all is well")
    if not lab.watch:
        return lab.transcript()
    lab.watch.never(monitor("dropped"), "dropped events")
    lab.watch.expect(measured(local_clock=1.0), 1, "local_clock from chronyd")
    lab.watch.expect(measured(peer_clock=0.1), 1, "peer_clock")
    lab.verdict(time.monotonic(), "no alert", f"{lab.minutes:g} min")


@scenario
def local_chrony_offset(lab):
    """chronyd finds this machine's clock 7 s slow"""
    clock = Clock(lab.rig.path("utc.clock"))
    clock.set(7)
    Chrony(lab.rig, clock)
    Chrony.wait_synced(lab.rig)
    lab.fault()
    lab.tunnel(settle=False)
    if not lab.watch:
        print(lab.rig.run("client", "chronyc", "-h", "127.0.0.1", "-n", "tracking"))
        return
    at, event = lab.watch.expect(alert("local_clock_offset"), 25, "alert local_clock_offset")
    reading = event["local_clock"]
    if reading["source"] != "chrony" or abs(reading["offset_s"] - 7) > 0.05:
        raise Failure(f"chronyd's 7 s came out as {reading}")
    lab.first_alert(at)
    lab.verdict(at, f"{reading['offset_s']:+.4f} s", reading["state"])


def told(lab, source, true, within):
    """An event whose peer_clock comes from this source, with the truth in its bound."""
    at, event = lab.watch.expect(lambda e: e.get("peer_clock", {}).get("source") == source, within,
                                 f"the server's clock by {source}", lab.since)
    reading = event["peer_clock"]
    if abs(reading["offset_s"] - true) > reading["max_error_s"] + 0.0005:
        raise Failure(f"{source}: {true} s were measured as {reading}")
    lab.verdict(at, f"{reading['offset_s']:+.4f} s", f"+-{reading['max_error_s'] * 1000:.1f} ms")
    return event


def reconnect_watched(lab, *arguments):
    """The client connects anew while ovpnwatch listens, which does not probe."""
    lab.client.wait_up()
    lab.start_watch("--no-probe", *arguments)
    lab.fault()
    if lab.watch:
        lab.watch.expect(state("CONNECTED"), 10, "state CONNECTED")
        lab.fault()
        lab.client.process.send(signal.SIGUSR1)


@scenario
def server_pushes_its_time(lab):
    """a client-connect script of the server pushes its time"""
    lab.server = Server(lab.rig, extra=f"script-security 2\nclient-connect {CLIENT_CONNECT}")
    lab.client = Client(lab.rig)
    reconnect_watched(lab)
    if lab.watch:
        reading = told(lab, "echo", 0.0, 20)["peer_clock"]
        if reading["max_error_s"] > 1.0:
            raise Failure(f"a handshake of some milliseconds left {reading}")


@scenario
def server_gives_tokens(lab):
    """the server gives a token (auth-gen-token); its clock is 7 s ahead"""
    clock = Clock(lab.rig.path("server.clock"))
    clock.set(7)
    user = lab.rig.write("user", "somebody\nsecret-word\n")
    lab.server = Server(lab.rig, clock=clock, extra="auth-gen-token 3600\nscript-security 3\n"
                        "auth-user-pass-verify /bin/true via-env")
    lab.client = Client(lab.rig, extra=f"auth-user-pass {user}")
    reconnect_watched(lab, "--verbose")
    if not lab.watch:
        return
    told(lab, "auth_token", 7.0, 20)
    for text in [line.decode() for line in lab.watch.raw] + [lab.watch.errors()]:
        if "SESS_ID_AT_" in text or "secret-word" in text:
            raise Failure("a credential is in the output")


@scenario
def server_ntp(lab):
    """the server, 7 s ahead, serves NTP; its OpenVPN agrees with it"""
    clock = Clock(lab.rig.path("server.clock"))
    clock.set(7)
    Chrony(lab.rig, clock)
    lab.server = Server(lab.rig, clock=clock)
    lab.client = Client(lab.rig)
    lab.client.wait_up()
    lab.fault()
    lab.start_watch("--peer-ntp", SERVER_IP)
    if not lab.watch:
        return
    event = told(lab, "sntp", 7.0, 20)
    if event["peer_clock"]["max_error_s"] > 0.01 or "disagrees" in event["peer_clock"]:
        raise Failure(f"an exchange of NTP left {event['peer_clock']}")
    time.sleep(10)  # the probes have come in, too
    lab.watch.never(lambda e: "disagrees" in e.get("peer_clock", {}), "a disagreement")


@scenario
def server_damped(lab):
    """the server's clock is set back by 30 s; its OpenVPN goes on as before"""
    clock = Clock(lab.rig.path("server.clock"))
    clock.set(0)
    lab.server = Server(lab.rig, clock=clock, extra=f"management {SERVER_IP} 7506")
    lab.client = Client(lab.rig)
    lab.client.wait_up()
    time.sleep(2)
    clock.step(-30)
    time.sleep(2)  # OpenVPN has looked at its clock
    lab.fault()
    lab.start_watch("--peer-management", f"{SERVER_IP}:7506")
    if not lab.watch:
        return
    at, event = lab.watch.expect(lambda e: "disagrees" in e.get("peer_clock", {}), 20,
                                 "the server's two clocks", lab.since)
    reading = event["peer_clock"]
    other = reading["disagrees"]
    if reading["source"] != "management" or abs(reading["offset_s"] + 30) > reading["max_error_s"]:
        raise Failure(f"the system's clock, 30 s behind, came out as {reading}")
    # OpenVPN takes all of the step out but what passed while it did not look: 2 s at most.
    if not -2.5 < other["offset_s"] < 0.5 + other["max_error_s"]:
        raise Failure(f"OpenVPN's clock came out as {other}")
    if "was set back since OpenVPN was started" not in event["message"]:
        raise Failure(f"it is not said why: {event['message']}")
    lab.verdict(at, f"{reading['offset_s']:+.2f} s", f"{other['offset_s']:+.2f} s")


def managed(lab, **options):
    """A server, a client that is not started yet, and ovpnwatch."""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, start=False, **options)



@scenario
def management_unreachable(lab):
    """ovpnwatch is there before the client is"""
    managed(lab)
    lab.start_watch()
    lab.fault()
    if not lab.watch:
        return
    at, _ = lab.watch.expect(alert("management_unreachable"), 6, "alert management_unreachable")
    lab.first_alert(at)
    lab.client.start()
    at, _ = lab.watch.expect(alert("management_unreachable", status="resolved"), 20,
                             "management_unreachable resolved")
    lab.watch.expect(state("CONNECTED"), 10, "state CONNECTED")
    lab.verdict(at, "resolved", "-")
    lab.watch.never(alert(*RESTARTS), "a restart that nobody saw")


@scenario
def management_busy(lab):
    """another program holds the management interface"""
    managed(lab)
    lab.client.start()
    lab.client.wait_up()
    other = Management(lab.rig)
    if not other.log.wait(">INFO:", 5):
        raise Failure("the other management client heard nothing")
    lab.start_watch()
    lab.fault()
    if lab.watch:
        at, _ = lab.watch.expect(alert("management_busy"), 8, "alert management_busy")
        lab.first_alert(at)
        other.close()
        at, _ = lab.watch.expect(alert("management_busy", status="resolved"), 35,
                                 "management_busy resolved")
        lab.watch.expect(state("CONNECTED"), 5, "state CONNECTED")
        lab.verdict(at, "resolved", "-")


@scenario
def management_refused(lab):
    """ovpnwatch has the wrong password"""
    right = lab.rig.write("right.password", "right\n")
    wrong = lab.rig.write("wrong.password", "wrong\n")
    managed(lab, management=f"127.0.0.1 7505 {right}")
    lab.client.start()
    lab.client.wait_up()
    lab.start_watch("--management-password-file", wrong)
    lab.fault()
    if lab.watch:
        at, event = lab.watch.expect(alert("management_refused"), 10, "alert management_refused")
        lab.first_alert(at)
        lab.verdict(at, "refused", event["severity"])
        for line in lab.watch.raw:
            if b"wrong\n" in line or b'"wrong"' in line:
                raise Failure("the password is in the output")


@scenario
def management_restarted(lab):
    """the client is killed and started again (unix socket)"""
    password = lab.rig.write("password", "secret-word\n")
    managed(lab, management=f"{lab.rig.path('management.sock')} unix {password}")
    lab.client.start()
    lab.client.wait_up()
    lab.start_watch("--management-password-file", password,
                    management="unix:" + lab.rig.path("management.sock"))
    if not lab.watch:
        return
    lab.watch.expect(state("CONNECTED"), 5, "state CONNECTED")
    lab.fault()
    lab.client.process.kill()
    at, _ = lab.watch.expect(monitor("lost"), 3, "monitor lost", lab.since)
    lab.first_alert(at)
    time.sleep(2)
    lab.client.start()
    lab.watch.expect(monitor("connected"), 15, "monitor connected", lab.since)
    at, _ = lab.watch.expect(state("CONNECTED"), 10, "state CONNECTED again", lab.since)
    lab.verdict(at, "connected", "-")
    lab.watch.never(alert(*RESTARTS), "a restart that nobody saw")
    if any(b"secret-word" in line for line in lab.watch.raw):
        raise Failure("the password is in the output")
