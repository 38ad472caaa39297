# SPDX-License-Identifier: MIT
"""What the checks of the house share: where the files are, and how a check ends."""
import os
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]
SKIPPED = 77  # ctest's SKIP_RETURN_CODE, see tests.cmake


def files():
    """Every file of the project, relative to ROOT: as git sees it, or all but builds without git."""
    try:
        out = subprocess.run(
            ["git", "-c", "safe.directory=*", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
            cwd=ROOT, check=True, capture_output=True).stdout
        names = [os.fsdecode(n) for n in out.split(b"\0") if n]
    except (OSError, subprocess.CalledProcessError):
        names = []
        for folder, folders, found in os.walk(ROOT):
            folders[:] = [d for d in folders if d != ".git" and not d.startswith("build")]
            names += [os.path.relpath(os.path.join(folder, f), ROOT) for f in found]
    return sorted(pathlib.PurePosixPath(n) for n in set(names) if (ROOT / n).is_file())


def read(name):
    return (ROOT / name).read_text(encoding="utf-8", errors="replace")


def end(faults, checked, what):
    """Ends the program. A check that looked at nothing has failed, too."""
    for fault in faults:
        print(fault)
    if not checked:
        print(f"no {what} found to check: is the check looking in the right place?")
    print(f"{checked} {what}, {len(faults)} faults")
    sys.exit(1 if faults or not checked else 0)


def skip(why):
    print(f"skipped: {why}")
    sys.exit(SKIPPED)
