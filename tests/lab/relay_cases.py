# SPDX-License-Identifier: MIT
"""Clients of the management interface, alone with OpenVPN and through the relay.

A case is a function of a Bench (relay.py). Its doc string says what is shown.
"""
import concurrent.futures
import os
import re
import shutil
import signal
import time

import management_clients as clients
from management_clients import PROMPT, Gui, NetworkManager, Program, Session
from rig import Failure, Skip

CASES = {}
HELD = "management-hold\n"
ASKED = "management-query-passwords\nauth-user-pass\nauth-retry interact\n"
KNOWN = "auth-user-pass account\n"
UP = r"^>STATE:.*CONNECTED,SUCCESS"


def case(function):
    CASES[function.__name__] = function
    return function


def end_of_daemon(daemon, seen):
    """The client sees it leave, and then the end of the connection.

    Not while a question is under way to it, as ovpnwatch has one when the tunnel is up: by TCP a
    daemon that ends without having read everything resets the connection, and its last words are lost.
    """
    time.sleep(0.5)
    daemon.end()
    seen.wait_closed()
    return seen.transcript()


def judge_history(daemon, history):
    """The log that a client saw is the daemon's own: no line twice, none missing, none out of order."""
    own = daemon.texts()
    if not history or history[0] not in own:
        raise Failure(f"{daemon.name}: the log does not begin with a line of the daemon's")
    at = own.index(history[0])
    for number, (line, known) in enumerate(zip(history, own[at:])):
        if line != known:
            raise Failure(f"{daemon.name}: line {number + 1} of the log is {line!r}, not {known!r}")


# --- each client: first with nothing between it and OpenVPN, then through the relay ---

@case
def gui(bench):
    """OpenVPN GUI: its commands one by one, releases the hold, logs in; the whole log"""
    bench.server()

    def talk(b, relayed):
        daemon, address = b.place("gui", relayed, b.port, HELD + ASKED)
        seen = b.session(Gui, address, f"gui{'.relayed' * relayed}")
        seen.wait(UP)
        seen.settled()
        transcript = end_of_daemon(daemon, seen)
        judge_history(daemon, seen.history())
        transcript["first line of the log"] = [re.sub(r"[\d:]+$", "PORT", seen.history()[0])]
        return transcript

    bench.compare(talk)


@case
def network_manager(bench):
    """NetworkManager's service: reads prompts only, answers both at once"""
    bench.server()

    def talk(b, relayed):
        path = iter((b.path(f"nm{relayed:d}.sock"), b.path(f"nm{relayed:d}.relay")))
        daemon, address = b.place("nm", relayed, lambda: next(path), ASKED + "auth-nocache\n")
        seen = b.session(NetworkManager, address, f"nm{'.relayed' * relayed}")
        daemon.wait_up()
        return end_of_daemon(daemon, seen)

    bench.compare(talk)


@case
def go_openvpn_mgmt(bench):
    """a program made from Debian's golang-github-apparentlymart-go-openvpn-mgmt-dev"""
    program = bench.go_program()
    bench.server()

    def talk(b, relayed):
        path = iter((b.path(f"go{relayed:d}.sock"), b.path(f"go{relayed:d}.relay")))
        daemon, address = b.place("go", relayed, lambda: next(path), HELD + KNOWN)
        clients.connect_soon(b.rig, "client", address).close()
        seen = b.look_at(Program(b.rig, f"go{'.relayed' * relayed}", program, address))
        seen.wait(r"^>STATE:CONNECTED,SUCCESS")
        seen.wait(r"^>BYTECOUNT:")
        return end_of_daemon(daemon, seen)

    bench.compare(talk)


@case
def telnet_openvpn(bench):
    """a script made from npm's telnet-openvpn"""
    folder = bench.telnet_folder()
    bench.server()

    def talk(b, relayed):
        daemon, address = b.place("telnet", relayed, b.port, HELD + ASKED)
        clients.connect_soon(b.rig, "client", address).close()
        script = os.path.join(os.path.dirname(os.path.abspath(__file__)), "clients", "telnet.js")
        seen = b.look_at(Program(b.rig, f"telnet{'.relayed' * relayed}", "node", script, folder,
                                 str(address), clients.USER, clients.PASSWORD))
        seen.wait(UP)
        seen.wait(r"^>BYTECOUNT:")
        return end_of_daemon(daemon, seen)

    bench.compare(talk)


TYPED = (  # what is typed, and the last line of what it is answered
    ("", r"^>HOLD:"), ("version 4\npid", r"^SUCCESS: pid="), ("version", r"^END$"), ("state on", r"^SUCCESS"),
    ("hold", r"^SUCCESS: hold=1"), ("state", r"^END$"), ("log on", r"^SUCCESS"), ("nonsense", r"^ERROR"),
    ("bytecount 1", r"^SUCCESS"), ("hold release", UP), ("status", r"^END$"), ("status 3", r"^END$"),
    ("load-stats", r"^SUCCESS"), ("echo all", r"^END$"), ("state all", r"^END$"), ("help", r"^END$"),
    ("bytecount 0", r"^SUCCESS"), ("verb", r"^>LOG:.*CMD 'verb'"), ("test 3", r"^END$|\[2\]"),
    ("pid\nhold\ntest 2\nversion 4\npid\nmute", r"^SUCCESS: mute="))


@case
def by_hand(bench):
    """socat, with lines typed into it; quit ends that connection, and the next one is served"""
    if not shutil.which("socat"):
        raise Skip("socat is not installed")
    bench.server()

    def talk(b, relayed):
        daemon, address = b.place("hand", relayed, b.port, HELD + KNOWN)
        clients.connect_soon(b.rig, "client", address).close()
        seen = b.look_at(Program(b.rig, f"hand{'.relayed' * relayed}", "socat", "-",
                                 f"TCP:127.0.0.1:{address}", stdin=True))
        for line, answered in TYPED:
            since = len(seen.lines)
            if line:
                seen.type(line)
            seen.wait(answered, since=since if line else 0)
        seen.type("quit")
        seen.wait_closed()
        transcript = seen.transcript()
        transcript["replies"] = [re.sub(r"\d+", "N", line) for line in transcript["replies"]]
        second = b.session(Session, address, f"next{'.relayed' * relayed}")
        transcript["next"] = [re.sub(r"\d+", "N", line) for line in second.ask("pid")]
        daemon.end()
        second.wait_closed()
        return transcript

    bench.compare(talk)


# What status pages ask in one visit. Only the first waits for the banner, and says goodbye.
PAGES = {
    "openvpn-monitor": ("version", "state", "load-stats", "status 3", "quit"),
    "netdata": ("version", "load-stats", "status 3"),
    "OPNsense": ("status 3",),
    "pfSense": ("status 2",),
}


@case
def status_pages(bench):
    """the requests of openvpn-monitor, netdata, OPNsense and pfSense, all at the same time"""

    def talk(b, relayed):
        address = b.path(f"pages{relayed:d}.sock")
        server = b.server(f"management {address} unix\n")
        user = b.daemon(f"user{relayed:d}", b.path(f"user{relayed:d}.sock"), "")
        user.wait_up()
        if relayed:
            b.watch("unix:" + address, arguments=("--relay-readonly", "unix:" + b.path("pages.relay")))
            address = b.path("pages.relay")
        with concurrent.futures.ThreadPoolExecutor(len(PAGES) if relayed else 1) as pool:
            seen = list(pool.map(lambda name: [visit(b, address, name) for _ in range(5)], PAGES))
        user.end()
        server.process.end()
        for name, visits in zip(PAGES, seen):
            if any(one != visits[0] for one in visits):
                raise Failure(f"{name} did not see the same each time: {visits}")
        return {name: visits[0] for name, visits in zip(PAGES, seen)}

    bench.compare(talk, side_by_side=False)


def visit(bench, address, name):
    """What one visit of a page shows, without figures."""
    commands = PAGES[name]
    page = bench.session(Session, address, name)
    if commands[-1] == "quit":
        page.wait("^>INFO:")
    shown = []
    for command in commands:
        if command == "quit":
            page.send(command)
            page.wait_closed()
        else:
            shown += [re.sub(r"\d+", "N", line) for line in page.ask(command)]
    page.close()
    return shown


@case
def password(bench):
    """OpenVPN GUI with a password of the interface itself; and who has other words than that"""
    bench.server()
    bench.rig.write("interface.password", "let me in\n")

    def talk(b, relayed):
        relay = b.port()
        if relayed:
            daemon = b.daemon("password.relayed", b.port(), HELD + ASKED)
            b.watch(daemon, relay, arguments=("--relay-password-file", b.path("interface.password")))
        else:
            daemon = b.daemon("password", relay, HELD + ASKED, password="interface.password")
        strangers = [stranger(b, relay, words) for words in
                     (["wrong"], ["wrong", "let me", "let me in again", "pid"], ["signal SIGTERM"])]
        gui = b.session(Gui, relay, f"gui{'.relayed' * relayed}", password="let me in")
        gui.wait(UP)
        gui.settled()
        transcript = end_of_daemon(daemon, gui)
        transcript["strangers"] = strangers
        return transcript

    bench.compare(talk)


def stranger(bench, port, words):
    """All that is said to a client that has other words than the password."""
    one = clients.connect_soon(bench.rig, "client", port)
    one.settimeout(5)
    seen = b""
    try:
        for word in [*words, ""]:
            while not seen.endswith(PROMPT):
                more = one.recv(4096)
                if not more:
                    return repr(seen) + ", closed"
                seen += more
            if word:
                one.sendall(word.encode() + b"\n")
                seen += f"{word}/".encode()
        return repr(seen)
    except TimeoutError:
        return repr(seen) + ", silence"
    except OSError:
        return repr(seen) + ", closed"
    finally:
        one.close()


# --- a server that asks its management clients who may come in ---

@case
def server_client_auth(bench):
    """a server with management-client-auth: its >CLIENT: blocks, client-auth-nt, client-auth … END"""

    def talk(b, relayed):
        address = b.path(f"server{relayed:d}.sock")
        server = b.server(f"management {address} unix\nmanagement-client-auth\n")
        if relayed:
            b.watch("unix:" + address, b.path("server.relay"))
            address = b.path("server.relay")
        one = b.session(Session, address, f"one{'.relayed' * relayed}")
        others = [b.session(Session, address, "two.relayed")] if relayed else []
        for client in (one, *others):
            client.ask("pid")
        client = b.daemon(f"user{relayed:d}", b.path(f"user{relayed:d}.sock"), KNOWN)
        cid, kid = let_in(one, "CONNECT", others)
        transcript = {"nt": one.ask(f"client-auth-nt {cid} {kid}")}
        client.wait_up()
        one.wait("^>CLIENT:ESTABLISHED")
        client.process.send(signal.SIGUSR1)
        cid, kid = let_in(one, "CONNECT", others, 2)
        one.send(f"client-auth {cid} {kid}", 'push "route 10.99.0.0 255.255.255.0"')
        for other in others:
            other.send("status 2", "pid")  # it asks in the middle of the other's block
        transcript["auth"] = one.ask("END")
        one.wait("^>CLIENT:ESTABLISHED", count=2)
        if not client.log.wait("route 10.99.0.0", 5):
            raise Failure("the client was not pushed what the block of client-auth said")
        transcript["kill"] = one.ask(f"client-kill {cid}")
        one.wait("^>CLIENT:DISCONNECT", count=2)
        server.process.end()
        client.end()
        for seen in (one, *others):
            seen.wait_closed()
            judge_blocks(seen)
        if others and blocks(others[0]) != blocks(one):
            raise Failure("the two clients saw different blocks")
        transcript["CLIENT"] = blocks(one)
        return transcript

    bench.compare(talk, side_by_side=False)


def let_in(seen, reason, others, count=1):
    """The client id and key id of the last client that wants to come in."""
    found = re.match(r">CLIENT:\w+,(\d+),(\d+)", seen.wait(f"^>CLIENT:{reason}", count=count))
    for other in others:
        other.wait(f"^>CLIENT:{reason}", count=count)
    return found[1], found[2]


def judge_blocks(seen):
    """Nothing falls between the lines of a block."""
    inside = False
    for line in seen.lines:
        if inside and not line.startswith(">CLIENT:ENV,"):
            raise Failure(f"{seen.name}: within a block of >CLIENT: {line!r}")
        begins = re.match(">CLIENT:(CONNECT|REAUTH|ESTABLISHED|DISCONNECT),", line)
        inside = bool(begins) or inside and line != ">CLIENT:ENV,END"


def blocks(seen):
    """The blocks of the first two clients, one after the other, without the values of the variables."""
    found, cid = {"0": [], "1": []}, None
    for line in seen.lines:
        of = re.match(r">CLIENT:\w+,(\d+)", line)
        cid = of[1] if of else cid
        if line.startswith(">CLIENT:") and cid in found:
            found[cid].append(re.sub(r"(ENV,[^=]*).*", r"\1", line))
    return found["0"] + found["1"]
