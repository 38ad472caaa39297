# SPDX-License-Identifier: MIT
"""What the cases of relay.py work with: a server, daemons, ovpnwatch before some of them, and the
clients of the management interface."""
import concurrent.futures
import fcntl
import itertools
import os
import shutil
import subprocess
import sys

import management_clients as clients
from daemons import Client, Server, tail
from rig import Failure, Skip
from watcher import Watcher, monitor

HERE = os.path.dirname(os.path.abspath(__file__))
# user and password pairs that the server takes; no other pair of these words
ACCOUNTS = {clients.USER: clients.PASSWORD, "bert": "another word"}
TELNET_OPENVPN = "telnet-openvpn@0.1.9"


class Daemon(Client):
    """An OpenVPN client, the address of its interface, and how it shows in the options of programs."""

    def __init__(self, rig, name, address, extra="", start=True, password=""):
        self.address = address
        management = f"127.0.0.1 {address}" if isinstance(address, int) else f"{address} unix"
        management += " " + password
        super().__init__(rig, name=name, management=management, extra=extra, start=start)

    def texts(self):
        """The lines of its log without their times, as the management interface has them."""
        return [line[20:] for _, line in list(self.log.lines)]

    def end(self):
        self.process.end()


def spell(address):
    """As ovpnwatch has it."""
    return f"127.0.0.1:{address}" if isinstance(address, int) else f"unix:{address}"


class Bench:
    """What a case works with."""

    def __init__(self, rig, name, options):
        self.rig, self.name, self.options = rig, name, options
        self.daemons, self.watchers, self.seen = [], [], []
        self.alone = {}
        # Its threads stay: a process dies with the thread that started it (PR_SET_PDEATHSIG).
        self.pool = concurrent.futures.ThreadPoolExecutor(4)
        self._ports = itertools.count(7600)
        self.skips = []

    def server(self, extra=""):
        """Takes the ACCOUNTS by a script of its own."""
        cases = "\n".join(f"'{user}:{password}') exit 0 ;;" for user, password in ACCOUNTS.items())
        self.rig.write("verify", '#!/bin/sh\n{ read -r user; read -r password; } <"$1"\n'
                       f'case "$user:$password" in\n{cases}\nesac\nexit 1\n', 0o700)
        self.rig.write("account", f"{clients.USER}\n{clients.PASSWORD}\n")
        return Server(self.rig, keepalive=(1, 30), extra=extra or
                      f"duplicate-cn\nscript-security 2\ntmp-dir {self.rig.dir}\n"
                      "auth-user-pass-verify ./verify via-file")

    def port(self):
        return next(self._ports)

    def path(self, name):
        return self.rig.path(name)

    def daemon(self, name, address, extra, start=True, password=""):
        self.daemons.append(Daemon(self.rig, name, address, extra, start, password))
        return self.daemons[-1]

    def watch(self, daemon, *relays, arguments=(), attached=True):
        """ovpnwatch at the daemon, with --relay for each of these addresses."""
        folder = os.environ.get("OVPNWATCH_LINES")
        if folder:
            os.makedirs(folder, exist_ok=True)
        save = os.path.join(folder, f"relay-{self.name}-{len(self.watchers)}.ndjson") if folder else None
        options = ["--management", daemon if isinstance(daemon, str) else spell(daemon.address),
                   "--no-probe", "--verbose"]
        for relay in relays:
            options += ["--relay", spell(relay)]
        watch = Watcher(self.rig, self.options.ovpnwatch, (*options, *arguments), save_as=save,
                        errors=f"ovpnwatch{len(self.watchers)}.stderr")
        self.watchers.append(watch)
        if attached:
            watch.expect(monitor("connected"), 10, "attached to the daemon")
        return watch

    def session(self, kind, address, name="", host="client", **options):
        """A client of this kind, connected."""
        return self.look_at(kind(clients.connect_soon(self.rig, host, address),
                                 name or kind.__name__, **options))

    def look_at(self, seen):
        self.seen.append(seen)
        return seen

    # --- the clients that are programs of their own ---

    def go_program(self):
        """The path of clients/events.go, built without any network."""
        source = "/usr/share/gocode/src/github.com/apparentlymart/go-openvpn-mgmt"
        if not shutil.which("go") or not os.path.isdir(source):
            raise Skip("golang-github-apparentlymart-go-openvpn-mgmt-dev (or golang-go) is not installed")
        folder = self._folder()
        env = {**os.environ, "GOPATH": "/usr/share/gocode", "GO111MODULE": "off", "GOFLAGS": "",
               "GOCACHE": os.path.join(folder, "go-cache")}
        program = os.path.join(folder, "events")
        self._make(["go", "build", "-o", program, os.path.join(HERE, "clients", "events.go")], env)
        return program

    def telnet_folder(self):
        """The folder with telnet-openvpn in it. Nothing of the package runs while it is installed."""
        if not shutil.which("npm") or not shutil.which("node"):
            raise Skip("npm is not installed")
        folder = os.path.join(self._folder(), "npm")
        if not os.path.isdir(os.path.join(folder, "node_modules", "telnet-openvpn")):
            os.makedirs(folder, exist_ok=True)
            try:
                self._make(["npm", "install", "--prefix", folder, "--no-save", "--ignore-scripts",
                            "--no-audit", "--no-fund", "--fetch-retries=1", "--fetch-timeout=10000",
                            TELNET_OPENVPN])
            except Failure as failure:
                raise Skip(f"npm cannot have {TELNET_OPENVPN}: {failure}") from failure
        return folder

    def _folder(self):
        """Beside the program that is tested, in its folder of builds."""
        folder = os.path.join(os.path.dirname(self.options.ovpnwatch), "tests", "lab-clients")
        os.makedirs(folder, exist_ok=True)
        return folder

    def _make(self, command, env=None):
        with open(os.path.join(self._folder(), "lock"), "w", encoding="ascii") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            try:
                done = subprocess.run(command, env=env, capture_output=True, text=True, check=False,
                                      timeout=60, stdin=subprocess.DEVNULL)
            except subprocess.TimeoutExpired as error:
                raise Failure(f"{command[0]} does not end") from error
        if done.returncode:
            raise Failure(f"{command[0]}: {(done.stderr or done.stdout).strip()[-200:]}")

    # --- alone and through the relay ---

    def compare(self, talk, side_by_side=True):
        """talk(bench, relayed) returns a transcript: alone and through the relay it must be the same."""
        ways = (False,) if self.options.bare else (False, True)
        if side_by_side:
            running = [self.pool.submit(talk, self, relayed) for relayed in ways]
            concurrent.futures.wait(running)
            self.alone, *through = [one.result() for one in running]
        else:
            self.alone, *through = [talk(self, relayed) for relayed in ways]
        different = [text for one in through for text in clients.differences(self.alone, one)]
        self.check()
        if different:
            raise Failure("; ".join(different))

    def place(self, name, relayed, make_address, extra):
        """A daemon, and where its clients go: to it, or to the relay before it."""
        daemon = self.daemon(name + (".relayed" if relayed else ""), make_address(), extra)
        if not relayed:
            return daemon, daemon.address
        address = make_address()
        self.watch(daemon, address)
        return daemon, address

    def check(self):
        """Nothing that a client complained of, and no secret where none belongs."""
        problems = [problem for seen in self.seen for problem in seen.problems]
        if problems:
            raise Failure(problems[0])
        for watch in self.watchers:
            written = watch.errors(whole=True) + b"".join(watch.raw).decode("utf-8", "replace")
            for secret in ACCOUNTS.values():
                if secret in written or clients.quote(secret) in written:
                    raise Failure("ovpnwatch wrote a password")

    def evidence(self):
        """After a failure: the last of everything."""
        for watch in self.watchers:
            for line in watch.raw[-12:]:
                print(line.decode("utf-8", "replace").rstrip(), file=sys.stderr)
            print("ovpnwatch's stderr:", watch.errors(whole=True)[-2500:], file=sys.stderr)
        for seen in self.seen:
            print(f"--- {seen.name}{' (closed)' if seen.closed else ''}", file=sys.stderr)
            for line in seen.lines[-30:]:
                print("   ", line[:160], file=sys.stderr)
        for daemon in self.daemons:
            print(f"--- log of {daemon.name}: {tail(daemon.log, 25)}", file=sys.stderr)
