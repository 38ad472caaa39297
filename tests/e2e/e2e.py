#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""The program as its users run it: a fake daemon on one side, a file, pipe, socket or terminal on the other.

    e2e.py PROGRAM [NAME…]        runs the tests, or those named; exit 1 if one fails

Waits are for conditions, with a generous limit; nothing is asserted about how long things take.
$OVPNWATCH_LINES, if set, is a folder into which the JSON lines go that were seen.
"""
import fcntl
import json
import os
import pty
import signal
import socket
import struct
import subprocess
import sys
import tempfile
import termios
import threading
import time

PROGRAM = ""
LIMIT = 20
FIXTURES = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "fixtures")


class Daemon:
    """Speaks the management protocol on loopback: answers commands, says what it is told to."""

    def __init__(self, banner=True, torn=False, password=None):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.address = "127.0.0.1:%d" % self.listener.getsockname()[1]
        self.banner, self.torn, self.password = banner, torn, password
        self.heard, self.connection, self.subscribed = [], None, threading.Event()
        threading.Thread(target=self._serve, daemon=True).start()

    def _serve(self):
        while True:
            try:
                self.connection, _ = self.listener.accept()
            except OSError:
                return
            if self.banner:
                threading.Thread(target=self._talk, args=(self.connection,), daemon=True).start()

    def _talk(self, connection):
        lines = connection.makefile("rb")
        if self.password is not None:
            answer = None
            while answer != self.password:
                connection.sendall(b"ENTER PASSWORD:")
                answer = lines.readline().strip().decode()
                if not answer:
                    return
            connection.sendall(b"SUCCESS: password is correct\r\n")
        self.say(">INFO:OpenVPN Management Interface Version 5 -- type 'help' for more info")
        for line in lines:
            command = line.decode().strip()
            self.heard.append(command)
            now = int(time.time())
            if command == "version":
                self.say("OpenVPN Version: OpenVPN 2.6.14 x86_64-pc-linux-gnu", "END")
            elif command == "pid":
                self.say("SUCCESS: pid=4711")
            elif command == "log on all":
                self.say("SUCCESS: real-time log notification set to ON",
                         f"{now},,Timers: ping 2, ping-restart 8", "END")
            elif command == "state on all":
                self.say("SUCCESS: real-time state notification set to ON",
                         f"{now},CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,", "END")
            elif command == "echo on":
                self.say("SUCCESS: real-time echo notification set to ON")
            elif command == "bytecount 1":
                self.say("SUCCESS: bytecount interval changed")
            elif command == "status 3":
                self.say("OpenVPN STATISTICS", "TUN/TAP read bytes,0", "END")
                self.subscribed.set()
            else:
                self.say("SUCCESS: nclients=0,bytesin=0,bytesout=0")
        connection.close()

    def say(self, *lines):
        data = "".join(line + "\r\n" for line in lines).encode("latin-1")
        if self.torn:
            for i in range(len(data)):
                self.connection.sendall(data[i:i + 1])
        else:
            self.connection.sendall(data)

    def state(self, number, detail=""):
        self.say(f">STATE:{int(time.time())},WAIT,{number}{detail},,,,,")

    def wait(self):
        if not self.subscribed.wait(LIMIT):
            raise AssertionError("nobody subscribed")


def start(daemon, *arguments, stdout=subprocess.PIPE, **options):
    return subprocess.Popen([PROGRAM, "watch", "--management", daemon.address, *arguments],
                            stdin=subprocess.DEVNULL, stdout=stdout, stderr=subprocess.PIPE, **options)


def until(condition, what):
    end = time.monotonic() + LIMIT
    while not condition():
        if time.monotonic() > end:
            raise AssertionError("not in time: " + what)
        time.sleep(0.02)


def finish(process, expected=0, number=signal.SIGTERM):
    if number is not None:
        process.send_signal(number)
    _, errors = process.communicate(timeout=LIMIT)
    errors = errors.decode()
    assert process.returncode == expected, f"exit {process.returncode}, wanted {expected}: {errors}"
    return errors


def parse(data, name):
    """NDJSON to events; keeps the lines for the schema's test."""
    folder = os.environ.get("OVPNWATCH_LINES")
    lines = data.decode("ascii").splitlines(keepends=True)
    assert all(line.endswith("\n") and len(line) <= 4096 for line in lines), "a line that is cut"
    if folder:
        with open(os.path.join(folder, f"e2e-{name}.ndjson"), "w", encoding="ascii") as file:
            file.writelines(lines)
    events = [json.loads(line) for line in lines]
    assert [e["seq"] for e in events] == list(range(1, len(events) + 1)), "seq has a gap"
    return events


class Reader(threading.Thread):
    """Reads a descriptor to its end."""

    def __init__(self, read):
        super().__init__(daemon=True)
        self.read_some, self.data = read, b""
        self.start()

    def run(self):
        while True:
            try:
                piece = self.read_some(65536)
            except OSError:  # a terminal whose other end is gone
                return
            if not piece:
                return
            self.data += piece


# --- the tests -----------------------------------------------------------------------------------

def pipe_gets_json_and_a_summary():
    daemon = Daemon()
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    daemon.wait()
    until(lambda: b'"CONNECTED"' in reader.data, "the state")
    process.send_signal(signal.SIGTERM)
    errors = process.stderr.read().decode()
    assert process.wait(LIMIT) == 0, errors
    reader.join(LIMIT)
    events = parse(reader.data, "pipe")
    kinds = [e.get("monitor", {}).get("kind") or e["event_type"] for e in events]
    assert kinds[0] == "started" and kinds[-1] == "stopped" and "connected" in kinds, kinds
    assert errors.startswith("ovpnwatch: watched for "), errors
    asked = ["version", "pid", "log on all", "state on all", "echo on", "bytecount 1",
             "status 3"]
    put_back = ["bytecount 0", "log off", "state off", "echo off"]
    until(lambda: len(daemon.heard) >= len(asked + put_back), "the last words")
    assert daemon.heard == asked + put_back, daemon.heard


def interrupted_is_a_clean_end():
    daemon = Daemon()
    process = start(daemon, stdout=subprocess.DEVNULL)
    daemon.wait()
    assert "restart" in finish(process, number=signal.SIGINT)


def hangup_is_no_end():
    daemon = Daemon()
    process = start(daemon, stdout=subprocess.DEVNULL)
    daemon.wait()
    process.send_signal(signal.SIGHUP)
    time.sleep(0.3)
    assert process.poll() is None
    finish(process)


def a_file_is_appended_to():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "events")
        for _ in range(2):
            daemon = Daemon()
            process = start(daemon, "--output", path)
            daemon.wait()
            until(lambda: os.path.getsize(path) > 0, "something in the file")
            finish(process)
        with open(path, "rb") as file:
            lines = [json.loads(line) for line in file]
        assert [e["seq"] for e in lines].count(1) == 2 and len({e["run"] for e in lines}) == 2


def stdout_is_a_file():
    with tempfile.TemporaryFile() as file:
        daemon = Daemon()
        process = start(daemon, stdout=file)
        daemon.wait()
        until(lambda: os.fstat(file.fileno()).st_size > 500, "something in the file")
        finish(process)
        file.seek(0)
        assert parse(file.read(), "file")[-1]["monitor"]["kind"] == "stopped"


def stdout_is_a_socket():
    ours, theirs = socket.socketpair()
    daemon = Daemon()
    process = start(daemon, stdout=theirs)
    theirs.close()
    reader = Reader(ours.recv)
    daemon.wait()
    until(lambda: b'"CONNECTED"' in reader.data, "the state")
    finish(process)
    reader.join(LIMIT)
    parse(reader.data, "socket")


def hostile_text_is_harmless():
    evil = "\x1b[2J\x1b]0;gotcha\x07\x9b31m\x7f\xff\xfe\\u0041\"'"
    for style in ("json", "text"):
        daemon = Daemon()
        process = start(daemon, "--format", style)
        reader = Reader(process.stdout.read1)
        daemon.wait()
        daemon.state("x", evil)
        until(lambda: b"gotcha" in reader.data, "the hostile state")
        finish_quietly(process)
        reader.join(LIMIT)
        bad = [b for b in reader.data if b != 10 and not 32 <= b <= 126]
        assert not bad, f"{style}: bytes {bad[:8]}"
        if style == "json":
            parse(reader.data, "hostile")


def finish_quietly(process):
    process.send_signal(signal.SIGTERM)
    errors = process.stderr.read().decode()
    assert process.wait(LIMIT) == 0, errors
    return errors


def a_terminal_gets_text():
    ours, theirs = pty.openpty()
    daemon = Daemon()
    process = start(daemon, stdout=theirs, env={**os.environ, "TERM": "dumb"})
    os.close(theirs)
    reader = Reader(lambda n: os.read(ours, n))
    daemon.wait()
    daemon.say(f">STATE:{int(time.time())},RECONNECTING,ping-restart,,,,,")
    until(lambda: b"ping_restart" in reader.data, "the alert")
    finish_quietly(process)
    reader.join(LIMIT)
    text = reader.data.decode("ascii")
    assert "\x1b" not in text and "{" not in text and "WARNING" in text, text
    os.close(ours)


def colour_only_where_it_is_wanted():
    for environment, coloured in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        daemon = Daemon()
        process = start(daemon, stdout=theirs, env={**os.environ, **environment})
        os.close(theirs)
        reader = Reader(lambda n: os.read(ours, n))
        daemon.wait()
        until(lambda: b"CONNECTED" in reader.data, "the state")
        finish_quietly(process)
        reader.join(LIMIT)
        assert (b"\x1b[" in reader.data) == coloured, (environment, reader.data)
        os.close(ours)


def full_device():
    daemon = Daemon()
    with open("/dev/full", "wb") as full:
        process = start(daemon, stdout=full)
        errors = finish(process, expected=74, number=None)
    assert "No space left" in errors, errors


def memory(process):
    with open(f"/proc/{process.pid}/status", encoding="ascii") as file:
        return next(int(line.split()[1]) for line in file if line.startswith("VmRSS"))


def slow_reader():
    """The daemon is drained, memory stays bounded, what is lost is counted and told in its place."""
    count = 20000
    daemon = Daemon()
    process = start(daemon)
    daemon.wait()
    before = memory(process)
    for number in range(count):  # would block here if the socket were not read
        daemon.state(number)
    daemon.say(">BYTECOUNT:1,1")
    assert memory(process) - before < 8192, "memory grew with what could not be written"
    reader = Reader(process.stdout.read1)
    until(lambda: b'"dropped"' in reader.data, "the count of what was dropped")
    sent = 0
    while b'"last' not in reader.data:  # the first may be among those that are dropped
        assert sent < LIMIT * 5, "no event after the drop"
        daemon.state(f"last{sent}")
        sent += 1
        time.sleep(0.2)
    until(lambda: reader.data.count(b'"dropped"') > 0, "the count of what was dropped")
    finish_quietly(process)
    reader.join(LIMIT)
    events = parse(reader.data, "slow")
    dropped = sum(e["monitor"]["count"] for e in events if e.get("monitor", {}).get("kind") == "dropped")
    seen = sum(e["event_type"] == "state" and e["state"].get("name") == "WAIT" for e in events)
    assert dropped > 0 and seen + dropped == count + sent, (seen, dropped, sent)


def reader_that_never_reads():
    daemon = Daemon()
    process = start(daemon)
    daemon.wait()
    for number in range(2000):
        daemon.state(number)
    process.send_signal(signal.SIGTERM)
    until(lambda: process.poll() is not None, "its end")
    assert process.returncode == 0
    assert "were not taken by the reader" in process.stderr.read().decode()


def reader_that_leaves():
    """Quietly, with exit 0, also while nothing happens."""
    daemon = Daemon()
    process = start(daemon)
    daemon.wait()
    process.stdout.readline()
    process.stdout.close()
    until(lambda: process.poll() is not None, "its end")
    assert process.returncode == 0 and "cannot" not in process.stderr.read().decode()


def nothing_is_left_on_a_shared_pipe():
    read, write = os.pipe()
    daemon = Daemon()
    process = start(daemon, stdout=write)
    daemon.wait()
    finish(process)
    assert not fcntl.fcntl(write, fcntl.F_GETFL) & os.O_NONBLOCK, "O_NONBLOCK was left behind"
    os.close(read)
    os.close(write)


def torn_bytes():
    daemon = Daemon(torn=True)
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    daemon.wait()
    daemon.state(7)
    until(lambda: b'"detail":"7"' in reader.data, "the state")
    finish_quietly(process)


def overlong_line():
    daemon = Daemon()
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    daemon.wait()
    daemon.say(">LOG:1,," + "x" * 70000)
    daemon.state("after")
    until(lambda: b'"after"' in reader.data, "the state after it")
    finish_quietly(process)
    reader.join(LIMIT)
    assert any(e.get("monitor", {}).get("kind") == "overlong_line" for e in parse(reader.data, "long"))


def busy():
    """Another client holds the slot: said so, nothing was sent, and the connection is given back."""
    daemon = Daemon(banner=False)
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    until(lambda: b'"management_busy"' in reader.data, "the alert")
    daemon.connection.settimeout(LIMIT)
    assert daemon.connection.recv(100) == b"", "something was sent before the banner"
    finish_quietly(process)
    reader.join(LIMIT)
    parse(reader.data, "busy")


def passwords():
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "pw")
        with open(path, "w", encoding="ascii") as file:
            file.write("s3cret\n")
        os.chmod(path, 0o644)
        daemon = Daemon(password="s3cret")
        errors = finish(start(daemon, "--management-password-file", path), 77, None)
        assert "chmod 600" in errors, errors
        os.chmod(path, 0o600)
        process = start(daemon, "--management-password-file", path)
        reader = Reader(process.stdout.read1)
        daemon.wait()
        errors = finish_quietly(process)
        reader.join(LIMIT)
        assert b"s3cret" not in reader.data and "s3cret" not in errors
    daemon = Daemon(password="other")
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    until(lambda: b'"management_refused"' in reader.data, "the alert")
    finish_quietly(process)


def it_waits_for_a_daemon_that_comes_later():
    daemon = Daemon()
    port = int(daemon.address.split(":")[1])
    daemon.listener.shutdown(socket.SHUT_RDWR)
    daemon.listener.close()
    process = start(daemon)
    reader = Reader(process.stdout.read1)
    until(lambda: b'"management_unreachable"' in reader.data, "the alert")
    daemon.listener = socket.create_server(("127.0.0.1", port))
    threading.Thread(target=daemon._serve, daemon=True).start()
    daemon.wait()
    until(lambda: reader.data.count(b'"resolved"') == 1, "the alert's end")
    finish_quietly(process)
    reader.join(LIMIT)
    parse(reader.data, "later")


def verbose_tells_the_conversation():
    daemon = Daemon()
    process = start(daemon, "--verbose", stdout=subprocess.DEVNULL)
    daemon.wait()
    daemon.say(">PASSWORD:Auth-Token:SESS_ID_AT_secret")
    daemon.state("y")
    time.sleep(0.2)
    errors = finish(process)
    assert "> state on all" in errors and "< >INFO:" in errors and "AT_secret" not in errors, errors


def run(*arguments, text=None):
    process = subprocess.run([PROGRAM, *arguments], input=text, capture_output=True, timeout=60, check=False)
    return process.returncode, process.stdout, process.stderr.decode()


def write(path, text):
    with open(path, "w", encoding="utf-8") as f:
        f.write(text)


def configuration_and_reload():
    """Many tunnels from a file, and another file by SIGHUP: who is said of as before does not notice."""
    with tempfile.TemporaryDirectory() as folder:
        a, b, c = Daemon(), Daemon(), Daemon()
        config, out = os.path.join(folder, "w.conf"), os.path.join(folder, "out")
        head = "[ovpnwatch]\nformat = json\noutput = %s\nno-probe = yes\n" % out
        write(config, head + f"[tunnel a]\nmanagement = {a.address}\n[tunnel b]\nmanagement = {b.address}\n")
        code, text, errors = run("--config", config, "--check-config")
        assert code == 0 and b"fine, 2 tunnels" in text, (text, errors)
        code, text, errors = run("--config", config, "--print-config")
        assert code == 0 and ("management = " + b.address).encode() in text, (text, errors)
        process = subprocess.Popen([PROGRAM, "--config", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for daemon in (a, b):
            daemon.wait()
        b.say(">HOLD:Waiting for hold release:0")
        write(config, head + f"[tunnel a]\nmanagement = {a.address}\n[tunnel c]\nmanagment = {c.address}\n")
        process.send_signal(signal.SIGHUP)  # a mistake: nothing changes
        time.sleep(0.3)
        write(config, head + f"[tunnel a]\nmanagement = {a.address}\n[tunnel c]\nmanagement = {c.address}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: '"tunnel":"c"' in open(out, encoding="utf-8").read().rpartition('"kind":"connected"')[0][-200:],
              "the new one is attached")
        errors = finish(process)
        assert "w.conf:8: unknown key 'managment'" in errors and "nothing was changed" in errors, errors
        with open(out, "rb") as f:
            events = parse(f.read(), "configuration_and_reload")
        kinds = [(e.get("tunnel"), e["monitor"]["kind"]) for e in events if e["event_type"] == "monitor"]
        assert kinds.count(("a", "started")) == 1 and kinds.count(("a", "connected")) == 1, kinds
        assert kinds.count(("b", "removed")) == 1 and kinds.count(("c", "connected")) == 1, kinds
        assert a.heard.count("version") == 1, a.heard
        reloaded = [e for e in events if e["event_type"] == "monitor" and e["monitor"]["kind"] == "reloaded"]
        assert [e["monitor"]["count"] for e in reloaded] == [2], reloaded


def changed_tunnel_takes_its_relay_again():
    """A reload that changes a tunnel ends it and begins it anew, at the same relay's addresses."""
    with tempfile.TemporaryDirectory() as folder:
        daemon = Daemon()
        config, relay = os.path.join(folder, "w.conf"), os.path.join(folder, "relay")
        about = f"[tunnel a]\nmanagement = {daemon.address}\nno-probe = yes\nrelay = unix:{relay}\n"
        write(config, about)
        process = subprocess.Popen([PROGRAM, "--config", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        for change in ("", "release-hold = yes\n"):
            if change:
                daemon.subscribed.clear()
                write(config, about + change)
                process.send_signal(signal.SIGHUP)
            daemon.wait()
            with socket.socket(socket.AF_UNIX) as client:
                client.settimeout(LIMIT)
                client.connect(relay)
                assert client.recv(100).startswith(b">INFO:OpenVPN"), change
        errors = finish(process)
        assert "cannot" not in errors, errors
        assert not os.path.exists(relay)


def what_cannot_begin_holds_up_nobody():
    """A tunnel whose relay's address is taken, found at a reload: it is left, said, and tried at the next."""
    with tempfile.TemporaryDirectory() as folder, socket.create_server(("127.0.0.1", 0)) as taken:
        a, b = Daemon(), Daemon()
        config, out = os.path.join(folder, "w.conf"), os.path.join(folder, "out")
        about = f"[ovpnwatch]\noutput = {out}\nformat = json\n[tunnel a]\nmanagement = {a.address}\n"
        write(config, about)
        process = subprocess.Popen([PROGRAM, "--config", config], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE)
        a.wait()
        write(config, about + f"[tunnel b]\nmanagement = {b.address}\nrelay = 127.0.0.1:{taken.getsockname()[1]}\n")
        process.send_signal(signal.SIGHUP)
        until(lambda: '"reloaded"' in open(out, encoding="utf-8").read(), "the reload is told")
        taken.close()
        process.send_signal(signal.SIGHUP)
        b.wait()
        errors = finish(process)
        assert "another program listens there" in errors and "b cannot be watched" in errors, errors
        assert a.heard.count("version") == 1, a.heard


class SocketDaemon(Daemon):
    """The same at a unix socket."""

    def __init__(self, path):
        self.path = path
        super().__init__()

    def _serve(self):
        self.listener.close()
        self.listener = socket.socket(socket.AF_UNIX)
        self.listener.bind(self.path)
        self.listener.listen(1)
        super()._serve()


def discovery():
    """Sockets that appear and vanish, named by what the wildcard stands for."""
    with tempfile.TemporaryDirectory() as folder:
        out = os.path.join(folder, "out")
        first = SocketDaemon(os.path.join(folder, "first.sock"))
        until(lambda: os.path.exists(first.path), "the first socket")
        process = subprocess.Popen([PROGRAM, "--discover", os.path.join(folder, "*.sock"), "--format", "json",
                                    "--output", out], stdin=subprocess.DEVNULL, stderr=subprocess.PIPE)
        first.wait()
        second = SocketDaemon(os.path.join(folder, "second.sock"))
        second.wait()
        os.unlink(first.path)
        until(lambda: '"removed"' in open(out, encoding="utf-8").read(), "the first is gone")
        finish(process)
        with open(out, "rb") as f:
            events = parse(f.read(), "discovery")
        kinds = [(e.get("tunnel"), e["monitor"]["kind"]) for e in events if e["event_type"] == "monitor"]
        for wanted in (("first", "connected"), ("second", "connected"), ("first", "removed")):
            assert kinds.count(wanted) == 1, (wanted, kinds)


def several_tunnels():
    """Two on one command line."""
    a, b = Daemon(), Daemon()
    process = subprocess.Popen([PROGRAM, "--name", "a", "--management", a.address, "--name", "b", "--management",
                                b.address], stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    a.wait()
    b.wait()
    a.say(">STATE:%d,RECONNECTING,ping-restart,,,,," % time.time())
    until(lambda: process.poll() is None, "it runs")
    time.sleep(0.2)
    process.send_signal(signal.SIGTERM)
    out, _ = process.communicate(timeout=LIMIT)
    events = parse(out, "several_tunnels")
    restarted = {e.get("tunnel") for e in events if e["event_type"] == "alert" and e["alert"]["name"] == "ping_restart"}
    assert restarted == {"a"}, restarted


def exit_codes():
    profile = tempfile.NamedTemporaryFile("w", suffix=".ovpn")
    profile.write("client\nremote vpn.example.org 99999\n")
    profile.flush()
    key = tempfile.NamedTemporaryFile("w")
    key.write("-----BEGIN OpenVPN Static key V1-----\n%s\n-----END OpenVPN Static key V1-----\n" % ("5a" * 256))
    key.flush()
    for wanted, word, *arguments in (
            (0, "", "--help"), (0, "", "--version"), (64, "--bogus", "--bogus"),
            (64, "verb", "walk"), (64, "which tunnel", "watch"), (64, "replay", "replay"),
            (64, "PORT", "watch", "--management", "nowhere"), (64, "json", "clock", "--format", "xml"),
            (64, "8 times", "clock", *(["--ntp", "127.0.0.1"] * 9)),
            (65, "nothing.log", "replay", "/nothing.log"), (78, ":2:", "watch", "--profile", profile.name),
            (78, "no such file", "probe", "--profile", "/nothing.ovpn"),
            (64, "probe whom", "probe"),
            (64, "pass for OpenVPN", "--management", "listen:192.0.2.1:7505"),
            (64, "is a folder", "--log", "/proc/self"),
            (77, "cannot be read", "--config", "/nothing.conf"),
            (78, ".ovpn:1: a line is 'key = value'", "--config", profile.name),
            (64, "no address of IPv6", "probe", "--remote", "127.0.0.1:9", "--proto", "udp6"),
            (64, "no address of IPv4", "probe", "--remote", "[::1]:9", "--proto", "tcp4"),
            (69, "refuses", "probe", "--remote", "127.0.0.1:9", "--tls-auth", key.name, "--count", "2")):
        code, out, errors = run(*arguments)
        if code == 69:  # why, as an event: a script wants it too
            errors, out = json.loads(out)["message"], b""
        assert code == wanted, f"{arguments}: exit {code}, wanted {wanted}: {errors}"
        assert word in errors, f"{arguments}: {errors}"
        assert code == 0 or out == b"", f"{arguments}: {out}"
    code, out, errors = run("replay", "-", text=b"nothing of ours\n" * 100)
    assert code == 65 and "not a single line" in errors, (code, errors)
    code, out, errors = run("clock", "--format", "json", "--ntp", "127.0.0.1:9")
    assert json.loads(out)["event_type"] == "clock" and "127.0.0.1:9: nothing listens there" in errors, errors


def replay_of_the_incident():
    path = os.path.join(FIXTURES, "incident-2024-01-15.log")
    with open(path, "rb") as file:
        log = file.read()
    wanted = None
    for form in (log, log.replace(b"\n", b"\r\n")):
        code, out, errors = run("replay", "-", text=form)
        assert code == 0, errors
        alerts = [e for e in parse(out, "replay") if e["event_type"] == "alert"]
        assert len(alerts) == 1, alerts
        alert = alerts[0]
        assert alert["alert"]["name"] == "ping_restart" and alert["alert"]["status"] == "firing"
        assert alert["timestamp"] == "2024-01-15T23:40:43.842Z", alert["timestamp"]
        assert alert["restart"]["connected_s"] == 240.264, alert["restart"]
        causes = [c["cause"] for c in alert["causes"]]
        assert causes == ["duplicate_client", "path_outage", "peer_clock_step"], causes
        assert all(c["remedy"] and c["confidence"] == "possible" for c in alert["causes"])
        wanted = wanted or alert["causes"]
        assert alert["causes"] == wanted


def a_log_in_a_pipe():
    """Old lines first, then new ones, of any bytes; what it ends with is the end."""
    process = subprocess.Popen([PROGRAM, "watch", "--log", "-", "--verbose"], stdin=subprocess.PIPE,
                               stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    reader = Reader(lambda n: os.read(process.stdout.fileno(), n))
    say = lambda *lines: (process.stdin.write(b"".join(line + b"\r\n" for line in lines)), process.stdin.flush())
    say(b"OpenVPN 2.6.14 x86_64-w64-mingw32", b"SIGUSR1[soft,ping-restart] received, process restarting",
        b"PUSH: Received control message: 'PUSH_REPLY,ping-restart 8,ping 2,auth-token SESS_ID_AT_secret'",
        b"Initialization Sequence Completed")
    until(lambda: b'"CONNECTED"' in reader.data, "the state that it began with")
    say(b"\x81\xff\x1b[2J\x00" * 5000, b"SIGUSR1[soft,\x84\x1b]0;x] received, process restarting")
    until(lambda: b'"reconnecting"' in reader.data, "the restart")
    say(b"Initialization Sequence Completed")
    process.stdin.close()
    assert process.wait(LIMIT) == 0
    reader.join(LIMIT)
    events = parse(reader.data, "log")
    kinds = [e["monitor"]["kind"] for e in events if e["event_type"] == "monitor"]
    assert kinds == ["started", "connected", "lost", "stopped"], kinds
    states = [e["state"]["name"] for e in events if e["event_type"] == "state"]
    assert states == ["CONNECTED", "RECONNECTING", "CONNECTED"], states
    alert = next(e for e in events if e["event_type"] == "alert" and "restart" in e)
    assert alert["restart"]["ping_restart_s"] == 8 and "silent_s" not in alert["restart"], alert
    assert "AT_secret" not in process.stderr.read().decode()
    process.stdout.close()
    process.stderr.close()


def a_log_beside_the_daemon():
    daemon = Daemon()
    with tempfile.TemporaryDirectory() as folder:
        path = os.path.join(folder, "client.log")
        process = start(daemon, "--log", path)
        reader = Reader(lambda n: os.read(process.stdout.fileno(), n))
        daemon.wait()
        until(lambda: b'"unreachable"' in reader.data, "the log is not there")
        write(path, "2024-01-15 18:36:43 Restart pause, 1 second(s)\n")
        until(lambda: b"following" in reader.data and reader.data.count(b'"connected"') == 2, "the log is there")
        now = int(time.time())

        def log(state):
            with open(path, "a", encoding="ascii") as file:
                file.write(f"MANAGEMENT: {state}\n")

        for i, both in enumerate(((log, daemon.say), (daemon.say, log))):
            for say in both:
                say(f">STATE:{now + i},RECONNECTING,tls-error-{i},,,,,")
                time.sleep(0.2)
        daemon.say(f">STATE:{now + 9},CONNECTED,SUCCESS,10.8.0.2,203.0.113.7,1194,,")
        until(lambda: reader.data.count(b'"name":"CONNECTED"') == 2, "up again")
        finish(process)
        details = [e["state"].get("detail") for e in parse(reader.data, "log-beside")
                   if e["event_type"] == "state" and e["state"]["name"] == "RECONNECTING"]
        assert details == ["tls-error-0", "tls-error-1"], details


def a_log_that_may_not_be_read():
    with tempfile.NamedTemporaryFile("w") as log:
        os.chmod(log.name, 0)
        nobody = {"user": 65534, "group": 65534} if os.geteuid() == 0 else {}
        try:
            done = subprocess.run([PROGRAM, "--log", log.name], capture_output=True, check=False, timeout=LIMIT, **nobody)
        except PermissionError:  # the program itself may not be reached
            return
        assert done.returncode == 77 and b"may not be read" in done.stderr, done


def a_log_tells_the_servers_clock():
    """The stamp of a packet that OpenVPN took for a replay is the server's, of this connection."""
    code, out, errors = run("replay", os.path.join(FIXTURES, "replayed-packet.log"))
    assert code == 0, errors
    events = parse(out, "replayed")
    clock = next(e for e in events if e["event_type"] == "clock")["peer_clock"]
    # 18:40:57 was shown between 18:40:49.3 and 18:40:51.1, whose lines may be a second late.
    assert clock["source"] == "replay_log" and clock["samples"] == 1, clock
    assert clock["offset_s"] - clock["max_error_s"] <= 4.9 + 0.001, clock
    assert clock["offset_s"] + clock["max_error_s"] >= 8.7 - 0.001, clock
    assert clock["max_error_s"] < 2.1 and clock["verdict"] == "ahead", clock
    assert "vs_utc_s" not in clock, clock
    assert any(e["event_type"] == "alert" and e["alert"]["name"] == "peer_clock_offset"
               for e in events)


def a_log_does_not_tell_whose_clock_was_set():
    """The difference changed by ten minutes: it is the client's clock that the log was written by."""
    code, out, errors = run("replay", os.path.join(FIXTURES, "replayed-after-step.log"))
    assert code == 0, errors
    events = parse(out, "replayed")
    clocks = [e["peer_clock"] for e in events if e["event_type"] == "clock"]
    assert len(clocks) == 2 and abs(clocks[0]["offset_s"]) < 2 and -601 < clocks[1]["offset_s"] < -597, clocks
    assert not any(e["event_type"] == "alert" and e["alert"]["name"] == "peer_clock_step" for e in events)
    assert "was set back" not in out.decode(), out


def the_clock_says_who_was_asked():
    code, out, errors = run("clock", "--verbose", "--format", "text")
    assert code in (0, 1, 3), code
    assert out.decode().startswith("this clock "), out
    assert "\nverdict " in out.decode(), out
    for source in ("chrony", "ntp_control", "timesyncd", "kernel"):
        assert any(line.startswith(f"ovpnwatch: {source}: ") for line in errors.splitlines()), errors


def causes_are_explained():
    code, out, errors = run("explain")
    causes = dict(line.split(None, 1) for line in out.decode("ascii").splitlines())
    assert code == 0 and errors == "" and causes["nat_timeout"].startswith("a NAT"), (code, out)
    for cause, phrase in causes.items():
        code, out, errors = run("explain", cause)
        text = out.decode("ascii")
        assert code == 0 and errors == "" and text.startswith(f"{cause}\n  {phrase}\n"), (code, text)
        for label in ("What happens", "How it looks", "What ovpnwatch needs", "What to do"):
            assert f"\n  {label}\n    " in text, text
        assert all(len(line) <= 80 for line in text.splitlines()), text
    code, out, errors = run("explain", "nat")
    assert (code, out) == (64, b"") and "did you mean nat_timeout?" in errors, (code, errors)
    assert all(cause in errors for cause in causes), errors
    with open("/dev/full", "wb") as full:
        process = subprocess.run([PROGRAM, "explain"], stdout=full, stderr=subprocess.PIPE, timeout=60, check=False)
    assert process.returncode == 74, process


def explained_as_wide_as_the_terminal():
    for environment, bold in (({"TERM": "xterm"}, True), ({"TERM": "xterm", "NO_COLOR": "1"}, False)):
        ours, theirs = pty.openpty()
        fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, 50, 0, 0))
        process = subprocess.Popen([PROGRAM, "explain", "session_lost"], stdout=theirs,
                                   env={**os.environ, **environment})
        os.close(theirs)
        reader = Reader(lambda n: os.read(ours, n))
        assert process.wait(LIMIT) == 0
        reader.join(LIMIT)
        text = reader.data.decode("ascii").replace("\r", "")
        assert ("\x1b[1mWhat to do\x1b[0m" in text) == bold and ("\x1b" in text) == bold, (environment, text)
        assert max(len(line) for line in text.splitlines() if line[:6] != " " * 6) in range(40, 51), text
        os.close(ours)


def main():
    global PROGRAM
    PROGRAM = os.path.abspath(sys.argv[1])
    # What ASan keeps of freed memory would look like growth.
    os.environ["ASAN_OPTIONS"] = os.environ.get("ASAN_OPTIONS", "") + ":quarantine_size_mb=1"
    tests = {n: f for n, f in globals().items()
             if callable(f) and getattr(f, "__module__", "") == "__main__" and n.islower() and
             n not in ("main", "start", "until", "finish", "finish_quietly", "parse", "memory", "run", "write")}
    failed = 0
    for name in sys.argv[2:] or tests:
        try:
            tests[name]()
            print("ok    ", name, flush=True)
        except (AssertionError, subprocess.TimeoutExpired, OSError) as error:
            failed += 1
            print("FAILED", name, error, flush=True)
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
