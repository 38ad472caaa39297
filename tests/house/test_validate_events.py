# SPDX-License-Identifier: MIT
"""The validator is able to say no: one good event, and what is wrong when one thing about it is."""
import json
import sys

import validate_events

GOOD = {
    "timestamp": "2026-11-24T04:11:10.896Z", "ts": 1795493470.896, "v": 1, "event_type": "alert",
    "severity": "warning", "tunnel": "office", "run": "7f3a9c12", "seq": 1, "mono_ms": 913377,
    "alert": {"name": "ping_restart", "status": "firing", "id": "48eb3b42807d9620",
              "starts_at": "2026-11-24T04:11:10.896Z", "count": 1},
    "restart": {"reason": "ping-restart", "connected_s": 240.264, "ping_restart_s": 120, "timers_from": "log"},
    "causes": [{"cause": "peer_clock_step", "confidence": "likely", "because": ["it was"], "remedy": "Look."}],
    "peer_clock": {"source": "openvpn_control", "offset_s": 7.0, "max_error_s": 0.004, "samples": 8},
    "new_key": {"of": "a later version"},
    "message": "the tunnel restarted",
}


def changed(*path_and_value):
    *path, value = path_and_value
    event = json.loads(json.dumps(GOOD))
    at = event
    for key in path[:-1]:
        at = at[key]
    if value is ...:
        del at[path[-1]]
    else:
        at[path[-1]] = value
    return event


def line(event):
    return json.dumps(event).encode() + b"\n"


BAD = {
    "no timestamp": line(changed("timestamp", ...)),
    "offset for Z": line(changed("timestamp", "2026-11-24T04:11:10.896+00:00")),
    "microseconds": line(changed("timestamp", "2026-11-24T04:11:10.896123Z")),
    "another instant": line(changed("ts", 1795493470.897)),
    "noise in ts": line(changed("ts", 1795493470.8961)),
    "noise in a figure": line(changed("peer_clock", "offset_s", 0.1 + 0.2 + 1e-9)),
    "null": line(changed("peer_clock", "offset_s", None)),
    "null at a new key": line(changed("new_key", None)),
    "bound without figure": line(changed("peer_clock", "vs_utc_max_error_s", 0.1)),
    "figure without bound": line(changed("peer_clock", "max_error_s", ...)),
    "negative bound": line(changed("peer_clock", "max_error_s", -0.1)),
    "unknown alert": line(changed("alert", "name", "sad")),
    "unknown cause": line(changed("causes", [{"cause": "gremlins", "confidence": "likely", "because": []}])),
    "no causes": line(changed("causes", [])),
    "short id": line(changed("alert", "id", "48eb")),
    "alert without alert": line(changed("alert", ...)),
    "alert in a state": line(changed("event_type", "state")),
    "resolved without end": line(changed("alert", "status", "resolved")),
    "firing with end": line(changed("alert", "ends_at", "2026-11-24T04:11:10.896Z")),
    "gap": line(changed("seq", 2)),
    "seq as text": line(changed("seq", "1")),
    "order": line({"ts": GOOD["ts"], **GOOD}),
    "message not last": line({**GOOD, "zzz": 1}),
    "empty message": line(changed("message", "")),
    "escape byte": line(GOOD).replace(b"office", b"of\x1bice"),
    "del": line(GOOD).replace(b"office", b"of\x7fice"),
    "utf-8": line(GOOD).replace(b"office", "Büro".encode()),
    "too long": line(changed("message", "x" * 4096)),
    "no end": line(GOOD).rstrip(b"\n"),
    "NaN": line(GOOD).replace(b"240.264", b"NaN"),
    "key twice": line(GOOD).replace(b'"v": 1', b'"v": 1, "v": 1'),
    "two objects": line(GOOD).rstrip(b"\n") + b" {}\n",
    "cut": line(GOOD)[:200] + b"\n",
    "array": b"[]\n",
    "text": b"ovpnwatch: hello\n",
    "empty line": b"\n",
}

validator = validate_events.load_validator()
wrong = [f"good: {fault}" for _, fault in validate_events.validate([line(GOOD), line(changed("seq", 2))], validator)]
wrong += [f"let through: {name}" for name, bad in BAD.items() if not list(validate_events.validate([bad], validator))]
print(*wrong, sep="\n")
print(f"{len(BAD)} bad lines, {len(wrong)} faults")
sys.exit(1 if wrong else 0)
