"""Prepares a file for Doxygen, which reads it instead of the file itself.

Each header becomes a group, named after its object, with the text of its head. The
manual in lstm/lstm.h becomes the main page. In a page, links to other pages and to headers
become references, and links to all other files plain text.

usage: doxygen_filter.py FILE
"""
import pathlib
import re
import sys

ROOT = pathlib.Path(__file__).resolve().parents[1]
MANUAL = "lstm/lstm.h"


def group(path):
    """Name of the group of a header, such as lstm_layer; mnist/mnist.h is mnist."""
    library, name = path.parent.name, path.stem
    return library if library == name else f"{library}_{name}"


def label(path):
    """Name of a page, for references."""
    return f"page_{path.stem.lower().replace('-', '_')}"


def sentence(head):
    """The first sentence of a header's comment, without its full stop."""
    words = " ".join(re.sub(r"^ \*", "", head, flags=re.M).split())
    return re.split(r"\.(?: |$)", words)[0]


def pages():
    """A line for each page, with its title."""
    found = [ROOT / "README.md", *sorted((ROOT / "docs").glob("*.md"))]
    titles = [re.search(r"^# (.*)", path.read_text(encoding="utf-8"))[1] for path in found]
    return "".join(f" * - @ref {label(path)} \"{title}\"\n"
                   for path, title in zip(found, titles, strict=True))


def manual(text):
    """lstm/lstm.h with its head as the main page."""
    text = re.sub(r"@file\n \* (.*)\n", r"@mainpage\n * \1\n", text, count=1)
    text = re.sub(r"\| (\w+)\.h ", r'| @ref lstm_\1 "\1.h" ', text)
    return text.replace("\n */", "\n *\n * The first header of libmnist is @ref mnist "
                        '"mnist/mnist.h".\n *\n * Pages:\n' + pages() + " */", 1)


def header(path, text):
    name = path.relative_to(ROOT / "include").as_posix()
    if name == MANUAL:
        return manual(text)
    head = re.search(r"@file\n(.*?) \*/", text, re.S)[1]
    begin = f"/** @defgroup {group(path)} {name}: {sentence(head)}\n{head} * @{{ */"
    text = text.replace("@file\n", f"@file\n * @ingroup {group(path)}\n", 1)
    if path.stem == path.parent.name:  # It includes the other headers.
        return f"{text}\n{begin}\n/** @}} */\n"
    return text.replace("/* cdef begin */", begin).replace("/* cdef end */", "/** @} */")


def page(path, text):
    def link(found):
        words, target = found[1], found[2]
        file = (path.parent / target.split("#")[0]).resolve()
        if target.startswith("http"):
            return found[0]
        if file.suffix == ".md":
            return f"[{words}](@ref {label(file)})"
        if file.suffix == ".h" and file.parents[1].name == "include" and words:
            return f"[{words}](@ref {group(file)})" if file.stem != "lstm" else words
        return words

    text = re.sub(r"(?<!!)\[([^\]]+)\]\(([^)\s]+)\)", link, text)
    return re.sub(r"^# (.*)$", rf"# \1 {{#{label(path)}}}", text, count=1, flags=re.M)


def main():
    path = pathlib.Path(sys.argv[1]).resolve()
    text = path.read_text(encoding="utf-8")
    sys.stdout.reconfigure(encoding="utf-8")
    sys.stdout.write((header if path.suffix == ".h" else page)(path, text))


if __name__ == "__main__":
    main()
