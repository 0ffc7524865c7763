"""Mutated headers and metadata: liblstm reads exactly what Python's json and the rules of
docs/file-format.md accept, with the same content, and nothing that the reference
implementation of safetensors refuses.

usage: test_json.py [TEXTS [SEED]] (with LIBLSTM in the environment)
"""
import json
import pathlib
import random
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
import liblstm  # noqa: E402

try:
    import safetensors
except ImportError:
    safetensors = None
TEXTS, SEED = 6000, 1
PRECISIONS = ("float32", "bfloat16", "int8")
BITS = {"F32": 32, "F64": 64, "F16": 16, "BF16": 16, "BOOL": 8, "U8": 8, "I8": 8,
        "F8_E4M3": 8, "F8_E5M2": 8, "F8_E8M0": 8, "F4": 4, "F6_E2M3": 6, "F6_E3M2": 6,
        "U16": 16, "I16": 16, "U32": 32, "I32": 32, "U64": 64, "I64": 64, "C64": 64}
# Headers, and how many bytes of values follow each.
HEADERS = [
    ('{}', 0),
    ('{"__metadata__":{"format":"pt","caf\u00e9 \\u00e9\\n\\ud83d\\ude00":"\\"\\\\/"},'
    '"w":{"dtype":"F32","shape":[2,3],"data_offsets":[0,24]},'
    '"b":{"dtype":"BF16","shape":[2],"data_offsets":[24,28]}}', 28),
    ('{ "a.b" : {"shape" : [ ] , "dtype" : "F64","data_offsets":[ 4 , 12 ]},\n\t"\u20ac\U0001f600":'
    ' {"data_offsets":[0,4],"dtype":"U8","shape":[2,2]}, "empty":{"dtype":"I64",'
    '"shape":[0,7],"data_offsets":[12,12]}}  ', 12),
    ('{"x":{"dtype":"NEW","shape":[1,2,3],"data_offsets":[0,10]},"__metadata__":{}}', 10),
]
LAYER = ('{"version":"1.0","inputs":3,"hidden":2,"layers":1,"proj_size":0,"dropout":0.25,'
         '"bias":false,"batch_first":true,"bidirectional":false,"precision":"bfloat16",'
         '"more":10,"even":-1.5e-3,"text":"\u00e9","none":null}')
SNIPPETS = [b'"', b"\\", b"{", b"}", b"[", b"]", b",", b":", b" ", b"\n", b"0", b"1", b"-",
            b".", b"e5", b"true", b"null", b"NaN", b"\\u0000", b"\\ud800", b"\\udc00",
            b"\\u00e9", b"\xc3\xa9", b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\x00",
            b"18446744073709551615", b"18446744073709551616", b'"w"', b'"dtype"', b'"F32"',
            b'"shape"', b"1.0", b"2.0"]


class Refused(Exception):
    pass


def need(condition):
    if not condition:
        raise Refused


class Unsigned(int):
    """An integer that was written without a sign."""


def parse(text):
    """The content of a strict JSON text."""
    def pairs(items):
        need(len(dict(items)) == len(items))
        return dict(items)

    def constant(name):
        raise Refused

    try:
        tree = json.loads(text.decode("utf-8"), object_pairs_hook=pairs,
                          parse_constant=constant,
                          parse_int=lambda x: int(x) if x[0] == "-" else Unsigned(x))
        json.dumps(tree, ensure_ascii=False).encode("utf-8")
    except (ValueError, RecursionError):
        raise Refused from None
    return tree


def strings(tree):
    if isinstance(tree, dict):
        for key, value in tree.items():
            yield key
            yield from strings(value)
    elif isinstance(tree, str):
        yield tree


def is_size(value):
    return isinstance(value, Unsigned) and value < 1 << 64


def read_header(text, size):
    """Tensors and metadata of a header, as the page on the format says."""
    need(text[:1] == b"{")
    tree = parse(text)
    need("\0" not in "".join(strings(tree)))
    metadata = tree.pop("__metadata__", {})
    need(isinstance(metadata, dict))
    need(all(isinstance(value, str) for value in metadata.values()))
    spans = []
    for entry in tree.values():
        need(isinstance(entry, dict) and set(entry) == {"dtype", "shape", "data_offsets"})
        shape, offsets = entry["shape"], entry["data_offsets"]
        need(isinstance(entry["dtype"], str))
        need(isinstance(shape, list) and all(map(is_size, shape)))
        need(isinstance(offsets, list) and len(offsets) == 2)
        need(all(map(is_size, offsets)) and offsets[0] <= offsets[1])
        count = 1
        for extent in shape:
            count *= extent
            need(count < 1 << 64 or entry["dtype"] not in BITS)
        bits = BITS.get(entry["dtype"])
        need(bits is None or count * bits == 8 * (offsets[1] - offsets[0]))
        spans.append(tuple(offsets))
    end = 0
    for start, stop in sorted(spans):
        need(start == end)
        end = stop
    need(end == size)
    return {name: (entry["dtype"], tuple(entry["shape"]))
            for name, entry in tree.items()}, metadata


def read_layer(text):
    """Options of the layer of three inputs and two units in a text of the metadata."""
    options = parse(text)
    need(isinstance(options, dict) and len(options) <= 64)
    need(not any(isinstance(value, (dict, list)) for value in options.values()))
    version = options.get("version", "1.0")
    need(isinstance(version, str) and version.startswith("1."))
    for name, value in (("inputs", 3), ("hidden", 2), ("layers", 1), ("proj_size", 0)):
        need(isinstance(options.get(name), Unsigned) and options[name] == value)
    dropout = options.get("dropout")
    need(isinstance(dropout, (int, float)) and not isinstance(dropout, bool))
    need(0 <= dropout <= 1)
    for name in ("bias", "batch_first", "bidirectional"):
        need(isinstance(options.get(name), bool))
    precision = options.get("precision", "float32")
    need(isinstance(precision, str) and precision in PRECISIONS)
    return (float(dropout), not options["bias"], options["batch_first"],
            options["bidirectional"], PRECISIONS.index(precision))


def mutated(text, draw):
    text = bytearray(text)
    for _ in range(draw.choice((1, 1, 1, 2, 3))):
        at = draw.randrange(len(text) + 1)
        end = min(len(text), at + draw.choice((0, 1, 1, 2, 5, 20)))
        kind = draw.randrange(4)
        if kind == 0:
            text[at:end] = draw.choice(SNIPPETS)
        elif kind == 1:
            text[at:at] = text[draw.randrange(len(text) + 1):][:draw.choice((1, 7, 40))]
        elif kind == 2:
            del text[at:end]
        elif at < len(text):
            text[at] = draw.randrange(256)
    return bytes(text)


def attempt(function, *arguments):
    try:
        return function(*arguments)
    except Refused:
        return None


def opened(text, data):
    """What liblstm reads of a file with this header; None when it refuses it."""
    try:
        with liblstm.File(struct.pack("<Q", len(text)) + text + data) as file:
            return file.tensors(), file.metadata()
    except liblstm.Error:
        return None


class Json(unittest.TestCase):
    def test_headers_are_read_as_python_reads_them(self):
        draw, read = random.Random(SEED), 0
        for number in range(TEXTS):
            text, size = HEADERS[number % len(HEADERS)]
            text = text.encode()
            text = mutated(text, draw) if number >= len(HEADERS) else text
            found = opened(text, bytes(size))
            self.assertEqual(found, attempt(read_header, text, size), text)
            read += found is not None
            if found and safetensors and all(kind in BITS for kind, _ in found[0].values()):
                safetensors.deserialize(struct.pack("<Q", len(text)) + text + bytes(size))
        self.assertGreater(read, TEXTS // 20)
        print(f"{TEXTS} headers: {read} read, the others refused by both")

    def test_options_are_read_as_python_reads_them(self):
        draw, read = random.Random(SEED + 1), 0
        tensors = {name: {"dtype": "F32", "shape": shape, "data_offsets": offsets}
                   for name, shape, offsets in (("weight_ih_l0", [8, 3], [0, 96]),
                                                ("weight_hh_l0", [8, 2], [96, 160]))}
        for number in range(TEXTS):
            text = mutated(LAYER.encode(), draw) if number else LAYER.encode()
            try:
                value = text.decode("utf-8")
            except UnicodeDecodeError:
                continue
            if "\0" in value:
                continue
            header = {"__metadata__": {"lstm.layer.": value}, **tensors}
            expected = attempt(read_layer, text)
            content = json.dumps(header).encode()
            with liblstm.File(struct.pack("<Q", len(content)) + content + bytes(160)) as file:
                try:
                    c = file.layer_config("")
                    found = (c.dropout, c.no_bias, c.batch_first, c.bidirectional,
                             c.precision)
                except liblstm.Error:
                    found = None
            if expected and "\\u0000" in value:
                expected = None
            self.assertEqual(found, expected, text)
            read += found is not None
        self.assertGreater(read, TEXTS // 20)
        print(f"{TEXTS} options: {read} read, the others refused by both")


if __name__ == "__main__":
    if len(sys.argv) > 1:
        TEXTS, SEED = int(sys.argv[1]), int((sys.argv + [1])[2])
    unittest.main(argv=sys.argv[:1], verbosity=2)
