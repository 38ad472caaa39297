# SPDX-License-Identifier: MIT
"""What only the relay can be asked: many clients at once, and those that are no friends."""
import os
import re
import socket
import stat
import time

import management_clients as clients
from management_clients import Gui, NetworkManager, Program, Session
from relay_bench import spell
from relay_cases import ASKED, HELD, KNOWN, UP, judge_history
from rig import Failure, Skip
from watcher import alert, monitor, state

CASES = {}

NEED = r"^>PASSWORD:Need 'Auth' username/password"
WORDY = "x" * 200  # OpenVPN logs each command
FLOOD = 30000
CONNECTED = r"^>STATE:.*CONNECTED,SUCCESS"
LOGGED = re.compile(r"(?:>LOG:)?1\d{9},[A-Z]?,(.*)")  # in a reply to `log`, or as it came


def relayed(function):
    def with_relay(bench):
        if bench.options.bare:
            raise Skip("without ovpnwatch there is no relay")
        function(bench)
    with_relay.__doc__ = function.__doc__
    CASES[function.__name__] = with_relay
    return with_relay


def answer(seen, user, password):
    """One at a time; returns both replies."""
    return [seen.ask(f'{word} "Auth" "{clients.quote(text)}"')[-1]
            for word, text in (("username", user), ("password", password))]


def said(daemon, command):
    """How often the daemon was given this command."""
    return sum(text == f"MANAGEMENT: CMD '{command}'" for text in daemon.texts())


# --- all of them ---

def everybody(bench, tcp, path):
    """All clients that this machine has, connected at the same time. Returns those that see states,
    once they have asked for them."""
    gui, reader = bench.session(Gui, tcp, "gui"), bench.session(Session, path, "reader")
    seen = [gui, reader]
    bench.session(NetworkManager, path, "nm")
    reader.send("state on", "log on all", "bytecount 1")
    try:
        seen.append(bench.look_at(Program(bench.rig, "go", bench.go_program(), path)))
    except Skip as skip:
        bench.skips.append(str(skip))
    try:
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients", "telnet.js")
        seen.append(bench.look_at(Program(bench.rig, "telnet", "node", script, bench.telnet_folder(),
                                          str(tcp), clients.USER, clients.PASSWORD)))
    except Skip as skip:
        bench.skips.append(str(skip))
    gui.settled()
    for one in seen[1:]:
        one.wait("real-time state notification set to ON|^state on: done")
    return seen


def frozen_client(bench, address):
    """It wants everything and reads nothing."""
    frozen = clients.connect_soon(bench.rig, "client", address)
    frozen.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
    frozen.sendall(b"state on\nlog on all\necho on all\nbytecount 1\n")
    return frozen


def is_dropped(frozen):
    """What had been sent is still read; then it ends."""
    frozen.settimeout(10)
    try:
        while frozen.recv(65536):
            pass
    except ConnectionResetError:
        pass
    except TimeoutError as error:
        raise Failure("the client that reads nothing was not dropped") from error
    frozen.close()


def flood(bench, daemon, seen):
    """Commands until the daemon has logged more than any buffer between here and there should hold."""
    before = len(daemon.log.lines)
    for _ in range(FLOOD // 1000):
        since = len(seen.lines)
        seen.send(*[f"needok {WORDY} ok"] * 1000)
        seen.wait(r"^(ERROR|SUCCESS)", 30, 1000, since)
        if any("dropped" in line for line in bench.watchers[0].errors(whole=True).splitlines()):
            break
    if len(daemon.log.lines) - before < 500:
        raise Failure("the commands did not reach the daemon")


def states(seen):
    """The names and reasons of the states that a client saw, from the restart on."""
    found = [re.match(r">STATE:(?:\d+,)?([A-Z_]+),([^,]*)", line) for line in list(seen.lines)]
    names = [one[1] + ("," + one[2] if one[2] else "") for one in found if one]
    names = [name for name in names if name not in ("GET_CONFIG", "ASSIGN_IP", "ADD_ROUTES")]
    at = next((i for i, name in enumerate(names) if name.startswith("RECONN")), len(names))
    return names[at:]


@relayed
def all_at_once(bench):
    """all clients over one relay, one of them frozen; one restarts the tunnel, then the daemon ends"""
    bench.server()
    daemon = bench.daemon("busy", bench.port(), HELD + ASKED + "auth-nocache\n")
    tcp, path = bench.port(), bench.path("busy.relay")
    watch = bench.watch(daemon, tcp, path)
    frozen = frozen_client(bench, path)
    time.sleep(0.5)
    if said(daemon, "hold release"):
        raise Failure("the hold was released, and nobody had asked for it")

    seen = everybody(bench, tcp, path)
    gui, reader = seen[:2]
    daemon.wait_up()
    reader.wait(CONNECTED)
    watch.expect(state("CONNECTED"), 10, "the tunnel is up")
    flood(bench, daemon, bench.session(Session, tcp, "flooder"))
    is_dropped(frozen)
    if not re.search("(?i)relay.*dropped|dropped.*relay", watch.errors(whole=True)):
        raise Failure("not a word on the client that was dropped")

    since = time.monotonic()
    before = {one: one.count(CONNECTED) for one in seen}
    reader.ask("signal SIGUSR1", r"^SUCCESS: signal SIGUSR1 thrown")
    for one in seen:
        one.wait(CONNECTED, 30, before[one] + 1)
    watch.expect(alert("reconnecting", status="resolved"), 20, "the restart is over", since)
    gui.settled()
    daemon.end()
    for one in bench.seen:
        one.wait_closed()

    again = ["RECONNECTING,SIGUSR1", "WAIT", "AUTH", "CONNECTED,SUCCESS", "EXITING,SIGTERM"]
    for one in seen:
        if before[one] > 1 or states(one) != again:
            raise Failure(f"{one.name} saw {before[one]} CONNECTED, then {states(one)}")
    judge_history(daemon, gui.history())
    judge_history(daemon, [found[1] for found in map(LOGGED.match, reader.lines) if found])
    judge_events(watch)


def judge_events(watch):
    """What ovpnwatch itself reports of two sessions and the restart between them."""
    fired = [e for _, e in watch.events if alert("reconnecting", "ping_restart", status="firing")(e)]
    if len(fired) != 1:
        raise Failure(f"one restart was alerted {len(fired)} times")
    connected = [e for _, e in watch.events if state("CONNECTED")(e)]
    if len(connected) != 2:
        raise Failure(f"{len(connected)} states CONNECTED for two sessions")
    watch.never(monitor("busy"), "the interface was called busy")


# --- prompts ---

@relayed
def late_prompts(bench):
    """who comes while the daemon waits for a password sees the prompt; the first answer counts"""
    bench.server()
    daemon = bench.daemon("late", bench.port(), HELD + ASKED)
    relay = bench.port()
    bench.watch(daemon, relay)
    first = bench.session(Session, relay, "first")
    first.wait(r"^>HOLD:")
    first.ask("hold release")
    first.wait(NEED)
    second = bench.session(Session, relay, "second")
    second.wait(NEED)
    if second.count("^>HOLD"):
        raise Failure("a hold is shown that was released")
    if not all(reply.startswith("SUCCESS") for reply in answer(second, clients.USER, clients.PASSWORD)):
        raise Failure("the second client's answers were not taken")
    daemon.wait_up()
    late = answer(first, "bert", "another word")
    if not all(reply.startswith("ERROR") for reply in late):
        raise Failure(f"an answer that comes too late is taken: {late}")
    third = bench.session(Session, relay, "third")
    third.ask("pid")
    if third.count(r"^>(PASSWORD|HOLD)"):
        raise Failure("a prompt is shown that was answered")


@relayed
def mixed_answers(bench):
    """two clients answer one prompt at the same time: the server never gets parts of both"""
    bench.server()
    daemon = bench.daemon("mixed", bench.port(), ASKED)
    relay = bench.port()
    bench.watch(daemon, relay)
    anna, bert = (bench.session(Session, relay, name) for name in ("anna", "bert"))
    for one in (anna, bert):
        one.wait(NEED)
    anna.ask(f'username "Auth" "{clients.USER}"')
    bert.ask('username "Auth" "bert"')
    anna.ask(f'password "Auth" "{clients.quote(clients.PASSWORD)}"')
    bert.ask('password "Auth" "another word"')
    daemon.wait_up()
    if daemon.log.find("AUTH_FAILED"):
        raise Failure("the server was given the name of the one and the password of the other")


# --- who comes and goes ---

@relayed
def before_the_daemon(bench):
    """who comes before the daemon waits, and is served when it starts; it ends, and starts again"""
    bench.server()
    daemon = bench.daemon("soon", bench.path("soon.sock"), HELD + KNOWN, start=False)
    relay = bench.path("soon.relay")
    bench.watch(daemon, relay, attached=False)
    clients.connect_soon(bench.rig, "client", relay).close()
    if stat.S_IMODE(os.stat(relay).st_mode) != 0o600:
        raise Failure(f"the socket's mode is {stat.S_IMODE(os.stat(relay).st_mode):o}")
    pids = set()
    for attempt in ("first", "second"):
        early = bench.session(Session, relay, attempt)
        time.sleep(0.5)
        if early.lines or early.closed:
            raise Failure(f"there is no daemon, and the client sees {early.lines[:1] or 'the end'}")
        daemon.start()
        early.wait(r"^>INFO:OpenVPN Management Interface")
        early.wait(r"^>HOLD:")
        pids.add(early.ask("pid")[-1])
        early.ask("state on")
        early.ask("hold release")
        early.wait(UP)
        daemon.end()
        early.wait_closed()
    if len(pids) != 2:
        raise Failure("two daemons, one pid")


@relayed
def daemon_calls_us(bench):
    """listen: the daemon (--management-client) calls ovpnwatch, and the GUI comes through the relay"""
    bench.server()
    for name, address in (("calls.unix", bench.path("calls.sock")), ("calls.tcp", bench.port())):
        relay = bench.port()
        daemon = bench.daemon(name, address, HELD + ASKED + "management-client\n", start=False)
        watch = bench.watch("listen:" + spell(address), relay, attached=False)
        clients.connect_soon(bench.rig, "client", relay).close()
        daemon.start()
        watch.expect(monitor("connected"), 10, "the daemon called")
        gui = bench.session(Gui, relay, name)
        gui.wait(UP)
        gui.settled()
        daemon.end()
        gui.wait_closed()
        judge_history(daemon, gui.history())


# --- subscriptions ---

@relayed
def subscriptions(bench):
    """each client's own: what one turns off the other still gets; the daemon is not left with more"""
    bench.server()
    daemon = bench.daemon("subscribed", bench.port(), KNOWN)
    relay = bench.port()
    watch = bench.watch(daemon, relay)
    daemon.wait_up()
    one, two = (bench.session(Session, relay, name) for name in ("one", "two"))
    for client in (one, two):
        for command in ("state on", "log on", "bytecount 1"):
            client.ask(command)
        client.wait("^>BYTECOUNT:")
    for command in ("log off", "state off", "bytecount 0"):
        one.ask(command)
    since, of_two = len(one.lines), len(two.lines)
    two.ask("verb 4")  # it is logged
    two.ask("signal SIGUSR1")
    two.wait("^>LOG:.*verb 4")
    two.wait(UP, 20, since=of_two)
    two.wait("^>BYTECOUNT:", 10, 3, of_two)
    if one.lines[since:]:
        raise Failure(f"turned off, and yet: {one.lines[since]}")
    if two.count("^>STATE:.*RECONNECTING", of_two) != 1:
        raise Failure("the restart was not seen once")
    two.send("quit")
    two.wait_closed()
    asked = [text for text in daemon.texts() if re.search(r"CMD 'bytecount \d+'", text)]
    three = bench.session(Session, relay, "three")
    time.sleep(1.5)
    if three.count("^>(BYTECOUNT|STATE|LOG)"):
        raise Failure("a new client gets what it did not ask for")
    if not asked:
        raise Failure("nobody asked the daemon for its counts")
    watch.stop()
    bench.watchers.remove(watch)
    for client in (one, three):
        client.wait_closed()
    if not daemon.process.running:
        raise Failure("ovpnwatch ended, and the daemon with it")


# --- no friends ---

CHANGES = ("signal SIGTERM", "signal SIGUSR1", "hold release", "hold off", "hold on", "verb 0", "mute 5",
           "forget-passwords", "auth-retry none", 'username "Auth" "x"', 'password "Auth" "x"',
           "kill 1.2.3.4:5", "client-kill 0", "needok x ok", "env-filter 1", "remote SKIP", "signal  SIGTERM",
           '"signal" "SIGTERM"', "\\signal SIGTERM")


@relayed
def readonly(bench):
    """--relay-readonly: asks and subscribes as anybody, and can change nothing"""
    bench.server()
    daemon = bench.daemon("ro", bench.port(), HELD + KNOWN)
    relay, full = bench.port(), bench.port()
    bench.watch(daemon, full, arguments=("--relay-readonly", f"127.0.0.1:{relay}"))
    looker = bench.session(Session, relay, "readonly")
    looker.wait("^>HOLD:")
    for command in ("pid", "version", "state", "state on", "log on all", "bytecount 1", "hold", "load-stats"):
        end = r"^END$" if command.endswith(" all") else r"^(SUCCESS|ERROR|END)"
        if looker.ask(command, end)[-1].startswith("ERROR"):
            raise Failure(f"{command} is refused")
    for command in CHANGES:
        reply = looker.ask(command)
        if not reply[-1].startswith("ERROR"):
            raise Failure(f"{command} is answered {reply[-1]!r}")
    looker.send("client-auth 0 0", "signal SIGTERM", "hold release", "END")
    looker.send("pk-sig", "signal SIGTERM", "END")
    looker.ask("pid", "^SUCCESS: pid=")
    boss = bench.session(Session, full, "full")
    if boss.ask("hold") != ["SUCCESS: hold=1"]:
        raise Failure("the hold is gone")
    for command in CHANGES:
        if said(daemon, command):
            raise Failure(f"the daemon was given: {command}")
    boss.ask("hold release")
    looker.wait(UP)
    if looker.ask("status 2")[-1] != "END":  # a daemon that holds has none
        raise Failure("status is refused")


HTTP = (
    "POST / HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Length: 40\r\n\r\nsignal SIGTERM\r\nhold release\r\n",
    "GET /signal%20SIGTERM HTTP/1.1\r\nHost: x\r\n\r\nhold release\r\n",
    "OPTIONS * HTTP/1.0\r\n\r\nhold release\r\nsignal SIGTERM\r\n",
    "\r\nPOST / HTTP/1.1\r\n\r\nhold release\r\nsignal SIGTERM\r\n",
)


@relayed
def http(bench):
    """a browser is made to speak to the relay: nothing of it is executed"""
    bench.server()
    daemon = bench.daemon("http", bench.port(), HELD + KNOWN)
    relay = bench.port()
    bench.watch(daemon, relay)
    other = bench.session(Session, relay, "other")
    for number, request in enumerate(HTTP):
        browser = bench.session(Session, relay, f"browser{number}")
        browser.write(request.encode())
        browser.wait_closed()
        browser.problems.clear()
    if other.ask("hold") != ["SUCCESS: hold=1"] or said(daemon, "hold release"):
        raise Failure("a browser released the hold")
    if [text for text in daemon.texts() if "HTTP" in text or "signal" in text]:
        raise Failure("what a browser said reached the daemon")
