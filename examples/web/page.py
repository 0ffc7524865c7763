"""Makes the page in which one draws a digit: one HTML file with a model and the library in
WebAssembly.

usage: page.py [--build FOLDER] MODEL OUT.html

MODEL is a classifier of mnist-train, or of another program with the same names of tensors.
Its values are rounded to bfloat16. FOLDER is where the library is compiled (default
build-web); needs clang, wasm-ld, wasi-libc, meson and ninja: page.sh installs them.
"""
import argparse
import array
import base64
import hashlib
import html
import json
import math
import os
import pathlib
import re
import struct
import subprocess
import sys
import zlib

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
ROWS, CLASSES = 28, 10
MOST_HEADER = 100_000_000
LARGEST_PAGE = 1_200_000
# Numbers of a data type: bytes, and the code of struct; bfloat16 is half of a float32.
KINDS = {"F64": (8, "d"), "F32": (4, "f"), "F16": (2, "e"), "BF16": (2, None)}
# Keys of docs/file-format.md that change nothing in a network of one direction that reads
# row by row, with the values that do; None for all.
OBEYED = {"model.output": ("steps", "last", "states"),
          "model.activation": ("softmax", "log_softmax"), "model.samplerate": None}
MARK = "<title>Draw a digit</title>"


class Refused(Exception):
    """A message for the user."""


def read_header(path, content):
    size = struct.unpack("<Q", content[:8])[0] if len(content) >= 8 else 0
    if not 2 <= size <= min(MOST_HEADER, len(content) - 8):
        raise Refused(f"{path}: is not a safetensors file")
    try:
        header = json.loads(content[8:8 + size])
        names = header.pop("__metadata__", {})
        tensors = {name: (entry["dtype"], entry["shape"], *entry["data_offsets"])
                   for name, entry in header.items()}
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise Refused(f"{path}: is not a safetensors file: {error!r}") from None
    return names, tensors, content[8 + size:]


def values_of(path, name, kind, data):
    """The values of a tensor as float32."""
    size, code = KINDS[kind]
    count = len(data) // size
    if code is None:
        data = b"".join(b"\0\0" + data[i:i + 2] for i in range(0, len(data), 2))
        code = "f"
    try:
        values = array.array("f", struct.unpack(f"<{count}{code}", data))
    except (struct.error, OverflowError) as error:
        raise Refused(f"{path}: {name}: {error}") from None
    if not all(map(math.isfinite, values)):
        raise Refused(f"{path}: {name}: has a value that is not finite")
    return values


def to_bfloat16(path, name, values):
    """Rounded to nearest, ties to even."""
    bits = struct.unpack(f"<{len(values)}I", struct.pack(f"<{len(values)}f", *values))
    rounded = [b + 0x7FFF + (b >> 16 & 1) >> 16 for b in bits]
    if any(half & 0x7FFF == 0x7F80 for half in rounded):
        raise Refused(f"{path}: {name}: has a value that is too large for bfloat16")
    return struct.pack(f"<{len(rounded)}H", *rounded)


def check_network(path, shapes):
    """Refuses what the page could not read a digit with; returns a description."""
    first = [name for name in shapes if name.split(".")[-1] in ("weight_ih_l0", "weight_ih")]
    if len(first) != 1:
        raise Refused(f"{path}: has {len(first)} LSTMs, expected 1")
    four, inputs = shapes[first[0]]
    prefix = first[0][:-len(first[0].split(".")[-1])]
    if inputs != ROWS:
        raise Refused(f"{path}: the LSTM has {inputs} inputs, expected {ROWS}, a row of an "
                      "image")
    if any(name.startswith(prefix) and name.endswith("_reverse") for name in shapes):
        raise Refused(f"{path}: the LSTM reads in both directions, expected one: the page "
                      "shows how the answer changes from the first row to the last")
    for name in "embedding.weight", prefix + "h0", prefix + "c0":
        if name in shapes:
            raise Refused(f"{path}: has {name}, expected none: the page computes the LSTM, "
                          "from zeros, and the linear layer alone")
    heads = [name for name, shape in shapes.items() if len(shape) == 2 and
             shape[0] == CLASSES and not name.startswith(prefix + "weight_")]
    if not heads:
        raise Refused(f"{path}: has no linear layer with {CLASSES} outputs, the digits")
    layers = sum(bool(re.fullmatch(re.escape(prefix) + r"weight_ih(_l\d+)?", name))
                 for name in shapes)
    count = sum(math.prod(shape) for shape in shapes.values())
    return (f"{layers} layer{'s' * (layers > 1)} of {four // 4} units, {count:,} parameters "
            "rounded to bfloat16")


def check_keys(path, metadata):
    """The file of the page has no such keys, so that those which change the outputs are
    refused."""
    for key, text in metadata.items():
        if key != "scale" and not key.startswith("model."):
            continue
        values = OBEYED.get(key, ())
        if values is None or text in values:
            continue
        raise Refused(f"{path}: metadata {key} is {text!r}, expected "
                      f"{' or '.join(values) or 'none'}: the page reads row by row, from "
                      "the first to the last, and computes the LSTM and the linear layer alone")


def read_model(path):
    """The model as a safetensors file of bfloat16 values, and its description."""
    try:
        content = pathlib.Path(path).read_bytes()
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None
    metadata, tensors, data = read_header(path, content)
    check_keys(path, metadata)
    header, blocks, end = {}, [], 0
    for name, (kind, shape, start, stop) in tensors.items():
        if name.startswith("__adam__."):
            continue
        if kind not in KINDS:
            raise Refused(f"{path}: {name}: has the data type {kind}, expected one of "
                          f"{', '.join(KINDS)}")
        block = data[start:stop]
        if len(block) != math.prod(shape) * KINDS[kind][0]:
            raise Refused(f"{path}: {name}: has {len(block)} bytes, expected "
                          f"{math.prod(shape) * KINDS[kind][0]}")
        checksum = metadata.get("lstm.crc32." + name)
        if checksum and int(checksum, 16) != zlib.crc32(block):
            raise Refused(f"{path}: {name}: the checksum is wrong, the file is damaged")
        values = values_of(path, name, kind, block)
        blocks.append(to_bfloat16(path, name, values))
        header[name] = {"dtype": "BF16", "shape": shape,
                        "data_offsets": [end, end + len(blocks[-1])]}
        end += len(blocks[-1])
    about = check_network(path, {name: entry["shape"] for name, entry in header.items()})
    header["__metadata__"] = {key: text for key, text in metadata.items()
                              if key.startswith("lstm.layer.")}
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    return struct.pack("<Q", len(text)) + text + b"".join(blocks), about


def run(command):
    done = subprocess.run(command, text=True, capture_output=True, stdin=subprocess.DEVNULL)
    if done.returncode:
        sys.stderr.write(done.stdout + done.stderr)
        raise Refused(f"{' '.join(map(str, command))} failed with {done.returncode}")


def build(folder, options=()):
    """Compiles for WebAssembly; returns the folder."""
    folder = pathlib.Path(folder)
    if not (folder / "build.ninja").exists():
        run(["meson", "setup", folder, ROOT, "--cross-file", ROOT / "lib/wasi/wasm32.ini",
             "-Doptimization=s", "-Ddebug=false", "-Db_ndebug=true", "-Dblas=builtin",
             "-Ddownload=disabled", "-Dtests=false", *options])
    run(["ninja", "-C", folder])
    return folder


def digest(text):
    return "'sha256-" + base64.b64encode(hashlib.sha256(text.encode()).digest()).decode() + "'"


def make_page(model, about, wasm):
    style = (HERE / "page.css").read_text()
    script = "".join((HERE / name).read_text() for name in ("digits.js", "page.js"))
    parts = {
        "STYLE": style,
        "SCRIPT": script,
        # Nothing comes from elsewhere, and nothing goes anywhere.
        "POLICY": f"default-src 'none'; script-src {digest(script)} 'wasm-unsafe-eval'; "
                  f"style-src {digest(style)}; img-src data:; base-uri 'none'; "
                  "form-action 'none'",
        "MODEL": html.escape(about),
        "WASM": base64.b64encode(wasm).decode(),
        "WEIGHTS": base64.b64encode(model).decode(),
    }
    return re.sub(r"@([A-Z]+)@", lambda found: parts[found.group(1)],
                  (HERE / "page.html").read_text())


def write(path, text):
    """Replaces the file, if it is such a page."""
    out = pathlib.Path(path)
    try:
        if out.exists() and (not out.is_file() or MARK.encode() not in out.read_bytes()):
            raise Refused(f"{path}: is something else than such a page, and stays")
        beside = out.with_name(f"{out.name}.{os.getpid()}.tmp")
        beside.write_text(text)
        os.replace(beside, out)
    except OSError as error:
        raise Refused(f"{path}: {error.strerror}") from None


def main():
    parser = argparse.ArgumentParser(usage="page.py [--build FOLDER] MODEL OUT.html")
    parser.add_argument("--build", default=ROOT / "build-web", metavar="FOLDER")
    parser.add_argument("model")
    parser.add_argument("out")
    options = parser.parse_args()
    try:
        model, about = read_model(options.model)
        wasm = (build(options.build) / "examples/web/page.wasm").read_bytes()
        page = make_page(model, f"{pathlib.Path(options.model).name}: {about}.", wasm)
        write(options.out, page)
    except Refused as refusal:
        sys.exit(f"page.py: error: {refusal}")
    size = len(page.encode())
    print(f"{options.out}: {size:,} bytes, of which {len(model):,} are the model and "
          f"{len(wasm):,} the library, as text a third more")
    if size > LARGEST_PAGE:
        print(f"page.py: warning: {options.out} is larger than {LARGEST_PAGE:,} bytes; a "
              "model with fewer units makes a smaller page", file=sys.stderr)


if __name__ == "__main__":
    main()
