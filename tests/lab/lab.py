#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The laboratory: real OpenVPN, real chronyd, and what ovpnwatch says of them. (The faults of tunnels
are in the matrix, beside this.)

    lab.py run [--bare] [--minutes M] [--ovpnwatch PATH] NAME… | --all
    lab.py --list

One table row a scenario. Without --ovpnwatch: $OVPNWATCH, else build/ovpnwatch. With --bare there
is no ovpnwatch: what the management interface says during the fault is printed instead.
$OVPNWATCH_LINES, if set, is a folder into which the lines that ovpnwatch wrote are saved.
Exit: 0 all as expected, 1 not so, 77 the laboratory cannot run here.
"""
import os
import sys
import time

import table
from daemons import Client, Management, Server, make_keys
from rig import Failure, Rig, Skip
import server_scenarios  # noqa: F401  (they register themselves)
from logs import LOGS
from scenarios import SCENARIOS as ALONE
from watcher import Watcher, measured

SCENARIOS = {**ALONE, **LOGS}
ROW = "{:<23}{:<58}{:<20}{:<12}{:>12}{:>12}  {}"


class Lab:
    """What a scenario works with: the rig, the two ends, ovpnwatch, and its row of the table."""

    def __init__(self, rig, name, options):
        self.rig, self.name, self.options = rig, name, options
        self.minutes = options.minutes
        self.server = self.client = self.watch = self.management = None
        self.since = None  # the fault, on the monotonic clock
        self.row = {"cause": "-", "confidence": "-", "alert": "-", "verdict": "-", "note": ""}

    def tunnel(self, server_clock=None, settle=True):
        """A tunnel that is up, watched, and (settle) both of whose clocks were measured."""
        self.server = Server(self.rig, clock=server_clock)
        self.client = Client(self.rig)
        self.client.wait_up()
        self.start_watch()
        if self.watch and settle:
            self.watch.expect(measured(peer_clock=0.1), 15, "the server's clock within 0.1 s")
        time.sleep(2)  # pings have been seen both ways

    def start_watch(self, *arguments, management="127.0.0.1:7505", clock=None, stdin=None):
        if self.options.bare:
            if not arguments and management and management.startswith("127") and self.client.process:
                self.management = Management(self.rig)
            return
        folder = os.environ.get("OVPNWATCH_LINES")
        save_as = os.path.join(folder, f"lab-{self.name}.ndjson") if folder else None
        if folder:
            os.makedirs(folder, exist_ok=True)
        self.watch = Watcher(self.rig, self.options.ovpnwatch,
                             (*(("--management", management) if management else ()),
                              "--profile", self.client.profile, *arguments), clock, save_as,
                             stdin)

    def fault(self):
        """The fault is injected now: the table's seconds count from here."""
        self.since = time.monotonic()

    def note(self, text):
        self.row["note"] = text

    def first_alert(self, at):
        self.row["alert"] = f"{at - self.since:.1f} s"

    def verdict(self, at, cause, confidence):
        self.row.update(verdict=f"{at - self.since:.1f} s", cause=cause, confidence=confidence)

    def transcript(self):
        """--bare: what was there to be seen."""
        dull = (">BYTECOUNT", "TLS:", "VERIFY", "peer info", "net_", "OPTIONS", "MULTI", "EKU")
        seen = [(at, line) for at, line in (self.management.log.lines if self.management else ())]
        seen += [(at, "server: " + line) for at, line in self.server.log.lines]
        for at, line in sorted(seen):
            if at >= self.since and not any(word in line for word in dull):
                print(f"    {at - self.since:7.2f}  {line[:150]}")

    def evidence(self):
        """After a failure: the last of everything, for whoever has to find out why."""
        if self.watch:
            for at, _ in self.watch.events[-1:]:
                print(f"last line at {at - (self.since or at):.1f} s", file=sys.stderr)
            for line in self.watch.raw[-40:]:
                print(line.decode("utf-8", "replace").rstrip(), file=sys.stderr)
            print("stderr:", self.watch.errors(), file=sys.stderr)
        for end in (self.client, self.server):
            for at, line in end.log.lines[-25:] if end else ():
                print(f"{at - (self.since or at):8.2f}  {line}", file=sys.stderr)


def run(name, options):
    """Runs one scenario. Returns its outcome: "ok", or why not."""
    scenario, row, lab = SCENARIOS[name], {}, None
    try:
        with Rig() as rig:
            make_keys(rig)
            lab = Lab(rig, name, options)
            try:
                scenario(lab)
                if lab.watch:
                    lab.watch.stop()
                outcome = "ok"
            except Failure as failure:
                outcome = f"FAILED: {failure}"
                lab.evidence()
            row = lab.row
    except Failure as failure:
        outcome = f"FAILED: {failure}"
    injected = scenario.__doc__ + (f" ({row['note']})" if row.get("note") else "")
    print(ROW.format(name, injected, row.get("cause", "-"), row.get("confidence", "-"),
                     row.get("alert", "-"), row.get("verdict", "-"), outcome), flush=True)
    return outcome


def main():
    options = table.arguments(__doc__, SCENARIOS, bare=True, add=lambda parser: parser.add_argument(
        "--minutes", type=float, default=10, help="how long `healthy` takes"))
    head = ROW.format("scenario", "injected", "first cause", "confidence", "first alert", "verdict", "result")
    return table.run(options, SCENARIOS, ("nft", "chronyd", "chronyc"), head, lambda name: run(name, options))


if __name__ == "__main__":
    sys.exit(main())
