# SPDX-License-Identifier: MIT
"""Every source, script and build file says its licence; none is left half done, is too long, or names a
place that only exists where it was written."""
import re

import house

LICENSED = {".c", ".h", ".def", ".py", ".sh", ".cmake", ".1", ".5", ".7", ".8", ".service"}
LICENSED_NAMES = {"CMakeLists.txt", ".clang-format"}
LINES_MAX = 500  # a long file is a sign that a room is missing
TEXTS = LICENSED | {".md", ".txt", ".json", ".yml", ".yaml", ".conf", ".scn", ""}
# Written so that this file does not find itself.
WORDS = {
    "is left to do": r"\b(TO" r"DO|FIX" r"ME|X" r"XX)\b",
    "names a file of the workplace": r"(?<![\w.])/wor" r"k/|(?<![\w.])/tm" r"p/brief|\bDESI" r"GN\.md\b|\bwt-[a-z]+/"
                                     r"|\bshare" r"d/(fixtures|reference|hooks)\b",
}


def is_script(name):
    with (house.ROOT / name).open("rb") as f:
        return f.read(2) == b"#!"


def check(name):
    text = house.read(name)
    if name.suffix in LICENSED or name.name in LICENSED_NAMES or is_script(name):
        if not re.search(r"SPDX-License-Identifier: MIT\b", "\n".join(text.splitlines()[:3])):
            yield f"{name}: no SPDX-License-Identifier in the first three lines"
    if name.suffix in (".c", ".h", ".def"):
        guard = "OVPNWATCH_" + re.sub(r"\W", "_", str(name).removeprefix("src/")).upper()
        if name.suffix == ".h" and name.parts[0] in ("proto", "src") and f"#ifndef {guard}\n" not in text:
            yield f"{name}: the include guard is not {guard}"
        if name.parts[0] != "tests" and text.count("\n") > LINES_MAX:
            yield f"{name}: {text.count(chr(10))} lines, more than {LINES_MAX}"
    if (name.suffix in TEXTS and "corpus" not in name.parts and "fixtures" not in name.parts):
        for what, pattern in WORDS.items():
            for found in re.finditer(pattern, text):
                line = text.count("\n", 0, found.start()) + 1
                yield f"{name}:{line}: {what}: {found.group()}"


checked = house.files()
house.end([fault for f in checked for fault in check(f)], len(checked), "files")
