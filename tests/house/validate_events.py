# SPDX-License-Identifier: MIT
"""Holds every event that ovpnwatch wrote against the contract. Usage:
    validate_events.py FILE|FOLDER …      FILE is NDJSON, "-" is standard input
Each line parses, is ASCII without control characters, at most 4096 bytes, has the keys of the envelope in
their order and the message last, says the same instant twice (timestamp, ts), and fits
proto/events.schema.json; per file and run, seq goes 1, 2, 3 without a gap."""
import datetime
import json
import pathlib
import sys

import house

LINE_MAX = 4096
# As they come; what is not in the event is skipped.
ORDER = ["timestamp", "ts", "v", "event_type", "severity", "tunnel", "run", "seq", "mono_ms", "state", "alert",
         "restart", "causes", "scope", "local_clock", "peer_clock", "step", "monitor", "summary", "message"]


def load_validator():
    try:
        import jsonschema
    except ImportError:
        house.skip(f"{sys.executable} has no jsonschema (apt install python3-jsonschema)")
    schema = json.loads(house.read("proto/events.schema.json"))
    jsonschema.Draft202012Validator.check_schema(schema)
    return jsonschema.Draft202012Validator(schema)


def no_duplicates(pairs):
    keys = [k for k, _ in pairs]
    if len(keys) != len(set(keys)):
        raise ValueError("a key is there twice")
    return dict(pairs)


def no_constant(word):
    raise ValueError(f"{word} is no JSON")


def bytes_faults(line):
    if not line.endswith(b"\n"):
        yield "the line has no end"
    if len(line) > LINE_MAX:
        yield f"{len(line)} bytes"
    if any(not 0x20 <= b <= 0x7e for b in line.rstrip(b"\n")):
        yield "not printable ASCII"


def instant_ms(stamp):
    parsed = datetime.datetime.strptime(stamp, "%Y-%m-%dT%H:%M:%S.%fZ")
    since = parsed - datetime.datetime(1970, 1, 1)
    return round(since / datetime.timedelta(milliseconds=1))


def figures_faults(value, path=""):
    """Nothing is null, and no float shows the noise of its last bits."""
    if value is None:
        yield f"{path} is null"
    elif isinstance(value, dict):
        for key, v in value.items():
            yield from figures_faults(v, f"{path}.{key}")
    elif isinstance(value, list):
        for i, v in enumerate(value):
            yield from figures_faults(v, f"{path}[{i}]")
    elif isinstance(value, float) and value != round(value, 6):
        yield f"{path} has more than six decimals: {value!r}"


def event_faults(event, validator):
    ranks = [ORDER.index(k) for k in event if k in ORDER]
    if ranks != sorted(ranks):
        yield "the keys are out of order: " + ", ".join(event)
    if list(event)[-1:] != ["message"]:
        yield "the message is not last"
    yield from figures_faults(event)
    schema_faults = sorted(validator.iter_errors(event), key=lambda e: list(map(str, e.path)))
    for fault in schema_faults[:3]:
        yield f"{'.'.join(map(str, fault.path)) or 'event'}: {fault.message[:300]}"
    if not schema_faults and instant_ms(event["timestamp"]) != round(event["ts"] * 1000):
        yield f"timestamp {event['timestamp']} is not ts {event['ts']}"
    if not schema_faults and "." in repr(event["ts"]) and len(repr(event["ts"]).split(".")[1]) > 3:
        yield f"ts {event['ts']!r} has more than three decimals"


def validate(lines, validator):
    """Yields (line number, fault) for an iterable of lines as bytes."""
    last = {}
    for number, line in enumerate(lines, 1):
        for fault in bytes_faults(line):
            yield number, fault
        try:
            event = json.loads(line, object_pairs_hook=no_duplicates, parse_constant=no_constant)
        except ValueError as e:
            yield number, f"no JSON: {e}"
            continue
        if not isinstance(event, dict):
            yield number, "no object"
            continue
        for fault in event_faults(event, validator):
            yield number, fault
        run, seq = event.get("run"), event.get("seq")
        if isinstance(run, str) and seq != last.get(run, 0) + 1:
            yield number, f"seq {seq} of run {run} follows {last.get(run, 0)}"
        last[run] = seq if isinstance(seq, int) else 0


def named(arguments):
    for argument in arguments:
        path = pathlib.Path(argument)
        yield from sorted(f for f in path.rglob("*") if f.is_file()) if path.is_dir() else [path]


def main(arguments):
    validator = load_validator()
    faults, count = [], 0
    for path in named(arguments):
        lines = sys.stdin.buffer if str(path) == "-" else path.open("rb")
        with lines:
            content = lines.readlines()
        count += len(content)
        faults += [f"{path}:{number}: {fault}" for number, fault in validate(content, validator)]
    house.end(faults, count, "events")


if __name__ == "__main__":
    main(sys.argv[1:])
