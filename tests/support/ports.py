"""Ports of 127.0.0.1 for servers that tests start."""
import pathlib
import random
import socket

RANGE = pathlib.Path("/proc/sys/net/ipv4/ip_local_port_range")
FIRST, LAST = 12000, 29999  # Services' node ports begin behind them


def free_port():
    """One that the kernel gives to no connection of anybody: else a server that is stopped for a while may find it taken."""
    given_from = int(RANGE.read_text().split()[0]) if RANGE.exists() else 32768
    candidates = range(FIRST, min(LAST + 1, given_from)) or range(1024, 65536)
    while True:
        port = random.SystemRandom().choice(candidates)
        with socket.socket() as probe:
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
