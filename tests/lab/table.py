# SPDX-License-Identifier: MIT
"""What the programs of the laboratory have in common: `run NAME… | --all`, `--list`, a row a case, and the
exit status."""
import argparse
import os
import signal
import sys

import rig as rigs
from rig import Skip

SKIPPED = 77


def arguments(doc, cases, bare=False, add=None):
    """The command line. `bare`: it can go without ovpnwatch; `add(parser)` adds what is this program's own."""
    parser = argparse.ArgumentParser(description=doc, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", nargs="?", choices=["run"])
    parser.add_argument("name", nargs="*", help="cases")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--all", action="store_true")
    if bare:
        parser.add_argument("--bare", action="store_true", help="without ovpnwatch")
    parser.add_argument("--ovpnwatch", metavar="PATH", default=os.environ.get("OVPNWATCH", "build/ovpnwatch"))
    if add:
        add(parser)
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.name if name not in cases]
    if unknown:
        parser.error(f"no case {unknown[0]}")
    if not options.list and not options.all and not options.name:
        parser.error("which cases? --list names them")
    options.ovpnwatch = os.path.abspath(options.ovpnwatch)
    return options


def status_of(outcomes):
    """0, 1, or 77 if nothing could run; what was skipped is said where whoever counts it looks."""
    for outcome in outcomes:
        if outcome.startswith("skipped"):
            print(outcome)
    if all(outcome.startswith("skipped") for outcome in outcomes):
        return SKIPPED
    return 0 if all(outcome.startswith(("ok", "skipped")) for outcome in outcomes) else 1


def run(options, cases, needs, head, run_one):
    """Lists the cases, or runs those that are wanted: run_one(name) prints its row and returns "ok…",
    "skipped: …" or why not. Returns the exit status."""
    if options.list:
        for name, function in cases.items():
            print(f"{name:<24}{' '.join(function.__doc__.split())}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds: the rigs are taken down
    try:
        rigs.need(*needs)
        rigs.libfaketime()
        if not getattr(options, "bare", False) and not os.access(options.ovpnwatch, os.X_OK):
            raise Skip(f"no ovpnwatch at {options.ovpnwatch}")
    except Skip as skip:
        print(f"skipped: {skip}")
        return SKIPPED
    if head:
        print(head, flush=True)
    return status_of([run_one(name) for name in (cases if options.all else options.name)])
