# SPDX-License-Identifier: MIT
"""An OpenVPN server whose management interface is watched, and its clients; and how ovpnwatch
behaves at a daemon that waits for somebody, and when it leaves.

The clients have one certificate and names of their own (username-as-common-name). With
`keepalive 1 4` a client restarts after 4 s of silence, and the server gives it up after 8.
"""
import os
import signal
import time

from daemons import Client, Management, Server
from rig import SERVER_IP, Clock, Failure
from scenarios import scenario
from watcher import Watcher, alert, monitor, state

MANAGEMENT = f"{SERVER_IP} 7506"
NAMES = """script-security 2
auth-user-pass-verify /bin/true via-file
username-as-common-name
management """ + MANAGEMENT


def change(what, name):
    """Matches the event that this became of that client."""
    return lambda e: (e["event_type"] == "client" and e["client"]["change"] == what and
                      e["client"]["name"] == name)


def watch_server(lab, *arguments):
    folder = os.environ.get("OVPNWATCH_LINES")
    save_as = os.path.join(folder, f"lab-{lab.name}.ndjson") if folder else None
    lab.watch = Watcher(lab.rig, lab.options.ovpnwatch,
                        ("--management", MANAGEMENT.replace(" ", ":"), *arguments), None, save_as)


def server(lab, keepalive=(1, 4), **options):
    lab.server = Server(lab.rig, keepalive=keepalive, extra=NAMES, **options)
    watch_server(lab)
    lab.watch.expect(monitor("server"), 10, "monitor server")


def client(lab, name, file=None, extra="", host="client"):
    """A client of that name, which is not waited for. On the server's host it has another address."""
    password = lab.rig.write(f"{name}.password", f"{name}\nx\n")
    file = file or name
    made = Client(lab.rig, name=file, management=f"{lab.rig.path(file + '.sock')} unix",
                  extra=f"auth-user-pass {password}\n{extra}", start=False)
    made.start(host=host)
    return made


def expect(lab, what, name, within, since=0.0):
    return lab.watch.expect(change(what, name), within, f"client {what} {name}", since)


@scenario
def clients_come_and_go(lab):
    """a server's clients connect, are killed, come back and leave"""
    server(lab)
    lab.fault()
    alice = client(lab, "alice", extra="explicit-exit-notify 1")
    bob = client(lab, "bob")
    at, event = expect(lab, "connected", "bob", 15)
    lab.first_alert(at)
    if not event["client"]["virtual_ip"].startswith("10.8.0."):
        raise Failure(f"bob is at {event['client']['virtual_ip']}")
    expect(lab, "connected", "alice", 15)
    killed = time.monotonic()
    bob.process.kill()
    at, event = expect(lab, "disconnected", "bob", 14, killed)
    if event["client"].get("reason") != "ping-restart" or event["client"]["clients"] != 1:
        raise Failure(f"bob is gone: {event['client']}")
    bob.start()
    at, event = expect(lab, "restarted", "bob", 15, killed)
    lab.verdict(at, event["client"]["reason"], "-")
    left = time.monotonic()
    alice.process.end(signal.SIGTERM)
    at, event = expect(lab, "disconnected", "alice", 15, left)
    lab.note(f"alice left: {event['client'].get('reason')}")
    lab.watch.never(alert("rx_stalled", "ping_restart", "clients_lost", "duplicate_client"),
                    "an alert about a client's tunnel")


@scenario
def server_is_restarted(lab):
    """a server is restarted by SIGUSR1, and then killed"""
    server(lab)
    client(lab, "alice")
    expect(lab, "connected", "alice", 15)
    lab.fault()
    lab.server.process.send(signal.SIGUSR1)
    at, event = expect(lab, "disconnected", "alice", 5)
    lab.first_alert(at)
    _, event = lab.watch.expect(alert("reconnecting", status="firing"), 5, "alert reconnecting")
    causes = [c["cause"] for c in event["causes"]]
    if causes != ["user_initiated"]:
        raise Failure(f"a server's restart is explained by {causes}")
    expect(lab, "restarted", "alice", 30)
    killed = time.monotonic()
    lab.server.process.kill()
    lab.watch.expect(monitor("lost"), 5, "monitor lost", killed)
    lab.server.start()
    at, _ = lab.watch.expect(monitor("server"), 30, "monitor server again", killed)
    lab.verdict(at, "server", "-")


@scenario
def clients_evict_each_other(lab):
    """two machines with one name evict each other, seen by the server"""
    server(lab)
    client(lab, "bob")
    client(lab, "alice")
    expect(lab, "connected", "alice", 15)
    lab.fault()
    client(lab, "alice", file="twin", host="server")
    at, event = expect(lab, "evicted", "alice", 15)
    lab.first_alert(at)
    if not event["client"]["other_address"].startswith(SERVER_IP):
        raise Failure(f"alice was evicted by {event['client']}")
    at, event = lab.watch.expect(alert("duplicate_client"), 60, "alert duplicate_client")
    lab.verdict(at, event["alert"]["name"], event["client"]["name"])
    if event["client"]["name"] != "alice" or "two machines" not in event["message"]:
        raise Failure(event["message"])
    lab.watch.never(change("evicted", "bob"), "bob was evicted")


@scenario
def clients_lost_by_a_clock(lab):
    """a server's clock is set forward by an hour: it gives up its clients"""
    clock = Clock(lab.rig.path("server.clock"))
    server(lab, keepalive=(2, 8), clock=clock)
    names = ["alice", "bob", "carol", "dave"]
    for name in names:
        client(lab, name)
    for name in names:
        expect(lab, "connected", name, 20)
    time.sleep(6)
    lab.fault()
    for _ in range(4):  # a packet that comes before the timer wins the race
        clock.step(3600)
        time.sleep(2.5)
        if lab.watch.find(alert("clients_lost")):
            break
    at, event = lab.watch.expect(alert("clients_lost"), 5, "alert clients_lost")
    lab.first_alert(at)
    at, event = lab.watch.expect(lambda e: alert("clients_lost")(e) and "causes" in e, 20,
                                 "clients_lost with its cause")
    cause = event["causes"][0]
    lab.verdict(at, cause["cause"], cause["confidence"])
    if cause["cause"] != "peer_clock_step":
        raise Failure(f"the cause is {cause}")


@scenario
def held(lab):
    """OpenVPN waits at a hold, and then ovpnwatch is told to release it"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, extra="management-hold")
    lab.start_watch("--no-probe")
    lab.fault()
    at, event = lab.watch.expect(alert("waiting_for_user"), 20, "alert waiting_for_user")
    lab.first_alert(at)
    if "hold" not in event["message"]:
        raise Failure(event["message"])
    lab.watch.never(alert("rx_stalled", "connect_failed", "management_busy"), "another alert")
    lab.watch.stop()
    lab.start_watch("--no-probe", "--release-hold")
    at, _ = lab.watch.expect(state("CONNECTED"), 20, "state CONNECTED")
    lab.verdict(at, "released", "-")


@scenario
def asked_for_a_password(lab):
    """OpenVPN waits for a password that nobody gives"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, extra="management-query-passwords\nauth-user-pass")
    lab.start_watch("--no-probe", "--release-hold")
    lab.fault()
    at, event = lab.watch.expect(alert("waiting_for_user"), 20, "alert waiting_for_user")
    lab.first_alert(at)
    if "('Auth')" not in event["message"]:
        raise Failure(event["message"])
    lab.client.process.end(signal.SIGTERM)
    at, _ = lab.watch.expect(alert("waiting_for_user", status="resolved"), 10, "resolved")
    lab.verdict(at, "resolved", "-")


@scenario
def what_was_changed_is_put_back(lab):
    """ovpnwatch leaves, and somebody else comes who asks for nothing"""
    lab.tunnel(settle=False)
    lab.watch.expect(state("CONNECTED"), 10, "state CONNECTED")
    lab.fault()
    lab.watch.stop()
    if not lab.client.log.wait("MANAGEMENT: CMD 'echo off'", 3):
        raise Failure("echo was not turned off")
    if not lab.client.log.wait("MANAGEMENT: CMD 'bytecount 0'", 1):
        raise Failure("the byte count was not turned off")
    other = Management(lab.rig, commands="")
    time.sleep(4)
    noise = [line for _, line in other.log.lines if not line.startswith(">INFO:")]
    if noise:
        raise Failure(f"the next management client hears {noise[:3]}")
    lab.watch = None


@scenario
def it_restarts_when_we_leave(lab):
    """OpenVPN has management-signal"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, extra="management-signal")
    lab.client.wait_up()
    lab.start_watch("--no-probe")
    _, event = lab.watch.expect(monitor("connected"), 10, "monitor connected")
    if event["monitor"].get("management_options") != ["management_signal"]:
        raise Failure(f"it is not said before: {event}")
    lab.fault()
    lab.watch.stop()
    if "restarts its tunnel when ovpnwatch leaves" not in lab.watch.errors(whole=True):
        raise Failure("it is not said: " + lab.watch.errors())
    if not lab.client.log.wait("SIGUSR1[soft,management-disconnect]", 5, lab.since):
        raise Failure("it did not restart: then that need not be said")
    lab.watch = None
