# SPDX-License-Identifier: MIT
"""The time services of the laboratory: NTP servers whose clock is known, and the daemons that keep (or
here: would keep) a machine's clock by them. None of them can set a clock: see rig.HARMLESS.
"""
import os
import shutil
import time

from rig import HARMLESS, SERVER_IP, Clock, Failure, Skip

SYNC_PATIENCE = 40
NOBODY = "65534"


def program(name):
    """The path of a daemon; some live beside the PATH."""
    found = shutil.which(name, path=os.environ["PATH"] + ":/usr/sbin:/lib/systemd")
    if not found:
        raise Skip(f"{name} is not installed")
    return found


def ntp_server(rig, offset=0.0, address=SERVER_IP):
    """An NTP server on the server's host whose clock is `offset` ahead. Above 1 s it is chronyd under a
    fake clock; below, chronyd takes time stamps of the kernel for good ones, and is told to be wrong."""
    chronyd = program("chronyd")
    name = f"ntp-{address}"
    clock, served = None, "local stratum 2\n"
    if abs(offset) > 1:
        clock = Clock(rig.path(f"{name}.clock"))
        clock.set(offset)
    elif offset:
        source = rig.write(f"{name}-source.conf", "user root\ncmdport 0\nbindcmdaddress /\nallow\n"
                           f"port 12300\nbindaddress {address}\nlocal stratum 1\n"
                           f"pidfile {rig.path(name)}-source.pid\n")
        rig.start("server", *HARMLESS, chronyd, "-d", "-x", "-f", source)
        served = f"server {address} port 12300 iburst minpoll 0 maxpoll 2 offset {offset}\n"
    conf = rig.write(f"{name}.conf", f"user root\ncmdport 0\nbindcmdaddress /\nallow\n{served}"
                     f"bindaddress {address}\npidfile {rig.path(name)}.pid\n")
    rig.start("server", *HARMLESS, chronyd, "-d", "-x", "-f", conf, clock=clock)


def extra_addresses(rig, addresses):
    """More addresses of the server's host, reached over the wire."""
    for address in addresses:
        rig.run("server", "ip", "address", "add", f"{address}/32", "dev", "lo")
        rig.run("client", "ip", "route", "add", f"{address}/32", "via", SERVER_IP)


def chronyd(rig, text, port=323, clock=None):
    """chronyd on the client's host. With port=0 only its unix socket, at its usual place, answers."""
    rig.run("client", "mkdir", "-p", "-m", "0700", "/run/chrony")
    socket = "/run/chrony/chronyd.sock" if port == 0 else "/"
    conf = rig.write("chrony.conf", f"user root\ncmdport {port}\nbindcmdaddress 127.0.0.1\n"
                     f"bindcmdaddress {socket}\npidfile /run/chrony/chronyd.pid\nport 0\n{text}")
    rig.start("client", *HARMLESS, program("chronyd"), "-d", "-x", "-f", conf, clock=clock)


def wait_chronyd(rig, word, port=323):
    """Until chronyd calls its leap status so, and (the first samples make it cautious) is sure to 10 ms."""
    where = () if port == 0 else ("-h", "127.0.0.1")
    end = time.monotonic() + SYNC_PATIENCE
    while time.monotonic() < end:
        fields = rig.ask("client", "chronyc", "-n", "-c", *where, "tracking")[1].strip().split(",")
        if len(fields) == 14 and fields[13] == word and (word != "Normal" or float(fields[11]) < 0.01):
            return
        time.sleep(0.3)
    raise Failure(f"chronyd does not say {word}")


def ntpd(rig):
    """NTPsec's ntpd on the client's host; it is asked on port 123. Returns its log."""
    # Without `disable kernel` it ends when the kernel refuses it the clock.
    conf = rig.write("ntp.conf", f"disable kernel\nstatsdir {rig.dir}/\n"
                     "restrict default nomodify noquery limited\nrestrict 127.0.0.1\n"
                     f"server {SERVER_IP} iburst minpoll 3 maxpoll 4\n")
    log = rig.follow("ntpd.log")
    rig.start("client", *HARMLESS, program("ntpd"), "-n", "-c", conf, "-l", rig.path("ntpd.log"))
    return log


def wait_log(log, text, whose):
    if not log.wait(text, SYNC_PATIENCE):
        last = " | ".join(line for _, line in log.lines[-3:])
        raise Failure(f"{whose} does not say '{text}': {last}")


def system_bus(rig):
    """A message bus at its usual place on the client's host. Everybody may own every name on it."""
    conf = rig.write("bus.conf", """<busconfig><type>system</type>
<listen>unix:path=/run/dbus/system_bus_socket</listen><auth>EXTERNAL</auth>
<policy context="default"><allow user="*"/><allow own="*"/><allow send_type="method_call"/>
<allow send_type="signal"/><allow send_requested_reply="true"/><allow receive_type="method_call"/>
<allow receive_type="signal"/><allow receive_requested_reply="true"/></policy></busconfig>
""")
    rig.run("client", "mkdir", "-p", "/run/dbus")
    rig.start("client", program("dbus-daemon"), "--nofork", "--nopidfile", f"--config-file={conf}")
    end = time.monotonic() + 5
    while rig.ask("client", "test", "-S", "/run/dbus/system_bus_socket")[0]:
        if time.monotonic() > end:
            raise Failure("no message bus")
        time.sleep(0.05)


def timesyncd(rig):
    """systemd-timesyncd on the client's host, on a bus of its own. Returns its log. As nobody: root it
    would not stay, and as its own user it could write where that machine's timesyncd does."""
    daemon = program("systemd-timesyncd")
    system_bus(rig)
    rig.run("client", "mkdir", "-p", "/run/systemd/timesyncd.conf.d", "/run/systemd/timesync")
    rig.run("client", "chown", NOBODY, "/run/systemd/timesync")
    rig.run("client", "tee", "/run/systemd/timesyncd.conf.d/laboratory.conf",
            stdin=f"[Time]\nNTP={SERVER_IP}\nFallbackNTP=\nPollIntervalMinSec=16\n")
    log = rig.follow("timesyncd.log")
    with open(rig.path("timesyncd.log"), "ab") as errors:
        rig.start("client", *HARMLESS, "--reuid", NOBODY, "--regid", NOBODY, "--clear-groups",
                  "--pdeathsig", "KILL", daemon, stderr=errors,
                  env={"SYSTEMD_LOG_LEVEL": "info", "SYSTEMD_LOG_TARGET": "console"})
    return log
