# SPDX-License-Identifier: MIT
"""Who may include whom: main -> options, io, sink -> core -> proto. Nothing includes upwards, and each
library is known to one layer only."""
import re

import house

# Folder: the folders that it may include (as they are written in #include), the libraries it may know.
LAYERS = {
    "proto": ({"proto"}, {"openssl"}),
    "src/core": ({"proto", "core"}, set()),
    "src/sink": ({"proto", "core", "sink"}, {"jansson.h"}),
    "src/io": ({"proto", "core", "sink", "io"}, {"uv.h", "systemd"}),
    "src": ({"proto", "core", "sink", "io", "."}, {"ini.h"}),
}
LIBRARIES = {"openssl", "jansson.h", "uv.h", "ini.h", "sqlite3.h", "microhttpd.h", "curl", "systemd"}
# The headers that the pure layers may have; what they call of them is for check_symbols.py.
PURE = {"assert.h", "ctype.h", "errno.h", "float.h", "inttypes.h", "limits.h", "math.h", "stdarg.h",
        "stdbool.h", "stddef.h", "stdint.h", "stdio.h", "stdlib.h", "string.h", "endian.h"}
INCLUDE = re.compile(r'^\s*#\s*include\s*(?:"([^"]+)"|<([^>]+)>)', re.M)


def layer_of(name):
    return next((f for f in sorted(LAYERS, key=len, reverse=True) if str(name).startswith(f + "/")), None)


def exists(own):
    return any((house.ROOT / base / own).is_file() for base in (".", "src"))


def check(name):
    layer = layer_of(name)
    folders, libraries = LAYERS[layer]
    for own, system in INCLUDE.findall(house.read(name)):
        if own:
            folder = own.split("/")[0] if "/" in own else "."
            if folder not in folders:
                yield f'{name}: {layer} may not include "{own}"'
            elif not exists(own):
                yield f'{name}: "{own}" is not found from the top or from src/: name its layer'
        else:
            library = system.split("/")[0]
            if library in LIBRARIES - libraries:
                yield f"{name}: {layer} may not know <{system}>"
            elif layer in ("proto", "src/core") and library not in libraries and system not in PURE:
                yield f"{name}: <{system}> is not for a layer without I/O, clock and allocation"


checked = [f for f in house.files() if f.suffix in (".c", ".h", ".def") and layer_of(f)]
house.end([fault for f in checked for fault in check(f)], len(checked), "sources")
