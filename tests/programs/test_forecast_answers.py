"""Tests forecast: what it learns, charts, faults, and models for stream.

usage: test_forecast_answers.py FORECAST STREAM
"""
import csv
import io
import itertools
import math
import os
import random
import re
import subprocess
import unittest
import xml.etree.ElementTree

from tables import COUNT, DATES, WAVE, Forecast, main, table, wave

SVG = "{http://www.w3.org/2000/svg}"


class Values(Forecast):
    def test_ramps_and_constants_go_on(self):
        for start, step, exact in ((10**9, 1, True), (0, 3, True), (5, 0, True),
                                   (-7, -2, True), (2**53 - 200, 1, True)):
            text = "".join(f"{start + step * i}\n" for i in range(60))
            done = self.run_text(text)
            self.assertAlmostEqual(float(self.first(done)), start + 60 * step, delta=0.5)
            self.assertIn("nothing to learn", done.stdout)
        noisy = "".join(f"{1e6 + 5 * i + math.sin(i * i):.3f}\n" for i in range(200))
        self.assertAlmostEqual(float(self.first(self.run_text(noisy))), 1e6 + 1000, delta=5)
        tenths = "".join(f"{0.1 * i}\n" for i in range(60))
        self.assertAlmostEqual(float(self.first(self.run_text(tenths))), 6, delta=1e-9)

    def test_levels_and_scales_keep_their_digits(self):
        for level, scale in ((1e9, 1), (-1e12, 1), (0, 1e300), (0, 1e-300), (0, 1e-5),
                             (1e15, 1), (0, 7e306)):
            text = "".join(f"{level + scale * wave(i)!r}\n" for i in range(COUNT))
            self.check(text, level=level, scale=scale)

    def test_bands_end_at_the_largest_number(self):
        text = "".join(f"{1.7e308 * math.sin(i * i)!r}\n" for i in range(COUNT))
        for words in (["--csv"], []):
            done = self.run_text(text, *words)
            self.assertEqual(done.returncode, 0)
            self.assertNotRegex(done.stdout, "inf|nan")
            self.assertIn("1.79769", done.stdout)

    def test_printed_numbers_have_the_digits_of_the_data(self):
        done = self.run_text(table([[f"{1e9 + wave(i):.2f}" for i in range(COUNT)]]))
        for number in re.findall(r"^\d+: (\S+)", done.stdout, re.M):
            self.assertRegex(number, r"\A10000000\d\d\.?\d*\Z")

    def test_the_model_is_compared_with_simple_predictions(self):
        done = self.run_text(table([DATES, WAVE], ["date", "sales"]))
        error, before, lag, season = re.match(
            r"RMSE: (\S+), of repeating the previous value: (\S+)\n"
            r"RMSE of repeating the value of (\d+) steps before: (\S+)\n",
            done.stdout).groups()
        held_out = range(COUNT - COUNT // 5, COUNT)

        def naive(lag):
            squares = [(float(WAVE[i]) - float(WAVE[i - lag])) ** 2 for i in held_out]
            return math.sqrt(sum(squares) / len(squares))
        self.assertAlmostEqual(float(before), naive(1), delta=1e-3)
        self.assertAlmostEqual(float(season), naive(int(lag)), delta=1e-3)
        self.assertLess(float(error), float(before))
        self.assertNotIn("not better", done.stdout)
        weekly = self.run_text(table([[str(i % 7 + i % 2) for i in range(COUNT)]]))
        self.assertIn("value of 14 steps before: 0\n", weekly.stdout)
        self.assertIn("not better than repeating the value of 14 steps", weekly.stdout)
        given = self.run_text(table([WAVE]), "--season", "10")
        self.assertIn("value of 10 steps before", given.stdout)
        self.refuse(table([WAVE]), "--season", "61", says=["--season is 61", "120 values"])

    def test_a_season_is_found_under_a_trend(self):
        for season, slope in ((12, .5), (7, -3), (24, .05), (4, 20)):
            values = [slope * i + 4 * math.sin(2 * math.pi * i / season) + i * i % 7 / 20
                      for i in range(150)]
            done = self.run_text(table([[f"{value:.4f}" for value in values]]))
            held_out = range(120, 150)

            def rmse(errors, held_out=held_out):
                return math.sqrt(sum(error * error for error in errors) / len(held_out))
            by_value = rmse([values[i] - values[i - season] for i in held_out])
            by_change = rmse([values[i] - values[i - 1] - values[i - season] +
                              values[i - season - 1] for i in held_out])
            for word, expected in (("value", by_value), ("change", by_change)):
                found = re.search(rf"repeating the {word} of {season} steps before: (\S+)",
                                  done.stdout)
                self.assertAlmostEqual(float(found[1]), expected, delta=1e-3 * expected + 1e-3)

    def test_no_season_is_found_in_noise(self):
        generator = random.Random(5)
        for count in (50, 100, 500):
            noise = [generator.gauss(0, 1) for _ in range(count)]
            walk = list(itertools.accumulate(noise))
            trend = [.1 * i + value for i, value in enumerate(noise)]
            for values in (noise, walk, trend):
                done = self.run_text(table([[f"{value:.4f}" for value in values]]))
                self.assertNotIn("steps before", done.stdout)

    def test_a_model_that_is_no_better_says_so(self):
        state, value, values = 1, 0.0, []
        for _ in range(200):
            state = state * 1103515245 % 2**31
            value += state / 2**31 - .5
            values.append(f"{value:.4f}")
        self.assertIn("The model is not better than repeating the previous value.\n",
                      self.run_text(table([values])).stdout)

    def test_long_tables_use_their_end(self):
        text = "".join(f"{i},{wave(i):.4f}\n" for i in range(5120))
        done = self.run_text(text)
        self.assertIn("only the last 5000 of 5120 values", done.stderr)
        self.assertAlmostEqual(float(self.first(done)), wave(5120), delta=.5)


class Charts(Forecast):
    def draw(self, text, *words):
        path = self.folder / "chart.svg"
        done = self.run_text(text, "--svg", path, *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        root = xml.etree.ElementTree.parse(path).getroot()
        texts = [each.text for each in root.iter(SVG + "text")]
        points = {each.get("id"): [tuple(map(float, point.split(",")))
                                   for point in each.get("points").split()]
                  for kind in ("polyline", "polygon") for each in root.iter(SVG + kind)}
        return texts, points

    def test_a_chart_has_axes_labels_and_a_legend(self):
        texts, points = self.draw(table([DATES, WAVE], ["date", "a < b & 'c'"]))
        for text in ("Forecast of a < b & 'c'", "a < b & 'c'", "date", "values", "forecast",
                     "2020-04-30", "16", "20", "24", "95% band, from errors on held-out values"):
            self.assertIn(text, texts)
        self.assertEqual({name: len(each) for name, each in points.items()},
                         {"values": 48, "predicted": 24, "forecast": 21, "band": 41})
        # The band grows, and the forecast is inside.
        band = points["band"]
        widths = [band[40 - i][1] - band[1 + i][1] for i in range(20)]
        for less, more in zip(widths, widths[1:]):
            self.assertLess(less, more + .15)
        for i, (_, y) in enumerate(points["forecast"][1:]):
            self.assertAlmostEqual(y, (band[40 - i][1] + band[1 + i][1]) / 2, delta=.2)

    def test_all_points_are_finite_and_inside(self):
        for low, scale in ((0, 1e300), (0, 7e306), (0, 1e-300), (1e15, 1), (-5e8, 1e-3),
                           (7, 0)):
            texts, points = self.draw("".join(
                f"{low + scale * (wave(i) if scale else 0)!r}\n" for i in range(COUNT)))
            for name, each in points.items():
                for x, y in each:
                    self.assertTrue(0 <= x <= 900 and (name == "band" or 0 <= y <= 440))
            self.assertGreater(len(texts), 12)
            self.assertFalse({"inf", "nan", "-inf"} & set(texts))
            numbers = [text for text in texts if re.fullmatch(r"-?\d\S*", text)]
            self.assertEqual(len(numbers), len(set(numbers)) or 1)

    def test_the_range_may_be_that_of_double(self):
        texts, _ = self.draw("".join(f"{(-1) ** i * 1.7e308!r}\n" for i in range(60)))
        self.assertFalse({"inf", "nan", "-inf"} & set(texts))
        self.assertIn("1e+308", texts)

    def test_a_chart_is_complete_or_not_written(self):
        done = self.run_text(table([WAVE]), "0", self.folder / "none" / "chart.svg")
        self.assertEqual(done.returncode, 1)
        self.assertIn("chart.svg", done.stderr)


class Programs(Forecast):
    def test_help_and_usage(self):
        for word in ("-h", "--help"):
            done = self.run_words(word)
            self.assertEqual(done.returncode, 0)
            self.assertIn("--missing HOW", done.stdout)
            self.assertLessEqual(max(map(len, done.stdout.splitlines())), 80)
        for words in ([], ["--steps", "0", "x"], ["--missing", "x", "y"], ["a"] * 5,
                      ["--column", "a", "x", "b"], ["--decimal", "x", "y"],
                      ["--delimiter", "::", "y"], ["--none"]):
            self.assertEqual(self.run_words(*words).returncode, 2, words)

    def test_outputs_are_checked_before_training(self):
        path = self.folder / "table.csv"
        # A table that takes long to learn, and which is not even read.
        path.write_text("no table")
        protected = self.folder / "protected"
        protected.write_text("")
        protected.chmod(0o400)
        for option in ("--svg", "--save"):
            done = self.run_words(path, option, "-")
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn(f"{option} is '-', expected the name of a file", done.stderr)
            for name in (self.folder / "none" / "new", self.folder, protected):
                done = self.run_words(path, option, name)
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"forecast: {name}: ", done.stderr)
                self.assertEqual(len(done.stderr.splitlines()), 1)
            self.assertEqual(self.run_words(path, option, "").returncode, 2)
        for words in ([""], [path, "0", ""], [path, "0", "new", ""], [path, "0", "-"],
                      [path, "0", "new", "-"]):
            done = self.run_words(*words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, "empty|is '-'")
        self.assertEqual(sorted(self.folder.iterdir()), [protected, path])
        self.assertFalse(os.path.exists("-") or os.path.exists("new"))

    def test_standard_input_and_faults(self):
        text = table([DATES, WAVE], ["date", "sales"])
        from_file = self.run_text(text).stdout
        self.assertEqual(self.run_words("-", input=text).stdout, from_file)
        for path in (self.folder / "none.csv", self.folder):
            done = self.run_words(path)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, r"\Aforecast: .*\n\Z")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        self.run_text(table([WAVE]))
        with open("/dev/full", "wb") as full:
            done = subprocess.run([self.program, self.folder / "table.csv"], stdout=full,
                                  stderr=subprocess.PIPE, timeout=500)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"standard output: No space left on device", done.stderr)

    def test_the_table_of_the_forecast_is_csv(self):
        done = self.run_text(table([DATES, WAVE], ["date", "sales"]), "--csv", "--steps", "3")
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertEqual([row["time"] for row in rows],
                         ["2020-04-30", "2020-05-01", "2020-05-02"])
        for row in rows:
            self.assertLess(float(row["low"]), float(row["forecast"]))
            self.assertLess(float(row["forecast"]), float(row["high"]))

    def test_stream_goes_on_with_the_model(self):
        """stream gives the same next value, from values and from differences."""
        rough = [f"{10 + 3 * math.sin(i * 2.5):.4f}" for i in range(COUNT)]
        for values, differences in ((WAVE, True), (rough, False)):
            model = self.folder / "model"
            done = self.run_text(table([values], ["a"]), "--save", model)
            next_value = float(self.first(done))
            self.assertEqual(b"model.differences" in model.read_bytes(), differences)
            words = [self.stream, "--quiet"]
            whole = subprocess.run([*words, model], input="\n".join(values), text=True,
                                   capture_output=True, timeout=500)
            self.assertEqual((whole.returncode, whole.stderr), (0, ""))
            lines = whole.stdout.splitlines()
            self.assertAlmostEqual(float(lines[-1]), next_value, delta=1e-3)
            # In two parts, with the states in a file.
            state = self.folder / f"state {differences}"
            parts = []
            for part, more in ((values[:50], []), (values[50:], ["--state", state])):
                parts += subprocess.run([*words, *more, "--save-state", state, model],
                                        input="\n".join(part), text=True, check=True,
                                        capture_output=True).stdout.splitlines()
            self.assertEqual(parts, lines)


if __name__ == "__main__":
    main()
