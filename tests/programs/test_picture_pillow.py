"""Compares the readers of pictures with Pillow: every kind of pixels that it writes.

Lossless formats must give the same grey values, JPEG the same up to 1 level. Pillow's luma
has the same weights.

usage: test_picture_pillow.py PICTURE_PGM FORMATS
"""
import itertools
import pathlib
import subprocess
import sys
import tempfile

try:
    from PIL import Image, ImageFilter, ImageOps
except ImportError:
    print("skipped: Pillow is not installed")
    sys.exit(77)

PROGRAM, FORMATS = sys.argv[1], sys.argv[2].split(",")
SIZE = (61, 43)
ORIENTATION = 0x112


def noise():
    return Image.effect_noise(SIZE, 120)


def blended(grey, alpha):
    return bytes((g * a + 255 * (255 - a) + 127) // 255 for g, a in zip(grey, alpha))


def expected(image):
    """Size and grey bytes as Pillow sees them."""
    image = ImageOps.exif_transpose(image)
    if image.mode in ("LA", "PA", "RGBA") or "transparency" in image.info:
        image = image.convert("RGBA")
        grey = image.convert("RGB").convert("L").tobytes()
        return image.size, blended(grey, image.getchannel("A").tobytes())
    if image.mode.startswith("I"):
        data = image.tobytes()
        return image.size, bytes((data[i] + 256 * data[i + 1] + 128) // 257
                                 for i in range(0, len(data), 2))
    return image.size, image.convert("RGB").convert("L").tobytes()


def found(path):
    done = subprocess.run([PROGRAM, path], capture_output=True, timeout=100)
    if done.returncode:
        raise ValueError(done.stderr.decode().strip())
    head, data = done.stdout.split(b" 255\n", 1)
    return tuple(map(int, head.split()[1:])), data


def pictures():
    """Format, image and options of saving."""
    colour = Image.merge("RGB", [noise(), noise(), noise()])
    alpha = noise()
    both = colour.copy()
    both.putalpha(alpha)
    grey_alpha = colour.convert("L")
    grey_alpha.putalpha(alpha)
    for mode in ("1", "L", "P", "RGB"):
        for kind in ("png", "bmp") if mode == "P" else ("png", "bmp", "ppm"):
            yield kind, colour.convert(mode), {}
    yield "png", both, {}
    yield "png", both, {"compress_level": 9}
    yield "png", grey_alpha, {}
    yield "bmp", both, {}
    yield "qoi", colour, {}
    yield "qoi", both, {}
    wide = Image.frombytes("I;16", SIZE, b"".join(
        bytes(pair) for pair in zip(noise().tobytes(), noise().tobytes())))
    yield "png", wide, {}
    for bits in (1, 2, 4, 8):
        few = colour.quantize(1 << bits)
        yield "png", few, {"bits": bits}
        levels = bytes(255 - i * 37 % 128 for i in range(1 << bits))
        yield "png", few, {"bits": bits, "transparency": levels}
        yield "bmp", few, {}
    yield "png", colour.convert("L"), {"transparency": 100}
    yield "png", colour, {"transparency": colour.getpixel((0, 0))}
    smooth = Image.merge("RGB", [noise().filter(ImageFilter.GaussianBlur(3))
                                 for _ in range(3)])
    for progressive, subsampling in itertools.product((False, True), (0, 1, 2)):
        yield "jpg", smooth, {"quality": 90, "progressive": progressive,
                              "subsampling": subsampling}
    for progressive, mode in itertools.product((False, True), ("L", "CMYK")):
        yield "jpg", smooth.convert(mode), {"quality": 90, "progressive": progressive}
    yield "jpg", smooth, {"quality": 95, "keep_rgb": True}
    for orientation in range(1, 9):
        exif = Image.Exif()
        exif[ORIENTATION] = orientation
        yield "jpg", smooth, {"exif": exif}
        yield "png", colour, {"exif": exif}


def main():
    optional = {"png": "png", "jpg": "jpeg"}
    compared, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for number, (kind, image, options) in enumerate(pictures()):
            if optional.get(kind, FORMATS[0]) not in FORMATS:
                continue
            path = pathlib.Path(folder, f"{number}.{kind}")
            image.save(path, **options)
            name = f"{kind} {image.mode} {options}"
            with Image.open(path) as read:
                want = expected(read)
            try:
                got = found(path)
            except ValueError as error:
                wrong.append(f"{name}: {error}")
                continue
            most = 1 if kind == "jpg" else 0
            if got[0] != want[0]:
                wrong.append(f"{name}: size {got[0]}, expected {want[0]}")
            elif max(abs(a - b) for a, b in zip(got[1], want[1])) > most:
                wrong.append(f"{name}: pixels differ")
            compared += 1
    print(f"{compared} pictures compared with Pillow")
    print("\n".join(wrong))
    return 1 if wrong or not compared else 0


if __name__ == "__main__":
    sys.exit(main())
