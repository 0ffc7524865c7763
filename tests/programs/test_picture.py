"""Tests the readers of pictures: pixels of all formats, damaged and unknown files.

usage: test_picture.py PICTURE_PGM FORMATS

PICTURE_PGM reads a picture and writes it as PGM; FORMATS are the optional formats of the
build, such as "png,jpeg".
"""
import pathlib
import random
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest
import zlib

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from pictures import (COLOURS, GREYS, INKS, JPEG_CMYK, JPEG_GREY,  # noqa: E402
                      JPEG_PROGRESSIVE, JPEG_RGB, blend, blocks, bmp, chunk, exif, luma, png, turned, with_exif)

PROGRAM, FORMATS = None, []


class Pictures(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="picture-"))
        self.addCleanup(shutil.rmtree, self.folder)

    def run_on(self, content, name="picture"):
        path = self.folder / name
        path.write_bytes(content)
        return subprocess.run([PROGRAM, path], capture_output=True, timeout=100)

    def pixels(self, content):
        result = self.run_on(content)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        head, data = result.stdout.split(b" 255\n", 1)
        cols, rows = map(int, head.split()[1:])
        self.assertEqual(len(data), rows * cols)
        return [list(data[i * cols:(i + 1) * cols]) for i in range(rows)]

    def assert_pixels(self, content, expected, most=0):
        found = self.pixels(content)
        self.assertEqual((len(found), len(found[0])), (len(expected), len(expected[0])))
        for row, want in zip(found, expected):
            for a, b in zip(row, want):
                self.assertLessEqual(abs(a - b), most, (found, expected))

    def assert_refused(self, content, *parts, name="picture"):
        """Checks for one line with these parts."""
        result = self.run_on(content, name)
        self.assertEqual((result.returncode, result.stdout), (1, b""), result.stderr)
        self.assertRegex(result.stderr, rb"\A[^\n]+\n\Z")
        for part in parts:
            self.assertIn(part, result.stderr.decode())

    def needs(self, name):
        if name not in FORMATS:
            self.skipTest(f"built without {name}")


class Png(Pictures):
    def setUp(self):
        super().setUp()
        self.needs("png")

    def test_grey_of_every_depth(self):
        draw = random.Random(1)
        for depth in (1, 2, 4, 8, 16):
            most = (1 << depth) - 1
            rows = [[(draw.randint(0, most),) for _ in range(13)] for _ in range(11)]
            expected = [[(v * 255 + most // 2) // most for v, in row] for row in rows]
            for interlaced in (False, True):
                with self.subTest(depth=depth, interlaced=interlaced):
                    self.assert_pixels(png(rows, 0, depth, interlaced=interlaced), expected)

    def test_colours_of_every_depth(self):
        draw = random.Random(2)
        for depth in (8, 16):
            most = (1 << depth) - 1
            rows = [[tuple(draw.randint(0, most) for _ in range(3)) for _ in range(9)]
                    for _ in range(10)]
            eight = [[[(v * 255 + most // 2) // most for v in p] for p in row] for row in rows]
            for interlaced in (False, True):
                self.assert_pixels(png(rows, 2, depth, interlaced=interlaced),
                                   [[luma(*p) for p in row] for row in eight])

    def test_alpha_is_blended_with_white(self):
        draw = random.Random(3)
        rows = [[(draw.randrange(256), draw.randrange(256)) for _ in range(12)]
                for _ in range(12)]
        self.assert_pixels(png(rows, 4, 8), [[blend(*p) for p in row] for row in rows])
        rows = [[tuple(draw.randrange(256) for _ in range(4)) for _ in range(12)]
                for _ in range(12)]
        expected = [[blend(luma(*p[:3]), p[3]) for p in row] for row in rows]
        for interlaced in (False, True):
            self.assert_pixels(png(rows, 6, 8, interlaced=interlaced), expected)

    def test_a_palette_and_its_transparency(self):
        draw = random.Random(4)
        for depth in (1, 2, 4, 8):
            count = 1 << depth
            colours = [tuple(draw.randrange(256) for _ in range(3)) for _ in range(count)]
            colours[-1] = (0, 0, 0)
            alpha = [draw.randrange(256) for _ in range(count // 2)]
            rows = [[(draw.randrange(count),) for _ in range(15)] for _ in range(7)]
            palette = chunk(b"PLTE", b"".join(map(bytes, colours)))
            with self.subTest(depth=depth):
                self.assert_pixels(png(rows, 3, depth, palette),
                                   [[luma(*colours[v]) for v, in row] for row in rows])
                full = alpha + [255] * (count - len(alpha))
                self.assert_pixels(png(rows, 3, depth, palette + chunk(b"tRNS", bytes(alpha))),
                                   [[blend(luma(*colours[v]), full[v]) for v, in row]
                                    for row in rows])

    def test_a_transparent_grey(self):
        rows = [[(0,), (7,), (200,)], [(7,), (7,), (8,)]]
        self.assert_pixels(png(rows, 0, 8, chunk(b"tRNS", struct.pack(">H", 7))),
                           [[0, 255, 200], [255, 255, 8]])

    def test_light_ink_on_nothing_does_not_vanish(self):
        def strokes(ink, alpha):
            return [[(ink, alpha if k == 4 else 0) for k in range(9)] for _ in range(9)]
        for ink in (255, 226, 180):
            with self.subTest(ink=ink):
                self.assert_pixels(png(strokes(ink, 255), 4, 8),
                                   [[ink if k == 4 else 0 for k in range(9)]] * 9)
        for ink in (0, 60, 110):
            with self.subTest(ink=ink):
                self.assert_pixels(png(strokes(ink, 255), 4, 8),
                                   [[ink if k == 4 else 255 for k in range(9)]] * 9)
        # White paper with a few transparent corners stays white.
        rows = [[(250, 0 if i in (0, 8) and k in (0, 8) else 255) for k in range(9)]
                for i in range(9)]
        self.assert_pixels(png(rows, 4, 8), [[blend(*p) for p in row] for row in rows])
        # Nothing at all is white.
        self.assert_pixels(png([[(0, 0)] * 3] * 3, 4, 8), [[255] * 3] * 3)

    def test_exif_turns_the_picture(self):
        rows = [[10, 20, 30], [40, 50, 60]]
        image = [[(v,) for v in row] for row in rows]
        for orientation in range(1, 9):
            for big in (True, False):
                data = chunk(b"eXIf", exif(orientation, big))
                for place in ({"chunks": data}, {"late": data}):
                    self.assert_pixels(png(image, 0, 8, **place), turned(rows, orientation))

    def test_other_chunks_change_nothing(self):
        image = [[(1,), (2,)]]
        extra = chunk(b"gAMA", struct.pack(">I", 100000)) + chunk(b"iCCP", b"bad\0\0") + \
            chunk(b"tEXt", b"a\0b") + chunk(b"zzZz", b"1234")
        self.assert_pixels(png(image, 0, 8, extra), [[1, 2]])

    def test_every_truncated_file_is_refused(self):
        whole = png([[(v, v, v, 200) for v in range(9)]] * 9, 6, 8)
        for size in range(2, len(whole)):
            self.assert_refused(whole[:size])

    def test_every_changed_byte_of_a_chunk_is_refused(self):
        whole = png([[(v,) for v in range(20)]] * 5, 0, 8, chunk(b"tEXt", b"a\0b"))
        for at in range(8, len(whole)):
            self.assert_refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:])
        at = whole.index(b"IEND") - 5
        self.assert_refused(whole[:at] + bytes([whole[at] ^ 1]) + whole[at + 1:],
                            "PNG picture: IDAT: CRC error")

    def test_limits_are_checked_before_memory_is_taken(self):
        def empty(rows, cols):
            head = struct.pack(">IIBBBBB", cols, rows, 8, 6, 0, 0, 0)
            return (b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", head)
                    + chunk(b"IDAT", zlib.compress(b"")) + chunk(b"IEND", b""))
        self.assert_refused(empty(65536, 1), "has 65536 rows and 1 columns, the limit is 65535")
        self.assert_refused(empty(65535, 65535), "65535 by 65535 pixels, the limit is 134217728")
        self.assert_refused(empty(10000, 10000), "too few for 10000 by 10000 pixels")
        # libpng allocates what a chunk declares before it reads it.
        whole = png([[(1,)]], 0, 8, chunk(b"eXIf", exif(6)))
        at = whole.index(b"eXIf") - 4
        long = whole[:at] + struct.pack(">I", 1 << 30) + whole[at + 4:]
        self.assert_refused(long, "PNG picture: eXIf: chunk data is too large")


class Jpeg(Pictures):
    def setUp(self):
        super().setUp()
        self.needs("jpeg")

    def test_pixels(self):
        self.assert_pixels(JPEG_GREY, blocks(GREYS, 8))
        colours = [luma(*c) for c in COLOURS]
        self.assert_pixels(JPEG_PROGRESSIVE, blocks(colours, 16), 1)
        self.assert_pixels(JPEG_RGB, blocks(colours, 8))
        mixed = [luma(*((255 - v) * (255 - ink[3]) // 255 for v in ink[:3])) for ink in INKS]
        self.assert_pixels(JPEG_CMYK, blocks(mixed, 8), 1)

    def test_inks_are_not_inverted_without_adobe(self):
        at = JPEG_CMYK.index(b"\xff\xee")
        plain = JPEG_CMYK[:at] + JPEG_CMYK[at + 16:]
        mixed = [luma(*(v * ink[3] // 255 for v in ink[:3])) for ink in INKS]
        self.assert_pixels(plain, blocks(mixed, 8), 1)

    def test_exif_turns_the_picture(self):
        for orientation in range(1, 9):
            for big in (True, False):
                self.assert_pixels(with_exif(JPEG_GREY, exif(orientation, big)),
                                   turned(blocks(GREYS, 8), orientation))

    def test_damaged_exif_is_ignored(self):
        for tiff in (b"", b"MM", exif(6)[:20], exif(0), exif(9), exif(6, kind=4),
                     b"MM\0*\xff\xff\xff\xff", b"MM\0*\0\0\0\x08\xff\xff", b"II" + exif(6)[2:]):
            self.assert_pixels(with_exif(JPEG_GREY, tiff), blocks(GREYS, 8))

    def test_bytes_that_change_no_pixel_are_accepted(self):
        self.assert_pixels(JPEG_GREY + b"MPF and so on", blocks(GREYS, 8))
        self.assert_pixels(JPEG_GREY[:-2] + b"\0\0\0" + JPEG_GREY[-2:], blocks(GREYS, 8))

    def test_every_truncated_file_is_refused(self):
        for whole in (JPEG_GREY, JPEG_PROGRESSIVE, JPEG_CMYK):
            for size in range(2, len(whole)):
                self.assert_refused(whole[:size])
        self.assert_refused(JPEG_GREY[:-2], "Premature end of JPEG file")

    def test_limits_are_checked_before_memory_is_taken(self):
        def sized(rows, cols):
            at = JPEG_GREY.index(b"\xff\xc0") + 5
            return JPEG_GREY[:at] + struct.pack(">HH", rows, cols) + JPEG_GREY[at + 4:]
        self.assert_refused(sized(65500, 65500), "pixels, the limit is 134217728")
        self.assert_refused(sized(10000, 10000), "too few for 10000 by 10000 pixels")
        # Progressive pictures with arithmetic coding take most memory for a pixel.
        arithmetic = sized(10000, 10000).replace(b"\xff\xc0", b"\xff\xca")
        self.assert_refused(arithmetic, "too few for 10000 by 10000 pixels")


class Bmp(Pictures):
    def test_palettes_of_every_depth_and_header(self):
        draw = random.Random(5)
        for bits in (1, 2, 4, 8):
            colours = [tuple(draw.randrange(256) for _ in range(3)) for _ in range(1 << bits)]
            rows = [[draw.randrange(1 << bits) for _ in range(13)] for _ in range(5)]
            expected = [[luma(*colours[v]) for v in row] for row in rows]
            for header in (12, 40, 64, 108, 124):
                with self.subTest(bits=bits, header=header):
                    self.assert_pixels(bmp(rows, bits, header, colours), expected)
            self.assert_pixels(bmp(rows, bits, 40, colours, top=True), expected)

    def test_colours_of_every_depth(self):
        draw = random.Random(6)
        def pixel(bits):
            return draw.randrange(1 << bits)
        def eight(value, shift, bits):
            most = (1 << bits) - 1
            return ((value >> shift & most) * 255 + most // 2) // most
        layouts = {
            16: ([(10, 5), (5, 5), (0, 5)], 0, b""),
            24: ([(16, 8), (8, 8), (0, 8)], 0, b""),
            32: ([(16, 8), (8, 8), (0, 8)], 0, b""),
            "565": ([(11, 5), (5, 6), (0, 5)], 3, struct.pack("<3I", 0xf800, 0x7e0, 0x1f)),
            "ten": ([(20, 10), (10, 10), (0, 10)], 3,
                    struct.pack("<3I", 0x3ff00000, 0xffc00, 0x3ff)),
        }
        for name, (channels, compression, masks) in layouts.items():
            bits = {"565": 16, "ten": 32}.get(name, name)
            rows = [[pixel(bits) for _ in range(7)] for _ in range(4)]
            expected = [[luma(*(eight(v, *c) for c in channels)) for v in row] for row in rows]
            for header in (40, 52) if masks else (12, 40):
                with self.subTest(name=name, header=header):
                    self.assert_pixels(
                        bmp(rows, bits, header, (), compression, masks), expected)

    def test_alpha(self):
        draw = random.Random(7)
        rows = [[draw.randrange(1 << 32) for _ in range(6)] for _ in range(6)]
        def grey(v):
            return luma(v >> 16 & 255, v >> 8 & 255, v & 255)
        masks = struct.pack("<4I", 0xff0000, 0xff00, 0xff, 0xff000000)
        expected = [[blend(grey(v), v >> 24) for v in row] for row in rows]
        for header in (56, 108, 124):
            self.assert_pixels(bmp(rows, 32, header, (), 3, masks), expected)
        self.assert_pixels(bmp(rows, 32, 40, (), 6, masks), expected)
        # Without a mask the upper byte means nothing; neither does a constant 0.
        self.assert_pixels(bmp(rows, 32), [[grey(v) for v in row] for row in rows])
        rows = [[v & 0xffffff for v in row] for row in rows]
        self.assert_pixels(bmp(rows, 32, 108, (), 3, masks),
                           [[grey(v) for v in row] for row in rows])

    def test_damaged_files_are_refused(self):
        whole = bmp([[1, 2, 3], [3, 2, 1]], 8, 40, [(v, v, v) for v in range(4)])
        for size in range(2, len(whole) - 1):
            self.assert_refused(whole[:size])
        def changed(at, value):
            return whole[:at] + struct.pack("<I", value) + whole[at + 4:]
        for content, part in [
                (bmp([[4]], 8, 40, [(1, 1, 1)] * 4), "pixel has colour 4, the palette has 4"),
                (bmp([[0]], 8, 40, [(0, 0, 0)], 1), "compressed with RLE8"),
                (bmp([[0]], 4, 40, [(0, 0, 0)], 2), "compressed with RLE4"),
                (bmp([[0]], 24, 40, (), 5), "compressed with PNG"),
                (bmp([[0]], 24, 40, (), 9), "compression is 9"),
                (bmp([[0]], 24, 40, (), 3, bytes(12)), "has 24 bits per pixel"),
                (bmp([[0]], 32, 40, (), 3, bytes(12)), "mask 0 is 0x0"),
                (bmp([[0]], 32, 40, (), 3, struct.pack("<3I", 5, 2, 8)), "mask 0 is 0x5"),
                (changed(18, 0), "has 2 rows and 0 columns"),
                (changed(18, 70000), "the limit is 65535"),
                (changed(22, 0x80000000), "the limit is 65535"),
                (bmp([[0]], 24)[:10] + struct.pack("<I", 20) + bmp([[0]], 24)[14:],
                 "pixels begin at byte 20"),
                (changed(14, 13), "the header has 13 bytes")]:
            with self.subTest(part):
                self.assert_refused(content, "BMP picture", part)


class Simple(Pictures):
    def test_netpbm(self):
        for content, expected in [
                (b"P1 3 2 1 0 1\n010", [[0, 255, 0], [255, 0, 255]]),
                (b"P1#c\n3 2\n101010", [[0, 255, 0], [255, 0, 255]]),
                (b"P4 9 2\n\x80\x80\x00\x00", [[0] + [255] * 7 + [0], [255] * 9]),
                (b"P2 2 1 3 1 # half\n 3", [[85, 255]]),
                (b"P5 2 1 255\n\x01\xfe", [[1, 254]]),
                (b"P5 2 1 65535 \x01\x01\xff\xff", [[1, 255]]),
                (b"P3 2 1 255 255 0 0  1 2 3", [[luma(255, 0, 0), luma(1, 2, 3)]]),
                (b"P6 1 2 255\n\x00\xff\x00\x01\x02\x03", [[luma(0, 255, 0)], [luma(1, 2, 3)]]),
                (b"P7\nWIDTH 2\nHEIGHT 1\nDEPTH 1\nMAXVAL 1\nTUPLTYPE GRAYSCALE\nENDHDR\n\0\1",
                 [[0, 255]]),
                (b"P7\n# c\nMAXVAL 255\nDEPTH 4\nHEIGHT 1\nWIDTH 1\nENDHDR\n\x0a\x14\x1e\x80",
                 [[blend(luma(10, 20, 30), 128)]]),
                (b"P7\nWIDTH 1\nHEIGHT 1\nDEPTH 2\nMAXVAL 65535\nENDHDR\n\x40\x00\x80\x00",
                 [[blend(64, 128)]])]:
            with self.subTest(content):
                self.assert_pixels(content, expected)

    def test_netpbm_errors(self):
        pam = b"P7\nWIDTH 2\nHEIGHT 1\n"
        for content, part in [
                (b"P1 2 1 2 1", "pixel has the byte 0x32"), (b"P1 2 1 1 ", "ends before the last"),
                (b"P4 9 1\n\0", "has 1 bytes of pixels, expected 2"),
                (b"P6 1 1 255\n\0\0", "has 2 bytes of pixels, expected 3"),
                (b"P3 1 1 255 1 2 ", "bytes of pixels, expected at least 5"),
                (pam, "ends before ENDHDR"), (pam + b"ENDHDR\n", "does not have DEPTH"),
                (pam + b"DEPTH 5\n", "DEPTH is at least 5, expected 1 to 4"),
                (pam + b"DEPTH 1\nENDHDR\n", "does not have MAXVAL"),
                (pam + b"COLOURS 3\n", "expected WIDTH")]:
            with self.subTest(part):
                self.assert_refused(content, part)

    def test_qoi(self):
        def head(rows, cols, channels=4):
            return b"qoif" + struct.pack(">IIBB", cols, rows, channels, 0)
        end = bytes(7) + b"\1"
        data = bytes([
            0xfe, 100, 150, 200,  # RGB
            0x40 | 3 << 4 | 2 << 2 | 1,  # red + 1, green, blue - 1
            0x80 | 32 + 10, (8 + 3) << 4 | 8 - 2,  # green + 10, red + 13, blue + 8
            0xc0 | 1,  # twice
            0xff, 5, 6, 7, 128,  # RGBA
            (100 * 3 + 150 * 5 + 200 * 7 + 255 * 11) % 64])  # the first again
        third = luma(114, 160, 207)
        expected = [luma(100, 150, 200), luma(101, 150, 199), third, third, third,
                    blend(luma(5, 6, 7), 128), luma(100, 150, 200)]
        self.assert_pixels(head(1, 7) + data + end, [expected])
        self.assert_pixels(head(7, 1) + data + end, [[v] for v in expected])
        self.assert_pixels(head(1, 5, 3) + data + end, [expected[:5]])
        self.assert_refused(head(2, 4) + data + end, "ends in row 1, expected 2 rows")
        self.assert_refused(head(65535, 2000) + data + end, "too few for 65535 by 2000")
        self.assert_refused(head(1, 1, 5) + data + end, "has 5 channels")

    def test_farbfeld(self):
        head = b"farbfeld" + struct.pack(">II", 2, 1)
        pixels = struct.pack(">8H", 257 * 10, 257 * 20, 257 * 30, 65535, 0, 0, 0, 257 * 64)
        self.assert_pixels(head + pixels, [[luma(10, 20, 30), blend(0, 64)]])
        self.assert_refused(head + pixels[:-1], "has 31 bytes, expected 32")


class Unknown(Pictures):
    def test_files_are_named_with_the_command_that_converts_them(self):
        for content, what, command in [
                (b"RIFF\x10\0\0\0WEBPVP8 ", "a WebP picture", "dwebp {0} -o {0}.png"),
                (b"GIF89a\1\0\1\0", "a GIF picture", "convert {0}'[0]' {0}.png"),
                (b"II*\0\x08\0\0\0", "a TIFF picture", "convert {0}'[0]' {0}.png"),
                (b"\0\0\0\x1cftypheic\0\0", "a HEIC picture", "heif-convert {0} {0}.png"),
                (b"\0\0\0\x1cftypavif\0\0", "an AVIF picture", "avifdec {0} {0}.png"),
                (b"\xff\x0a\0\0", "a JPEG XL picture", "djxl {0} {0}.png"),
                (b"\0\0\0\x0cjP  \r\n\x87\n", "a JPEG 2000 picture",
                 "opj_decompress -i {0} -o {0}.png"),
                (b'<?xml version="1.0"?>\n<!-- a --><svg>', "an SVG drawing",
                 "rsvg-convert {0} -o {0}.png"),
                (b"  <SVG>", "an SVG drawing", "rsvg-convert {0} -o {0}.png"),
                (b"%PDF-1.7", "a PDF document", "pdftoppm -singlefile -png {0} {0}"),
                (b"\0\0\1\0\1\0", "an icon (ICO)", "convert {0}'[0]' {0}.png"),
                (b"8BPS\0\1", "a Photoshop picture", "convert {0}'[0]' {0}.png"),
                (bytes(128) + b"DICM", "a DICOM picture", "dcm2pnm {0} {0}.pnm")]:
            for name, quoted in [("a.bin", "{}/a.bin"), ("it's a", "'{}/it'\\''s a'")]:
                with self.subTest(what=what, name=name):
                    path = quoted.format(self.folder)
                    self.assert_refused(
                        content, f"is {what}", f"; convert it with: {command.format(path)}\n",
                        name=name)

    def test_the_command_has_no_control_characters(self):
        self.assert_refused(b"GIF89a", "convert FILE'[0]' FILE.png", name="a\n\x1b[2J")

    def test_other_files_are_named(self):
        for content, what in [
                (b"", "has 0 bytes"), (b"x", "has 1 bytes"), (b"hello", "a text file"),
                (b"PK\3\4\0\0", "a ZIP archive"), (b"\x1f\x8b\x08", "a gzip file"),
                (b"\xef\xbb\xbf\n<!DOCTYPE html><html>", "an HTML page"),
                (b'{"a": 1}', "a JSON or other text file"), (b"\x93NUMPY\1\0", "a NumPy array"),
                (b"\x10\0\0\0\0\0\0\0{\"a\":1}", "a safetensors file"),
                (b"version https://git-lfs.github.com/spec/v1\n", "git lfs pull"),
                (b"P5A is not a picture", "a text file"), (b"BMW and other cars", "a text file"),
                (b"\1\2\3\4", "begins with the bytes 0x01 0x02, expected a picture")]:
            with self.subTest(what):
                self.assert_refused(content, what)

    def test_a_build_without_a_library_says_what_is_missing(self):
        for name, content in [("png", png([[(1,)]], 0, 8)), ("jpeg", JPEG_GREY)]:
            if name not in FORMATS:
                self.assert_refused(content, f"a {name.upper()} picture",
                                    f"built without lib{name}", "convert it with")


if __name__ == "__main__":
    PROGRAM, FORMATS = sys.argv.pop(1), sys.argv.pop(1).split(",")
    unittest.main()
