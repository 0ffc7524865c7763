"""Safetensors files and an LSTM in Python's standard library alone, independent of liblstm."""
import array
import json
import math
import struct
import zlib


def flat(rows):
    """Shape and values of a nested list."""
    shape, values = [], rows
    while isinstance(values, list):
        shape.append(len(values))
        values = values[0] if values else None
    for _ in shape[1:]:
        rows = [value for row in rows for value in row]
    return shape, array.array("f", rows)


def encode(tensors, metadata=None):
    """Bytes of a file; tensors are nested lists by name."""
    header, data = {"__metadata__": metadata} if metadata else {}, b""
    for name, rows in tensors.items():
        shape, values = flat(rows)
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + 4 * len(values)]}
        data += values.tobytes()
    text = json.dumps(header).encode()
    return struct.pack("<Q", len(text)) + text + data


def write(path, tensors, metadata=None):
    path.write_bytes(encode(tensors, metadata))
    return path


def decode(content):
    """Tensors, pairs of a shape and values, and metadata of a file. Raises ValueError if the
    file is damaged: sizes or one of the checksums that liblstm writes are wrong."""
    if len(content) < 8:
        raise ValueError(f"has {len(content)} bytes")
    start = 8 + struct.unpack("<Q", content[:8])[0]
    if start > len(content):
        raise ValueError(f"the header ends at {start}, the file at {len(content)}")
    header = json.loads(content[8:start])
    metadata, tensors, end = header.pop("__metadata__", {}), {}, start
    for name, entry in header.items():
        first, last = (start + offset for offset in entry["data_offsets"])
        data = content[first:last]
        wanted = metadata.get(f"lstm.crc32.{name}", f"{zlib.crc32(data):08x}")
        if entry["dtype"] == "F32" and len(data) != 4 * math.prod(entry["shape"]):
            raise ValueError(f"{name} has {len(data)} bytes")
        if wanted != f"{zlib.crc32(data):08x}":
            raise ValueError(f"the checksum of {name} is wrong")
        tensors[name], end = (entry["shape"], data), max(end, last)
    if end != len(content):
        raise ValueError(f"the tensors end at {end}, the file at {len(content)}")
    return tensors, metadata


def change(path, edit):
    """Rewrites a file without checksums: edit takes the tensors, pairs of a shape and bytes,
    and the metadata."""
    tensors, metadata = decode(path.read_bytes())
    metadata = {key: text for key, text in metadata.items()
                if not key.startswith("lstm.c")}
    edit(tensors, metadata)
    header, data = {"__metadata__": metadata}, b""
    for name, (shape, values) in tensors.items():
        header[name] = {"dtype": "F32", "shape": shape,
                        "data_offsets": [len(data), len(data) + len(values)]}
        data += values
    text = json.dumps(header).encode()
    path.write_bytes(struct.pack("<Q", len(text)) + text + data)


def sigmoid(x):
    return 1 / (1 + math.exp(-x))


def dot(a, b):
    return math.fsum(x * y for x, y in zip(a, b))


def step(tensors, prefix, x, h, c):
    """A step of an LSTM of one layer with the tensors of encode(): the new h and c."""
    name = f"{prefix}." if prefix else ""
    w_ih, w_hh, b_ih, b_hh = (tensors[f"{name}{part}_l0"] for part in
                              ("weight_ih", "weight_hh", "bias_ih", "bias_hh"))
    gates = [dot(w_ih[j], x) + dot(w_hh[j], h) + b_ih[j] + b_hh[j] for j in range(len(w_ih))]
    size = len(c)
    i, f, g, o = (gates[k * size:(k + 1) * size] for k in range(4))
    c = [sigmoid(f[j]) * c[j] + sigmoid(i[j]) * math.tanh(g[j]) for j in range(size)]
    return [sigmoid(o[j]) * math.tanh(c[j]) for j in range(size)], c


def head(tensors, h):
    return [dot(row, h) + bias for row, bias in zip(tensors["fc.weight"], tensors["fc.bias"])]


def lstm(rng, inputs, hidden, outputs=0, prefix="lstm"):
    """Tensors of an LSTM and, with outputs, a linear layer fc, drawn from rng."""
    name = f"{prefix}." if prefix else ""

    def draw(*shape):
        values = [draw(*shape[1:]) if shape[1:] else rng.uniform(-1, 1)
                  for _ in range(shape[0])]
        # Values of float32, so that both sides compute with the same.
        return values if shape[1:] else array.array("f", values).tolist()

    tensors = {f"{name}weight_ih_l0": draw(4 * hidden, inputs),
               f"{name}weight_hh_l0": draw(4 * hidden, hidden),
               f"{name}bias_ih_l0": draw(4 * hidden), f"{name}bias_hh_l0": draw(4 * hidden)}
    if outputs:
        tensors |= {"fc.weight": draw(outputs, hidden), "fc.bias": draw(outputs)}
    return tensors
