# SPDX-License-Identifier: MIT
"""What can happen to a tunnel, done to a real one, and what ovpnwatch has to say about it.

A scenario is a function of a Lab (lab.py). Its doc string is what the table calls "injected".
The tunnel runs with `keepalive 2 8`: the client restarts after 8 s of silence, the server forgets
the client after 16.
"""
import time

from daemons import Chrony, Client, Management, Server
from rig import Clock, Failure
from watcher import RESTARTS, alert, measured, monitor, state

SCENARIOS = {}


def scenario(function):
    SCENARIOS[function.__name__] = function
    return function


@scenario
def path_outage(lab):
    """nothing passes the wire until 4 s after the restart"""
    lab.tunnel()
    lab.fault()
    lab.rig.cut()
    lab.wait_restart()
    time.sleep(4)
    lab.rig.mend()
    lab.judge("ping_restart", "path_outage")


@scenario
def server_killed(lab):
    """the server is killed; its port refuses"""
    lab.tunnel()
    lab.fault()
    lab.server.kill()
    lab.wait_restart()
    time.sleep(4)
    lab.server.start()
    lab.judge(RESTARTS, "server_down")


@scenario
def server_restarted(lab):
    """the server is killed and started again at once"""
    lab.tunnel()
    lab.fault()
    lab.server.kill()
    lab.server.start()
    lab.judge("ping_restart", "session_lost")


@scenario
def server_frozen(lab):
    """the server is stopped (SIGSTOP) until after the restart"""
    lab.tunnel()
    lab.fault()
    lab.server.process.freeze()
    lab.wait_restart()
    time.sleep(4)
    lab.server.process.thaw()
    lab.judge("ping_restart", ("server_unresponsive", "path_outage"))


@scenario
def local_step_forward(lab):
    """this machine's clock is set 60 s forward"""
    clock = Clock(lab.rig.path("client.clock"))
    lab.tunnel(client_clock=clock)
    lab.fault()
    lab.note(f"try {lab.client.step(60, tries=20, pause=2.5)}")
    if lab.watch:
        _, event = lab.watch.expect(alert("local_clock_step"), 3, "alert local_clock_step",
                                    lab.since)
        size = event.get("step", {}).get("size_s", 0)
        if abs(size - 60) > 0.01:
            raise Failure(f"a step of 60 s was given as {size}")
    lab.judge("ping_restart", "local_clock_step", at_least="confirmed")


@scenario
def server_step_forward(lab):
    """the server's clock is set 60 s forward"""
    clock = Clock(lab.rig.path("server.clock"))
    lab.tunnel(server_clock=clock)
    lab.fault()
    lab.note(f"try {lab.server.step(60, tries=20, pause=2.7)}")
    lab.judge("ping_restart", "peer_clock_step")


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
    at, event = lab.watch.expect(measured(peer_clock=0.005), 25, "peer_clock within 5 ms")
    offset, bound = event["peer_clock"]["offset_s"], event["peer_clock"]["max_error_s"]
    if abs(offset - 7) > min(bound, 0.005) + 0.0002:  # two programs read two clocks
        raise Failure(f"7 s were measured as {offset} +- {bound}")
    lab.verdict(at, f"{offset:+.4f} s", f"+-{bound * 1000:.1f} ms")
    time.sleep(25)  # three ping-restart windows
    lab.watch.never(alert(*RESTARTS), "a restart that nobody saw")
    if lab.client.restarted(0, lab.since):
        raise Failure("the client restarted with a constant offset")


@scenario
def server_says_goodbye(lab):
    """the server ends with explicit-exit-notify"""
    lab.tunnel(goodbye=True)
    lab.fault()
    lab.server.process.end(patience=8)
    time.sleep(1)
    lab.server.start()
    lab.judge("reconnecting", "server_initiated", at_least="confirmed")


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
