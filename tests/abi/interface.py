"""The binary interface of a library as lines of text, computed from its headers and its
shared library.

    constant LSTM_MAX_RANK = 4
    enum lstm_status.LSTM_OK = 0
    struct lstm_adam_config: 120 bytes, reserved from 48
    field lstm_adam_config.lr: double, 8 bytes at 0
    type mnist_progress: void (*)(const char *, size_t, size_t, void *)
    function lstm_adam_lr: double (const lstm_adam *)
    symbol lstm_adam_lr@@LSTM_1

A field that a later version takes from the reserved tail is a new line. The line of its struct
does not change, because "reserved from" is the original start of the tail.
"""
import pathlib
import re
import subprocess
import sys
import tempfile

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import declarations  # noqa: E402

STRUCT = re.compile(r"typedef struct (\w+) \{(.*?)\} \1;", re.S)
ENUM = re.compile(r"typedef enum (\w+) \{(.*?)\} \1;", re.S)
RESERVED = "reserved"


def words(text):
    """C text on one line, with single spaces."""
    text = re.sub(r"\s+", " ", text).strip()
    return re.sub(r"\s*\*\s*", " *", text).replace("* *", "**").replace("* const", "*const ")


def without_name(parameter):
    """The type of a parameter or a field, and its name."""
    found = re.fullmatch(r"(.*?)(\w+)((?:\[\w*\])?)", words(parameter))
    return words(found[1]) + found[3], found[2]


def parameters(text):
    if text.strip() == "void":
        return "void"
    return ", ".join(without_name(each)[0] for each in text.split(","))


def structs(text):
    """Name of each struct, and types and names of its fields."""
    return {name: [without_name(field) for field in body.split(";") if field.strip()]
            for name, body in STRUCT.findall(text)}


def functions(library, text):
    """A line for each function and each type of a function."""
    lines = []
    for result, name, given in re.findall(r"^typedef ([\w ]+?)\(\*(\w+)\)\((.*?)\);", text,
                                          re.M | re.S):
        lines.append(f"type {name}: {result.strip()} (*)({parameters(given)})")
    for result, name, given in re.findall(
            rf"^([\w \n]+[ *\n])({library}_\w+)\(([^)]*)\);", text, re.M):
        lines.append(f"function {name}: {words(result)} ({parameters(given)})")
    return lines


def program(library, text):
    """C source that prints the lines whose numbers only a compiler knows."""
    lines = ["#include <stddef.h>", "#include <stdio.h>",
             f"#include <{declarations.UMBRELLAS[library]}>", "int main(void)", "{"]

    def show(form, *values):
        lines.append(f'    printf("{form}\\n", {", ".join(values)});')

    for name in re.findall(r"#define (\w+) \d+", text):
        if not name.endswith(("_MINOR", "_PATCH")):
            show(f"constant {name} = %lld", f"(long long){name}")
    for enum, body in ENUM.findall(text):
        for name in re.findall(r"(\w+) =", body):
            show(f"enum {enum}.{name} = %lld", f"(long long){name}")
    for enum, body in re.findall(r"^enum (\w*)\s*\{(.*?)\};", text, re.M | re.S):
        for name in re.findall(r"(\w+) =", body):
            show(f"constant {name} = %lld", f"(long long){name}")
    for struct, fields in structs(text).items():
        tail = [name for _, name in fields if name == RESERVED]
        show(f"struct {struct}: %zu bytes" + (", reserved from %zu" if tail else ""),
             f"sizeof({struct})", *(f"offsetof({struct}, {name})" for name in tail))
        for kind, name in fields:
            if name != RESERVED:
                show(f"field {struct}.{name}: {kind}, %zu bytes at %zu",
                     f"sizeof((({struct} *)0)->{name})", f"offsetof({struct}, {name})")
    return "\n".join([*lines, "    return 0;", "}", ""])


def run(compiler, source, include, *arguments):
    """Compiles a C program with the headers of a folder; returns its output."""
    with tempfile.TemporaryDirectory() as folder:
        path = pathlib.Path(folder) / "program"
        subprocess.run([*compiler, "-std=c11", "-Wall", "-Wextra", "-Werror", "-o", path,
                        f"-I{include}", "-x", "c", "-", "-x", "none", *arguments],
                       input=source, text=True, check=True)
        return subprocess.run([path], text=True, check=True, stdout=subprocess.PIPE).stdout


def symbols(path):
    listing = subprocess.run(["nm", "-D", "--defined-only", path], text=True, check=True,
                             stdout=subprocess.PIPE).stdout
    found = [line.split() for line in listing.splitlines()]
    return [f"symbol {name}" for *_, kind, name in found if kind != "A"]


def of_headers(library, compiler, include=declarations.ROOT / "include"):
    """The interface that headers declare."""
    text = declarations.without_comments(declarations.cdef(library, include))
    measured = run(compiler, program(library, text), include).splitlines()
    return measured + functions(library, text)


def key(line):
    """The subject of a line: its first two words."""
    return re.match(r"\w+ [\w.@]+", line)[0]


def room(line):
    """Size of a struct, and offset of its reserved tail."""
    return [int(number) for number in re.findall(r"\d+(?= bytes|$)", line)]


def struct_grew(old, new):
    """Whether the line of a struct differs only by options in its tail."""
    if not old.startswith("struct ") or len(room(old)) < 2 or len(room(new)) < 2:
        return False
    return room(old)[0] == room(new)[0] and room(old)[1] <= room(new)[1]


def fits(line, table):
    """Whether older programs still work with a new line: a new field of a struct in the table
    must be in its tail, because older programs set no other byte to zero."""
    struct = table.get(f"struct {key(line).split()[1].split('.')[0]}")
    if not line.startswith("field ") or not struct:
        return True
    return len(room(struct)) == 2 and int(line.split()[-1]) >= room(struct)[1]


def compare(table, today):
    """The errors of the current interface, and the lines that are missing in the table."""
    old, new = ({key(line): line for line in lines} for lines in (table, today))
    broken = [f"{line}\n    is gone: programs that use it break"
              for name, line in old.items() if name not in new]
    broken += [f"{line}\n    became: {new[name]}" for name, line in old.items()
               if name in new and line != new[name] and not struct_grew(line, new[name])]
    added = [line for name, line in new.items() if name not in old]
    broken += [f"{line}\n    is outside of the reserved tail that the table has"
               for line in added if not fits(line, old)]
    return broken, added
