# SPDX-License-Identifier: MIT
"""What other programs say of clocks that are known: chronyd, check_ntp_time and clockdiff.

The first two ask NTP, so each known clock is also served by a chronyd on the server's host. Under
libfaketime that is right above 1 s only (chronyd takes time stamps from the kernel, and drops those
that differ by more); below, a chronyd whose source's `offset` is set serves the same.
What is not installed, does not answer or has its own words is given in those words.
"""
import concurrent.futures
import os
import re
import shutil
import time

from rig import HARMLESS, SERVER_IP, Clock

CHECK_NTP_TIME = "/usr/lib/nagios/plugins/check_ntp_time"
NTP_PORT, COMMAND_PORT, SOURCE = 12300, 13300, 12299
SYNC_PATIENCE = 15


class OtherTools:
    """Their servers and daemons on a rig, for as long as that is there."""

    def __init__(self, rig, offsets):
        self.rig, self.offsets = rig, offsets
        self._said = None
        if not shutil.which("chronyd"):
            return
        self._chronyd("server", "source", f"port {SOURCE}\nallow\nlocal stratum 1\ncmdport 0\n")
        for number, offset in enumerate(offsets):
            clock = None
            served = "local stratum 2\n"
            if abs(offset) > 1:
                clock = Clock(rig.path(f"ntp{number}.clock"))
                clock.set(offset)
            else:
                served = f"server 127.0.0.1 port {SOURCE} iburst minpoll 0 maxpoll 2 offset {offset}\n"
            self._chronyd("server", f"serve{number}",
                          f"port {NTP_PORT + number}\nallow\ncmdport 0\n{served}", clock)
            self._chronyd("client", f"follow{number}",
                          f"port 0\ncmdport {COMMAND_PORT + number}\nbindcmdaddress 127.0.0.1\n"
                          f"server {SERVER_IP} port {NTP_PORT + number} iburst minpoll 0 maxpoll 2\n")

    def _chronyd(self, host, name, text, clock=None):
        path = self.rig.write(f"{name}.conf", "user root\nbindcmdaddress /\n"
                              f"pidfile {self.rig.path(name)}.pid\n{text}")
        self.rig.start(host, *HARMLESS, "chronyd", "-d", "-x", "-f", path, clock=clock)

    def say(self, offset):
        """The three words on the clock that is off so much; asked for once, all side by side."""
        if self._said is None:
            with concurrent.futures.ThreadPoolExecutor(4) as pool:
                kernel = pool.submit(self._clockdiff)
                chrony = list(pool.map(self._tracking, range(len(self.offsets))))
                check = list(pool.map(self._check_ntp_time, range(len(self.offsets))))
            self._said = {known: (chrony[i], check[i], kernel.result())
                          for i, known in enumerate(self.offsets)}
        return self._said[offset]

    def _tracking(self, number):
        if not shutil.which("chronyd"):
            return "not there"
        end = time.monotonic() + SYNC_PATIENCE
        while True:
            _, said, _ = self.rig.ask("client", "chronyc", "-h", "127.0.0.1", "-p",
                                      str(COMMAND_PORT + number), "-n", "-c", "tracking")
            fields = said.strip().split(",")
            if len(fields) == 14 and fields[13] == "Normal":
                return f"{float(fields[4]):+.6f}"
            if time.monotonic() > end:
                return fields[13] if len(fields) == 14 else "silent"
            time.sleep(0.3)

    def _check_ntp_time(self, number):
        if not os.access(CHECK_NTP_TIME, os.X_OK) or not shutil.which("chronyd"):
            return "not there"
        _, said, _ = self.rig.ask("client", CHECK_NTP_TIME, "-H", SERVER_IP, "-p",
                                  str(NTP_PORT + number))
        found = re.search(r"Offset ([-+0-9.e]+) secs", said)
        return f"{float(found[1]):+.6f}" if found else said.split("|")[0].strip()[-13:]

    def _clockdiff(self):
        if not shutil.which("clockdiff"):
            return "not there"
        status, said, _ = self.rig.ask("client", "clockdiff", SERVER_IP)
        fields = said.split()
        return f"{int(fields[1]):+d} ms" if status == 0 and len(fields) == 3 else "silent"
