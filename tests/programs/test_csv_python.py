"""Compares the reader of tables with Python's csv and float.

usage: test_csv_python.py CSV_JSON
"""
import csv
import io
import json
import pathlib
import random
import subprocess
import sys
import tempfile
import unittest

READER = None
DELIMITERS = ",;\t|"
# Parts of texts that a reader may take for something else.
PIECES = ["a", "b c", "7", ",", ";", "\t", "|", '"', "\n", "\r\n", "'", "#", "é", "0.5", "="]


class Tables(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name) / "table.csv"

    def read(self, text, encoding="utf-8"):
        self.path.write_bytes(text.encode(encoding))
        done = subprocess.run([READER, self.path], capture_output=True, timeout=100)
        self.assertEqual((done.returncode, done.stderr), (0, b""), text)
        return json.loads(done.stdout)

    def write(self, rows, delimiter, ending, quoting):
        out = io.StringIO(newline="")
        csv.writer(out, delimiter=delimiter, lineterminator=ending,
                   quoting=quoting).writerows(rows)
        return out.getvalue()

    def check(self, rows, text, encoding="utf-8"):
        found = [[field for field, _ in row] for row in self.read(text, encoding)]
        self.assertEqual(found, rows, text)

    def test_what_python_writes_is_read_back(self):
        rng = random.Random(1)
        for trial in range(150):
            columns = rng.randint(2, 6)
            rows = [[f"name {i}" for i in range(columns)]]
            for _ in range(rng.randint(5, 20)):
                rows.append(["x" + "".join(rng.choices(PIECES, k=rng.randint(0, 4))) + "y"
                             for _ in range(columns)])
            ending = rng.choice(["\n", "\r\n", "\r"])
            encoding = rng.choice(["utf-8", "utf-8-sig"])
            text = self.write(rows, DELIMITERS[trial % 4], ending, csv.QUOTE_ALL)
            self.check(rows, text, encoding)

    def test_python_reads_the_same_without_quotes(self):
        rng = random.Random(2)
        for trial in range(150):
            delimiter = DELIMITERS[trial % 4]
            columns = rng.randint(2, 6)
            rows = [[f"c{i}" for i in range(columns)]]
            for _ in range(rng.randint(5, 20)):
                rows.append([rng.choice([f"{rng.gauss(0, 100):.3f}", "2024-01-05", "text",
                                         "", 'two "words"', "3 kg"])
                             for _ in range(columns - 1)] + ["end"])
            text = self.write(rows, delimiter, "\n", csv.QUOTE_MINIMAL)
            expected = list(csv.reader(io.StringIO(text, newline=""), delimiter=delimiter,
                                       strict=True))
            self.check(expected, text)

    def test_windows_1252_is_read_as_python_reads_it(self):
        # Python has no character for five of the bytes.
        codes = [code for code in range(0xa0, 0x100)] + list("€‚ƒ„…†‡ˆ‰Š‹ŒŽ‘’“”•–—˜™š›œžŸ")
        text = "".join(code if isinstance(code, str) else chr(code) for code in codes)
        rows = [["name", "other"], ["x" + text + "x", "1"]]
        self.check(rows, self.write(rows, ";", "\n", csv.QUOTE_ALL), "cp1252")

    def test_numbers_are_those_of_python(self):
        rng = random.Random(3)
        texts = ["1e999", "inf", "nan", "0x1p3", "1_0", "3 kg", "5%", "12:30", "1e-400", "-0",
                 "1e22", "9007199254740993", "4.35", "2.2250738585072011e-308", "1" * 300,
                 "0." + "0" * 300 + "1", "+1", "1.", ".5", "e5", "1e+5", "--1", "1-"]
        for _ in range(500):
            value = rng.choice([rng.gauss(0, 1), rng.uniform(-1e18, 1e18),
                                10 ** rng.uniform(-300, 300)])
            texts.append(rng.choice([repr(value), f"{value:.3f}", f"{value:,.2f}",
                                     f"{value:.9g}", f"{value:.20e}", f"{value:.4f} kg"]))
        rows = [["text", "other"]] + [[text, "x"] for text in texts]
        for row in self.read(self.write(rows, ",", "\n", csv.QUOTE_ALL))[1:]:
            text, number = row[0]
            plain = text.replace(",", "")
            try:
                expected = float(plain) if "_" not in plain else None
            except ValueError:
                expected = None
            if expected is not None and not abs(expected) < float("inf"):
                expected = None
            # What would become 0 is refused as well.
            if expected == 0 and set(plain.split("e")[0]) & set("123456789"):
                expected = None
            self.assertEqual(number, expected, text)


if __name__ == "__main__":
    READER = sys.argv.pop(1)
    unittest.main(verbosity=2)
