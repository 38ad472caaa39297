#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Known clocks, measured: does the truth lie within what ovpnwatch claims?

    clocks.py --all | --spread [--ovpnwatch PATH]

The clock of a real OpenVPN server is set (libfaketime) to known offsets from this machine's, and
`ovpnwatch probe` measures it: under each key that can wrap the control channel, over UDP and TCP, on
a bare wire and on one that delays what the server sends by 50 ms +- 10 ms. One more server lives under
this machine's own clock, as servers do. Beside it, for the same
offsets on the same wires, what chronyd, check_ntp_time and clockdiff say. The servers of one table
(a key, a protocol, a wire) are measured side by side; --spread is three of the twelve, for every day.
$OVPNWATCH_LINES, if set, is a folder into which the lines that ovpnwatch wrote are saved.
Exit: 0 all as expected, 1 not so, 77 it cannot run here.
"""
import argparse
import collections
import json
import os
import signal
import sys

import rig as rigs
from daemons import make_keys, wrapping
from other_tools import OtherTools
from rig import SERVER_IP, Clock, Failure, Rig, Skip

OFFSETS = (-3600.0, -13.4, -0.4, 0.0, 0.25, 7.0, 86400.0)
KEYS = ("tls-auth", "tls-crypt", "tls-crypt-v2")
PROTOS = ("udp", "tcp")
PATHS = {"bare": None, "delayed": (0.050, 0.010)}
SPREAD = (("tls-auth", "udp", "bare"), ("tls-crypt-v2", "tcp", "bare"),
          ("tls-crypt", "udp", "delayed"))

# libfaketime is exact: a faked clock_gettime() between two real ones was never more than 1 us out of
# their span, which is 5 us wide. This is left to it, and to the two programs' reading of one clock.
SLACK = 0.000050
# How far the best guess may be off. On the slow wire: half of its longest round trip. All of its delay
# is on the way back, the worst case: whoever takes the middle is wrong by half the round trip.
ERROR_MAX = {"bare": 0.002, "delayed": 0.030}
# OpenVPN's clock is time(), which the kernel takes from its timer's last tick; the bound and the best
# guess allow for 10 ms. libfaketime answers from the exact clock: there the guess is half of it ahead.
TICK = 0.010
# A busy machine makes round trips long, and wide bounds honest: such a row is measured again.
TRIES = 3
PROBE_PATIENCE = 60

ROW = "{:<13}{:<5}{:<9}{:>10}  {:>14}{:>10}{:>11}  {:<8}{:>14}{:>14}{:>11}  {}"
FOOT = """
measured, bound, error (measured - true): seconds, of `ovpnwatch probe --count {count}`. truth: within the bound?
chrony: System time of a chronyd that follows the host for its clock (positive: that clock is ahead); its
server is chronyd under the same faked clock above 1 s, and chronyd with `offset` below, where
libfaketime fakes one of two time stamps only. ntp_time: check_ntp_time asks that server.
clockdiff reads the kernel's clock by ICMP, which nobody fakes: it is always the same, and has to be.
real: a server under this machine's own clock, which OpenVPN reads up to 10 ms late, from the kernel's
timer. A faked clock is exact, and the best guess, which has to allow for that, is 5 ms ahead of it.
The error must be within {bare:g} ms of those 5 ms on the bare wire, {delayed:g} ms (half the longest round trip) on
the delayed one, where all of the delay is on the way back: the worst case, by which any middle must be
wrong; real, within that of any lateness. A row that was not is measured again, at most {tries} times in all. A truth outside the bound never is."""


class Server:
    """An OpenVPN server under a clock of its own, and the profile of its client."""

    def __init__(self, rig, number, key, proto, offset, real=False):
        self.rig, self.key, self.offset, self.real = rig, key, offset, real
        self.name = f"{key}-{proto}-{number}"
        port = 1194 + number
        self.profile = rig.write(f"{self.name}.ovpn", f"client\ndev tun\nproto {proto}\nca ca.crt\n"
                                 f"cert client.crt\nkey client.key\nnobind\n"
                                 f"remote {SERVER_IP} {port} {proto}\n{wrapping(key, 'client')}")
        rig.write(f"{self.name}.conf", f"""dev tun
proto {proto}{"-server" if proto == "tcp" else ""}
local {SERVER_IP}
port {port}
topology subnet
server 10.8.{number}.0 255.255.255.0
ca ca.crt
cert server.crt
key server.key
dh none
verb 3
{wrapping(key, "server")}
""")
        clock = None if real else Clock(rig.path(f"{self.name}.clock"))
        if clock:
            clock.set(offset)
        self.log = rig.follow(f"{self.name}.log")
        self.process = rig.start("server", "openvpn", "--config", f"{self.name}.conf", "--log",
                                 f"{self.name}.log", clock=clock)

    def wait_up(self):
        if not self.log.wait("Initialization Sequence Completed", 15):
            raise Failure(f"{self.name} did not come up: " +
                          " | ".join(line for _, line in self.log.lines[-4:]))


def probe(server, options):
    """Starts a measurement of the server's clock. Its process and its two files."""
    name = f"{server.name}.ndjson"
    with open(server.rig.path(name), "wb") as out, open(server.rig.path(name + ".err"), "wb") as err:
        return server.rig.start("client", options.ovpnwatch, "probe", "--profile", server.profile,
                                "--count", str(options.count), "--format", "json",
                                stdout=out, stderr=err), name


def reading(server, started, options, place):
    """Waits for a measurement, saves its lines. Returns the one event; Failure if there is none."""
    process, name = started
    try:
        status = process.popen.wait(PROBE_PATIENCE)
    except Exception as error:
        raise Failure(f"probe did not end within {PROBE_PATIENCE} s") from error
    with open(server.rig.path(name), "rb") as file:
        lines = file.read()
    if options.lines:
        with open(os.path.join(options.lines, f"clocks-{place}-{server.name}.ndjson"), "wb") as file:
            file.write(lines)
    if lines.count(b"\n") != 1:
        with open(server.rig.path(name + ".err"), encoding="utf-8", errors="replace") as file:
            raise Failure(f"no measurement (exit {status}): {' '.join(file.read().split())[-200:]}")
    return status, json.loads(lines)


Row = collections.namedtuple("Row", "measured bound error truth result", defaults=("-",) * 5)


def judge(server, place, status, event):
    """What a row says of one measurement, and whether another try is fair."""
    clock = event.get("peer_clock")
    if server.key == "plain":  # it answers, and no time is made of it
        fine = not clock and status == 3 and "answers" in event["message"]
        return Row(result=("ok: " if fine else f"FAILED: exit {status}: ") + event["message"]), False
    if not clock:
        return Row(result=f"FAILED: {event['message']}"), False
    measured, bound = clock["offset_s"], clock["max_error_s"]
    error = measured - server.offset
    truth = abs(error) <= bound + SLACK
    guess = abs(error) - TICK / 2 if server.real else abs(error - TICK / 2)
    exact = guess <= ERROR_MAX[place]
    sure = (1 if abs(measured) - bound > 1 else 0) if abs(abs(measured) - 1) > bound else 3
    result = "ok"
    if not truth:
        result = "FAILED: the truth is outside the bound"
    elif clock["source"] != "openvpn_control":
        result = f"FAILED: source {clock['source']}"
    elif status != sure:
        result = f"FAILED: exit {status}, not {sure}"
    elif not exact:
        result = "FAILED: not exact enough"
    return Row(f"{measured:+.6f}", f"{bound:.6f}", f"{error:+.6f}", "within" if truth else "OUTSIDE",
               result), truth and not exact


def measure_all(servers, options, place):
    """The row of each server; those that deserve it are measured again."""
    rows, left = {}, list(servers)
    for attempt in range(1, TRIES + 1):
        started = [(server, probe(server, options)) for server in left]
        left = []
        for server, process in started:
            try:
                row, again = judge(server, place, *reading(server, process, options, place))
            except Failure as failure:
                row, again = Row(result=f"FAILED: {failure}"), False
            if attempt > 1:
                row = row._replace(result=f"{row.result} (try {attempt})")
            rows[server] = row
            if again:
                left.append(server)
        if not left:
            break
    return rows


def table(rig, batch, options, others):
    """Eight servers, eight rows; in the tls-auth table a ninth that wraps nothing."""
    key, proto, place = batch
    servers = [Server(rig, number, key, proto, offset) for number, offset in enumerate(OFFSETS)]
    servers.append(Server(rig, len(servers), key, proto, 0.0, real=True))
    if key == "tls-auth":
        servers.append(Server(rig, len(servers), "plain", proto, 7.0))
    try:
        for server in servers:
            server.wait_up()
        rows = measure_all(servers, options, place)
    finally:
        for server in servers:
            server.process.kill()
    for server in servers:
        row, words = rows[server], others.say(server.offset)
        true = "real" if server.real else f"{server.offset:+g}"
        print(ROW.format(server.key, proto, place, true, row.measured, row.bound,
                         row.error, row.truth, *words, row.result), flush=True)
    return all(row.result.startswith("ok") for row in rows.values())


def run(batches, options):
    """All batches of a wire share it, and the other tools' servers on it."""
    fine, wires = True, []
    for place, delay in PATHS.items():
        mine = [batch for batch in batches if batch[2] == place]
        if not mine:
            continue
        with Rig(delay) as rig:
            make_keys(rig)
            others = OtherTools(rig, OFFSETS)
            wires.append(f"{place}: what the server sends is delayed by {rig.delayed_by}")
            for batch in mine:
                try:
                    fine = table(rig, batch, options, others) and fine
                except Failure as failure:
                    print(ROW.format(*batch, *"-" * 8, f"FAILED: {failure}"), flush=True)
                    fine = False
    print(FOOT.format(count=options.count, tries=TRIES,
                      **{place: 1000 * limit for place, limit in ERROR_MAX.items()}))
    print("\n".join(wires))
    return fine


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    which = parser.add_mutually_exclusive_group(required=True)
    which.add_argument("--all", action="store_true", help="the whole table: about 3 minutes")
    which.add_argument("--spread", action="store_true", help="a part of it: less than one")
    which.add_argument("--only", metavar="KEY,PROTO,PATH", type=lambda word: tuple(word.split(",")))
    parser.add_argument("--count", type=int, default=12, help="probes a measurement")
    parser.add_argument("--ovpnwatch", metavar="PATH",
                        default=os.environ.get("OVPNWATCH", "build/ovpnwatch"))
    options = parser.parse_args()
    options.ovpnwatch = os.path.abspath(options.ovpnwatch)
    options.lines = os.environ.get("OVPNWATCH_LINES")
    if options.lines:
        options.lines = os.path.abspath(options.lines)
        os.makedirs(options.lines, exist_ok=True)
    return options


def main():
    options = arguments()
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds: the rigs are taken down
    try:
        rigs.need("setpriv")
        rigs.libfaketime()
        if not os.access(options.ovpnwatch, os.X_OK):
            raise Skip(f"no ovpnwatch at {options.ovpnwatch}")
    except Skip as skip:
        print(f"skipped: {skip}")
        return 77
    batches = [options.only] if options.only else SPREAD
    if options.all:
        batches = [(key, proto, place) for place in PATHS for key in KEYS
                   for proto in PROTOS]
    print(ROW.format("key", "over", "wire", "true", "measured", "bound", "error", "truth", "chrony",
                     "ntp_time", "clockdiff", "result"), flush=True)
    return 0 if run(batches, options) else 1


if __name__ == "__main__":
    sys.exit(main())
