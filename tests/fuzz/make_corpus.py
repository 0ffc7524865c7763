"""Writes the corpora of the harnesses, with the project's own writers where they exist.

usage: make_corpus.py (with LIBLSTM in the environment)

Files are small, so that the tree stays small and fuzzers are fast. The script keeps other
files of a corpus: inputs that found an error stay there.
"""
import gzip
import io
import json
import pathlib
import struct
import sys
import tempfile
import zlib

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parents[1] / "examples/python"))

import liblstm


def put(harness, name, data):
    folder = HERE / "corpus" / harness
    folder.mkdir(parents=True, exist_ok=True)
    (folder / name).write_bytes(data if isinstance(data, bytes) else data.encode())


def network(folder, **options):
    """The bytes of a model and of a checkpoint, as liblstm writes them."""
    rng = liblstm.Rng(1)
    params = liblstm.Params(lstm=liblstm.Layer(1, 1, rng=rng, **options),
                            fc=liblstm.Linear(1, 1, rng=rng))
    adam = liblstm.Adam(params)
    adam.step()
    adam.set_parameter(4, 0.5, 0.1)
    params.save(folder / "model", metadata={"note": "caf\u00e9 \"\n"})
    params.save(folder / "checkpoint", adam=adam, rng=rng)
    return (folder / "model").read_bytes(), (folder / "checkpoint").read_bytes()


def parts(model):
    length = struct.unpack("<Q", model[:8])[0]
    return json.loads(model[8:8 + length]), model[8 + length:]


def joined(header, values):
    text = json.dumps(header, separators=(",", ":")).encode()
    return struct.pack("<Q", len(text)) + text + values


def without_checksums(model):
    """The same model as other programs write it."""
    header, values = parts(model)
    metadata = {key: value for key, value in header.pop("__metadata__").items()
                if not key.startswith(("lstm.crc32.", "lstm.checksum"))}
    return joined({"__metadata__": metadata, **header}, values)


def of_dtype(dtype, size):
    header, offset = {}, 0
    for name, shape in (("weight_ih_l0", [4, 1]), ("weight_hh_l0", [4, 1]),
                        ("bias_ih_l0", [4]), ("bias_hh_l0", [4]), ("scalar", [])):
        count = 4 if shape else 1
        header[name] = {"dtype": dtype, "shape": shape,
                        "data_offsets": [offset, offset + count * size]}
        offset += count * size
    return joined(header, bytes(range(offset)))


def models(folder):
    plain, checkpoint = network(folder)
    quantised, _ = network(folder, precision="int8")
    deep, _ = network(folder, layers=2, bidirectional=True, dropout=0.5)
    put("safetensors", "model", plain)
    put("safetensors", "int8", quantised)
    put("safetensors", "int8_foreign", without_checksums(quantised))
    put("safetensors", "foreign", without_checksums(plain))
    put("safetensors", "deep", without_checksums(deep))
    for dtype, size in (("F16", 2), ("F64", 8), ("I8", 1)):
        put("safetensors", dtype.lower(), of_dtype(dtype, size))
    put("safetensors", "pickle", b"PK\x03\x04archive/data.pkl\x80\x02}q\x00.")
    put("embed", "model", b"digits\0" + plain)
    put("embed", "foreign", b"net\0" + without_checksums(plain))
    put("embed", "refused", b"int\0" + plain[:40])

    metadata = parts(checkpoint)[0]["__metadata__"]
    texts = [metadata["lstm.adam"], metadata["lstm.adam.fc.weight"],
             metadata["lstm.rng"][-32:], metadata["lstm.layer.lstm"], ""]
    put("checkpoint", "whole", "\0".join(texts))
    put("checkpoint", "no_slot", "\0".join([texts[0], "", "1", "", ""]))
    put("checkpoint", "steps", "\0".join([texts[0], '{"steps":7}', "a", "", "00000000"]))
    for index in (0, 1, 3):
        put("json", f"object{index}", texts[index])


def texts():
    put("json", "values", r'{"a":-12.5e-3,"b":"\ud83d\ude00\n","c":null,"d":true,"e":false}')
    put("json", "empty", " { } ")
    put("schedule", "step", "step:every=2,gamma=0.5,warmup=1")
    put("schedule", "multistep", "multistep:at=1,at=2.5")
    put("schedule", "exponential", "exponential:gamma=0.9")
    put("schedule", "cosine", "cosine:min=1e-5,warmup=0.5")
    put("schedule", "one-cycle", "one-cycle:rise=0.3,div=25,final-div=1e4")
    put("schedule", "plateau", "plateau:factor=0.5,patience=1,threshold=0.01,cooldown=1")


def command_lines():
    zero = (0.0).hex()
    position = (f"seed 7 samples 8 batch 4 epoch 0 step 0 order 0 loss {zero} of 0 last {zero} "
                f"plateau 0 {zero} 0 0 completed 0 best 0 0 0 seconds {zero}")
    state = {"mnist-train": position.replace("0x0.0p", "0x0p"), "epochs": "3", "schedule": "cosine:warmup=1", "hidden": "8"}
    checkpoint = joined({"__metadata__": state}, b"")
    words = ["--epochs", "2", "--hidden=16", "--proj", "4", "--dropout", "0.5", "--lr", "1e-3",
             "--schedule", "step:every=1", "--bidirectional", "--seed", "7"]
    put("options", "train", "\n".join(words) + "\n\0")
    put("options", "files", "--save\nm\n--log\nl.csv\n--no-save\n--load\nm\n--data\nd\n\0")
    put("options", "names", "--precision\nbf16\n--eval\nend\n--synthetic=60\n--quiet\n\0")
    put("options", "resume", b"--resume\n0\n--threads\n2\n\0" + checkpoint)


def tables():
    for name, text in (
            ("plain", "t,a\n1,2.5\n2,-3e-2\n"),
            ("quoted", '"a ""b""","c\r\nd"\r\n"1,234",""\r\n'),
            ("semicolon", "\ufeffTag;Wert\r\n31.12.2024;1.234,5\r\n1.1.2025;\r\n"),
            ("blanks", "# a comment\n a  b\n 1\t2 \n\n3  4\n"),
            ("column", "a\n1\n\nN/A\n\u22122\n"),
            ("before", "Account;DE1\n\nday;kind;sum\n1;x;2\n1;y;3\n2;x;(1 000)\n"),
            ("times", "sep=|\nwhen|what\nDec 31, 2024|23:59\nQ4 2024|2024-12-31T23:59:59Z\n"),
            ("ragged", "a,b\n1,2\n1,2,3\n"), ("latin", b"a;b\nsch\xf6n;1\n"),
            ("end", 'a,"b')):
        put("csv", name, b"\0" + (text if isinstance(text, bytes) else text.encode()))
    put("csv", "given", b"\2a,b;c\n1,5;2\n")


def streams():
    put("stream", "plain", b"\3")
    put("stream", "gains", b"\1model.in_gain\0-3\0model.out_gain\x006.5\0model.skip\x001\0"
                           b"model.samplerate\x0048000\0")
    put("stream", "scaled", b"\3scale\x0012.5 0.5\0model.differences\x001\0")
    put("stream", "classes", b"\4model.activation\0log_softmax\0model.output\0steps\0")
    put("stream", "unknown", b"\0model.colour\0red\0")


def idx(rank, extents, data):
    return struct.pack(f">I{rank}I", 0x800 | rank, *extents) + data


def digits():
    images, labels = idx(3, (2, 3, 2), bytes(range(12))), idx(1, (2,), b"\1\0")
    for name, flags in (("plain", 0), ("labels", 1), ("gzip", 3), ("pipe", 5),
                        ("pieces", 0x2b)):
        head = struct.pack(">BBH", flags, 9, len(images))
        put("idx", name, head + images + (labels if flags & 1 else b""))
    member = gzip.compress(b"hello hello hello", mtime=0)
    put("gzip", "plain", struct.pack(">HB", 5, 3) + b"hello")
    put("gzip", "member", struct.pack(">HB", 17, 255) + member)
    put("gzip", "members", struct.pack(">HB", 34, 7) + member + member)
    put("gzip", "zeros", struct.pack(">HB", 2000, 0) + gzip.compress(bytes(2000), mtime=0))


def chunk(kind, data):
    """A chunk of a PNG picture."""
    return (struct.pack(">I", len(data)) + kind + data +
            struct.pack(">I", zlib.crc32(kind + data)))


def png(colour, bits, size, rows, interlaced=0, chunks=b""):
    # Stored, not compressed: mutations of the pixels stay valid.
    packed = zlib.compress(rows, 0)
    header = struct.pack(">IIBBBBB", *size, bits, colour, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunks +
            chunk(b"IDAT", packed) + chunk(b"IEND", b""))


def exif(orientation):
    return struct.pack(">2sHIHHHIHHI", b"MM", 42, 8, 1, 0x112, 3, 1, orientation, 0, 0)


def png_pictures():
    palette = chunk(b"PLTE", bytes(range(12)))
    yield "grey", png(0, 8, (3, 2), b"\0\1\2\3\1\4\5\6")
    yield "bits", png(0, 1, (9, 1), b"\0\xaa\x80")
    yield "rgb", png(2, 8, (1, 2), b"\0\1\2\3\4\4\5\6", chunks=chunk(b"eXIf", exif(6)))
    yield "rgba16", png(6, 16, (1, 1), bytes(range(9)), interlaced=1)
    yield "palette", png(3, 2, (4, 1), b"\0\x1b", chunks=palette + chunk(b"tRNS", b"\0\x80"))
    yield "grey_alpha", png(4, 8, (2, 2), b"\2\1\2\3\4\3\5\6\7\x08", interlaced=1)


def bmp(header, bits, pixels, palette=b"", compression=0, rows=2, masks=b""):
    size = 14 + header + len(masks) + len(palette)
    facts = (struct.pack("<IHHHH", 12, 2, rows, 1, bits) if header == 12 else
             struct.pack("<IiiHHIIiiII", header, 2, rows, 1, bits, compression, 0, 0, 0,
                         len(palette) // 4, 0) + bytes(header - 40))
    return (struct.pack("<2sIHHI", b"BM", size + len(pixels), 0, 0, size) + facts + masks +
            palette + pixels)


def bmp_pictures():
    yield "core", bmp(12, 1, b"\x80\0\0\0\x40\0\0\0", palette=b"\0\0\0\xff\xff\xff")
    yield "nibbles", bmp(40, 4, b"\x01\0\0\0\x10\0\0\0", palette=bytes(range(8)))
    yield "true", bmp(40, 24, bytes(range(16)), rows=-2)
    yield "masks", bmp(40, 16, bytes(range(8)), compression=3,
                       masks=struct.pack("<III", 0xf800, 0x7e0, 0x1f))
    yield "alpha", bmp(124, 32, bytes(range(16)))


def jpeg_pictures():
    """A baseline, a progressive, a CMYK and a turned picture of 8 by 8 pixels; needs
    Pillow."""
    from PIL import Image
    grey = Image.frombytes("L", (8, 8), bytes(range(0, 256, 4)))
    for name, mode, options in (
            ("grey", "L", {"exif": b"Exif\0\0" + exif(8)}),
            ("colours", "RGB", {"progressive": True}), ("inks", "CMYK", {})):
        file = io.BytesIO()
        grey.convert(mode).save(file, "JPEG", **options)
        yield name, file.getvalue()


def netpbm_pictures():
    yield "p1", b"P1 3 2\n# two rows\n1 0 1\n010\n"
    yield "p2", b"P2\n2 2 9\n0 9\n4 5\n"
    yield "p3", b"P3 1 1 255 1 2 3"
    yield "p4", b"P4 9 1\n\xaa\x80"
    yield "p5", b"P5 2 2 65535\n" + bytes(range(8))
    yield "p6", b"P6 2 1 255\n" + bytes(range(6))
    yield "p7", (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 4\nMAXVAL 255\nTUPLTYPE RGB_ALPHA\nENDHDR\n"
                 + bytes(range(8)))


def other_pictures():
    yield "qoi", (b"qoif" + struct.pack(">IIBB", 3, 3, 4, 0) +
                  b"\xfe\1\2\3\xff\4\5\6\7\x05\x6a\xa0\x88\xc2" + bytes(7) + b"\1")
    yield "farbfeld", b"farbfeld" + struct.pack(">II", 1, 2) + bytes(range(16))
    yield "webp", b"RIFF\x0c\0\0\0WEBPVP8 \0\0\0\0"
    yield "svg", b"<?xml version='1.0'?>\n<!-- a --><svg/>"


def pictures():
    for kind, files in (("png", png_pictures()), ("bmp", bmp_pictures()),
                        ("jpeg", jpeg_pictures()), ("pnm", netpbm_pictures()),
                        ("other", other_pictures())):
        for name, data in files:
            flags = b"\1" if kind == "png" else b"\2"
            put("picture", f"{kind}_{name}", flags + data)


def sounds():
    """A file of each encoding, an extensible header, chunks around the samples, two channels."""
    def chunk(name, data):
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    def sound(code, bits, samples, channels=1, more=b"", before=b"", after=b""):
        align = channels * bits // 8
        fmt = struct.pack("<HHIIHH", code, channels, 8000, 8000 * align, align, bits) + more
        content = b"WAVE" + before + chunk(b"fmt ", fmt) + chunk(b"data", samples) + after
        return chunk(b"RIFF", content)

    guid = b"\1\0\0\0\0\0\x10\0\x80\0\0\xaa\0\x38\x9b\x71"
    put("wav", "pcm16", b"\0" + sound(1, 16, struct.pack("<3h", 0, -32768, 32767)))
    put("wav", "pcm24", b"\0" + sound(1, 24, bytes(range(9)), after=chunk(b"LIST", b"abc")))
    put("wav", "pcm32", b"\0" + sound(1, 32, struct.pack("<2i", 1, -2**31),
                                     before=chunk(b"JUNK", b"")))
    put("wav", "float32", b"\4" + sound(3, 32, struct.pack("<2f", 0.5, -2), more=bytes(2)))
    put("wav", "float64", b"\4" + sound(3, 64, struct.pack("<2d", 0.5, 1e300)))
    put("wav", "extensible", b"\0" + sound(0xfffe, 24, bytes(range(6)),
                                          more=struct.pack("<HHI", 22, 20, 4) + guid))
    put("wav", "stereo", b"\2" + sound(1, 16, struct.pack("<4h", 1, 2, 3, 4), channels=2))
    put("wav", "rf64", b"\0RF64\xff\xff\xff\xffWAVEds64")


def drawings():
    """A digit 1 and a 7, a frame, two digits, noise; light and dark paper."""
    def drawing(paper, rows, cols, grey, ink):
        pixels = bytearray([grey]) * (rows * cols)
        for row, col, value in ink:
            pixels[row * cols + col] = value
        return bytes([paper, rows - 1, cols - 1, 2, grey]) + bytes(pixels)
    one = [(row, 10, 255) for row in range(4, 24)]
    seven = [(4, col, 0) for col in range(4, 16)] + [(4 + i, 15 - i // 2, 0) for i in range(16)]
    frame = [(i, k, 90) for i in range(20) for k in range(20) if {i, k} & {0, 19}]
    put("fit", "one", drawing(1, 28, 28, 0, one))
    put("fit", "seven", drawing(2, 24, 20, 250, seven))
    put("fit", "seven_auto", drawing(0, 24, 20, 250, seven))
    put("fit", "frame", drawing(0, 20, 20, 200, frame + [(i, 9, 20) for i in range(5, 15)]))
    put("fit", "two", drawing(0, 28, 40, 0, one + [(row, 30, 255) for row in range(4, 24)]))
    put("fit", "noise", drawing(0, 12, 12, 128, [(i, (5 * i) % 12, 128 + 9 * i)
                                                   for i in range(12)]))


def main():
    with tempfile.TemporaryDirectory() as folder:
        models(pathlib.Path(folder))
    texts()
    command_lines()
    tables()
    streams()
    digits()
    pictures()
    sounds()
    drawings()


if __name__ == "__main__":
    main()
