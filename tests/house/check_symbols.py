# SPDX-License-Identifier: MIT
"""proto and core do no I/O and ask no clock, and proto allocates nothing: the linker knows. Usage:
    check_symbols.py NM LAYER LIBRARY [LIBRARY-BELOW …]
LIBRARY may need symbols of itself, of the libraries below, and of the list here; nothing else."""
import re
import subprocess
import sys

import house

PURE = r"""mem(chr|rchr|cmp|cpy|move|set|mem)|str(chr|rchr|cmp|cspn|len|ncmp|nlen|pbrk|spn|str|casecmp|ncasecmp)|explicit_bzero
|v?snprintf|__(mem|str|v?snprintf|explicit_bzero)[a-z]*_chk|__assert_fail|__errno_location|__ctype_b_loc|__isoc23_strtol|strto(l|ul|ll|ull)
|(labs|llabs|abs)|(ceil|floor|round|trunc|fabs|sqrt|fmod|fmin|fmax|lround|llround|ldexp|log2|log|exp|pow|rint|nearbyint|modf)f?
|_GLOBAL_OFFSET_TABLE_|__stack_chk_fail|__stack_chk_guard"""
# What compilers add for sanitizers, coverage and fuzzing.
TOOLS = r"__(asan|ubsan|tsan|msan|sanitizer|sancov|gcov|llvm|start___sancov|stop___sancov)\w*|_{1,2}(dso_handle|tls_get_addr|emutls\w*)"
MEMORY = r"(malloc|calloc|realloc|free)"
CRYPTO = r"(EVP|HMAC|CRYPTO|OPENSSL|OSSL|ERR|RAND)(_\w+)?"


def nm(program, option, library):
    out = subprocess.run([program, "-A", option, library], check=True, capture_output=True, text=True).stdout
    for line in out.splitlines():
        words = line.rsplit(None, 2)  # "lib.a:x.o:  U name"
        if len(words) == 3:
            yield words[0].split(":")[1], words[2].split("@")[0]


program, layer, library, *below = sys.argv[1:]
allowed = re.compile("|".join([PURE.replace("\n", ""), TOOLS] + [CRYPTO if layer == "proto" else MEMORY]))
defined = {symbol for lib in [library, *below] for _, symbol in nm(program, "--defined-only", lib)}
needed = sorted(set(nm(program, "-u", library)))
house.end([f"{layer}: {member} needs {symbol}" for member, symbol in needed
           if symbol not in defined and not allowed.fullmatch(symbol)], len(needed), "symbols")
