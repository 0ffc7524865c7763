"""Command lines whose calls fail, and the files that they need."""
import dataclasses
import math
import pathlib
import random
import struct
import subprocess
import zlib


@dataclasses.dataclass
class Case:
    """A command: the program, its words, the files that it finds, and its standard input: a
    text or the name of a file. several: it goes on after a failure with one of its files;
    optional: the program may be built without what it needs."""
    name: str
    program: str
    words: list[str]
    files: list[str]
    text: bytes = b""
    several: bool = False
    optional: bool = False

    def input(self, base):
        """What the program reads from standard input."""
        path = base / self.text.decode().split("\n")[0]
        return path.read_bytes() if self.text and path.is_file() else self.text


# Small and fast; two threads, so that a thread can fail.
TRAIN = ["--hidden", "4", "--layers", "1", "--epochs", "2", "--batch-size", "8",
         "--threads", "2", "--offline", "--force"]
DIGITS = ["train-images-idx3-ubyte", "train-labels-idx1-ubyte", "t10k-images-idx3-ubyte",
          "t10k-labels-idx1-ubyte"]
DATA = [f"data/{name}" for name in DIGITS]

CASES = [
    Case("train", "mnist-train", [*TRAIN, "--synthetic=24", "--seed", "1", "--save", "new",
                                  "--log", "log.csv", "--checkpoint", "point"], []),
    Case("train, report", "mnist-train", [*TRAIN, "--synthetic=24", "--seed", "1", "--save",
                                          "new", "--tensorboard", "events", "--log",
                                          "log.jsonl", "--report", "report.html",
                                          "--validation", "4"], []),
    Case("train, both", "mnist-train", [*TRAIN, "--synthetic=24", "--seed", "1", "--save",
                                        "new", "--read", "both", "--bidirectional"], []),
    Case("train, no seed", "mnist-train", [*TRAIN, "--synthetic=24", "--no-save"], []),
    Case("train, file", "mnist-train", [*TRAIN, "--data", "data", "--seed", "1", "--save",
                                        "new"], DATA),
    Case("train, gzip", "mnist-train", [*TRAIN, "--data", "packed", "--seed", "1",
                                        "--no-save"], [f"packed/{name}.gz" for name in DIGITS]),
    Case("train, validation", "mnist-train",
         [*TRAIN, "--synthetic=24", "--seed", "1", "--save", "new", "--validation", "4",
          "--keep", "best", "--augment", "shift:2,elastic:3"], []),
    Case("train, resume", "mnist-train", ["--resume", "half", "--epochs", "2", "--threads",
                                          "2", "--save", "new", "--force"], ["half"]),
    Case("train, load", "mnist-train", ["--load", "digits", "--epochs", "1", "--batch-size",
                                        "8", "--threads", "2", "--synthetic=24", "--seed",
                                        "1", "--schedule", "cosine", "--save", "new",
                                        "--force"],
         ["digits"]),
    Case("train, ranks", "mnist-train",
         [*TRAIN, "--synthetic=24", "--seed", "1", "--save", "new", "--checkpoint", "point",
          "--shards", "3", "--ranks", "2", "--augment", "rotate:9"], []),
    Case("train, test", "mnist-train", ["--load", "digits", "--epochs", "0", "--synthetic=24",
                                        "--seed", "1", "--no-save"], ["digits"]),
    Case("predict", "mnist-predict", ["digits", "digit.pgm"], ["digits", "digit.pgm"]),
    Case("predict, both", "mnist-predict", ["both", "digit.pgm"], ["both", "digit.pgm"]),
    Case("predict, permuted", "mnist-predict", ["permuted", "digit.pgm"],
         ["permuted", "digit.pgm"]),
    Case("predict, text", "mnist-predict", ["digits", "digit.pnm"], ["digits", "digit.pnm"]),
    Case("predict, png", "mnist-predict", ["digits", "digit.png"], ["digits", "digit.png"],
         optional=True),
    Case("predict, several", "mnist-predict", ["--show", "digits", "digit.pgm", "large.pgm"],
         ["digits", "digit.pgm", "large.pgm"], several=True),
    Case("predict, json", "mnist-predict", ["--json", "digits", "images"],
         ["digits", "images"]),
    Case("predict, explain", "mnist-predict", ["--explain", "new.svg", "digits", "digit.pgm"],
         ["digits", "digit.pgm"]),
    Case("predict, stdin", "mnist-predict", ["digits", "-"], ["digits"], b"digit.pgm"),
    Case("charlm, train", "charlm", ["--hidden", "4", "--threads", "2", "--length", "30",
                                     "--save", "new", "text", "2"], ["text"]),
    Case("charlm, resume", "charlm", ["--resume", "chars", "--save", "chars", "--length",
                                      "30", "text", "2"], ["chars", "text"]),
    Case("charlm, load", "charlm", ["--load", "chars", "--length", "30", "a"], ["chars"]),
    Case("charlm, bytes", "charlm", ["--hidden", "4", "--length", "30", "--held-out", "0",
                                     "--temperature", "0", "latin", "1"], ["latin"]),
    Case("stream", "stream", ["--state", "state", "--save-state", "state", "waves"],
         ["waves", "state"], b"# waves\n" + b"1\n2.5\n" * 20),
    Case("stream, keys", "stream", ["keys"], ["keys"], b"1\n2\n3\n"),
    Case("forecast", "forecast", ["waves.csv", "height", "new.svg", "new"], ["waves.csv"]),
    Case("amp, train", "lstm-amp", ["--hidden", "3", "--epochs", "2", "--batch", "2",
                                    "--threads", "2", "train", "dry.wav", "wet.wav",
                                    "new.safetensors", "new.aidax"], ["dry.wav", "wet.wav"]),
    Case("amp, play", "lstm-amp", ["play", "amp.safetensors", "dry.wav", "new.wav"],
         ["amp.safetensors", "dry.wav"]),
    Case("amp, export", "lstm-amp", ["--format", "guitarml", "export", "amp.safetensors",
                                     "new.nam", "new.json"], ["amp.safetensors"]),
    Case("embed", "lstm-embed", ["digits"], ["digits"]),
    Case("embed, standalone", "lstm-embed", ["--standalone", "digits"], ["digits"]),
    Case("embed, stdin", "lstm-embed", ["--name", "net", "-"], [], b"digits"),
]


def picture(side=28):
    """A dark vertical stroke on white."""
    return [[0 if abs(x - side // 2) < 2 and 4 < y < side - 4 else 255
             for x in range(side)] for y in range(side)]


def png(rows):
    """A grey picture of 8 bits."""
    def chunk(name, data):
        content = name + data
        return struct.pack(">I", len(data)) + content + struct.pack(">I", zlib.crc32(content))

    lines = b"".join(b"\0" + bytes(row) for row in rows)
    header = struct.pack(">IIBBBBB", len(rows[0]), len(rows), 8, 0, 0, 0, 0)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) +
            chunk(b"IDAT", zlib.compress(lines)) + chunk(b"IEND", b""))


def idx(shape, values):
    return struct.pack(f">HBB{len(shape)}I", 0, 8, len(shape), *shape) + bytes(values)


def write_digits(folder):
    """Files of 24 and 8 images in MNIST's format."""
    rng = random.Random(1)
    (folder / "data").mkdir()
    (folder / "packed").mkdir()
    for name in DIGITS:
        count = 24 if name.startswith("train") else 8
        if "images" in name:
            content = idx((count, 28, 28), rng.randbytes(count * 28 * 28))
        else:
            content = idx((count,), [i % 10 for i in range(count)])
        (folder / "data" / name).write_bytes(content)
        packer = zlib.compressobj(wbits=31)
        (folder / "packed" / f"{name}.gz").write_bytes(packer.compress(content) +
                                                       packer.flush())


def prepare(folder: pathlib.Path, programs):
    """Writes all files of the cases to a folder."""
    def run(program, *words, text=b""):
        subprocess.run([programs[program], *words], cwd=folder, input=text, check=True,
                       stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)

    write_digits(folder)
    rows = picture()
    (folder / "digit.pgm").write_bytes(b"P5 28 28 255\n" + b"".join(map(bytes, rows)))
    (folder / "digit.pnm").write_text("P2 28 28 255\n" + "\n".join(
        " ".join(map(str, row)) for row in rows) + "\n")
    (folder / "digit.png").write_bytes(png(rows))
    (folder / "images").write_bytes(idx((2, 28, 28), b"".join(map(bytes, rows + rows))))
    large = picture(300)
    (folder / "large.pgm").write_bytes(b"P5 300 300 255\n" + b"".join(map(bytes, large)))
    (folder / "latin").write_bytes("a small text, naïve\n".encode("latin-1") * 20)
    (folder / "text").write_text("a small text, naïve\n" * 20)
    # Several buffers long, so that a read can fail in the middle.
    (folder / "waves.csv").write_text("time,height,note\n" + "".join(
        f"{i},{3 + 2 * math.sin(i / 4):.6f},{'a note ' * 30}\n" for i in range(80)))
    run("mnist-train", *TRAIN, "--synthetic=24", "--seed", "1", "--save", "digits")
    for order in "both", "permuted":
        run("mnist-train", *TRAIN, "--synthetic=8", "--seed", "1", "--save", order, "--read",
            order)
    run("mnist-train", *TRAIN[:4], *TRAIN[6:], "--epochs", "1", "--synthetic=24", "--seed",
        "1", "--no-save", "--checkpoint", "half")
    run("charlm", "--hidden", "4", "--save", "chars", "text", "1")
    run("forecast", "waves.csv", "height", "waves.svg", "waves")
    run("stream", "--save-state", "state", "waves", text=b"1\n2\n")
    import models
    import sounds
    dry = sounds.notes(0.5, 8000)
    sounds.write(folder / "dry.wav", dry, 8000)
    sounds.write(folder / "wet.wav", sounds.device(dry), 8000)
    run("lstm-amp", "--hidden", "3", "--epochs", "1", "--no-skip", "train", "dry.wav",
        "wet.wav", "amp.safetensors")
    models.write(folder / "keys", models.lstm(random.Random(1), 1, 3, 1) |
                 {"lstm.h0": [[0.5, 0.0, 0.25]], "lstm.c0": [[1.0, 0.5, 0.0]]},
                 {"scale": "2 0.5", "model.in_gain": "-6", "model.out_gain": "3",
                  "model.skip": "1", "model.activation": "tanh"})
