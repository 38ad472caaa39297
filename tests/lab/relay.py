#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real clients of the management interface: alone with a real OpenVPN, and through the relay.

    relay.py run [--bare] [--ovpnwatch PATH] NAME… | --all
    relay.py --list

A row of the table a case of relay_cases.py and relay_crowd.py. With --bare there is no ovpnwatch: what each client sees
alone is printed instead. $OVPNWATCH_LINES, if set, is a folder into which the lines that ovpnwatch
wrote are saved. Exit: 0 all as expected, 1 not so, 77 it cannot run here.
"""
import argparse
import os
import signal
import sys

import relay_cases
import relay_crowd
import rig as rigs
from daemons import make_keys
from relay_bench import Bench
from rig import Failure, Rig, Skip

ROW = "{:<24}{:<82}{}"
CASES = {**relay_cases.CASES, **relay_crowd.CASES}


def run(name, function, options):
    """Runs one case. Returns its outcome: "ok", "skipped: …", or why not."""
    try:
        with Rig() as rig:
            make_keys(rig)
            bench = Bench(rig, name, options)
            try:
                function(bench)
                bench.check()
                for seen in bench.seen:
                    seen.close()
                for watch in bench.watchers:
                    watch.stop()
                outcome = "ok" + "".join(f" (without: {skip})" for skip in bench.skips)
            except Failure as failure:
                outcome = f"FAILED: {failure}"
                bench.evidence()
            if options.bare:
                for kind, lines in bench.alone.items():
                    print(f"--- {kind}", *lines, sep="\n    ")
    except Failure as failure:
        outcome = f"FAILED: {failure}"
    except Skip as skip:
        outcome = f"skipped: {skip}"
    print(ROW.format(name, " ".join(function.__doc__.split()), outcome), flush=True)
    return outcome


def arguments():
    parser = argparse.ArgumentParser(description=__doc__,
                                     formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", nargs="?", choices=["run"])
    parser.add_argument("name", nargs="*", help="cases")
    parser.add_argument("--list", action="store_true")
    parser.add_argument("--all", action="store_true")
    parser.add_argument("--bare", action="store_true", help="without ovpnwatch")
    parser.add_argument("--ovpnwatch", metavar="PATH",
                        default=os.environ.get("OVPNWATCH", "build/ovpnwatch"))
    options = parser.parse_intermixed_args()
    unknown = [name for name in options.name if name not in CASES]
    if unknown:
        parser.error(f"no case {unknown[0]}")
    if not options.list and not options.all and not options.name:
        parser.error("which cases? --list names them")
    options.ovpnwatch = os.path.abspath(options.ovpnwatch)
    return options


def main():
    options = arguments()
    if options.list:
        for name, function in CASES.items():
            print(f"{name:<24}{' '.join(function.__doc__.split())}")
        return 0
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # unwinds: the rigs are taken down
    try:
        rigs.need()
        rigs.libfaketime()
        if not options.bare and not os.access(options.ovpnwatch, os.X_OK):
            raise Skip(f"no ovpnwatch at {options.ovpnwatch}")
    except Skip as skip:
        print(f"skipped: {skip}")
        return 77
    outcomes = [run(name, CASES[name], options) for name in (CASES if options.all else options.name)]
    for outcome in outcomes:
        if outcome.startswith("skipped"):
            print(outcome)  # where whoever counts them looks
    if any(outcome.startswith("FAILED") for outcome in outcomes):
        return 1
    return 0 if any(outcome.startswith("ok") for outcome in outcomes) else 77


if __name__ == "__main__":
    sys.exit(main())
