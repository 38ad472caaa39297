# SPDX-License-Identifier: MIT
"""One list of names: the words of proto/events.schema.json are those of src/core/*.def, and the manual
names every alert, cause, option and exit code; the sample configuration has every key. Usage: check_names.py [PROGRAM]
PROGRAM is the built ovpnwatch: its --help says which options there are."""
import json
import re
import subprocess
import sys

import house

# Words that stand for "nothing known": in the enum, never printed.
UNPRINTED = {"local_clock_source": {"none"}, "scope": {"none"}, "client_change": {"none"}}
# The exit codes that are promised.
EXITS = [0, 1, 64, 65, 69, 74, 77, 78]
MANUAL = "src/ovpnwatch.1"
SAMPLE = "contrib/ovpnwatch.conf"
# What --help does not have to say of itself.
UNHELPED = {"help", "version"}


def strip(text):
    return re.sub(r"/\*.*?\*/", "", text, flags=re.S)


def defined_words():
    """{"alert_name": {"ping_restart", …}, …}, and what is wrong with the lists themselves."""
    lists, faults = {}, []
    for name, file in (("alert_name", "alerts"), ("cause_name", "causes")):
        lists[name] = re.findall(r'^X\(\w+,\s*"([^"]*)"', strip(house.read(f"src/core/{file}.def")), re.M)
    for name, word in re.findall(r'^W\((\w+),\s*\w+,\s*"([^"]*)"\)', strip(house.read("src/core/words.def")), re.M):
        lists.setdefault(name, []).append(word)
    for name, words in lists.items():
        faults += [f"{name}: {w!r} is there twice" for w in set(words) if words.count(w) > 1]
        faults += [f"{name}: {w!r} is no word like_this" for w in words if not re.fullmatch(r"[a-z][a-z0-9_]*", w)]
    return {name: set(words) - UNPRINTED.get(name, set()) for name, words in lists.items()}, faults


def check_enums():
    """Each enum of names.h has the enumerators of its list in words.def: the preprocessor cannot say so."""
    lists = {}
    for name, enumerator in re.findall(r"^W\((\w+),\s*(\w+),", strip(house.read("src/core/words.def")), re.M):
        lists.setdefault(name, set()).add(enumerator)
    for name, content in re.findall(r"enum (\w+) \{([^}#]*)\}", strip(house.read("src/core/names.h"))):
        enumerators = set(re.findall(r"\w+", content))
        for odd in sorted(enumerators ^ lists.pop(name, set())):
            yield f"enum {name}: {odd} is not both in names.h and in words.def"
    for name in lists:
        yield f"enum {name} of words.def is not in names.h"


def check_schema(lists):
    text = house.read("proto/events.schema.json")
    schema = json.loads(text)
    enums = {name: d["enum"] for name, d in schema["$defs"].items() if "enum" in d}
    for name in sorted(set(lists) | set(enums)):
        there, here = set(enums.get(name, [])), lists.get(name, set())
        for word in sorted(here - there):
            yield f"events.schema.json: $defs.{name} lacks {word!r}"
        for word in sorted(there - here):
            yield f"events.schema.json: $defs.{name} has {word!r}, which no .def file has"
        if f'"#/$defs/{name}"' not in text:
            yield f"events.schema.json: nothing uses $defs.{name}"
    if '"null"' in text:
        yield "events.schema.json: a figure that is not known is left out, never null"


def manual_text():
    """The manual without mdoc's macros and escapes."""
    text = house.read(MANUAL).replace("\\-", "-").replace("\\&", "")
    return re.sub(r'^\.\\".*$', "", text, flags=re.M)


def check_commands():
    """The manual has every command that OpenVPN is ever sent."""
    text = " ".join(manual_text().split())
    for words in re.findall(r'return "([a-z0-9\\ -]+)";', house.read("src/core/session.c")):
        for command in filter(None, words.split("\\n")):
            if command not in text:
                yield f"{MANUAL}: the command {command!r} is not named"


def check_sample():
    """The sample configuration has every key of the table, and no other."""
    keys = set(re.findall(r'^    \{"([a-z-]+)", SETTING_', house.read("src/settings.c"), re.M)) - {"name"}
    sampled = set(re.findall(r"^#?([a-z-]+) = ", house.read(SAMPLE), re.M))
    for key in sorted(keys ^ sampled):
        yield f"{SAMPLE}: {key} is not both in it and in src/settings.c"


def check_manual(lists, program):
    text = manual_text()
    for name in ("alert_name", "cause_name", "alert_status", "confidence"):
        for word in sorted(lists[name]):
            if not re.search(rf"(?<!\w){word}(?!\w)", text):
                yield f"{MANUAL}: {name} {word!r} is not named"
    for code in EXITS:
        if not re.search(rf"^\.It (Li )?{code}$", text, re.M):
            yield f"{MANUAL}: exit code {code} is not named"
    named = set(re.findall(r"(?:\bFl -|(?<![\w-])--)([a-z][a-z0-9-]+)", text))
    helped = set()
    if program:
        for verb in ("watch", "replay", "probe", "clock", "explain"):
            run = subprocess.run([program, verb, "--help"], capture_output=True, text=True, timeout=60)
            helped |= set(re.findall(r"(?<![\w-])--([a-z][a-z0-9-]+)", run.stdout))
    if not helped:
        print("skipped: --help lists no options to compare with the manual's")
        return
    for option in sorted(helped - named):
        yield f"{MANUAL}: --{option} is in --help but not in the manual"
    for option in sorted(named - helped - UNHELPED):
        yield f"{MANUAL}: --{option} is in the manual but not in --help"


words, problems = defined_words()
problems += check_enums()
problems += check_schema(words)
problems += check_sample()
problems += check_commands()
if (house.ROOT / MANUAL).exists():
    problems += check_manual(words, sys.argv[1] if len(sys.argv) > 1 else None)
else:
    print(f"skipped: there is no {MANUAL} yet")
house.end(problems, sum(map(len, words.values())), "words")
