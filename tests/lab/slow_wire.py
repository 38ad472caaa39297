# SPDX-License-Identifier: MIT
"""A wire with a delay, for kernels that have no netem: two tun devices, one in the namespace of each
process given, and every packet is carried from one to the other after its time.

    slow_wire.py SERVER_PID CLIENT_PID DELAY JITTER

As `netem delay DELAY JITTER` on the server's device: what the server sends arrives DELAY seconds later,
give or take JITTER (evenly distributed, each packet by itself, so one may overtake another); what the
client sends arrives at once. Writes a line when the devices exist; lives until it is ended.
"""
import ctypes
import errno
import fcntl
import heapq
import os
import random
import select
import struct
import sys
import time

CLONE_NEWNET, TUNSETIFF, IFF_TUN, IFF_NO_PI = 0x40000000, 0x400454CA, 0x0001, 0x1000


def device_of(pid):
    """Makes the tun device wire0 where the process is, and stays in that namespace."""
    namespace = os.open(f"/proc/{pid}/ns/net", os.O_RDONLY)
    if ctypes.CDLL(None, use_errno=True).setns(namespace, CLONE_NEWNET):
        raise OSError(ctypes.get_errno(), "setns")
    os.close(namespace)
    tun = os.open("/dev/net/tun", os.O_RDWR | os.O_NONBLOCK)
    fcntl.ioctl(tun, TUNSETIFF, struct.pack("16sH22x", b"wire0", IFF_TUN | IFF_NO_PI))
    return tun


def deliver(tun, packet):
    try:
        os.write(tun, packet)
    except OSError as error:
        if error.errno not in (errno.EIO, errno.EAGAIN, errno.ENOBUFS):  # down, or full: a wire loses it
            raise


def packets(tun):
    while True:
        try:
            yield os.read(tun, 65536)
        except OSError as error:
            if error.errno in (errno.EAGAIN, errno.EIO):
                return
            raise


def carry(server, client, delay, jitter):
    under_way = []  # (due, number, packet), from the server to the client
    number = 0
    while True:
        wait = max(0.0, under_way[0][0] - time.monotonic()) if under_way else None
        ready, _, _ = select.select((server, client), (), (), wait)
        if client in ready:
            for packet in packets(client):
                deliver(server, packet)
        if server in ready:
            for packet in packets(server):
                number += 1
                due = time.monotonic() + delay + random.uniform(-jitter, jitter)
                heapq.heappush(under_way, (due, number, packet))
        while under_way and under_way[0][0] <= time.monotonic():
            deliver(client, heapq.heappop(under_way)[2])


if __name__ == "__main__":
    ends = [device_of(int(pid)) for pid in sys.argv[1:3]]
    print("ready", flush=True)
    carry(*ends, *map(float, sys.argv[3:5]))
