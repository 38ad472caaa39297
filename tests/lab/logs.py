# SPDX-License-Identifier: MIT
"""What ovpnwatch makes of a real client's log while it is written, without the management interface and
beside it. Scenarios as in scenarios.py."""
import os
import shutil
import signal
import subprocess
import sys
import time

from daemons import Client, Server
from rig import SERVER_IP, Failure
from watcher import alert, first_cause, monitor, state

LOGS = {}


def scenario(function):
    LOGS[function.__name__] = function
    return function


def restart(lab, count):
    """The server dies, the client restarts, the server comes back. Its restarts are told once each."""
    lab.fault()
    lab.server.kill()
    at, event = lab.watch.expect(alert("ping_restart", "flapping", status="firing"), 20, "an alert about the restart", lab.since)
    lab.watch.expect(state("RECONNECTING"), 1, "state RECONNECTING", lab.since)
    lab.server.start()
    up, _ = lab.watch.expect(state("CONNECTED"), 30, "state CONNECTED", lab.since)
    time.sleep(1)
    told = lab.watch.count(lambda e: state("RECONNECTING")(e) and e["state"].get("detail") == "ping-restart")
    if told != count:
        raise Failure(f"{told} restarts by ping-restart were told, and there were {count}")
    return at, event, up


def connected_once(lab, since, what):
    told = lab.watch.count(state("CONNECTED"), since)
    if told != 1:
        raise Failure(f"CONNECTED was told {told} times {what}")


@scenario
def log_alone(lab):
    """nothing but a log, of a client without a management interface; it is moved away, and cut off"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, management=None)
    lab.client.wait_up()
    if lab.options.bare:
        return
    log = lab.rig.path("client.log")
    lab.start_watch("--log", log, management=None)
    _, event = lab.watch.expect(monitor("connected"), 5, "the log is followed")
    if "2.6" not in event["monitor"].get("version", "2.6") or event["monitor"]["address"] != log:
        raise Failure(f"it is not said what is followed: {event['monitor']}")
    _, event = lab.watch.expect(state("CONNECTED"), 2, "the state that the log had")
    if event["state"].get("remote_ip") != SERVER_IP or not event["state"].get("local_ip"):
        raise Failure(f"the log had the addresses: {event['state']}")
    at, event, up = restart(lab, 1)
    if first_cause(event)[0] != "server_down" or "silent_s" in event["restart"]:
        raise Failure(f"a log alone: {first_cause(event)}, {event['restart']}")
    lab.first_alert(at)
    lab.verdict(up, *first_cause(event))
    # As logrotate does without a word to OpenVPN, which goes on to write into the old one.
    os.rename(log, log + ".1")
    lab.rig.write("client.log", "")
    restart(lab, 2)
    # copytruncate
    os.remove(log)
    os.rename(log + ".1", log)
    time.sleep(1.5)
    shutil.copyfile(log, log + ".1")
    os.truncate(log, 0)
    restart(lab, 3)
    lab.fault()
    lab.client.process.kill()
    lab.client.start()
    at, event = lab.watch.expect(alert("tunnel_down", status="firing"), 10, "killed and started anew", lab.since)
    lab.watch.expect(alert("tunnel_down", status="resolved"), 20, "up again", lab.since)


@scenario
def log_beside(lab):
    """the management interface and the log of one client: each event counts once"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig)
    lab.client.wait_up()
    if lab.options.bare:
        return
    lab.start_watch("--log", lab.rig.path("client.log"))
    for address in ("127.0.0.1:7505", lab.rig.path("client.log")):
        lab.watch.expect(lambda e, a=address: monitor("connected")(e) and e["monitor"]["address"] == a, 5,
                         f"{address} is listened to")
    time.sleep(2)
    connected_once(lab, 0.0, "at the beginning")
    at, event, up = restart(lab, 1)
    connected_once(lab, lab.since, "after the restart")
    lab.first_alert(at)
    lab.verdict(up, *first_cause(event))
    # By hand, twice in a row, and the end: it takes the management interface with it.
    for _ in range(2):
        lab.fault()
        lab.client.process.send(signal.SIGUSR1)
        lab.watch.expect(state("CONNECTED"), 20, "up again", lab.since)
        time.sleep(1)
        connected_once(lab, lab.since, "after a restart by hand")
    lab.fault()
    lab.client.process.end(signal.SIGTERM)
    lab.watch.expect(monitor("lost"), 5, "the management interface is gone", lab.since)
    time.sleep(2)
    for name, match in (("EXITING", state("EXITING")), ("tunnel_down", alert("tunnel_down", status="firing"))):
        if lab.watch.count(match, lab.since) != 1:
            raise Failure(f"{name} was told {lab.watch.count(match, lab.since)} times")


# The lines of a file as journalctl -f -o short-iso prints them, another program's among them.
JOURNAL = """
import sys, time
def say(ident, text):
    print(time.strftime("%Y-%m-%dT%H:%M:%S%z"), "host", ident + ":", text, flush=True)
with open(sys.argv[1]) as log:
    rest = ""
    while True:
        chunk = log.read()
        if not chunk:
            time.sleep(0.02)
        *whole, rest = (rest + chunk).split("\\n")
        for line in whole:
            say("NetworkManager[1]", "Initialization Sequence Completed, said I")
            say("nm-openvpn[4711]", line)
"""


@scenario
def log_of_a_journal(lab):
    """a journal in a pipe, of a client at verb 1 that stamps nothing"""
    lab.server = Server(lab.rig)
    lab.client = Client(lab.rig, management=None, start=False,
                        extra="verb 1\nsuppress-timestamps")
    lab.client.start()
    lab.client.wait_up()
    if lab.options.bare:
        return
    journal = lab.rig.start("client", sys.executable, "-u", "-c", JOURNAL, lab.rig.path("client.log"),
                            stdout=subprocess.PIPE)
    lab.start_watch("--log", "-", management=None, stdin=journal.popen.stdout)
    journal.popen.stdout.close()
    lab.watch.expect(state("CONNECTED"), 5, "the state that the journal had")
    at, event, up = restart(lab, 1)
    lab.first_alert(at)
    lab.verdict(up, *first_cause(event))
    if event["restart"].get("timers_from", "default") != "default":
        raise Failure(f"at verb 1 no timers are logged: {event['restart']}")
    lab.fault()
    journal.end(signal.SIGTERM)
    lab.watch.expect(monitor("lost"), 3, "the journal has ended", lab.since)
    lab.watch.wait_end(3)
    if not monitor("stopped")(lab.watch.events[-1][1]):
        raise Failure("it ended without a word")
