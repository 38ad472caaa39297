#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""This machine's clock, kept by real time services: what does `ovpnwatch clock` say of it?

    local_clocks.py run [--ovpnwatch PATH] NAME… | --all
    local_clocks.py --list

A row of the table a case: the service, how far UTC is ahead of this clock (as the service's own
servers have it), and what ovpnwatch says. Its bound must hold in every case that has an offset, and
its exit status must be what the reading deserves.
$OVPNWATCH_LINES, if set, is a folder into which the lines that ovpnwatch wrote are saved.
Exit: 0 all as expected, 1 not so, 77 it cannot run here.
"""
import json
import os
import sys
import time

import table
import time_services as services
from rig import SERVER_IP, Clock, Failure, Rig, Skip

CASES = {}
ROW = "{:<24}{:<58}{:<13}{:<16}{:>12}{:>11}{:>6}  {}"
LIMIT = 1.0  # of --offset-limit
SLACK = 0.000050  # see clocks.py
THREE = ("203.0.113.1", "203.0.113.2", "203.0.113.3")  # RFC 5737, TEST-NET-3


def case(function):
    CASES[function.__name__] = function
    return function


class Bench:
    """What a case works with: the rig, ovpnwatch, and the row of the table."""

    def __init__(self, rig, name, options):
        self.rig, self.name, self.options = rig, name, options
        self.clock, self.status = {}, None
        self.said = b""

    def ask(self, *arguments, clock=None):
        """Runs `ovpnwatch clock` once, and returns its local_clock."""
        with open(self.rig.path("said"), "wb") as out, open(self.rig.path("errors"), "wb") as err:
            process = self.rig.start("client", self.options.ovpnwatch, "clock", *arguments,
                                     "--format", "json", stdout=out, stderr=err, clock=clock)
        self.status = process.popen.wait(30)
        with open(self.rig.path("said"), "rb") as file:
            lines = file.read()
        self.said += lines
        if lines.count(b"\n") != 1:
            with open(self.rig.path("errors"), encoding="utf-8", errors="replace") as file:
                raise Failure(f"no reading (exit {self.status}): {file.read().strip()[-200:]}")
        self.clock = json.loads(lines)["local_clock"]
        deserved = deserves(self.clock)
        if self.status != deserved:
            raise Failure(f"exit {self.status}, not {deserved}, for {self.clock}")
        return self.clock

    def save(self, folder):
        if folder and self.said:
            os.makedirs(folder, exist_ok=True)
            with open(os.path.join(folder, f"clock-{self.name}.ndjson"), "wb") as file:
                file.write(self.said)

    def expect(self, source, *states):
        if self.clock.get("source") != source:
            raise Failure(f"source {self.clock.get('source', '-')}, not {source}")
        if self.clock["state"] not in states:
            raise Failure(f"state {self.clock['state']}, not {' or '.join(states)}")

    def expect_offset(self, truth, within):
        """The bound holds, and is no wider than what is useful."""
        offset, bound = self.clock.get("offset_s"), self.clock.get("max_error_s")
        if offset is None or bound is None:
            raise Failure("no offset, or no bound")
        if abs(offset - truth) > bound + SLACK:
            raise Failure(f"{truth:+g} s is outside of {offset:+.6f} +- {bound:.6f}")
        if bound > within:
            raise Failure(f"a bound of {bound} s is of no use")

    def expect_no_offset(self):
        if "offset_s" in self.clock:
            raise Failure(f"an offset of {self.clock['offset_s']} that nobody measured")

    def expect_exit(self, status):
        if self.status != status:
            raise Failure(f"exit {self.status}, not {status}")


def deserves(clock):
    """The exit status: 1 surely beyond the limit, 0 kept and surely within, 3 neither."""
    offset, bound = clock.get("offset_s"), clock.get("max_error_s")
    if offset is not None and bound is not None and abs(offset) - bound > LIMIT:
        return 1
    if clock["state"] != "synchronized" or bound is None:
        return 3
    return 0 if abs(offset or 0) + bound <= LIMIT else 3


@case
def chrony_synchronised(bench):
    """chronyd, whose server is 0.4 s ahead"""
    services.ntp_server(bench.rig, 0.4)
    services.chronyd(bench.rig, f"server {SERVER_IP} iburst minpoll 0 maxpoll 2\n")
    services.wait_chronyd(bench.rig, "Normal")
    bench.ask()
    bench.expect("chrony", "synchronized")
    bench.expect_offset(0.4, within=0.05)
    bench.expect_exit(0)


@case
def chrony_socket(bench):
    """chronyd with `cmdport 0`: over its unix socket"""
    services.ntp_server(bench.rig, 7)
    services.chronyd(bench.rig, f"server {SERVER_IP} iburst minpoll 0 maxpoll 2\n", port=0)
    services.wait_chronyd(bench.rig, "Normal", port=0)
    bench.ask()
    bench.expect("chrony", "synchronized")
    bench.expect_offset(7, within=0.05)
    bench.expect_exit(1)
    left = bench.rig.run("client", "ls", "/run/chrony").split()
    if set(left) - {"chronyd.pid", "chronyd.sock"}:
        raise Failure(f"left behind in /run/chrony: {' '.join(left)}")


@case
def chrony_unsynchronised(bench):
    """chronyd, whose server never answered"""
    services.chronyd(bench.rig, f"server {SERVER_IP} iburst\n")
    services.wait_chronyd(bench.rig, "Not synchronised")
    bench.ask()
    bench.expect("chrony", "unsynchronized")
    bench.expect_no_offset()
    bench.expect_exit(3)


@case
def chrony_local(bench):
    """chronyd with `local stratum 10`: it is its own reference"""
    services.chronyd(bench.rig, "local stratum 10\n")
    services.wait_chronyd(bench.rig, "Normal")
    bench.ask()
    bench.expect("chrony", "self_referenced")
    bench.expect_no_offset()
    bench.expect_exit(3)


@case
def chrony_source_lost(bench):
    """chronyd, whose server was lost 10 s ago: a wider bound"""
    services.ntp_server(bench.rig)
    services.chronyd(bench.rig, f"server {SERVER_IP} iburst minpoll 0 maxpoll 0\n")
    services.wait_chronyd(bench.rig, "Normal")
    bench.rig.cut()
    time.sleep(1.5)  # what was under way has come, or has not
    before = bench.ask()
    time.sleep(10)
    bench.ask()
    bench.expect("chrony", "synchronized")
    bench.expect_offset(0, within=0.05)
    if bench.clock["max_error_s"] <= before["max_error_s"]:
        raise Failure(f"the bound did not grow: {before['max_error_s']}, {bench.clock['max_error_s']}")
    if not 8 < bench.clock["age_s"] - before["age_s"] < 60:
        raise Failure(f"the age went from {before['age_s']} to {bench.clock['age_s']}")


@case
def chrony_stale(bench):
    """chronyd, whose last update looks 5 h old: no evidence"""
    # It and its server agree on a clock that is 5 h behind, so its reference time is that old.
    past = Clock(bench.rig.path("past.clock"))
    past.set(-5 * 3600)
    services.ntp_server(bench.rig, -5 * 3600)
    services.chronyd(bench.rig, f"server {SERVER_IP} iburst minpoll 0 maxpoll 0\n", clock=past)
    services.wait_chronyd(bench.rig, "Normal")
    bench.ask()
    bench.expect("chrony", "stale")
    if not 17990 < bench.clock.get("age_s", 0) < 18060:
        raise Failure(f"an age of {bench.clock.get('age_s', '-')} s, not 5 h")
    bench.expect_exit(3)


@case
def ntpd_synchronised(bench):
    """ntpd (NTPsec), synchronised"""
    services.ntp_server(bench.rig)
    services.ntpd(bench.rig)
    end = time.monotonic() + services.SYNC_PATIENCE
    # Its first word after that is a bound of nearly a second; it soon knows better.
    while bench.ask().get("max_error_s", LIMIT) > 0.3 and time.monotonic() < end:
        time.sleep(1)
    bench.expect("ntp_control", "synchronized")
    bench.expect_offset(0, within=0.3)
    bench.expect_exit(0)


@case
def ntpd_step_refused(bench):
    """ntpd (NTPsec), not allowed to step the 7 s to its server"""
    services.ntp_server(bench.rig, 7)
    services.wait_log(services.ntpd(bench.rig), "step_systime", "ntpd")
    bench.ask()
    bench.expect("ntp_control", "unsynchronized")
    bench.expect_no_offset()
    bench.expect_exit(3)


@case
def timesyncd_right(bench):
    """systemd-timesyncd, whose server is right (it may not slew)"""
    services.ntp_server(bench.rig)
    services.wait_log(services.timesyncd(bench.rig), SERVER_IP, "timesyncd")
    bench.ask()
    # It could not tell the kernel, whose word on that counts: it is the kernel of this machine.
    bench.expect("timesyncd", "unsynchronized", "synchronized")
    bench.expect_offset(0, within=0.1)


@case
def timesyncd_seven(bench):
    """systemd-timesyncd, not allowed to step the 7 s"""
    services.ntp_server(bench.rig, 7)
    services.wait_log(services.timesyncd(bench.rig), SERVER_IP, "timesyncd")
    bench.ask()
    bench.expect("timesyncd", "unsynchronized", "synchronized")
    bench.expect_offset(7, within=0.1)
    bench.expect_exit(1)


def sntp(bench, *offsets):
    """Starts servers at these offsets, and asks them."""
    addresses = THREE[:len(offsets)]
    services.extra_addresses(bench.rig, addresses)
    for address, offset in zip(addresses, offsets):
        services.ntp_server(bench.rig, offset, address)
    time.sleep(6)  # those that are told to be wrong follow a server themselves
    ask_sntp(bench, addresses)


def ask_sntp(bench, addresses):
    bench.ask(*(word for address in addresses for word in ("--ntp", address)))
    # The state is that of the kernel, which all namespaces share.
    bench.expect("sntp", "unsynchronized", "synchronized")


@case
def sntp_one(bench):
    """nobody; --ntp with a server that is 0.4 s ahead"""
    sntp(bench, 0.4)
    bench.expect_offset(0.4, within=0.05)


@case
def sntp_seven(bench):
    """nobody; --ntp with a server that is 7 s ahead"""
    sntp(bench, 7)
    bench.expect_offset(7, within=0.05)
    bench.expect_exit(1)


@case
def sntp_falseticker(bench):
    """nobody; --ntp three times, the third 0.5 s wrong"""
    sntp(bench, 0, 0, 0.5)
    for _ in range(5):  # each time the round trips are others
        ask_sntp(bench, THREE)
        bench.expect_offset(0, within=0.05)
        named = bench.clock.get("falsetickers", [])
        if len(named) != 1 or THREE[2] not in named[0]:
            raise Failure(f"falsetickers {named}, not {THREE[2]}")


@case
def nobody(bench):
    """nobody, and nobody to ask"""
    bench.ask()
    bench.expect("kernel", "unsynchronized", "synchronized", "unknown")
    bench.expect_no_offset()


def run(name, options):
    """Runs one case. Returns its outcome: "ok", "skipped: why", or why it failed."""
    clock, status, outcome = {}, None, "ok"
    try:
        with Rig() as rig:
            bench = Bench(rig, name, options)
            try:
                CASES[name](bench)
            finally:
                clock, status = bench.clock, bench.status
                bench.save(options.lines)
    except Failure as failure:
        outcome = f"FAILED: {failure}"
    except Skip as skip:
        outcome = f"skipped: {skip}"
    figures = [f"{clock[key]:+.6f}" if key in clock else "-" for key in ("offset_s", "max_error_s")]
    print(ROW.format(name, CASES[name].__doc__, clock.get("source", "-"), clock.get("state", "-"),
                     figures[0], figures[1].lstrip("+"), "-" if status is None else status, outcome),
          flush=True)
    return outcome


def main():
    options = table.arguments(__doc__, CASES)
    options.lines = os.environ.get("OVPNWATCH_LINES")
    head = ROW.format("case", "what keeps this machine's clock", "source", "state", "offset", "bound", "exit", "result")
    return table.run(options, CASES, ("setpriv",), head, lambda name: run(name, options))


if __name__ == "__main__":
    sys.exit(main())
