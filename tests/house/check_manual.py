# SPDX-License-Identifier: MIT
"""ovpnwatch-causes(7) has a subsection for every cause of src/core/causes.def, in that order, each with the
four labels and nothing else, and mandoc finds no fault with either manual. Usage: check_manual.py"""
import re
import shutil
import subprocess

import house

CAUSES = "src/ovpnwatch-causes.7"
MANUALS = ["src/ovpnwatch.1", CAUSES]
LABELS = ["What happens", "How it looks", "What ovpnwatch needs", "What to do"]
# What mandoc says of style: lines are as long as in the rest of the project, and a page that is not installed
# here is there where it is read.
IGNORED = re.compile(r"STYLE: (input text line longer|referenced manual not found|no blank before trailing)"
                     r"|outdated mandoc\.db")


def sections(text):
    """[(cause, its lines), …] of the section CAUSES."""
    body = text.split("\n.Sh CAUSES\n", 1)[-1].split("\n.Sh ", 1)[0]
    found = re.split(r"^\.Ss (.*)$", body, flags=re.M)[1:]
    return list(zip(found[::2], found[1::2]))


def check_section(name, body):
    lines = body.strip("\n").splitlines()
    labels = [line.removeprefix(".It ") for line in lines if line.startswith(".It ")]
    if labels != LABELS:
        yield f"{CAUSES}: {name}: the labels are {labels}, not {LABELS}"
    if not lines or not lines[0].startswith(".Bl -tag") or lines[-1] != ".El":
        yield f"{CAUSES}: {name}: there is something beside the four labels"
    for label, paragraph in re.findall(r"^\.It (.*)\n((?:(?!\.It |\.El).*\n)*)", body, re.M):
        if len(paragraph.split()) < 8:
            yield f"{CAUSES}: {name}: {label} says nothing"


def check_order(found):
    defs = re.sub(r"/\*.*?\*/", "", house.read("src/core/causes.def"), flags=re.S)
    causes = re.findall(r'^X\(\w+,\s*"([^"]*)"', defs, re.M)
    if found != causes:
        yield f"{CAUSES}: the subsections are {found}, the causes of causes.def are {causes}"


def check_form(manual):
    text = house.read(manual)
    for number, line in enumerate(text.splitlines(), 1):
        if not line.isascii() or line != line.rstrip():
            yield f"{manual}:{number}: not ASCII, or blanks at its end"
    if not shutil.which("mandoc"):
        print("mandoc is not installed: the manuals were not read by it")
        return
    run = subprocess.run(["mandoc", "-Tlint", manual], cwd=house.ROOT, capture_output=True, text=True, timeout=60)
    yield from (line for line in (run.stdout + run.stderr).splitlines() if not IGNORED.search(line))


there = sections(house.read(CAUSES))
faults = [f for name, body in there for f in check_section(name, body)]
faults += check_order([name for name, _ in there])
faults += [f for manual in MANUALS for f in check_form(manual)]
house.end(faults, len(there), "causes in the manual")
