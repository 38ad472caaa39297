#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Real clients of the management interface: alone with a real OpenVPN, and through the relay.

    relay.py run [--bare] [--ovpnwatch PATH] NAME… | --all
    relay.py --list

A row of the table a case of relay_cases.py and relay_crowd.py. With --bare there is no ovpnwatch: what each client sees
alone is printed instead. $OVPNWATCH_LINES, if set, is a folder into which the lines that ovpnwatch
wrote are saved. Exit: 0 all as expected, 1 not so, 77 it cannot run here.
"""
import sys

import relay_cases
import relay_crowd
import table
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


def main():
    options = table.arguments(__doc__, CASES, bare=True)
    return table.run(options, CASES, (), None, lambda name: run(name, CASES[name], options))


if __name__ == "__main__":
    sys.exit(main())
