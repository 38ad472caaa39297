# SPDX-License-Identifier: MIT
"""Clients of the management interface that talk in the order in which real programs talk, and what
each of them saw: its transcript, so that two runs can be compared.

Gui              as OpenVPN GUI for Windows (manage.c, openvpn.c): one command at a time, and whatever
                 is not a notification answers the command at the head of its queue
NetworkManager   as nm-openvpn-service.c: answers passwords, and reads nothing else
Program          a program of its own that prints what it sees: clients/events.go, clients/telnet.js
By hand          socat, with lines typed into it

Where the real ones differ from each other they differ here: the GUI takes the character before each
newline for a CR without looking, Go reads up to 64 KiB a line, NetworkManager writes two commands at once.
"""
import ctypes
import os
import re
import socket
import subprocess
import threading
import time

from daemons import openvpn_version
from rig import Failure

CLONE_NEWNET = 0x40000000  # <sched.h>
USER, PASSWORD = "anna", 'pass "word\\'  # a space, a quote, a backslash: to be quoted by the client
SOMETIMES = re.compile(r"[,:]GET_CONFIG,")  # a state only where the server is slow to push
PROMPT = b"ENTER PASSWORD:"


def connect(rig, host, address):
    """A connected socket in a host's network: address is a path, or a port of 127.0.0.1."""
    made = []

    def make():  # only this thread enters the namespace, and it ends
        try:
            if isinstance(address, int):
                with open(rig.network(host), "rb") as namespace:
                    if ctypes.CDLL(None, use_errno=True).setns(namespace.fileno(), CLONE_NEWNET):
                        raise OSError(ctypes.get_errno(), "setns")
                made.append(socket.create_connection(("127.0.0.1", address), 5))
            else:
                one = socket.socket(socket.AF_UNIX)
                one.settimeout(5)
                one.connect(address)
                made.append(one)
            made[0].settimeout(None)
        except OSError as error:
            made[:] = [error]

    thread = threading.Thread(target=make)
    thread.start()
    thread.join()
    if isinstance(made[0], OSError):
        raise made[0]
    return made[0]


def connect_soon(rig, host, address, within=10):
    """As connect(), for a listener that is only just starting."""
    end = time.monotonic() + within
    while True:
        try:
            return connect(rig, host, address)
        except OSError as error:
            if time.monotonic() > end:
                raise Failure(f"nobody listens at {address}: {error}") from error
            time.sleep(0.02)


def quote(text):
    return text.replace("\\", "\\\\").replace('"', '\\"')


class Seen:
    """What was seen, line by line. Whoever sees it takes(); whoever waits for it wait()s."""

    def __init__(self, name):
        self.name, self.lines, self.closed = name, [], False
        self.problems = []
        self._news = threading.Condition()

    def took(self, line):
        with self._news:
            self.lines.append(line)
            self._news.notify_all()

    def ended(self):
        with self._news:
            self.closed = True
            self._news.notify_all()

    def problem(self, text):
        self.problems.append(f"{self.name}: {text}")

    def count(self, pattern, since=0):
        return sum(1 for line in list(self.lines)[since:] if re.search(pattern, line))

    def wait(self, pattern, within=15, count=1, since=0):
        """Waits until `count` lines match after the first `since`. Returns the last of these."""
        end = time.monotonic() + within
        with self._news:
            while True:
                found = [line for line in self.lines[since:] if re.search(pattern, line)]
                if len(found) >= count:
                    return found[count - 1]
                left = end - time.monotonic()
                if left <= 0 or self.closed:
                    raise Failure(f"{self.name} {'was closed' if self.closed else 'waited in vain'}, and "
                                  f"saw {len(found)} of {count}: {pattern}")
                self._news.wait(left)

    def wait_closed(self, within=15):
        end = time.monotonic() + within
        with self._news:
            while not self.closed:
                left = end - time.monotonic()
                if left <= 0:
                    raise Failure(f"{self.name}: the connection was not closed")
                self._news.wait(left)


class Session(Seen):
    """A client on a socket. It reads all the time, in a thread of its own; take() sees each line."""

    def __init__(self, connection, name, password=None):
        super().__init__(name)
        self.socket, self._password = connection, password
        self.asked = 0  # times that the password of the interface itself was asked for
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def send(self, *commands):
        """All in one piece."""
        self.write("".join(command + "\n" for command in commands).encode())

    def write(self, data):
        try:
            self.socket.sendall(data)
        except OSError:
            pass  # the end is seen where it is read

    def ask(self, command, end=r"^(SUCCESS: |ERROR: |END$)", within=15):
        """One command at a time; returns its reply, up to the line that matches `end`."""
        with self._news:
            since = len(self.lines)
        self.send(command)
        self.wait(end, within, since=since)
        reply = [line for line in self.lines[since:] if not line.startswith(">")]
        last = next(i for i, line in enumerate(reply) if re.search(end, line))
        return reply[:last + 1]

    def close(self):
        try:
            self.socket.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass
        self._thread.join(5)
        self.socket.close()

    def _read(self):
        rest = b""
        while True:
            try:
                chunk = self.socket.recv(65536)
            except OSError:
                chunk = b""
            if not chunk:
                break
            rest = self._split(rest + chunk)
        if rest:
            self.problem(f"the connection was closed within a line: {rest[:80]!r}")
        self.ended()

    def _split(self, data):
        while data:
            if data.startswith(PROMPT):  # which has no newline
                data = data[len(PROMPT):]
                self._asked_for_password()
                continue
            line, newline, data = data.partition(b"\n")
            if not newline:
                return line
            if not line.endswith(b"\r"):
                self.problem(f"a line that ends in LF alone: {line[:80]!r}")
            text = line.rstrip(b"\r").decode("utf-8", "replace")
            self.took(text)
            self.take(text)
        return b""

    def _asked_for_password(self):
        self.asked += 1
        if self._password is None or self.asked > 1:
            self.problem(f"asked for the password of the interface, {self.asked} times")
            self.socket.shutdown(socket.SHUT_RDWR)
            return
        self.send_password(self._password)

    def send_password(self, password):
        self.send(password)

    def take(self, line):
        """A line came."""


class Gui(Session):
    """OpenVPN GUI. Its queue: the next command goes out when the last was answered."""

    READY = ("state on", "log on all", "echo on all", "bytecount 5", "state")
    SINCE_2_7_1 = ("version 4",)  # earlier daemons take it and answer nothing: it would wait for ever
    HELD = ("hold off", "hold release")
    COMBINED = ("log on all", "echo on all")  # SUCCESS, then lines up to END
    LISTED = COMBINED + ("state",)            # their lines are looked at

    def __init__(self, *arguments, user=USER, secret=PASSWORD, answers=True, **named):
        self.queue, self.answered = [], []
        self._success_seen = False
        self.user, self.secret, self.answers = user, secret, answers
        super().__init__(*arguments, **named)

    def send_password(self, password):
        self.command(password)  # it goes through the queue, and wants its SUCCESS

    def command(self, *commands):
        for command in commands:
            self.queue.append((command, []))
            if len(self.queue) == 1:
                self.send(command)

    def take(self, line):
        if line.startswith(">"):
            kind, _, text = line[1:].partition(":")
            if kind == "INFO":
                time.sleep(0.1)  # as the GUI does, "until management interface accepts input"
                self.command(*(self.SINCE_2_7_1 if openvpn_version() >= (2, 7, 1) else ()), *self.READY)
            elif kind == "HOLD":
                self.command(*self.HELD)
            elif kind == "PASSWORD" and text.startswith("Need 'Auth' username/password") and self.answers:
                self.command(f'username "Auth" "{quote(self.user)}"',
                             f'password "Auth" "{quote(self.secret)}"')
            return
        if not self.queue:
            self.problem(f"a reply to nothing: {line}")
            return
        command, reply = self.queue[0]
        reply.append(line)
        if line.startswith("SUCCESS:"):
            if command in self.COMBINED and not self._success_seen:
                self._success_seen = True
                return
            self._unqueue()
        elif line.startswith("ERROR:") or line == "END":
            self._unqueue()
        elif command not in self.LISTED:
            self.problem(f"a line that does not answer {command!r}: {line}")

    def _unqueue(self):
        self._success_seen = False
        self.answered.append(self.queue.pop(0))
        if self.queue:
            self.send(self.queue[0][0])

    def settled(self, within=15):
        """Waits until it has been answered everything."""
        end = time.monotonic() + within
        while self.queue:
            if time.monotonic() > end or self.closed:
                raise Failure(f"{self.name}: never answered: {self.queue[0][0].split()[0]}")
            time.sleep(0.02)

    def history(self):
        """The log as the GUI shows it: the lines of `log on all`, then those that came later."""
        listed = [line for command, reply in self.answered if command == "log on all"
                  for line in reply[1:-1]]
        return [line.split(",", 2)[2] for line in
                listed + [line[5:] for line in self.lines if line.startswith(">LOG:")]]

    def transcript(self):
        seen = notifications(self.lines)
        seen["replies"] = [f"{unsecret(command)} -> {' | '.join(normal_reply(command, reply))}"
                           for command, reply in self.answered]
        return seen


class NetworkManager(Session):
    """The service of NetworkManager: each line by itself, both answers in one piece."""

    def take(self, line):
        found = re.match(r">PASSWORD:Need '([^']*)'", line)
        if found and found[1] == "Auth":
            self.send(f'username "Auth" "{quote(USER)}"', f'password "Auth" "{quote(PASSWORD)}"')

    def transcript(self):
        seen = notifications(self.lines)
        seen["replies"] = [line for line in self.lines if not line.startswith(">")]
        return seen


class Program(Seen):
    """A client that is a program: it prints a line for each thing that it sees."""

    def __init__(self, rig, name, *command, stdin=False):
        super().__init__(name)
        self.popen = rig.start("client", *command, stdout=subprocess.PIPE,
                               stdin=subprocess.PIPE if stdin else None).popen
        self._thread = threading.Thread(target=self._read, daemon=True)
        self._thread.start()

    def type(self, line):
        """As a hand at the keyboard of socat does."""
        self.popen.stdin.write(line.encode() + b"\n")
        self.popen.stdin.flush()

    def _read(self):
        for line in self.popen.stdout:
            self.took(line.decode("utf-8", "replace").rstrip("\r\n"))
        self.popen.wait()
        self.ended()

    def close(self):
        if self.popen.poll() is None:
            self.popen.terminate()
        self._thread.join(5)

    def transcript(self):
        seen = notifications(self.lines)
        seen["replies"] = [normal(line) for line in self.lines
                           if not line.startswith(">") and not SOMETIMES.search(line)]
        return seen


# --- what two runs have in common ---

def unsecret(command):
    return command.replace(quote(PASSWORD), "…")


def normal(text):
    """Without what differs from run to run: times, process ids, bytes, ports."""
    text = re.sub(r"\b1[0-9]{9}\b", "TIME", text)
    text = re.sub(r"\bpid([= ])\d+", r"pid\1PID", text)
    text = re.sub(r"(198\.51\.100\.\d+,1194),[^,]*,\d*", r"\1,,", text)  # the client's own port
    text = re.sub(r"10\.8\.0\.\d+", "10.8.0.N", text)  # as many clients, as many addresses
    return re.sub(r"(BYTECOUNT[: ])[\d, ]+", r"\1N", text)


def normal_reply(command, reply):
    """The lines of a log are compared by themselves: here they need only have their form."""
    if command.split()[0] != "log":
        return [normal(line) for line in reply]
    return [normal(line) for line in reply if not re.match(r"1\d{9},[A-Z]*,", line)]


def notifications(lines):
    """The notifications a kind, each in its order: between the kinds there is none to be kept."""
    seen = {}
    for line in lines:
        kind = re.match(r">([A-Z0-9_-]+):", line)
        if kind and kind[1] not in ("LOG", "BYTECOUNT") and not SOMETIMES.search(line):
            seen.setdefault(kind[1], []).append(normal(line))
    return seen


def differences(alone, relayed):
    """What a client saw through the relay and not alone, and the other way round; a line each."""
    for kind in sorted(set(alone) | set(relayed)):
        one, other = alone.get(kind, []), relayed.get(kind, [])
        if one == other:
            continue
        at = next((i for i, pair in enumerate(zip(one, other)) if pair[0] != pair[1]),
                  min(len(one), len(other)))
        yield (f"{kind} {at + 1}: alone {one[at] if at < len(one) else 'nothing'!r}, "
               f"through the relay {other[at] if at < len(other) else 'nothing'!r}")
