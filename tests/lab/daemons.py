# SPDX-License-Identifier: MIT
"""The real programs of the laboratory: OpenVPN at both ends and chronyd, with throwaway keys."""
import os
import re
import subprocess
import time

from rig import HARMLESS, SERVER_IP, Failure, Skip, libfaketime

MANAGEMENT_PORT = 7505


def _openssl(rig, *arguments):
    # Three days ago: a server whose clock is a day behind must find its certificate valid.
    past = {**os.environ, "LD_PRELOAD": libfaketime(), "FAKETIME": "-3d"}
    done = subprocess.run(["openssl"] + list(arguments), cwd=rig.dir, capture_output=True,
                          text=True, check=False, env=past)
    if done.returncode:
        raise Failure(f"openssl {arguments[0]}: {done.stderr.strip()}")


CURVE = ("-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes")


def make_authority(rig, name):
    _openssl(rig, "req", "-x509", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.crt", "-days",
             "30", "-subj", f"/CN=laboratory {name}", "-addext",
             "keyUsage=critical,keyCertSign,cRLSign")


def make_stale_crl(rig):
    """crl.pem: a revocation list of the authority that was due to be renewed three days ago."""
    rig.write("index.txt", "")
    rig.write("crl.cnf", "[ca]\ndefault_ca=x\n[x]\ndatabase=index.txt\ndefault_md=sha256\n")
    _openssl(rig, "ca", "-gencrl", "-config", "crl.cnf", "-keyfile", "ca.key", "-cert", "ca.crt",
             "-crlhours", "1", "-out", "crl.pem")


def make_control_key(rig, name):
    """A key for tls-auth and tls-crypt."""
    key = os.urandom(256).hex()
    lines = "\n".join(key[i:i + 32] for i in range(0, len(key), 32))
    rig.write(name, "-----BEGIN OpenVPN Static key V1-----\n" + lines +
              "\n-----END OpenVPN Static key V1-----\n")


def make_keys(rig):
    """A certificate authority, a server, a client (elliptic curves: quick) and the keys that wrap
    the control channel: ta.key for tls-auth and tls-crypt, server.v2 and client.v2."""
    make_authority(rig, "ca")
    for name, usage in (("server", "serverAuth"), ("client", "clientAuth")):
        _openssl(rig, "req", *CURVE, "-keyout", f"{name}.key", "-out", f"{name}.csr",
                 "-subj", f"/CN={name}")
        rig.write("usage.cnf", f"keyUsage=digitalSignature\nextendedKeyUsage={usage}\n")
        _openssl(rig, "x509", "-req", "-in", f"{name}.csr", "-CA", "ca.crt", "-CAkey", "ca.key",
                 "-CAcreateserial", "-days", "30", "-extfile", "usage.cnf", "-out", f"{name}.crt")
    make_control_key(rig, "ta.key")
    for arguments in (("--genkey", "tls-crypt-v2-server", "server.v2"),
                      ("--tls-crypt-v2", "server.v2", "--genkey", "tls-crypt-v2-client",
                       "client.v2")):
        done = subprocess.run(["openvpn", *arguments], cwd=rig.dir, capture_output=True, text=True,
                              check=False)
        if done.returncode:
            raise Failure(f"openvpn {' '.join(arguments)}: {done.stdout.strip()}")


def openvpn_version():
    """(2, 6, 14) and the like; a release candidate counts as the release before it."""
    done = subprocess.run(["openvpn", "--version"], capture_output=True, text=True, check=False)
    found = re.match(r"OpenVPN (\d+)\.(\d+)(?:\.(\d+))?", done.stdout)
    if not found:
        raise Skip("openvpn does not say its version")
    return int(found[1]), int(found[2]), int(found[3] or 0)


def wrapping(wrap, end, key="ta.key"):
    """The line of a configuration that wraps the control channel."""
    return {"tls-auth": f"tls-auth {key} {0 if end == 'server' else 1}\n",
            "tls-crypt": f"tls-crypt {key}\n",
            "tls-crypt-v2": f"tls-crypt-v2 {end}.v2\n",
            "plain": ""}[wrap]


def _common(digest, proto="udp"):
    # DCO keeps its ping timers in the kernel, where no libfaketime reaches.
    dco = "disable-dco\n" if openvpn_version() >= (2, 6) else ""
    return f"dev tun\nproto {proto}\nauth {digest}\n{dco}verb 3\n"


class Server:
    """An OpenVPN server. It can be started again with the same configuration."""

    def __init__(self, rig, keepalive=(2, 8), digest="SHA1", goodbye=False, clock=None, extra="",
                 proto="udp", wrap="tls-auth"):
        self.rig, self.clock = rig, clock
        pings = "keepalive {} {}".format(*keepalive) if keepalive else ""
        rig.write("server.conf", _common(digest, "tcp-server" if proto == "tcp" else proto) +
                  f"""local {SERVER_IP}
port 1194
topology subnet
server 10.8.0.0 255.255.255.0
ca ca.crt
cert server.crt
key server.key
dh none
{wrapping(wrap, "server")}
{pings}
{"explicit-exit-notify 1" if goodbye else ""}
{extra}
log-append server.log
""")
        self.log = rig.follow("server.log")
        self.process = None
        self.start()

    def start(self):
        since = time.monotonic()
        self.process = self.rig.start("server", "openvpn", "--config", "server.conf",
                                      clock=self.clock)
        if not self.log.wait("Initialization Sequence Completed", 10, since):
            raise Failure("the server did not come up: " + tail(self.log))

    def kill(self):
        self.process.kill()

    def step(self, seconds, tries, pause):
        """Steps the server's clock until the server forgets its client: a packet that comes before
        the next timer wins the race. Returns the tries it took, and fails when none of them did."""
        for attempt in range(1, tries + 1):
            since = time.monotonic()
            self.clock.step(seconds)
            if self.log.wait("Inactivity timeout (--ping-restart)", pause, since):
                return attempt
        raise Failure(f"{tries} steps of the server's clock, and the server kept its client")


class Client:
    """An OpenVPN client, and the profile that it and ovpnwatch share."""

    def __init__(self, rig, digest="SHA1", clock=None, management=f"127.0.0.1 {MANAGEMENT_PORT}",
                 start=True, extra="", proto="udp", wrap="tls-auth", key="ta.key", authority="ca.crt",
                 name="client"):
        self.rig, self.clock, self.name = rig, clock, name
        self.profile = rig.write(f"{name}.ovpn", _common(digest, proto) + f"""client
remote {SERVER_IP} 1194 {proto}
nobind
ca {authority}
cert client.crt
key client.key
{wrapping(wrap, "client", key)}
remote-cert-tls server
persist-key
persist-tun
{f"management {management}" if management else ""}
{extra}
""")
        self.log = rig.follow(f"{name}.log")
        self.process = None
        if start:
            self.start()

    def start(self, *arguments, host="client"):
        arguments = arguments or ("--log-append", f"{self.name}.log")
        self.process = self.rig.start(host, "openvpn", "--config", f"{self.name}.ovpn",
                                      *arguments, clock=self.clock)

    def wait_up(self, within=20, since=0.0):
        if not self.log.wait("Initialization Sequence Completed", within, since):
            raise Failure("the client did not connect: " + tail(self.log))

    def restarted(self, within, since):
        """The instant of the next restart, or None."""
        return self.log.wait("process restarting", within, since)

    def step(self, seconds, tries, pause):
        """Steps the client's clock until it restarts; see Server.step()."""
        for attempt in range(1, tries + 1):
            since = time.monotonic()
            self.clock.step(seconds)
            if self.restarted(pause, since):
                return attempt
            time.sleep(0.7)  # another phase of the pings
        raise Failure(f"{tries} steps of the client's clock, and it did not restart")


def tail(log, count=6):
    return " | ".join(line for _, line in log.lines[-count:])


class Chrony:
    """chronyd at both ends, never touching the clock (-x): the server's is right, or is under a
    fake clock; the client's follows it and answers on 127.0.0.1:323 of its own host."""

    def __init__(self, rig, clock=None):
        common = "user root\ncmdport 323\nbindcmdaddress 127.0.0.1\n"
        rig.write("chrony-server.conf", common + "local stratum 2\nallow\n"
                  f"pidfile {rig.path('chrony-server.pid')}\nbindcmdaddress /\n")
        rig.write("chrony-client.conf", common +
                  f"server {SERVER_IP} iburst minpoll 0 maxpoll 2\n"
                  f"pidfile {rig.path('chrony-client.pid')}\nbindcmdaddress /\n")
        rig.start("server", *HARMLESS, "chronyd", "-d", "-x", "-f", rig.path("chrony-server.conf"),
                  clock=clock)
        time.sleep(0.5)
        rig.start("client", *HARMLESS, "chronyd", "-d", "-x", "-f", rig.path("chrony-client.conf"))

    @staticmethod
    def wait_synced(rig, within=20):
        end = time.monotonic() + within
        while time.monotonic() < end:
            try:
                if "Normal" in rig.run("client", "chronyc", "-h", "127.0.0.1", "-n", "tracking"):
                    return
            except Failure:
                pass
            time.sleep(0.3)
        raise Failure("chronyd did not synchronise")


CLIENT_CONNECT = os.path.join(os.path.dirname(os.path.abspath(__file__)), "..", "..", "contrib",
                              "server", "client-connect-srvtime")


class Management:
    """A plain client of the management interface: what ovpnwatch reads, raw and timed."""

    def __init__(self, rig, host="client", commands="state on all\nlog on\nbytecount 1\n"):
        # The socket is made on the other host: enter its namespace in a child and talk through it.
        command = ["python3", "-u", "-c", _RELAY, str(MANAGEMENT_PORT), commands]
        self.lines_file = rig.write("management.txt", "")
        self.process = rig.start(host, *command, stdout=open(self.lines_file, "wb"))
        self.log = rig.follow("management.txt")

    def close(self):
        self.process.end()


_RELAY = """
import socket, sys, time
s = None
while s is None:
    try: s = socket.create_connection(("127.0.0.1", int(sys.argv[1])))
    except OSError: time.sleep(0.1)
s.sendall(sys.argv[2].encode())
out = sys.stdout.buffer
while True:
    b = s.recv(65536)
    if not b: break
    out.write(b.replace(b"\\r", b"")); out.flush()
"""
