# SPDX-License-Identifier: MIT
"""ovpnwatch beside the client: its lines as they come, and what a scenario expects of them."""
import json
import os
import signal
import threading
import time

from rig import Failure

RESTARTS = ("ping_restart", "reconnecting")


def alert(*names, status=None):
    """Matches an alert of one of these names (none: of any)."""
    return lambda e: (e["event_type"] == "alert" and (not names or e["alert"]["name"] in names) and
                      status in (None, e["alert"]["status"]))


def state(name):
    return lambda e: e["event_type"] == "state" and e["state"]["name"] == name


def monitor(kind):
    return lambda e: e["event_type"] == "monitor" and e["monitor"]["kind"] == kind


def measured(**figures):
    """Matches an event whose peer_clock (or local_clock) is known to `within` seconds or better."""
    clock, within = next(iter(figures.items()))
    return lambda e: e.get(clock, {}).get("max_error_s", within + 1) <= within


def first_cause(event):
    causes = event.get("causes") or [{}]
    return causes[0].get("cause", "-"), causes[0].get("confidence", "-")


class Watcher:
    """A running `ovpnwatch watch --format json` on the client's host."""

    def __init__(self, rig, binary, arguments, clock=None, save_as=None, stdin=None,
                 errors="ovpnwatch.stderr"):
        self.events, self.raw = [], []
        self._save = open(save_as, "wb") if save_as else None
        self._errors = rig.path(errors)
        read, write = os.pipe()
        with open(self._errors, "wb") as file:
            self.process = rig.start("client", binary, "watch", *arguments, "--format", "json",
                                     clock=clock, stdin=stdin, stdout=write, stderr=file)
        os.close(write)
        self.problem = None
        self._news = threading.Condition()
        self._thread = threading.Thread(target=self._read, args=(os.fdopen(read, "rb"),),
                                        daemon=True)
        self._thread.start()

    def _read(self, pipe):
        with pipe:
            for line in pipe:
                if self._save:
                    self._save.write(line)
                    self._save.flush()
                with self._news:
                    self._take(line)
                    self._news.notify_all()
        with self._news:
            self._news.notify_all()

    def _take(self, line):
        """Every line keeps the promises of the contract that a reader can see without a schema."""
        self.raw.append(line)
        try:
            event = json.loads(line.decode("ascii"))
            assert len(line) <= 4096, "longer than 4096 bytes"
            assert event["seq"] == len(self.raw), f"seq {event['seq']} in line {len(self.raw)}"
            assert list(event)[0] == "timestamp" and list(event)[-1] == "message", "order of keys"
        except (ValueError, KeyError, AssertionError) as error:
            self.problem = self.problem or f"line {len(self.raw)}: {error}: {line[:200]!r}"
            return
        self.events.append((time.monotonic(), event))

    def find(self, match, since=0.0):
        return next(((at, e) for at, e in self.events if at >= since and match(e)), None)

    def expect(self, match, within, what, since=0.0):
        """Waits for an event that matches; returns its instant (monotonic) and the event."""
        end = time.monotonic() + within
        with self._news:
            while True:
                found = self.find(match, since)
                if self.problem:
                    raise Failure("ovpnwatch wrote " + self.problem)
                if found:
                    return found
                if not self.process.running and not self._thread.is_alive():
                    raise Failure(f"ovpnwatch ended while it should have said: {what}"
                                  f" ({self.errors()})")
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(f"not within {within:g} s: {what}")
                self._news.wait(min(left, 0.5))

    def count(self, match, since=0.0):
        return sum(1 for at, e in list(self.events) if at >= since and match(e))

    def never(self, match, what, since=0.0):
        found = self.find(match, since)
        if found:
            raise Failure(f"{what}: {found[1]['message']}")

    def errors(self, whole=False):
        with open(self._errors, encoding="utf-8", errors="replace") as file:
            text = file.read()
        return text if whole else " ".join(text.split())[-400:]

    def wait_end(self, within):
        """It ends by itself: its log has ended."""
        self._thread.join(within)
        if self._thread.is_alive():
            raise Failure(f"ovpnwatch did not end within {within:g} s")
        self.stop()

    def stop(self):
        """SIGTERM must end it cleanly and soon."""
        status = self.process.end(signal.SIGTERM, patience=5)
        self._thread.join(2)
        if self._save:
            self._save.close()
        if self.problem:
            raise Failure("ovpnwatch wrote " + self.problem)
        if status != 0:
            raise Failure(f"ovpnwatch ended with status {status}: {self.errors()}")
