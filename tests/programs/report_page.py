"""Reads the page of mnist-train --report with Python's HTML parser alone."""
import base64
import html.parser
import struct
import zlib

VOID = {"meta", "img", "br", "link", "input", "hr"}


class Node:
    def __init__(self, tag, attributes, parent):
        self.tag, self.attributes, self.parent = tag, attributes, parent
        self.children = []

    def __getitem__(self, name):
        return self.attributes.get(name, "")

    def text(self):
        return "".join(child if isinstance(child, str) else child.text()
                       for child in self.children)

    def nodes(self):
        for child in self.children:
            if not isinstance(child, str):
                yield child
                yield from child.nodes()

    def all(self, tag, name=None):
        """Elements with a tag, and a class."""
        return [node for node in self.nodes() if node.tag == tag
                and (name is None or name in node["class"].split())]

    def find(self, name):
        """The element with an id."""
        found, = [node for node in self.nodes() if node["id"] == name]
        return found


class Parser(html.parser.HTMLParser):
    """A tree, in which each element that begins also ends."""

    def __init__(self):
        super().__init__()
        self.root = self.at = Node("", {}, None)
        self.problems = []

    def handle_starttag(self, tag, attributes):
        node = Node(tag, {name: value or "" for name, value in attributes}, self.at)
        self.at.children.append(node)
        if tag not in VOID:
            self.at = node

    def handle_startendtag(self, tag, attributes):
        self.at.children.append(Node(tag, dict(attributes), self.at))

    def handle_endtag(self, tag):
        if tag != self.at.tag:
            self.problems.append(f"</{tag}> ends <{self.at.tag}>")
        else:
            self.at = self.at.parent

    def handle_data(self, text):
        self.at.children.append(text)


def parse(text):
    parser = Parser()
    parser.feed(text)
    parser.close()
    if parser.problems or parser.at is not parser.root:
        raise ValueError(f"the page is not balanced: {parser.problems}")
    return parser.root


def pixels(address):
    """Rows, columns and pixels of a grey PNG file in an address."""
    kind, data = address.split(",")
    if kind != "data:image/png;base64":
        raise ValueError(kind)
    data = base64.b64decode(data, validate=True)
    if data[:8] != b"\x89PNG\r\n\x1a\n":
        raise ValueError("the picture is no PNG file")
    at, chunks = 8, {}
    while at < len(data):
        size, = struct.unpack(">I", data[at:at + 4])
        name, body = data[at + 4:at + 8], data[at + 8:at + 8 + size]
        if struct.unpack(">I", data[at + 8 + size:at + 12 + size])[0] != zlib.crc32(name + body):
            raise ValueError(f"the checksum of {name} is wrong")
        chunks[name] = body
        at += 12 + size
    cols, rows, *form = struct.unpack(">IIBBBBB", chunks[b"IHDR"])
    if form != [8, 0, 0, 0, 0]:
        raise ValueError(f"the form of the picture is {form}")
    lines = zlib.decompress(chunks[b"IDAT"])
    if len(lines) != rows * (cols + 1) or any(lines[::cols + 1]):
        raise ValueError("the rows of the picture are wrong")
    return rows, cols, b"".join(lines[i * (cols + 1) + 1:(i + 1) * (cols + 1)]
                                for i in range(rows))


def points(path):
    """The points of a curve."""
    return [tuple(map(float, pair.split())) for pair in path["d"][1:].split("L")]


def matrix(page):
    """The rows of the confusion matrix."""
    body, = page.find("matrix").all("tbody")
    return [[int(cell.text()) for cell in row.all("td")] for row in body.all("tr")]


def table(page, name):
    """The rows of a table as texts."""
    body, = page.find(name).all("tbody")
    return [[cell.text() for cell in row.nodes() if cell.tag in ("td", "th")]
            for row in body.all("tr")]
