# SPDX-License-Identifier: MIT
"""clang-format has nothing to change. Its versions disagree about details, so only the one of Debian 12
is asked."""
import re
import shutil
import subprocess

import house

VERSION = 14
program = shutil.which(f"clang-format-{VERSION}") or shutil.which("clang-format")
if program is None:
    house.skip(f"clang-format is not installed (apt install clang-format-{VERSION})")
said = subprocess.run([program, "--version"], check=True, capture_output=True, text=True).stdout
found = re.search(r"version (\d+)", said)
if found is None or int(found.group(1)) != VERSION:
    house.skip(f"the sources are formatted with clang-format {VERSION}, and this is: {said.strip()}")
sources = [str(f) for f in house.files() if f.suffix in (".c", ".h")]
run = subprocess.run([program, "--dry-run", "-Werror", "--style=file", *sources], cwd=house.ROOT, capture_output=True,
                     text=True)
faults = [line for line in run.stderr.splitlines() if "error:" in line]
if run.returncode != 0 and not faults:
    faults = [run.stderr]
house.end(faults, len(sources), "sources")
