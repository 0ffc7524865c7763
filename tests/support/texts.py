"""Splits the files of the tree into code and text: comments, docstrings, documents."""
import io
import pathlib
import re
import subprocess
import tokenize

ROOT = pathlib.Path(__file__).resolve().parents[2]
KINDS = {".c", ".h", ".py", ".sh", ".md", ".build", ".txt", ".in", ".ini", ".map", ".toml",
         ".cfg"}
C_COMMENT = re.compile(r'/\*.*?\*/|//[^\n]*|"(?:\\.|[^"\\\n])*"', re.DOTALL)
# Programs in a page, which tests compile.
PRINTED = re.compile(r"^```c[p+]*\n.*?^```", re.DOTALL | re.MULTILINE)


def blank(text):
    """The same number of empty lines."""
    return "\n" * text.count("\n")


def split_c(text):
    """Comments are text; strings are code."""
    comments, end, code = [], 0, []
    for found in C_COMMENT.finditer(text):
        between = text[end:found.start()]
        is_comment = not found.group().startswith('"')
        comments += [blank(between), found.group() if is_comment else blank(found.group())]
        code += [between, blank(found.group()) if is_comment else found.group()]
        end = found.end()
    return "".join(comments), "".join(code) + text[end:]


def split_python(text):
    """Comments and docstrings are text."""
    lines = text.split("\n")
    people = [""] * len(lines)
    fresh = True
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        (first, start), (last, end) = token.start, token.end
        docstring = token.type == tokenize.STRING and fresh
        if token.type == tokenize.COMMENT or docstring:
            for number in range(first, last + 1):
                line = lines[number - 1]
                low = start if number == first else 0
                high = end if number == last else len(line)
                people[number - 1] += line[low:high]
                lines[number - 1] = line[:low] + " " * (high - low) + line[high:]
        if token.type not in (tokenize.COMMENT, tokenize.NL):
            fresh = token.type in (tokenize.NEWLINE, tokenize.INDENT, tokenize.DEDENT,
                                   tokenize.ENCODING)
    return "\n".join(people), "\n".join(lines)


def split_lines(text):
    """Shell and Meson: a comment is a whole line or follows two blanks."""
    people, code = [], []
    for line in text.split("\n"):
        found = re.match(r"(\s*|.*?\s{2,})#( .*|$)", line)
        people.append(found[2] if found else "")
        code.append(found[1] if found else line)
    return "\n".join(people), "\n".join(code)


def split(path, text):
    """The text and the code of a file; both have the number of lines of the file."""
    if path.suffix in (".c", ".h"):
        return split_c(text)
    if path.suffix == ".py":
        return split_python(text)
    if path.suffix == ".md":
        return text, "\n".join(PRINTED.findall(text))
    return split_lines(text)


def tree(root=ROOT):
    """Paths of all files of the tree, from git or, without it, from the folders."""
    listed = subprocess.run(["git", "-C", root, "ls-files", "-co", "--exclude-standard"],
                            capture_output=True, text=True)
    if listed.returncode == 0:
        paths = [root / name for name in listed.stdout.split("\n") if name]
        return sorted(path for path in paths if path.is_file())
    folders = ["include", "lib", "examples", "tests", "docs"]
    inside = [path for name in folders for path in (root / name).rglob("*")]
    return sorted(path for path in [*root.iterdir(), *inside]
                  if path.is_file() and "__pycache__" not in path.parts)
