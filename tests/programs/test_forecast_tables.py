"""Tests forecast on tables as offices, spreadsheets and web pages export them: each has the right
value, or is refused with what is wrong.

usage: test_forecast_tables.py FORECAST STREAM
"""
import csv
import datetime

from tables import COUNT, DATES, WAVE, Forecast, german, main, table

FIRSTS = [datetime.date(2015 + i // 12, i % 12 + 1, 1) for i in range(COUNT)]
GERMAN = [date.strftime("%d.%m.%Y") for date in DATES]
MONTHS = ("Januar Februar M\u00e4rz April Mai Juni Juli August September Oktober November "
          "Dezember").split()
NAMES = ["date", "v"]


def thousands(separator, decimal="."):
    return [f"{1000 * float(value):,.2f}".replace(".", "D").replace(",", separator)
            .replace("D", decimal) for value in WAVE]


def with_value(text, row=40):
    return table([DATES, [*WAVE[:row], text, *WAVE[row + 1:]]], NAMES)


PLAIN = table([DATES, WAVE], NAMES)
TOTAL = f"{sum(map(float, WAVE)):.4f}"


class Exports(Forecast):
    def check_all(self, cases):
        for name, text, parts in cases:
            with self.subTest(name):
                said = self.check(text)
                for part in parts:
                    self.assertIn(part, said)

    def refuse_all(self, cases):
        for name, text, parts in cases:
            with self.subTest(name):
                self.refuse(text, says=parts)

    def test_spreadsheets(self):
        self.check_all([
            ("German Excel", table([GERMAN, german(WAVE)], ["Datum", "Umsatz"], ";", "\r\n"),
             ["decimal comma"]),
            ("padded title", "Bericht;;\r\n;;\r\n" + table(
                [GERMAN, german(WAVE), german(WAVE)], ["Datum", "Alt", "Neu"], ";", "\r\n"),
             ["lines before the table: 2", "column 'Neu'"]),
            ("padded title of two", "Report,\n" + PLAIN, ["lines before the table: 1"]),
            ("index without a name", table([range(COUNT), DATES, WAVE], ["", *NAMES]), []),
            ("title and units", "Sales\n\ndate,sales\n(day),(EUR)\n" + table([DATES, WAVE]),
             ["line 4 is taken as units, not as values: '(day)', '(EUR)'"]),
            ("units", "temp\n\u00b0C\n" + table([WAVE]), ["line 2 is taken as units"]),
            ("two rows of names", "date,price\nday,close\n" + table([DATES, WAVE]),
             ["line 2 is taken as units", "column 'price'"]),
            ("total", PLAIN + f"Total,{TOTAL}\n",
             ["totals at the end are left out: 1, the first in line 122: 'Total'"]),
            ("empty rows", PLAIN + ",\n" * 5, []),
            ("quotes around all", table([[f" {date} " for date in DATES],
                                         [f" {value} " for value in WAVE]], NAMES,
                                        quoting=csv.QUOTE_ALL), []),
            ("half of the lines end with CRLF", PLAIN.replace("\n", "\r\n", 60), []),
            ("few numbers in the last column",
             table([DATES, WAVE, WAVE[:9] + [""] * (COUNT - 9)], ["date", "v", "w"]),
             ["column 'v' (others of numbers: 'w'; --column chooses)"]),
        ])
        self.check(table([DATES, thousands("\u202f", ",")], ["Date", "Chiffre"], ";"),
                   scale=1000)
        for separator in "\u00a0\u2009\u2007\u202f'\u2019 ":
            self.check(table([DATES, thousands(separator)], NAMES), scale=1000)

    def test_offices(self):
        months = [MONTHS[date.month - 1] for date in FIRSTS]
        years = [date.year for date in FIRSTS]
        self.check_all([
            ("Destatis", "GENESIS-Tabelle: 61111;;\nPreise;;\nDeutschland;;\n;;Index\n"
             "Jahr;Monat;2020=100\n" + table([years, months, german(WAVE)], delimiter=";") +
             "__________;;\n(C)opyright Bundesamt;;\nStand: 01.02.2024;;\n",
             ["time axis 'Jahr Monat'", "notes or totals at the end are left out: 3, the first in line 126"]),
            ("Eurostat", table([[f"{date:%Y-%m}" for date in FIRSTS],
                                [":" if i % 9 == 5 else value for i, value in enumerate(WAVE)]],
                               ["TIME_PERIOD", "OBS_VALUE"]), ["13 of 120 values are missing"]),
            ("World Bank", with_value(".."), ["1 of 120 values are missing"]),
            ("Google Trends", "Category: All categories\n\nMonth,lstm: (Worldwide)\n" +
             table([[f"{date:%Y-%m}" for date in FIRSTS], WAVE]), ["lines before the table: 1"]),
            ("notes", PLAIN + "\nSource: an office\nMore of it\n",
             ["notes after the table: 2 from line 123 on"]),
            ("missing trade", table([DATES, ["null" if i == 7 else value
                                             for i, value in enumerate(WAVE)]], ["Date", "Close"]),
             ["1 of 120 values are missing"]),
        ])
        for mark in ("-999", "9999", "99999"):
            self.assertIn(f"numbers such as {mark} (line 42) are far from the others: 1",
                          self.run_text(with_value(mark)).stderr)
        growing = "".join(f"{900 + i}\n" for i in range(COUNT))
        self.assertNotIn("far from", self.run_text(growing).stderr)

    def test_what_is_wrong_is_named(self):
        self.refuse_all([
            ("a total without a name", table([WAVE + [TOTAL]], ["v"]),
             ["line 122, column 'v'", "is the sum of all values before it"]),
            ("a total without a date", PLAIN + f",{TOTAL}\n", ["line 122", "has no time"]),
            ("two tables", PLAIN + "\n" + PLAIN, ["line 123", "has the name of the column again"]),
            ("a table after notes", PLAIN + "\nNote\n\n2020-04-30,1\n",
             ["line 123", "after which the table goes on"]),
            ("a note without a blank line", PLAIN + "Source: office\n",
             ["line 122: 1 field, expected 2"]),
            ("ragged", PLAIN.replace("\n", ",x,y\n", 7).replace(",x,y\n", "\n", 6),
             ["line 7: 4 fields, expected 2"]),
            ("a byte 0", PLAIN.replace("02-01", "02\0-01"), ["line 33: contains a byte 0"]),
            ("a long line", PLAIN + "x" * 200000 + ",1\n", ["line 122", "131072 bytes"]),
            ("one row", "date,v\n2024-01-01,1\n", ["has 1 number, expected at least 50"]),
            ("only names", "date,v\n", ["date"]),
            *((f"too many columns, {name}", sign.join(map(str, range(16385))) + "\n",
               ["line 1: has more than 16384 fields"])
              for name, sign in (("commas", ","), ("semicolons", ";"), ("blanks", " "))),
            ("too many words", "word " * 16385 + "\n", ["no column has numbers"]),
            ("all missing", table([DATES, ["NA"] * COUNT], NAMES), ["no column has numbers"]),
            ("years in columns", table([["DE", "FR"], *([["1", "2"]] * 60)],
                                       ["country", *(str(1960 + i) for i in range(60))]),
             ["a series is a column of the table, not a row"]),
            ("fewer than one", with_value("<1"), ["line 42", "'<1' is not a number"]),
            ("a flag", with_value("20.1 p"), ["line 42", "'20.1 p' is not a number"]),
            ("a fault of Excel", with_value("#DIV/0!"), ["line 42", "'#DIV/0!'"]),
            ("a fault of Excel in a single column",
             table([[*WAVE[:30], "#REF!", *WAVE[31:]]], ["v"]),
             ["line 32, column 'v': '#REF!' is not a number"]),
            ("numbers of lines with #", table([[f"#{i}" for i in range(COUNT)], WAVE],
                                              ["line", "v"]),
             [f"no column has numbers; the columns are 0 'line' (empty), 1 'v' (empty); {COUNT} "
              "lines with # were taken as comments"]),
            ("Indian groups", table([DATES, [f"1,23,{400 + i}.00" for i in range(COUNT)]], NAMES),
             ["'v' (text such as '1,23,400.00' in line 2)"]),
            ("another order of dates",
             table([[date.strftime("%m/%d/%Y") for date in DATES], WAVE],
                   NAMES).replace("02/10/2020", "31/12/2020"),
             ["line 42, column 'date': '31/12/2020' is not a time"]),
        ] + [(f"unit {unit}", table([DATES, [unit.format(value) for value in WAVE]], NAMES),
              [f"'v' (text such as '{unit.format(WAVE[0])}' in line 2)"])
             for unit in ("{}%", "{} kg", "{}K", "${}", "\u20ac {}", "{}-", "'{}", "={}")])
        html = "<!DOCTYPE html><html><table><tr><td>1</td></tr></table></html>\n" * 60
        self.refuse(html, says=["no column has numbers", "'<!DOCTYPE"])

    def test_a_missing_value_of_a_spreadsheet_is_no_comment(self):
        said = self.check(table([[*WAVE[:30], "#N/A", *WAVE[31:]]], ["v"]))
        self.assertIn(f"column 'v': 1 of {COUNT} values are missing, the first in line 32: they "
                      "are interpolated", said)

    def test_names_may_stand_behind_a_number_sign(self):
        said = self.check("#" + PLAIN, "--column", "v")
        self.assertIn("names in the first row", said)
        self.assertIn("time axis 'date'", said)

    def test_growth_is_not_a_total(self):
        done = self.run_text("".join(f"{2 ** i}\n" for i in range(60)))
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_years_of_two_digits_are_said_if_they_are_late(self):
        for first, said in ((1955, True), (1975, False)):
            known = [f"{date.month}/1/{(date.year - 2015 + first) % 100:02d}" for date in FIRSTS]
            done = self.run_text(table([known, WAVE]))
            self.assertEqual("years of two digits" in done.stderr, said)

    def test_decimal_signs_that_change_the_numbers_are_said_when_quiet(self):
        values = [f"{float(value):.3f}".replace(".", ",") for value in WAVE]
        said = self.check(table([values], ["v"], ";"), "--quiet")
        self.assertEqual(said, "column 'v': 20,000 is taken as 20; --decimal . for the other, "
                               "20000\n")

    def test_groups_of_thousands_are_told_from_decimals(self):
        whole = [f"{1000 * float(value):.0f}" for value in WAVE]
        for separator, other in ".,", ",.":
            grouped = [f"{int(value):,}".replace(",", separator) for value in whole]
            for values in (grouped[:60] + whole[60:], whole[:60] + grouped[60:]):
                said = self.check(table([DATES, values], NAMES, ";"), scale=1000)
                self.assertRegex(said, r"is taken as [12]\d{4}; ")
                self.assertIn(f"--decimal {separator} for the other", said)
        said = self.check(table([GERMAN, [f"{value[:-1]}" for value in WAVE]], NAMES, ";"),
                          scale=1000)
        self.assertIn("column 'v': 20.000 is taken as 20000; --decimal . for the other, 20", said)
        # Few large numbers, other dates, other decimals.
        self.check(table([DATES, [f"{value[:-1]}" for value in WAVE]], NAMES, ";"))
        self.check(table([GERMAN, [f"{value[:-1]}" for value in WAVE]], NAMES))
        self.check(table([GERMAN, WAVE], NAMES, ";"))

    def test_exponents_have_no_groups(self):
        said = self.check(table([range(COUNT), [f"{float(value) / 1e6:.3e}" for value in WAVE]],
                                ["t", "v"]), scale=1e-6)
        self.assertNotIn("--decimal", said)

    def test_other_columns_are_named_and_flags_are_not_chosen(self):
        flags = [str(int(i % 7 == 0)) for i in range(COUNT)]
        said = self.check(table([DATES, WAVE[::-1], WAVE, flags],
                                ["Date", "Open", "Close", "holiday"]))
        self.assertIn("column 'Close' (others of numbers: 'Open'; --column chooses)", said)
        self.assertIn("column 'holiday'",
                      self.run_text(table([DATES, flags], ["Date", "holiday"])).stderr)

    def test_columns_of_text_are_named(self):
        text = table([DATES, WAVE, [value + " kg" for value in WAVE]], ["date", "v", "weight"])
        self.assertIn("not numbers: 'weight' (text such as '20.0000 kg' in line 2)",
                      self.check(text))


class Totals(Forecast):
    """Rows of totals are left out at the end, and refused where they are not told from values."""

    def test_totals_at_the_end_are_left_out(self):
        parts = [[date.year for date in FIRSTS], [date.month for date in FIRSTS], WAVE]
        year_month = table(parts, ["Year", "Month", "Sales"])
        counter = table([range(1, COUNT + 1), WAVE], ["No", "Sales"])
        days = table([[f"Day {i}" for i in range(COUNT)], WAVE], ["Day", "Sales"])
        dates = table([range(COUNT), DATES, WAVE], ["No", *NAMES])
        export = table([GERMAN, german(WAVE)], ["Datum", "Umsatz"], ";", "\r\n")
        for text, end, label in (
                (year_month, f"Total,,{TOTAL}\n", "Total"),
                (year_month, f",Total,{TOTAL}\n", "Total"),
                (year_month, f"2024,Total,{TOTAL}\n", "Total"),
                (year_month, f"Grand Total,,{TOTAL}\nAverage:,,20\n", "Grand Total"),
                (counter, f"Total,{TOTAL}\n", "Total"), (counter, f"Summe:,{TOTAL}\n", "Summe:"),
                (days, f"Total,{TOTAL}\n", "Total"), (dates, f"Total,,{TOTAL}\n", "Total"),
                (dates, f",,\nOverall,,{TOTAL}\n,,\n", "Overall"),
                (export, f";\r\nSumme;{TOTAL.replace('.', ',')}\r\n", "Summe")):
            with self.subTest(end=end):
                found, expected = self.run_text(text + end, "--csv"), self.run_text(text, "--csv")
                self.assertEqual(found.stdout, expected.stdout, found.stderr)
                self.assertIn(f": '{label}'", found.stderr)
                self.assertIn("totals at the end are left out: ", found.stderr)
                self.assertEqual(len(found.stderr.splitlines()),
                                 len(expected.stderr.splitlines()) + 1)

    def test_labels_of_values_are_not_totals(self):
        for names in (["Total"] * COUNT, [("total", "paid")[i % 2] for i in range(COUNT)],
                      [*["paid"] * (COUNT - 1), "TOTAL"]):
            said = self.check(table([DATES, names, WAVE], ["date", "what", "v"]))
            self.assertNotIn("left out", said)

    def test_measures_may_have_the_name_of_a_part(self):
        sales = [f"{4 * float(value) - 60:.0f}" for value in WAVE]
        self.assertIn("column 'day sales'",
                      self.run_text(table([DATES, WAVE, sales], ["date", "v", "day sales"])).stderr)

    def test_a_text_in_the_time_axis_is_not_passed_over(self):
        rows = [f"{date.year},{date.month},{value}\n" for date, value in zip(FIRSTS, WAVE)]
        yearly = [row for i, row in enumerate(rows)
                  for row in [row, *[f"{FIRSTS[i].year},Total,240\n"] * (i % 12 == 11)]]
        self.refuse("Year,Month,v\n" + "".join(yearly),
                    says=["line 14, column 'Month': 'Total' is not a time", "if it is a total"])
        counted = table([[*range(40), "x", *range(41, COUNT)], WAVE], ["No", "v"])
        self.assertIn("line 42, column 'No': 'x' is not like the others", self.check(counted))
        annual = "".join(yearly).replace("Total", "13")
        self.assertIn("line 14, column 'Month': '13' is not like the others",
                      self.run_text("Year,Month,v\n" + annual).stderr)
        self.refuse(PLAIN + f",{TOTAL}\n", says=["line 122", "if it is a total"])
        blank = PLAIN + f",\n,{TOTAL}\n"
        self.refuse(blank, says=["line 123", "has no time"])
        self.assertIn("line 42", self.check(PLAIN.replace("2020-02-10", ",\n2020-02-10")))

    def test_a_last_value_is_about_the_sum(self):
        values = [f"{float(value):.1f}" for value in WAVE]
        for total in (f"{float(TOTAL):.1f}", f"{sum(map(float, values)):.1f}"):
            self.refuse(table([[*values, total]], ["v"]), says=["line 122", "is the sum of all"])

    def test_numbers_far_from_the_others_are_said(self):
        for times in (50, 100, -1000):
            for row in (40, COUNT - 1):
                said = self.run_text(with_value(f"{times * 24}", row)).stderr
                self.assertIn(f"numbers such as {times * 24} (line {row + 2}) are far from the "
                              "others: 1; expected no totals", said)
        for values in ([2 ** i for i in range(60)], [0] * 55 + [1, 0, 20, 0, 0],
                       [i % 10 * 1000 + 1 for i in range(60)]):
            self.assertNotIn("far from", self.run_text(table([values])).stderr)


class Reasons(Forecast):
    """Why a column is not the time axis, and which option does not fit."""

    def test_years_that_begin_again_are_said(self):
        years = [*range(1960, 2020), *range(1960, 2020)]
        for index, name in ((years, "Year"), ([i % 60 for i in range(COUNT)], "No")):
            said = self.run_text(table([["A"] * 60 + ["B"] * 60, index, WAVE],
                                       ["Country", name, "v"])).stderr
            self.assertIn(f"column '{name}' is not the time axis: numbers that are not after the "
                          "one before: 1, the first in line 62", said)
            self.assertIn("several series in one column?", said)
        said = self.run_text(table([[*DATES[:60], *DATES[:60]], WAVE], NAMES)).stderr
        self.assertIn("several series in one column?", said)

    def test_the_option_that_does_not_fit_is_named(self):
        text = table([GERMAN, german(WAVE)], ["Datum", "Umsatz"], ";")
        self.refuse(text, "--dates", "ymd", says=["'01.01.2020'", "--dates ymd does not fit"])
        self.refuse(text, "--header", "no", says=["line 1", "'Datum'", "--header no takes"])
        self.refuse(text, "--decimal", ".", says=["--decimal .:", "such as '20,0000' in line 2"])
        self.refuse(text, "1", "--decimal", ".", says=["'20,0000' is not a number with --decimal"])
        self.refuse(table([WAVE], ["v"]), "--header", "no", says=["'v'", "--header no takes"])
        self.refuse(PLAIN, "--time", "v", says=["--time is column 'v', which has the values"])


if __name__ == "__main__":
    main()
