"""Tests forecast: tables as people have them, fields, missing values, times, columns.

usage: test_forecast.py FORECAST STREAM
"""
import csv
import datetime
import io

from tables import COUNT, DATES, WAVE, Forecast, german, main, table, wave


class Dialects(Forecast):
    def test_one_line_says_what_was_taken_for_what(self):
        said = self.check(table([DATES, WAVE], ["date", "sales"]))
        self.assertRegex(said, r"\A\S*table.csv: commas, names in the first row, decimal "
                               r"point; column 'sales', time axis 'date'\n\Z")

    def test_all_dialects_give_the_same_answer(self):
        plain = self.run_text(table([DATES, WAVE], ["date", "sales"])).stdout
        variants = [
            table([DATES, WAVE], ["date", "sales"], ending="\r\n"),
            table([DATES, WAVE], ["date", "sales"], ending="\r"),
            table([DATES, WAVE], ["date", "sales"], ending="\r\r\n"),
            table([DATES, WAVE], ["date", "sales"], quoting=csv.QUOTE_ALL),
            table([DATES, WAVE], ["date", "sales"], "\t"),
            table([DATES, WAVE], ["date", "sales"], "|"),
            table([DATES, german(WAVE)], ["date", "sales"], ";"),
            table([DATES, german(WAVE)], ["date", "sales"], "\t"),
            table([DATES, german(WAVE)], ["date", "sales"], ","),
            table([WAVE, DATES], ["sales", "date"]),
            table([DATES, WAVE]),
            table([DATES, german(WAVE)], delimiter=";"),
            table([WAVE], ["sales"]),
            table([german(WAVE)], ["sales"], ";"),
            table([german(WAVE)], delimiter=";"),
            "sep=;\n" + table([DATES, german(WAVE)], ["date", "sales"], ";"),
            "# a note; and more, of it\n\n" + table([DATES, WAVE], ["date", "sales"]),
            "\ufeff" + table([WAVE, DATES], ["sales", "date"]),
            table([DATES, WAVE], ["date", "a,b\nc"]),
            table([DATES, WAVE], ["date", "sales"]).replace(",", " , "),
            table([DATES, WAVE], ["date", "sales"]).replace(",", "   "),
            table([DATES, WAVE], ["date", "sales"]).replace("\n", ",\n"),
            table([WAVE, [""] * COUNT], ["sales", ""]),
            table([[f"place {i}, hall" for i in range(COUNT)], WAVE], ["place", "sales"]),
            "Account;DE00\nFrom;2020;to;2021\n\n" +
            table([DATES, german(WAVE), ["x"] * COUNT, DATES, ["y"] * COUNT],
                  ["date", "sales", "type", "booked", "who"], ";"),
            table([DATES, german(WAVE)], ["M\u00e4rz", "\u20ac"], ";").encode("cp1252"),
            table([DATES, WAVE], ["date", "sales"]) + ",\n,\n",
            table([range(COUNT), WAVE], ["#", "sales"]),
            table([["7"] * COUNT, WAVE], ["station", "sales"]),
        ]
        for text in variants:
            done = self.run_text(text)
            self.assertEqual((done.returncode, done.stdout), (0, plain),
                             f"{text[:100]!r}: {done.stderr}")

    def test_separators_of_thousands(self):
        values = [f"{1000 * wave(i):,.2f}" for i in range(COUNT)]
        swapped = [text.translate(str.maketrans(",.", ".,")) for text in values]
        for text in (table([DATES, values], ["date", "sales"]),
                     table([DATES, swapped], ["date", "sales"], ";"),
                     table([DATES, [text.replace(",", "'") for text in values]]),
                     table([DATES, [text.replace(",", "\u00a0") for text in values]]),
                     table([DATES, [text.replace(",", "\u202f") for text in values]]),
                     table([DATES, [text.replace(",", " ") for text in values]])):
            self.check(text, scale=1000)

    def test_commas_before_three_digits(self):
        thousands = [f"{1000 * wave(i):,.0f}" for i in range(COUNT)]
        self.check(table([DATES, thousands], ["date", "sales"]), scale=1000)
        self.check(table([thousands], ["sales"]), scale=1000)
        decimals = [f"{wave(i):.3f}".replace(".", ",") for i in range(COUNT)]
        said = self.check(table([DATES, decimals], ["date", "sales"], ";"))
        self.assertIn("--decimal . for the other", said)
        self.check(table([DATES, decimals], ["date", "sales"], ";"), "--decimal", ".",
                   scale=1000)
        points = [f"{wave(i):.3f}" for i in range(COUNT)]
        said = self.check(table([DATES, points], ["date", "sales"], ";"))
        self.assertIn("--decimal , for the other", said)
        self.check(table([DATES, points], ["date", "sales"], ";"), "--decimal", ",",
                   scale=1000)
        said = self.check(table([DATES, points, WAVE], ["date", "sales", "other"], ";"))
        self.assertNotIn("for the other", said)

    def test_both_signs_in_one_column_are_refused(self):
        mixed = [f"{100 + wave(i):.3f}" for i in range(COUNT)]
        mixed[7] = mixed[7].replace(".", ",")
        text = table([DATES, mixed], ["date", "sales"], ";")
        self.refuse(text, says=["column 'sales'", "1.234", "1,234", "--decimal"])
        # Grouped thousands beside decimals are no contradiction.
        grouped = [f"{1000 + wave(i):,.3f}" if i % 2 else f"{900 + wave(i):,.3f}"
                   for i in range(COUNT)]
        self.assertEqual(self.run_text(table([DATES, grouped])).returncode, 0)

    def test_falling_counters_are_the_time(self):
        for name, falling in (("year", range(2020, 2020 - COUNT, -1)),
                              ("epoch", [1700000000 - 60 * i for i in range(COUNT)]),
                              ("time", [45000 - i - i // 5 * 2 for i in range(COUNT)])):
            text = table([falling, WAVE[::-1]], [name, "sales"])
            said = self.check(text)
            self.assertIn(f"column 'sales', time axis '{name}'", said)
            self.assertIn("from the last to the first", said)

    def test_files_of_others_are_not_replaced(self):
        path, link = self.folder / "table.csv", self.folder / "link"
        text = table([DATES, WAVE], ["date", "sales"])
        path.write_text(text)
        link.symlink_to(path)
        other = self.folder / "other"
        for option, what in (("--svg", "chart"), ("--save", "model")):
            for name in (path, self.folder / "." / "table.csv", link):
                done = self.run_words(path, option, name, "--force")
                self.assertEqual((done.returncode, done.stdout), (1, ""))
                self.assertIn(f"is the table, which the {what} would replace", done.stderr)
            other.write_text("a letter")
            done = self.run_words(path, option, other)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(f"is not a {what} of forecast; --force replaces it", done.stderr)
            self.assertEqual(other.read_text(), "a letter")
            self.assertEqual(self.run_words(path, option, other, "--force").returncode, 0)
            # Its own file, and an empty one such as that of mktemp.
            self.assertEqual(self.run_words(path, option, other).returncode, 0)
            other.write_text("")
            self.assertEqual(self.run_words(path, option, other).returncode, 0)
        self.assertEqual(path.read_text(), text)
        done = self.run_words(path, "--svg", other, "--save", other)
        self.assertEqual(done.returncode, 2)

    def test_times_with_offsets_are_printed_in_utc(self):
        start = datetime.datetime(2024, 1, 1)
        times = [(start + datetime.timedelta(hours=i)).isoformat() for i in range(COUNT)]
        last = start + datetime.timedelta(hours=COUNT)
        for offset, back, mark in (("", 0, ""), ("Z", 0, "Z"), ("+02:00", 2, "Z"),
                                   ("-0330", -3.5, "Z")):
            done = self.run_text(table([[time + offset for time in times], WAVE],
                                       ["time", "value"]), "--csv")
            expected = last - datetime.timedelta(hours=back)
            self.assertEqual(done.stdout.splitlines()[1].split(",")[1],
                             expected.isoformat(" ") + mark)

    def test_signs_and_parentheses(self):
        negative = [f"{wave(i):.4f}" for i in range(COUNT)]
        said = self.check(table([DATES, [f"({text})" for text in negative]]), scale=-1)
        self.assertIn("120 numbers in parentheses are negative", said)
        self.check(table([DATES, [f"\u2212{text}" for text in negative]]), scale=-1)

    def test_other_encodings_and_formats_are_named(self):
        text = table([DATES, WAVE], ["date", "sales"])
        for encoding in ("utf-16", "utf-16-le", "utf-16-be", "utf-32"):
            self.refuse(text.encode(encoding), says=["UTF-", "iconv -f UTF-"])
        self.refuse(b"PK\3\4" + bytes(100), says=["Excel", "CSV"])
        self.refuse(b"", says=["no rows"])
        self.refuse("a,b\n" + "1,2\n" * 60 + "1\n", says=["line 62: 1 field, expected 2"])
        self.refuse("a,b\n1,\"2\n" + "1,2\n" * 60, says=["line 2: a quote has no end"])
        self.refuse("a,b\n1," + "2" * 200000 + "\n" * 60, says=["line 2", "131072 bytes"])


class Fields(Forecast):
    def test_a_field_is_a_number_only_as_a_whole(self):
        for bad in ("3 kg", "12:30", "5%", "0x10", "inf", "1e999", "1.2.3", "\u20ac 5", "--1",
                    "2020-01-05", "abc", "1 2"):
            values = list(WAVE)
            values[40] = bad
            self.refuse(table([DATES, values], ["date", "sales"]), "sales",
                        says=["line 42", "column 'sales'", f"'{bad}'"])
            self.refuse(table([DATES, values]), says=["line 41", f"'{bad}'"])
        self.refuse("10 kg\n" + table([WAVE]), says=["line 1", "'10 kg' is not a number"])
        for unit in (" kg", "%", "m", " \u20ac"):
            self.refuse(table([DATES, [text + unit for text in WAVE]], ["date", "sales"]),
                        "sales", says=["line 2", "20.0000" + unit, "'date' (times)"])
            self.refuse(table([[text + unit for text in WAVE]]), says=["no column has n"])

    def test_numbers_beyond_the_range_are_named(self):
        for bad in ("1e400", "-1e999", "1e-400", "0.1e-399"):
            values = list(WAVE)
            values[40] = bad
            self.refuse(table([DATES, values], ["date", "sales"]), says=[
                "line 42, column 'sales'", f"'{bad}' is too large or too small"])
        self.refuse(table([[f"{i + 1}e400" for i in range(COUNT)]], ["v"]),
                    says=["no column has numbers", "'v' (text such as '1e400' in line 2)"])
        zero = ["0e-400"] + WAVE[1:]
        self.check(table([DATES, zero]))

    def test_dates_are_the_time_axis(self):
        months = [datetime.date(2015 + i // 12, i % 12 + 1, 1) for i in range(COUNT)]
        hours = [datetime.datetime(2024, 1, 11) + datetime.timedelta(hours=i)
                 for i in range(COUNT)]
        forms = [("%Y-%m-%d", DATES), ("%d.%m.%Y", DATES), ("%m/%d/%Y", DATES),
                 ("%d/%m/%Y", DATES), ("%Y%m%d", DATES), ("%d %b %Y", DATES),
                 ("%b %d, %Y", DATES), ("%d-%b-%y", DATES), ("%Y/%m/%d", DATES),
                 ("%a, %d %B %Y", DATES), ("%Y-%m", months), ("%b %Y", months),
                 ("%m/%Y", months), ("%b-%y", months), ("%Y-%m-%d %H:%M", hours),
                 ("%Y-%m-%dT%H:%M:%SZ", hours), ("%m/%d/%Y %I:%M %p", hours),
                 ("%H:%M", hours[:24] * 5)]
        for form, dates in forms:
            texts = [date.strftime(form) for date in dates]
            said = self.check(table([texts, WAVE], ["when", "sales"]))
            self.assertIn("time axis 'when'", said, form)
            self.assertEqual(len(said.splitlines()), 1, said)
            self.refuse(table([texts, WAVE], ["when", "sales"]), "when",
                        says=["'when'", texts[0], "not a number", "'sales' (numbers)"])
        counted = self.check(table([range(COUNT), WAVE], ["id", "sales"]))
        self.assertIn("column 'sales', time axis 'id'", counted)

    def test_date_and_time_of_day_in_two_columns(self):
        hours = [datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i)
                 for i in range(COUNT)]
        days = [hour.strftime("%Y-%m-%d") for hour in hours]
        times = [hour.strftime("%H:%M") for hour in hours]
        done = self.run_text(table([days, times, WAVE], ["Date", "Time", "v"]), "--csv")
        self.assertEqual(len(done.stderr.splitlines()), 1)
        self.assertEqual(done.stdout.splitlines()[1].split(",")[:2],
                         ["1", "2024-01-06 00:00:00"])

    def test_months_go_on(self):
        firsts = [datetime.date(2010 + i // 12, i % 12 + 1, 1) for i in range(COUNT + 1)]
        lasts = [date - datetime.timedelta(1) for date in firsts[1:]]
        for dates, times in ((firsts[:-1], ["2020-01-01", "2020-02-01", "2020-03-01"]),
                             (lasts, ["2020-01-31", "2020-02-29", "2020-03-31"])):
            done = self.run_text(table([dates, WAVE], ["date", "v"]), "--csv")
            rows = list(csv.DictReader(io.StringIO(done.stdout)))
            self.assertEqual([row["time"] for row in rows[:3]], times)

    def test_columns_are_found_or_listed(self):
        text = table([DATES, WAVE, WAVE[::-1]], ["date", "sales", "stock"])
        by_name = self.run_text(text, "sales").stdout
        for words in (["1"], ["--column", "sales"], ["--column=1"]):
            self.assertEqual(self.run_text(text, *words).stdout, by_name)
        last = self.run_text(text)
        self.assertEqual(last.stdout, self.run_text(text, "stock").stdout)
        self.assertIn("column 'stock' (others of numbers: 'sales'; --column chooses)", last.stderr)
        for name in ("price", "", "sale", "3", "1x"):
            self.refuse(text, name, says=["column", "0 'date' (times), 1 'sales' (numbers)"])
        self.refuse(table([WAVE, WAVE], ["a", "a"]), "a", says=["2 columns"])

    def test_missing_values_are_said_and_treated(self):
        for word in ("", "NA", "NaN", "null", "-", "?", "n/a", "#N/A", "None", "."):
            values = [word if i % 11 == 5 else text for i, text in enumerate(WAVE)]
            text = table([DATES, values], ["date", "sales"])
            said = self.check(text)
            self.assertIn("11 of 120 values are missing, the first in line 7: they are "
                          "interpolated", said)
            self.refuse(text, "--missing", "refuse", says=["11 of 120", "line 7"])
        self.assertIn("dropped", self.run_text(text, "--missing=drop").stderr)
        # The chart has the values between their neighbours.
        values = [str(i * i) for i in range(60)]
        values[30] = ""
        filled = list(values)
        filled[30] = str((29 * 29 + 31 * 31) / 2)
        self.assertEqual(self.run_text(table([values], ["a"])).stdout,
                         self.run_text(table([filled], ["a"])).stdout)

    def test_missing_values_at_the_ends(self):
        values = ["NA"] * 3 + WAVE[3:] + ["NA"] * 2
        dates = DATES + [DATES[-1] + datetime.timedelta(i) for i in (1, 2)]
        done = self.run_text(table([dates, values], ["date", "sales"]), "--csv")
        self.assertIn("5 of 122 values are missing", done.stderr)
        self.assertEqual(done.stdout.splitlines()[1].split(",")[1], str(dates[-2]))

    def test_times_that_are_not_regular_are_said(self):
        gap = DATES[:50] + [date + datetime.timedelta(3) for date in DATES[50:]]
        said = self.check(table([gap, WAVE], ["date", "sales"]))
        self.assertIn("usual step is 1 day; missing times (gaps): 3, the first after "
                      "2020-02-19 (line 51): values are interpolated", said)
        for other, part in ((DATES[:50] + DATES[49:-1], "repeated times: 1, steps backwards: 0"),
                            (DATES[:50] + DATES[40:-10], "repeated times: 0, steps backwards: 1")):
            said = self.check(table([other, WAVE], ["date", "sales"]))
            self.assertIn(part, said)
            self.assertIn("line 52", said)
        backwards = table([DATES[::-1], WAVE[::-1]], ["date", "sales"])
        self.assertIn("from the last to the first", self.check(backwards))

    def test_sensible_columns_are_chosen(self):
        stocks = table([DATES, [str(1000 + i * i % 777) for i in range(COUNT)], WAVE[::-1],
                        WAVE], ["Date", "Volume", "Open", "Close"])
        self.assertIn("column 'Close' (others of numbers: 'Volume', 'Open'; --column chooses)",
                      self.check(stocks))
        for index in (range(COUNT), [f"{i / 8:.3f}" for i in range(COUNT)]):
            for columns in ([index, WAVE], [WAVE, index], [DATES, WAVE, index]):
                names = ["", "v", ""] if columns[0] is DATES else None
                self.check(table(columns, names))
        constant = table([range(COUNT), ["5"] * COUNT], ["n", "v"])
        self.assertIn("column 'v', time axis 'n'", self.run_text(constant).stderr)
        years = table([range(1900, 1900 + COUNT), WAVE], ["year", "value"])
        self.assertIn("column 'value', time axis 'year'", self.check(years))

    def test_identifiers_are_not_chosen(self):
        for name in ("user_id", "ID", "stationId"):
            ids = table([[str(i * i % 97) for i in range(COUNT)], WAVE], [name, "v"])
            self.assertIn("column 'v'", self.check(ids))

    def test_blank_lines_are_said(self):
        said = self.check(table([WAVE]).replace("\n", "\n\n"))
        self.assertIn("blank lines in the table: 119", said)
        said = self.check(table([DATES, WAVE]).replace("\n", "\n\n", 3))
        self.assertIn("blank lines in the table: 3", said)

    def test_too_few_values_are_refused(self):
        for rows in (1, 2, 49):
            self.refuse(table([WAVE[:rows]], ["a"]), says=["numbers"] if rows > 1 else ["1 n"])
        self.refuse("a\n", says=["a"])


if __name__ == "__main__":
    main()
