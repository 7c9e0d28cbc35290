"""Prints the functions of `berth` that callgrind's profiles name, in the order of the calls that met
them first.

Called by `order`, with its folder and whether Berth's own functions count.
"""

import glob
import os
import re
import sys

WORK, ALL = sys.argv[1:3]


def functions(profile):
    """The functions that ran, each once; a name is given in full where it comes first."""
    names = {}
    inside = False
    for line in profile:
        found = re.match(r"(c?)(ob|fn)=\((\d+)\)(?: (.*))?", line)
        if not found:
            continue
        of_callee, kind, number, name = found.groups()
        if name:
            names[kind, number] = name
        if of_callee:
            continue
        name = names[kind, number]
        if kind == "ob":
            inside = name == f"{WORK}/berth"
        elif inside:
            # A recursion has a name of its own.
            yield re.sub(r"'\d+$", "", name)


def main():
    with open(f"{WORK}/archives", encoding="utf-8") as file:
        archives = set(file.read().split())
    paths = glob.glob(f"{WORK}/profiles/*")
    paths.sort(key=lambda path: int(os.path.basename(path).partition(".")[0]))
    seen = {}
    for path in paths:
        with open(path, encoding="utf-8") as profile:
            for name in functions(profile):
                if ALL == "yes" or name in archives:
                    seen.setdefault(name)
    print("\n".join(seen))


main()
