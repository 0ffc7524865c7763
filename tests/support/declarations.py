"""Reads the declarations in the public headers, between their cdef markers."""
import pathlib
import re

ROOT = pathlib.Path(__file__).resolve().parents[2]
UMBRELLAS = {"lstm": "lstm/lstm.h", "mnist": "mnist/mnist.h"}


def headers(library, include=ROOT / "include"):
    """All headers of a library, each after those that it includes."""
    found = []

    def visit(name):
        path = include / name
        if path in found:
            return
        for included in re.findall(rf"#include <({library}/.+?)>", path.read_text()):
            visit(included)
        found.append(path)

    visit(UMBRELLAS[library])
    return found


def cdef(library, include=ROOT / "include"):
    """The declarations of a library in the form of cffi's cdef()."""
    parts = []
    for path in headers(library, include):
        for part in re.findall(r"/\* cdef begin \*/(.*?)/\* cdef end \*/",
                               path.read_text(), re.DOTALL):
            parts.append(re.sub(r"\b(LSTM|MNIST)_(API|NODISCARD)\b", "", part))
    return "\n".join(parts)


def without_comments(text):
    """C text without its comments."""
    return re.sub(r"/\*.*?\*/", "", text, flags=re.DOTALL)


def functions(library):
    """Names of the functions in the headers of a library, in order."""
    names = []
    for path in headers(library):
        marked = rf"\b{library.upper()}_API\b[^;]*?\b({library}_\w+)\s*\("
        names += re.findall(marked, without_comments(path.read_text()))
    return names


def documented(library):
    """Comment, name and parameters' names of each function that returns a status."""
    found = re.findall(rf"/\*\*((?:(?!\*/).)*)\*/\s*{library}_status ({library}_\w+)"
                       r"\(([^;]*)\);", cdef(library), re.S)
    return [(comment, name, [re.search(r"(\w+)(?:\[\d*\])?$", each.strip())[1]
                             for each in parameters.split(",")])
            for comment, name, parameters in found]


def constant(library, name):
    """Value of an integer constant in the headers of a library."""
    return int(re.search(rf"#define {name} (\d+)", cdef(library)).group(1))
