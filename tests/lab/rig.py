# SPDX-License-Identifier: MIT
"""Two hosts joined by a wire, out of nothing but network namespaces, and the processes on them.

The namespaces have no name: each lives as long as a process that holds it, so that they vanish with
us even after a SIGKILL. Every process is ended by its pid, and dies with us (PR_SET_PDEATHSIG).
Each host has a /run of its own, too: the sockets of this machine's daemons are not found there.
"""
import ctypes
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import threading
import time

SERVER_IP = "198.51.100.1"  # RFC 5737, TEST-NET-2
CLIENT_IP = "198.51.100.2"

# Before the command of a time service: whatever it decides, it cannot set this machine's clock.
HARMLESS = ("setpriv", "--bounding-set", "-sys_time", "--inh-caps", "-sys_time")


class Skip(Exception):
    """The laboratory cannot run here; says why."""


class Failure(Exception):
    """An expectation was not met; says which."""


def need(*programs):
    """Skips unless this machine can have the laboratory."""
    if os.geteuid() != 0:
        raise Skip("needs root")
    if not os.path.exists("/dev/net/tun"):
        raise Skip("no /dev/net/tun")
    for program in programs + ("ip", "nsenter", "unshare", "openssl", "openvpn"):
        if not shutil.which(program):
            raise Skip(f"{program} is not installed")
    probe = subprocess.run(["unshare", "-n", "-m", "true"], capture_output=True, check=False)
    if probe.returncode:
        why = probe.stderr.decode("utf-8", "replace").strip().splitlines()
        raise Skip("may not make namespaces: " + (why[-1] if why else "unshare failed"))
    try:
        os.close(os.open("/dev/net/tun", os.O_RDWR))
    except OSError as error:
        raise Skip(f"/dev/net/tun: {error.strerror}") from error


def libfaketime():
    """The library that fakes the wall clock of a program."""
    for folder in ("/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu", "/usr/lib", "/usr/lib64"):
        path = f"{folder}/faketime/libfaketime.so.1"
        if os.path.exists(path):
            return path
    raise Skip("libfaketime is not installed")


def _die_with_parent():
    ctypes.CDLL(None, use_errno=True).prctl(1, signal.SIGKILL, 0, 0, 0)  # PR_SET_PDEATHSIG


class Clock:
    """A wall clock that can be stepped while programs run under it. The monotonic one stays real."""

    def __init__(self, path):
        self.path = path
        self.offset = 0.0
        self.set(0.0)

    def set(self, offset):
        """Makes the clock `offset` seconds ahead of this machine's."""
        with open(self.path + ".new", "w", encoding="ascii") as file:
            file.write(f"{offset:+.6f}\n")
        os.rename(self.path + ".new", self.path)  # a reader sees the old or the new, never half
        self.offset = offset

    def step(self, seconds):
        self.set(self.offset + seconds)

    def environment(self):
        # A program built with ASan wants to be preloaded first; here it may be second.
        asan = ":".join(filter(None, (os.environ.get("ASAN_OPTIONS"), "verify_asan_link_order=0")))
        return {"ASAN_OPTIONS": asan, "LD_PRELOAD": libfaketime(), "FAKETIME_TIMESTAMP_FILE": self.path,
                "FAKETIME_NO_CACHE": "1", "FAKETIME_DONT_FAKE_MONOTONIC": "1"}


class Process:
    """A child process on one of the hosts."""

    def __init__(self, popen, name):
        self.popen, self.name = popen, name

    @property
    def running(self):
        return self.popen.poll() is None

    def send(self, number):
        if self.running:
            self.popen.send_signal(number)

    def freeze(self):
        self.send(signal.SIGSTOP)

    def thaw(self):
        self.send(signal.SIGCONT)

    def end(self, number=signal.SIGTERM, patience=3.0):
        """Ends it, and waits for its end. Returns its exit status."""
        if self.running:
            # First: LeakSanitizer stops its own process at the end, and would lose its SIGSTOP to this.
            self.thaw()
            self.send(number)
            try:
                self.popen.wait(patience)
            except subprocess.TimeoutExpired:
                self.popen.kill()
                self.popen.wait()
        return self.popen.returncode

    def kill(self):
        return self.end(signal.SIGKILL)


class Lines:
    """The lines of a growing log file with the instant (monotonic) at which each was seen."""

    def __init__(self, path):
        self.path = path
        self.lines = []
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._follow, daemon=True)
        self._thread.start()

    def _follow(self):
        with open(self.path, "a+", encoding="utf-8", errors="replace") as file:
            file.seek(0)
            rest = ""
            while not self._stop.is_set():
                chunk = file.read()
                if not chunk:
                    self._stop.wait(0.02)
                    continue
                *whole, rest = (rest + chunk).split("\n")
                self.lines += [(time.monotonic(), line) for line in whole]

    def find(self, text, since=0.0):
        """The instant at which a line with `text` was first seen after `since`, or None."""
        return next((at for at, line in list(self.lines) if at >= since and text in line), None)

    def wait(self, text, within, since=0.0):
        """As find(), but waits for it; None when it does not come."""
        end = time.monotonic() + within
        while time.monotonic() < end:
            at = self.find(text, since)
            if at is not None:
                return at
            time.sleep(0.02)
        return self.find(text, since)

    def close(self):
        self._stop.set()
        self._thread.join()


class Rig:
    """The wire, a folder for everything, and an orderly end: use it as a context manager.

    With delay=(seconds, jitter) what the server sends arrives so much later; see slow_wire.py.
    """

    def __init__(self, delay=None):
        self.delay = delay
        self.delayed_by = "nothing"
        self.dir = tempfile.mkdtemp(prefix="ovpnwatch-lab.")
        self._processes, self._closers = [], []
        self._hosts = {}

    def __enter__(self):
        try:
            for host in ("server", "client"):
                self._hosts[host] = self._holder()
            self._join()
        except BaseException:
            self.__exit__(None, None, None)
            raise
        return self

    def __exit__(self, *_):
        for process in reversed(self._processes):
            process.end(patience=1.5)
        for close in self._closers:
            close()
        shutil.rmtree(self.dir, ignore_errors=True)

    def _holder(self):
        """A process that does nothing but keep a namespace alive."""
        popen = subprocess.Popen(["unshare", "-n", "-m", "sh", "-c",
                                  "mount -t tmpfs -o mode=755 tmpfs /run && echo && "
                                  "exec sleep 86400"],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 preexec_fn=_die_with_parent)
        self._processes.append(Process(popen, "namespace"))
        if not popen.stdout.readline():
            raise Failure("no namespace with a /run of its own")
        return popen.pid  # it is in its namespaces now

    def _join(self):
        self.run("server", "ip", "link", "add", "wire0", "type", "veth",
                 "peer", "name", "wire0", "netns", str(self._hosts["client"]))
        if self.delay:
            self._slow_down()
        for host, address in (("server", SERVER_IP), ("client", CLIENT_IP)):
            self.run(host, "ip", "link", "set", "lo", "up")
            self.run(host, "ip", "address", "add", f"{address}/30", "dev", "wire0")
            self.run(host, "ip", "link", "set", "wire0", "up")

    def _slow_down(self):
        """netem where the kernel has it; else the wire becomes one that a program carries."""
        delay, jitter = (f"{1000 * seconds:g}ms" for seconds in self.delay)
        try:
            self.run("server", "tc", "qdisc", "add", "dev", "wire0", "root", "netem",
                     "delay", delay, jitter)
            self.delayed_by = f"netem delay {delay} {jitter}"
            return
        except Failure:
            self.run("server", "ip", "link", "delete", "wire0")
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "slow_wire.py")
        popen = subprocess.Popen([sys.executable, "-B", script,
                                  *(str(self._hosts[host]) for host in ("server", "client")),
                                  *(str(seconds) for seconds in self.delay)],
                                 stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                 preexec_fn=_die_with_parent)
        self._processes.append(Process(popen, "wire"))
        if not popen.stdout.readline():
            raise Failure("the slow wire did not come up")
        self.delayed_by = f"slow_wire.py (this kernel has no netem), delay {delay} {jitter}"

    def network(self, host):
        """The file that stands for a host's network namespace."""
        return f"/proc/{self._hosts[host]}/ns/net"

    def _on(self, host, command, env=None):
        """The command as it is run on a host. A mount namespace is entered at its root: -C."""
        return ["nsenter", f"--net={self.network(host)}",
                f"--mount=/proc/{self._hosts[host]}/ns/mnt", "--", "env", "-C", self.dir,
                *(f"{name}={value}" for name, value in (env or {}).items()), *command]

    def path(self, name):
        return os.path.join(self.dir, name)

    def write(self, name, text, mode=0o600):
        with open(os.open(self.path(name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode), "w",
                  encoding="utf-8") as file:
            file.write(text)
        return self.path(name)

    def ask(self, host, *command, stdin=None):
        """Runs a command on a host to its end. Returns its status, what it wrote, and its errors."""
        done = subprocess.run(self._on(host, command), input=stdin, text=True,
                              capture_output=True, check=False)
        return done.returncode, done.stdout, done.stderr

    def run(self, host, *command, stdin=None):
        """As ask(), but it must succeed. Returns what it wrote."""
        status, written, errors = self.ask(host, *command, stdin=stdin)
        if status:
            raise Failure(f"{' '.join(command)}: {(errors or written).strip()}")
        return written

    def start(self, host, *command, clock=None, stdin=None, stdout=None, stderr=None, env=None):
        """Starts a process on a host, under a fake clock if one is given. It ends with the rig."""
        fake = dict(env or {})
        if clock:
            fake.update(clock.environment())
        # `env` does it: only the program itself is to live under the fake clock
        popen = subprocess.Popen(self._on(host, command, fake), stdin=stdin or subprocess.DEVNULL,
                                 stdout=stdout or subprocess.DEVNULL,
                                 stderr=stderr or subprocess.DEVNULL, preexec_fn=_die_with_parent)
        process = Process(popen, command[0])
        self._processes.append(process)
        return process

    def follow(self, name):
        """The lines of a log file in the folder, from now on."""
        lines = Lines(self.path(name))
        self._closers.append(lines.close)
        return lines

    def cut(self):
        """Nothing passes the wire any more; both ends believe they send."""
        for host in ("server", "client"):
            self.run(host, "nft", "-f", "-", stdin="table inet cut {\n chain in {\n"
                     "type filter hook prerouting priority -300;\niifname wire0 drop\n}\n}\n")

    def mend(self):
        for host in ("server", "client"):
            self.run(host, "nft", "delete", "table", "inet", "cut")
