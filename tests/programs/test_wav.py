"""Tests the reader and the writer of sound files, with Python's wave and struct.

usage: test_wav.py PROGRAM (wav-copy)
"""
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import wave

PROGRAM = None
GUID = struct.pack("<IHH", 1, 0, 16) + b"\x80\0\0\xaa\0\x38\x9b\x71"
FLOAT_GUID = b"\3" + GUID[1:]


def chunk(name, data):
    return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)


def fmt(code=1, bits=16, channels=1, rate=44100, align=None, more=b""):
    align = channels * bits // 8 if align is None else align
    return chunk(b"fmt ", struct.pack("<HHIIHH", code, channels, rate, rate * align, align,
                                      bits) + more)


def riff(*parts):
    return chunk(b"RIFF", b"WAVE" + b"".join(parts))


def pcm24(values):
    return b"".join((value & 0xffffff).to_bytes(3, "little") for value in values)


class Wav(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.source = pathlib.Path(folder.name, "in.wav")
        self.target = pathlib.Path(folder.name, "out.wav")
        self.rng = random.Random(1)

    def copy(self, data, channel=0, encoding="float32"):
        self.source.write_bytes(data)
        self.target.unlink(missing_ok=True)
        return subprocess.run([PROGRAM, self.source, str(channel), self.target, encoding],
                              capture_output=True, text=True)

    def read(self, data, **options):
        """The samples, and what else was found."""
        done = self.copy(data, **options)
        self.assertEqual(done.returncode, 0, done.stderr)
        facts, report, *samples = done.stdout.splitlines()
        return [*map(float, samples)], facts.split(), report.split()

    def refused(self, data, message, **options):
        done = self.copy(data, **options)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertRegex(done.stderr, f"^wav-copy: .*{message}.*\n$")
        self.assertFalse(self.target.exists())

    def test_all_encodings_are_read_exactly(self):
        ints = {bits: [0, 1, -1, 2**(bits - 1) - 1, -2**(bits - 1),
                       *(self.rng.randrange(-2**(bits - 1), 2**(bits - 1))
                         for _ in range(50))] for bits in (16, 24, 32)}
        reals = [0.0, 0.5, -1.0, 1.5, 1e-30, *(self.rng.uniform(-1, 1) for _ in range(50))]
        single = [*struct.unpack("<55f", struct.pack("<55f", *reals))]

        def scaled(bits):
            exact = [value / 2**(bits - 1) for value in ints[bits]]
            return [*struct.unpack("<55f", struct.pack("<55f", *exact))]

        for code, bits, data, expected, name in (
                (1, 16, struct.pack("<55h", *ints[16]), scaled(16), "pcm16"),
                (1, 24, pcm24(ints[24]), scaled(24), "pcm24"),
                (1, 32, struct.pack("<55i", *ints[32]), scaled(32), "pcm32"),
                (3, 32, struct.pack("<55f", *reals), single, "float32"),
                (3, 64, struct.pack("<55d", *reals), single, "float64")):
            guid = GUID if code == 1 else FLOAT_GUID
            extension = struct.pack("<HHI", 22, bits, 4) + guid
            for header in (fmt(code, bits), fmt(code, bits, more=bytes(2)),
                           fmt(0xfffe, bits, more=extension)):
                with self.subTest(name=name, size=len(header)):
                    samples, facts, _ = self.read(riff(header, chunk(b"data", data)))
                    for one, other in zip(samples, expected, strict=True):
                        self.assertEqual(struct.pack("<f", one), struct.pack("<f", other))
                    self.assertEqual(facts, ["55", "44100", "1", name, "0"])

    def test_files_of_python_are_read_and_written(self):
        for width in (2, 3, 4):
            data = self.rng.randbytes(100 * width)
            with wave.open(str(self.source), "wb") as file:
                file.setparams((1, width, 8000, 0, "NONE", ""))
                file.writeframes(data)
            original = self.source.read_bytes()
            # Integers of 32 bits do not fit into float32.
            self.read(original, encoding=f"pcm{8 * width}")
            with wave.open(str(self.target)) as file:
                self.assertEqual(file.getparams()[:4], (1, width, 8000, 100))
                again = file.readframes(100)
            if width < 4:
                self.assertEqual(again, data)
                self.assertEqual(self.target.read_bytes(), original)
            else:
                for one, other in zip(struct.unpack("<100i", again),
                                      struct.unpack("<100i", data)):
                    self.assertLessEqual(abs(one - other), 64)

    def test_what_is_written_is_read_again(self):
        values = [0.25, -0.5, 0.125]
        data = riff(fmt(3, 32), chunk(b"data", struct.pack("<3f", *values)))
        for encoding in ("pcm16", "pcm24", "pcm32", "float32", "float64"):
            self.read(data, encoding=encoding)
            samples, facts, _ = self.read(self.target.read_bytes())
            self.assertEqual((samples, facts), (values, ["3", "44100", "1", encoding, "0"]))

    def test_integers_are_limited_and_counted(self):
        data = riff(fmt(3, 32), chunk(b"data", struct.pack("<4f", 1, 1.5, -3, -1)))
        for encoding, bits in (("pcm16", 16), ("pcm24", 24), ("pcm32", 32)):
            *_, report = self.read(data, encoding=encoding)
            self.assertEqual(report, ["2", "3"])
            raw = self.target.read_bytes()[44:44 + bits // 2]
            values = [int.from_bytes(raw[i:i + bits // 8], "little", signed=True)
                      for i in range(0, len(raw), bits // 8)]
            high, low = 2**(bits - 1) - 1, -2**(bits - 1)
            self.assertEqual(values, [high, high, low, low])

    def test_other_chunks_are_passed_over(self):
        data = chunk(b"data", struct.pack("<2h", 1, 2))
        junk = chunk(b"LIST", b"INFO odd"[:-1]), chunk(b"bext", bytes(602)), chunk(b"JUNK", b"")
        plain, *_ = self.read(riff(fmt(), data))
        for parts in ((*junk, fmt(), *junk, data, *junk), (fmt(), data, junk[0][:-1]),
                      (data, fmt())):
            self.assertEqual(self.read(riff(*parts))[0], plain)
        # The last padding may be missing.
        odd = riff(fmt(1, 24), chunk(b"data", b"abc"))[:-1]
        odd = odd[:4] + struct.pack("<I", len(odd) - 8) + odd[8:]
        self.assertEqual(len(self.read(odd)[0]), 1)
        *_, facts, _ = self.read(riff(fmt(), data) + b"TAG")
        self.assertEqual(facts[-1], "3")

    def test_channels_are_chosen(self):
        data = riff(fmt(channels=2), chunk(b"data", struct.pack("<4h", 16384, 8192, -16384, 0)))
        self.refused(data, "has 2 channels, expected one; --channel 1 selects the first")
        self.assertEqual(self.read(data, channel=1)[0], [0.5, -0.5])
        self.assertEqual(self.read(data, channel=2)[0], [0.25, 0])
        self.refused(data, "has 2 channels, but --channel is 3", channel=3)
        mono = riff(fmt(), chunk(b"data", struct.pack("<h", 16384)))
        self.assertEqual(self.read(mono, channel=2)[0], [0.5])

    def test_damaged_files_are_refused_by_name(self):
        data = chunk(b"data", struct.pack("<2h", 1, 2))
        good = riff(fmt(), data)
        self.read(good)
        for cut in range(len(good)):
            self.refused(good[:cut], "truncated|is not a WAV file|is empty")
        guid = struct.pack("<HHI", 22, 16, 4) + GUID
        for bad, message in (
                (good[:4] + b"\xff" * 4 + good[8:], "does not state its size"),
                (good[:4] + bytes(4) + good[8:],
                 "states a size of 0 bytes, expected at least 4: 0 is left by a recording"),
                (riff(data), "no chunk 'fmt '"), (riff(fmt()), "no chunk 'data'"),
                (riff(fmt(), fmt(), data), "more than one chunk 'fmt '"),
                (riff(fmt(), data, data), "more than one chunk 'data'"),
                (riff(fmt(), chunk(b"data", b"")), "has no samples"),
                *((riff(fmt(), chunk(b"data", b"") + rest),
                   f"chunk 'data' states 0 bytes, but {len(rest)} follow, as after a recording "
                   "that was interrupted; sox --ignore-length reads them")
                  for rest in (bytes(40), b"\1\2" * 20, b"ab", b"LIST\xff\xff\xff\xff")),
                (riff(fmt(), chunk(b"data", b""), chunk(b"LIST", b"ab")), "has no samples"),
                (riff(fmt(), chunk(b"data", b"abc")), "3 bytes, expected a multiple of 2"),
                (riff(fmt(), data, b"LIST"), "4 bytes after the last chunk"),
                (riff(fmt(), b"data\xff\xff\xff\xffab"), "states 4294967295 bytes, but 2"),
                (riff(chunk(b"fmt ", bytes(14)), data), "'fmt ' has 14 bytes"),
                (riff(fmt(channels=0), data), "0 channels"),
                (riff(fmt(channels=2000), data), "2000 channels"),
                (riff(fmt(rate=0), data), "rate of 0 Hz"),
                (riff(fmt(rate=2**32 - 1, align=0), data), "rate of 4294967295 Hz"),
                (riff(fmt(align=4), data), "4 bytes for a sample of all channels, expected 2"),
                (riff(fmt(bits=8), data), "integer samples of 8 bits, expected 16, 24 or 32"),
                (riff(fmt(3, 16), data), "floating-point samples of 16 bits"),
                (riff(fmt(85), data), "format 85, which are compressed"),
                (riff(fmt(0xfffe), data), "expected 40 for WAVE_FORMAT_EXTENSIBLE"),
                (riff(fmt(0xfffe, more=guid[:-1] + b"a"), data), "unknown GUID"),
                (riff(fmt(0xfffe, more=guid[:2] + b"\x11" + guid[3:]), data), "17 valid bits"),
                (riff(fmt(3, 32), chunk(b"data", struct.pack("<2f", 1, float("nan")))),
                 "sample 1 is nan"),
                (riff(fmt(3, 64), chunk(b"data", struct.pack("<d", 1e39))), "sample 0 is 1e"),
                (b"RF64" + good[4:], "an RF64 file"), (b"RIFX" + good[4:], "big-endian"),
                (b"fLaC", "a FLAC file"), (b"ID3", "an MP3 file"), (b"FORM", "an AIFF file"),
                (good[:8] + b"WEBP" + good[12:], "is not a WAV file")):
            with self.subTest(message=message):
                self.refused(bad, message)


if __name__ == "__main__":
    PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
