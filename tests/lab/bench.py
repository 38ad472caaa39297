# SPDX-License-Identifier: MIT
"""One row of the matrix: a rig with a real tunnel in one variant, a fault, and what ovpnwatch said."""
import dataclasses
import os
import time

from daemons import Client, Server, make_keys
from rig import Clock, Failure
from watcher import Watcher, alert, first_cause, measured, monitor

# The alerts that carry causes.
JUDGED = ("ping_restart", "reconnecting", "connect_failed", "tunnel_down", "flapping")
RESTARTED = "process restarting"
ENDED = "process exiting"


class NoFault(Failure):
    """The fault did not do to OpenVPN what it is for."""


@dataclasses.dataclass(frozen=True)
class Variant:
    proto: str = "udp"
    wrap: str = "tls-auth"
    ping: int = 2
    window: int = 8
    skew: float = 0.0        # of the server's clock
    busy: bool = False       # traffic in the tunnel, both ways
    profile: bool = True     # ovpnwatch is given the client's profile
    log_only: bool = False   # ovpnwatch follows the client's log, not the management interface

    def name(self):
        marks = [self.proto, self.wrap, f"w{self.window}"]
        marks += ["skewed"] * bool(self.skew) + ["busy"] * self.busy
        marks += ["no-profile"] * (not self.profile) + ["log-only"] * self.log_only
        return ".".join(marks)


@dataclasses.dataclass
class Result:
    name: str
    injected: str
    expected: tuple
    named: str = "-"
    confidence: str = "-"
    first_alert: float = None  # seconds after the fault
    ahead: float = None        # of OpenVPN's own restart, seconds
    verdict: float = None      # seconds after the (last) restart
    note: str = ""
    problem: str = ""

    @property
    def right(self):
        return not self.problem


class Bench:
    """What a fault works with."""

    def __init__(self, rig, variant, name, options):
        self.rig, self.v, self.name, self.options = rig, variant, name, options
        self.server = self.client = self.watch = None
        self.began = self.since = None
        self.remark = ""
        self.settled = True  # ovpnwatch has seen pings come and go before the fault
        for host in ("server", "client"):  # an idle tunnel shall be idle
            for interfaces in ("all", "default"):
                rig.run(host, "sysctl", "-qw", f"net.ipv6.conf.{interfaces}.disable_ipv6=1")

    def __str__(self):
        return self.name

    # --- setting up ---

    def server_clock(self):
        clock = Clock(self.rig.path("server.clock"))
        clock.set(self.v.skew)
        return clock

    def password(self):
        return self.rig.write("password", "somebody\nsecret-word\n")

    def _start(self, server_clock=None, client_clock=None, keepalive=(), goodbye=False,
               server_extra="", client_extra="", client=None):
        keepalive = (self.v.ping, self.v.window) if keepalive == () else keepalive
        if self.v.skew and not server_clock:
            server_clock = self.server_clock()
        common = {"proto": self.v.proto, "wrap": self.v.wrap}
        self.server = Server(self.rig, keepalive=keepalive, goodbye=goodbye, clock=server_clock,
                             extra=server_extra, **common)
        self.began = time.monotonic()
        self.client = Client(self.rig, clock=client_clock, extra=client_extra, **common,
                             **(client or {}))

    def _watch(self, clock, arguments=()):
        if self.options.bare:
            return
        save = os.path.join(self.options.lines, self.name + ".ndjson") if self.options.lines else None
        profile = ("--profile", self.client.profile) if self.v.profile else ()
        where = (("--log", self.rig.path("client.log")) if self.v.log_only else
                 ("--management", "127.0.0.1:7505"))
        self.watch = Watcher(self.rig, self.options.ovpnwatch,
                             (*where, *profile, *arguments,
                              *(("--verbose",) if self.options.logs else ())), clock, save)

    def up(self, settle=True, watch=(), client_clock=None, **options):
        """A tunnel that is up, watched, and (settle) whose server was measured."""
        self._start(client_clock=client_clock, **options)
        self.client.wait_up()
        self._watch(client_clock, watch)
        if self.v.busy:
            self.rig.start("client", "ping", "-q", "-i", "0.3", "10.8.0.1")
        self.settled = settle
        probed = self.watch and self.v.profile and self.v.proto == "udp" and self.v.wrap != "plain"
        if settle and probed:
            self.watch.expect(measured(peer_clock=0.1), 15, "the server's clock within 0.1 s")
        if settle:
            time.sleep(3)  # pings have been seen both ways

    def down(self, client_clock=None, **options):
        """A tunnel that does not come up. The fault is there from the start."""
        self._start(client_clock=client_clock, **options)
        self._watch(client_clock)
        if self.watch:
            self.watch.expect(monitor("connected"), 5, "attached")
        self.inject()

    def second_client(self):
        Client(self.rig, proto=self.v.proto, wrap=self.v.wrap, name="twin",
               management="127.0.0.1 7507")

    def filter(self, host, name, rule):
        """An nftables rule on what comes in at a host's wire."""
        self.rig.run(host, "nft", "-f", "-", stdin=f"table inet fault_{name} {{\n chain in {{\n"
                     f"type filter hook prerouting priority -300;\niifname wire0 {rule}\n}}\n}}\n")

    def heal(self):
        for host in ("server", "client"):
            self.rig.ask(host, "nft", "delete", "table", "inet", "fault_in")

    def manage_server(self, command):
        """One command at the server's management interface."""
        script = ("import socket, sys, time\ns = socket.create_connection(('127.0.0.1', 7506))\n"
                  "time.sleep(0.3)\ns.sendall(sys.argv[1].encode() + b'\\n')\ntime.sleep(0.3)\n"
                  "print(s.recv(65536).decode())")
        self.note(self.rig.run("server", "python3", "-c", script, command).splitlines()[-1])

    # --- what happens ---

    def inject(self, at=None):
        """The fault is injected now: all seconds count from here."""
        self.since = at or time.monotonic()

    def note(self, text):
        self.remark = text

    def _restarts(self):
        return [(at, line) for at, line in list(self.client.log.lines)
                if RESTARTED in line and at >= self.since]

    def restarts(self):
        return [at for at, _ in self._restarts()]

    def waited(self):
        """The first restart is one by --ping-restart: there was a silence to be seen before it."""
        return any("ping-restart" in line for _, line in self._restarts()[:1])

    def wait_restart(self, count=1, within=None):
        within = within or count * (2 * self.v.window + 10)
        end = time.monotonic() + within
        while len(self.restarts()) < count:
            if time.monotonic() > end:
                raise NoFault(f"{len(self.restarts())} of {count} restarts within {within:g} s")
            time.sleep(0.05)

    def wait_end(self, within):
        if not self.client.log.wait(ENDED, within, self.since):
            raise NoFault(f"the client did not end within {within:g} s")
        time.sleep(1)

    def wait_restart_or_end(self, within):
        end = time.monotonic() + within
        while not self.restarts() and not self.client.log.find(ENDED, self.since):
            if time.monotonic() > end:
                raise NoFault(f"neither a restart nor an end within {within:g} s")
            time.sleep(0.05)
        time.sleep(4)

    def wait_up_again(self, within=40):
        last = self.restarts()[-1:] or [self.since]
        if not self.client.log.wait("Initialization Sequence Completed", within, last[0]):
            raise NoFault("the client did not come back")
        time.sleep(6.5)  # the answers to the probes are in

    def heal_after_restart(self, seconds, within=None):
        self.wait_restart(within=within)
        time.sleep(seconds)
        self.heal()
        self.wait_up_again()

    def quiet(self, seconds):
        """Nothing may come of it."""
        time.sleep(seconds)

    # --- what was said ---

    def judged(self):
        """(instant, event) of all alerts that carry causes, since the fault."""
        return [(at, e) for at, e in self.watch.events if at >= self.since and alert(*JUDGED)(e) and e.get("causes")]


def judge_calm(b, function, result):
    """A fault that must not restart the tunnel."""
    result.named = "no restart"
    bad = b.judged()
    if bad:
        result.named, result.confidence = first_cause(bad[-1][1])
        result.problem = "a restart was alerted"
    if b.restarts():
        raise NoFault("OpenVPN restarted")
    warned = [e for at, e in b.watch.events if at >= b.since and alert()(e) and
              e["severity"] != "info" and e["alert"]["status"] == "firing"]
    if function.__name__ == "healthy" and warned:
        result.problem = f"a warning on a healthy tunnel: {warned[0]['message'][:120]}"
    if function.alert and not any(e["alert"]["name"] == function.alert for e in warned):
        result.problem = f"no alert {function.alert}"


def when_settled(judged):
    """The instant from which on the last verdict was not changed any more."""
    last = first_cause(judged[-1][1])
    since = judged[-1][0]
    for at, event in reversed(judged):
        if first_cause(event) != last:
            break
        since = at
    return since


def foresight(b, function, restarts, firing):
    """How long before a restart it was alerted: the first one, or, where ovpnwatch came in the middle of
    the session that the first one ended, that of the first whole session."""
    restart, before = restarts[0], b.since
    if not b.settled:
        whole = [at for at in restarts if at > restart + b.v.window]
        restart, before = (whole[0], restart) if whole else (restart, before)
    names = ("rx_stalled",) if function.silent else [name for _, name in firing]
    ahead = [restart - at for at, name in firing if name in names and at >= before]
    return ahead[0] if ahead else None


def judge_restart(b, function, result):
    judged = b.judged()
    if not judged:
        result.problem = "no alert with causes"
        return
    result.named, result.confidence = first_cause(judged[-1][1])
    if result.named not in function.expect:
        result.problem = "wrong"
    restarts = b.restarts()
    firing = [(at, e["alert"]["name"]) for at, e in b.watch.events if at >= b.since and
              alert(status="firing")(e) and e.get("tunnel")]
    if firing:
        result.first_alert = firing[0][0] - b.since
    if restarts:
        result.verdict = max(0.0, when_settled(judged) - restarts[-1])
        result.ahead = foresight(b, function, restarts, firing)
    # A log does not say how long nothing was received.
    if function.silent and b.waited() and not b.v.log_only and not (result.ahead and result.ahead > 0):
        result.problem = result.problem or "OpenVPN was the first to act"
    if result.verdict is not None and result.verdict > 5:
        result.problem = result.problem or f"the verdict took {result.verdict:.1f} s"


def run_row(name, function, variant, options, rig_of):
    """Runs one row. A fault that did not take is tried once more."""
    result = Result(name, " ".join(function.__doc__.split()), function.expect or ("no restart",))
    for attempt in (1, 2):
        result.problem = ""
        try:
            with rig_of() as rig:
                make_keys(rig)
                b = Bench(rig, variant, name, options)
                try:
                    run_once(b, function, result)
                finally:
                    save_logs(b, options)
            break
        except NoFault as no:
            result.problem = f"no fault ({attempt}): {no}"
        except Failure as failure:
            result.problem = str(failure)
            break
    return result


def run_once(b, function, result):
    function(b)
    if not b.options.bare:
        (judge_restart if function.expect else judge_calm)(b, function, result)
    if b.watch:
        b.watch.stop()
    result.note = b.remark


def save_logs(b, options):
    """The evidence, for whoever has to find out why."""
    if not options.logs:
        return
    if b.watch:
        with open(os.path.join(options.logs, f"{b.name}.stderr"), "w", encoding="utf-8") as file:
            file.write(b.watch.errors(whole=True))
    for end in (b.client, b.server):
        if not end:
            continue
        with open(os.path.join(options.logs, f"{b.name}.{'client' if end is b.client else 'server'}.log"),
                  "w", encoding="utf-8") as file:
            for at, line in end.log.lines:
                file.write(f"{at - (b.since or at):9.3f} {line}\n")
