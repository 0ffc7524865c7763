"""Writes pictures for tests: PNG, BMP, EXIF, and a few JPEG files as bytes.

The JPEG files are from Pillow 13.0, Image.save(..., "JPEG", quality=100, optimize=True):
blocks of one colour each, which quality 100 keeps exactly.
"""
import base64
import struct
import zlib

# 24 by 16 pixels, blocks of 8 by 8 in the greys GREYS, from left to right and from the top.
GREYS = [0, 50, 100, 150, 200, 255]
JPEG_GREY = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wAALCAAQABgBAREA/8QAFQABAQAAAAAAAAAAAAAAAAAACQv/"
    "xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oACAEBAAA/AJ/5kDIGQMgbh//Z")
# 48 by 32 pixels, blocks of 16 by 16 in COLOURS: YCbCr, progressive, chroma of half the size.
COLOURS = [(255, 0, 0), (0, 255, 0), (0, 0, 255), (255, 255, 0), (90, 160, 30),
           (255, 255, 255)]
JPEG_PROGRESSIVE = base64.b64decode(
    "/9j/4AAQSkZJRgABAQAAAQABAAD/2wBDAAEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/2wBDAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQH/wgARCAAgADADASIAAhEBAxEB/8QAFwABAQEBAAAA"
    "AAAAAAAAAAAAAAkKCP/EABcBAQEBAQAAAAAAAAAAAAAAAAgJCgf/2gAMAwEAAhADEAAAAeLwU7+UoBbwrwbG"
    "0yrGxQYA1RGcUsJegwNTsH//xAAUEAEAAAAAAAAAAAAAAAAAAABA/9oACAEBAAEFAkf/xAAUEQEAAAAAAAAA"
    "AAAAAAAAAAAg/9oACAEDAQE/AV//xAAUEQEAAAAAAAAAAAAAAAAAAAAg/9oACAECAQE/AV//xAAUEAEAAAAA"
    "AAAAAAAAAAAAAABA/9oACAEBAAY/Akf/xAAUEAEAAAAAAAAAAAAAAAAAAABA/9oACAEBAAE/IUf/2gAMAwEA"
    "AgADAAAAEAAAAAAP/8QAFBEBAAAAAAAAAAAAAAAAAAAAIP/aAAgBAwEBPxBf/8QAFBEBAAAAAAAAAAAAAAAA"
    "AAAAIP/aAAgBAgEBPxBf/8QAFBABAAAAAAAAAAAAAAAAAAAAQP/aAAgBAQABPxBH/9k=")
# 24 by 16 pixels, blocks of 8 by 8 in COLOURS, without YCbCr.
JPEG_RGB = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAEQgAEAAYA1IRAEcRAEIRAP/EABcAAQEBAQAAAAAAAAAAAAAA"
    "AAsKAAj/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADANSAEcAQgAAPwC/gf8Aj/wA5/hmADn+D/B/gAOLXSDu"
    "8ClCvg4Q/9k=")
# The same in INKS, as Adobe's programs write it: inverted.
INKS = [(0, 0, 0, 0), (255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255),
        (50, 100, 150, 60)]
JPEG_CMYK = base64.b64decode(
    "/9j/7gAOQWRvYmUAZAAAAAAA/9sAQwABAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB"
    "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQEB/8AAFAgAEAAYBEMRAE0RAFkRAEsRAP/EABcAAQEBAQAAAAAAAAAA"
    "AAAAAAALCgn/xAAUEAEAAAAAAAAAAAAAAAAAAAAA/9oADgRDAE0AWQBLAAA/AN/Dfw38N/CAOAv8IA4C/wAI"
    "A4C/wgDuN7G+mnrDD//Z")


def luma(red, green, blue):
    return (19595 * red + 38470 * green + 7471 * blue + 0x8000) >> 16


def blend(grey, alpha, paper=255):
    return (grey * alpha + paper * (255 - alpha) + 127) // 255


def blocks(values, side):
    """Rows of pixels: two rows of three blocks."""
    return [[values[3 * (i // side) + k // side] for k in range(3 * side)]
            for i in range(2 * side)]


def turned(rows, orientation):
    """The picture as EXIF says; each orientation is the place of the first row and column."""
    down, mirrored, across = rows[::-1], [r[::-1] for r in rows], [list(c) for c in zip(*rows)]
    return {1: rows, 2: mirrored, 3: [r[::-1] for r in down], 4: down, 5: across,
            6: [r[::-1] for r in across], 7: [r[::-1] for r in across[::-1]],
            8: across[::-1]}[orientation]


def exif(orientation, big=True, kind=3):
    """A TIFF header with a directory of two entries."""
    order = ">" if big else "<"
    value = struct.pack(order + "HH", orientation, 0)
    return (b"MM" if big else b"II") + struct.pack(order + "HIH", 42, 8, 2) + struct.pack(
        order + "HHI", 0x10f, 2, 4) + b"abc\0" + struct.pack(
            order + "HHI", 0x112, kind, 1) + value + bytes(4)


def with_exif(jpeg, tiff):
    content = b"Exif\0\0" + tiff
    return jpeg[:2] + b"\xff\xe1" + struct.pack(">H", len(content) + 2) + content + jpeg[2:]


def chunk(name, content):
    return struct.pack(">I", len(content)) + name + content + struct.pack(
        ">I", zlib.crc32(name + content))


def packed(samples, depth):
    """Bytes of a row of samples."""
    if depth == 16:
        return struct.pack(f">{len(samples)}H", *samples)
    bits = "".join(f"{v:0{depth}b}" for v in samples)
    bits += "0" * (-len(bits) % 8)
    return bytes(int(bits[i:i + 8], 2) for i in range(0, len(bits), 8))


ADAM7 = [(0, 8, 0, 8), (0, 8, 4, 8), (4, 8, 0, 4), (0, 4, 2, 4), (2, 4, 0, 2), (0, 2, 1, 2),
         (1, 2, 0, 1)]


def png(rows, colour, depth, chunks=b"", interlaced=False, late=b""):
    """rows of pixels, each a tuple of samples; chunks come before the pixels, late after."""
    passes = ADAM7 if interlaced else [(0, 1, 0, 1)]
    data = b""
    for top, down, left, right in passes:
        for row in rows[top::down]:
            samples = [v for pixel in row[left::right] for v in pixel]
            if samples:
                data += b"\0" + packed(samples, depth)
    head = struct.pack(">IIBBBBB", len(rows[0]), len(rows), depth, colour, 0, 0, interlaced)
    return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head) + chunks
            + chunk(b"IDAT", zlib.compress(data)) + late + chunk(b"IEND", b""))


def bmp(rows, bits, header=40, palette=(), compression=0, masks=b"", top=False):
    """rows of pixel values of that number of bits."""
    def line(row):
        if bits > 8:
            data = b"".join(v.to_bytes(bits // 8, "little") for v in row)
        else:
            data = packed(row, bits)
        return data + bytes(-len(data) % 4)
    colours = b"".join(bytes(c[::-1]) + bytes(header > 12) for c in palette)
    height, width = len(rows), len(rows[0])
    if header == 12:
        info = struct.pack("<IHHHH", 12, width, height, 1, bits)
    else:
        info = struct.pack("<IiiHHIIIIII", header, width, -height if top else height, 1, bits,
                           compression, 0, 0, 0, len(palette), 0)
    if header > 40:
        info = (info + masks).ljust(header, b"\0")
        masks = b""
    at = 14 + len(info) + len(masks) + len(colours)
    data = b"".join(map(line, rows if top else rows[::-1]))
    return struct.pack("<2sIII", b"BM", at + len(data), 0, at) + info + masks + colours + data
