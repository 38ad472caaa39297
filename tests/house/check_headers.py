# SPDX-License-Identifier: MIT
"""Every header compiles alone, twice over, with each compiler that is there. Usage:
    check_headers.py [-I FOLDER …]"""
import shutil
import subprocess
import sys

import house

FLAGS = ["-std=c11", "-D_GNU_SOURCE", '-DOVPNWATCH_VERSION="0"', "-Wall", "-Wextra", "-Wstrict-prototypes", "-Wundef",
         "-Werror", "-fsyntax-only", "-x", "c", "-"]

headers = [f for f in house.files() if f.suffix == ".h" and f.parts[0] in ("proto", "src")]
compilers = [c for c in ("gcc", "clang") if shutil.which(c)]
if not compilers:
    house.skip("neither gcc nor clang is installed")
faults = []
for compiler in compilers:
    for header in headers:
        name = str(header).removeprefix("src/")
        unit = f'#include "{name}"\n#include "{name}"\nint unit;\n'
        run = subprocess.run([compiler, "-I.", "-Isrc", *sys.argv[1:], *FLAGS], cwd=house.ROOT, input=unit,
                             capture_output=True, text=True)
        if run.returncode != 0:
            faults.append(f"{header} does not compile alone with {compiler}:\n{run.stderr}")
house.end(faults, len(headers), f"headers with {' and '.join(compilers)}")
