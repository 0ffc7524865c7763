"""Tests the time axis of forecast: calendars, orders of dates, gaps, and columns of parts.

usage: test_forecast_times.py FORECAST STREAM
"""
import calendar
import csv
import datetime
import io

from tables import COUNT, DATES, WAVE, Forecast, main, table, wave

DAY = datetime.timedelta(1)


def month(index, day=1, year=2015):
    """A day of a month from January of a year on, or the last one before it."""
    year, number = year + index // 12, index % 12 + 1
    return datetime.date(year, number, min(day, calendar.monthrange(year, number)[1]))


def on_days(start, wanted):
    """Dates of which something is true."""
    while True:
        if wanted(start):
            yield start
        start += DAY


def texts(dates, form):
    return [date.strftime(form) for date in dates]


class Times(Forecast):
    def times(self, text, *words):
        """The next times, and what is said."""
        done = self.run_text(text, "--csv", "--steps", "3", *words)
        self.assertEqual(done.returncode, 0, done.stderr)
        rows = list(csv.DictReader(io.StringIO(done.stdout)))
        self.assertAlmostEqual(float(rows[0]["forecast"]), wave(COUNT), delta=1)
        return [row["time"] for row in rows], done.stderr

    def check_times(self, known, expected, *words, lines=1):
        found, said = self.times(table([known, WAVE], ["when", "v"]), *words)
        self.assertEqual(found, [str(time) for time in expected], said)
        self.assertEqual(len(said.splitlines()), lines, said)
        return said


class Calendar(Times):
    def check_dates(self, dates, **options):
        return self.check_times(dates[:COUNT], dates[COUNT:COUNT + 3], **options)

    def test_months_have_their_day_or_the_last_one(self):
        for day in (1, 15, 28, 29, 30, 31):
            self.check_dates([month(i, day) for i in range(COUNT + 3)])
            self.check_dates([month(3 * i + 1, day, 1950) for i in range(COUNT + 3)])
        self.check_dates([datetime.date(1900 + i, 12, 31) for i in range(COUNT + 3)])
        self.check_dates([datetime.date(1900 + i, 2, 28) for i in range(COUNT + 3)])

    def test_months_may_have_two_days(self):
        for first, second in ((1, 15), (15, 31), (10, 25), (5, 20), (14, 28)):
            self.check_dates([month(i // 2, second if i % 2 else first)
                              for i in range(COUNT + 3)])
            self.check_dates([month(i // 2, first if i % 2 else second) if i % 2 == 0 else
                              month(i // 2 + 1, first) for i in range(COUNT + 3)])

    def test_weeks_may_have_some_days(self):
        for days in ((0, 1, 2, 3, 4), (6, 0, 1, 2, 3), (0, 2, 4), (1, 3), (5, 6),
                     (0, 1, 2, 3, 4, 5)):
            for start in (datetime.date(2024, 1, 1), datetime.date(1968, 12, 5)):
                chosen = on_days(start, lambda date, days=days: date.weekday() in days)
                self.check_dates([next(chosen) for _ in range(COUNT + 3)])

    def test_holidays_are_missing_days(self):
        closed = [datetime.date(2024, 3, 29), datetime.date(2024, 4, 1)]
        days = on_days(datetime.date(2024, 1, 1), lambda date: date.weekday() < 5)
        known = [next(days) for _ in range(COUNT)]
        values = [value for date, value in zip(known, WAVE) if date not in closed]
        left = [date for date in known if date not in closed]
        found, said = self.times(table([left, values], ["when", "v"]))
        self.assertEqual(found, [str(next(days)) for _ in range(3)])
        self.assertIn("usual step is 1 day of Mon, Tue, Wed, Thu, Fri; missing times (gaps): "
                      "2, the first after 2024-03-28 (line 65)", said)

    def test_the_last_days_of_trade_are_months(self):
        def last(i):
            date = month(i, 31)
            return date - DAY * max(0, date.weekday() - 4)
        for form in ("%Y-%m-%d", "%Y-%m-%d 17:30"):
            said = self.check_times(texts([last(i) for i in range(COUNT)], form),
                                    ["2025-01", "2025-02", "2025-03"], lines=2)
            self.assertIn("on different days of its months", said)

    def test_weeks_quarters_and_months_keep_their_form(self):
        weeks = [datetime.date(2020, 1, 6) + 7 * i * DAY for i in range(COUNT)]
        for form in ("%G-W%V", "%GW%V", "KW %V/%G"):
            self.check_times(texts(weeks, form), ["2022-W17", "2022-W18", "2022-W19"])
        for form in ("{}-Q{}", "{1} {0}"):
            names = [form.format(1990 + i // 4, i % 4 + 1 if form[0] == "{" and "-" in form else
                                 f"Q{i % 4 + 1}") for i in range(COUNT)]
            self.check_times(names, ["2020-Q1", "2020-Q2", "2020-Q3"])
        for form in ("{}-H{}", "S{1} {0}"):
            self.check_times([form.format(1960 + i // 2, i % 2 + 1) for i in range(COUNT)],
                             ["2020-H1", "2020-H2", "2021-H1"])
        months = [month(i) for i in range(COUNT)]
        french = ["janv.", "f\u00e9vr.", "mars", "avr.", "mai", "juin", "juil.", "ao\u00fbt",
                  "sept.", "oct.", "nov.", "d\u00e9c."]
        for names in (texts(months, "%b %Y"), texts(months, "%Y-%m"), texts(months, "%Y%m"),
                      texts(months, "%YM%m"), texts(months, "%m/%Y"), texts(months, "%Y %B"),
                      [f"{french[date.month - 1]} {date.year}" for date in months]):
            self.check_times(names, ["2025-01", "2025-02", "2025-03"])
        self.check_times(texts(DATES, "%Y-%j"), ["2020-04-30", "2020-05-01", "2020-05-02"])


class Clocks(Times):
    def test_times_of_day_are_printed_as_such(self):
        start = datetime.datetime(2024, 1, 1, 22)
        for step, form, expected in (
                (datetime.timedelta(minutes=30), "%H:%M", ["10:00", "10:30", "11:00"]),
                (datetime.timedelta(minutes=30), "%I:%M %p", ["10:00", "10:30", "11:00"]),
                (datetime.timedelta(seconds=5), "%H:%M:%S",
                 ["22:10:00", "22:10:05", "22:10:10"])):
            known = [(start + i * step).strftime(form) for i in range(COUNT)]
            self.check_times(known, expected)
            turned = table([known[::-1], WAVE[::-1]], ["time", "v"])
            found, said = self.times(turned)
            self.assertEqual(found, expected)
            self.assertIn("the newest row is the first", said)

    def test_parts_of_seconds_keep_their_digits(self):
        for digits in (1, 3, 6, 9):
            def text(i, digits=digits):
                i += 7
                return (f"2024-02-28 23:59:{i // 10**digits:02d}.{i % 10**digits:0{digits}d}"
                        if digits > 1 else
                        f"2024-02-28 23:5{i // 600}:{i // 10 % 60:02d}.{i % 10}")
            self.check_times([text(i) for i in range(COUNT)],
                             [text(COUNT + i) for i in range(3)])
        said = self.check_times(
            [f"10:00:00.{i:012d}" for i in range(0, COUNT * 1000, 1000)],
            ["10:00:00.000000120", "10:00:00.000000121", "10:00:00.000000122"], lines=2)
        self.assertIn("12 digits, of which 9 are used", said)

    def test_local_days_and_months_stay_so_in_summer(self):
        months = [month(i) for i in range(COUNT + 3)]
        for dates in (months, [datetime.date(2024, 3, 1) + i * DAY for i in range(COUNT + 3)]):
            known = [f"{date}T00:00:00+0{2 if 4 <= date.month <= 10 else 1}:00"
                     for date in dates]
            said = self.check_times(known[:COUNT], [f"{date} 00:00:00" for date in dates[COUNT:]],
                                    lines=2)
            self.assertIn("local times, whose offsets are left out", said)

    def test_offsets_are_for_all_times_or_none(self):
        hours = [f"2024-01-{1 + i // 24:02d}T{i % 24:02d}:00:00" for i in range(COUNT)]
        self.refuse(table([[*(hour + "Z" for hour in hours[:-1]), hours[-1]], WAVE]),
                    says=["119 of 120 times have an offset"])
        self.check_times([hour + "Z" for hour in hours],
                         [f"2024-01-06 0{i}:00:00Z" for i in range(3)])


class Orders(Times):
    def test_the_order_of_day_and_month_is_found(self):
        firsts = [month(i) for i in range(COUNT)]
        business = on_days(datetime.date(2024, 1, 1), lambda date: date.weekday() < 5)
        for dates in (DATES, firsts, [next(business) for _ in range(COUNT)],
                      [month(i, 12) for i in range(COUNT)]):
            expected = self.times(table([dates, WAVE]))[0]
            for form in ("%d/%m/%Y", "%m/%d/%Y", "%d.%m.%Y", "%d-%m-%Y", "%m-%d-%y",
                         "%d.%m.%y", "%y-%m-%d", "%y/%m/%d"):
                found, said = self.times(table([texts(dates, form), WAVE]))
                self.assertEqual(found, expected, form)
                self.assertEqual(len(said.splitlines()), 1, said)

    def test_what_is_not_sure_is_said_and_can_be_chosen(self):
        # Both numbers are at most 12, and irregular in each order.
        known = [f"{i * 5 % 11 + 1:02d}/{i % 12 + 1:02d}/{2000 + i}" for i in range(COUNT)]
        text = table([known, WAVE], ["when", "v"])
        said = self.times(text)[1]
        self.assertRegex(said, "column 'when': dates such as 01/01/2000 are taken as (month, day|"
                               "day, month), year; --dates mdy, dmy or ymd chooses")
        for order in ("mdy", "dmy"):
            self.assertNotIn("--dates", self.times(text, "--dates", order)[1])
        # Equally regular in each order.
        yearly = table([[f"01/02/{1900 + i}" for i in range(COUNT)], WAVE])
        for words, expected, lines in (([], "2020-01-02", 2), (["--dates", "mdy"], "2020-01-02", 1),
                                       (["--dates", "dmy"], "2020-02-01", 1)):
            found, said = self.times(yearly, *words)
            self.assertEqual((found[0], len(said.splitlines())), (expected, lines))
        self.refuse(table([texts(DATES, "%m/%d/%Y"), WAVE], ["when", "v"]), "--dates", "dmy",
                    says=["'01/13/2020' is not a time"])
        self.assertEqual(self.run_text(text, "--dates", "dym").returncode, 2)

    def test_unknown_forms_are_said(self):
        for known in ([f"{date.day}th of {date.month}/{date.year}" for date in DATES],
                      [f"{date:%Y}_{date:%m}_{date:%d}" for date in DATES],
                      [f"{date:%Y-%m-%d} 12:00 CET" for date in DATES],
                      [f"week {i} of 2024" for i in range(COUNT)]):
            found, said = self.times(table([known, WAVE], ["date", "v"]))
            self.assertEqual(found, ["121", "122", "123"])
            self.assertIn(f"line 2, column 'date': '{known[0]}' looks like a time, but its form "
                          "is not known", said)


class Steps(Times):
    def test_irregular_times_are_numbered(self):
        known = [datetime.date(2024, 1, 1) + DAY * (i * i * 7 // 9 + 3 * i)
                 for i in range(COUNT)]
        said = self.check_times(known, [121, 122, 123], lines=2)
        self.assertIn("irregular", said)
        trade = [datetime.datetime(2024, 1, 1 + i // 8, 9 + i % 8) for i in range(COUNT)]
        self.assertIn("irregular", self.check_times(trade, [121, 122, 123], lines=2))

    def test_times_of_measurements_may_vary(self):
        known = [datetime.datetime(2024, 1, 1) + datetime.timedelta(minutes=i, seconds=i % 3)
                 for i in range(COUNT)]
        found, said = self.times(table([known, WAVE]))
        self.assertEqual(found[0][:16], "2024-01-01 02:00")
        self.assertEqual(len(said.splitlines()), 1, said)

    def test_missing_times_are_treated(self):
        left = [i for i in range(COUNT) if not 50 <= i < 53]
        for times, first in ((DATES, "2020-04-30"), (range(1000, 1000 + COUNT), "1120"),
                             ([month(i) for i in range(COUNT)], "2025-01-01")):
            text = table([[times[i] for i in left], [WAVE[i] for i in left]], ["year", "v"])
            found, said = self.times(text)
            self.assertEqual(found[0], first)
            self.assertIn("missing times (gaps): 3", said)
            self.assertIn("(line 51): values are interpolated", said)
            self.refuse(text, "--missing", "refuse", says=["3 times are missing", "line 51"])
            found, said = self.times(text, "--missing", "drop")
            self.assertEqual(found[0], first)
            self.assertIn("dropped, the values count as evenly spaced", said)
            # The same as with rows whose values are missing.
            values = [WAVE[i] if i in left else "" for i in range(COUNT)]
            self.assertEqual(self.run_text(table([times, values], ["year", "v"])).stdout,
                             self.run_text(text).stdout)

    def test_the_newest_row_may_be_the_first(self):
        found, said = self.times(table([DATES[::-1], WAVE[::-1]], ["when", "v"]), "--quiet")
        self.assertEqual(found[0], "2020-04-30")
        self.assertIn("the newest row is the first; rows are read from the last", said)
        # Repeated days and one row out of place.
        turned = [*DATES[:40:-1], DATES[42], *DATES[40:0:-1]]
        found, said = self.times(table([turned, WAVE[::-1]], ["when", "v"]))
        self.assertIn("the newest row is the first", said)
        self.assertIn("repeated times: 0, steps backwards: 1", said)

    def test_several_series_in_one_column_are_suspected(self):
        double = [date for date in DATES[:60] for _ in range(2)]
        self.assertIn("several series in one column?",
                      self.run_text(table([double, WAVE])).stderr)


class Parts(Times):
    def test_years_months_and_days_are_the_time(self):
        firsts = [month(i) for i in range(COUNT)]
        hours = [datetime.datetime(2024, 1, 1) + datetime.timedelta(hours=i)
                 for i in range(COUNT)]
        cases = [
            (["year", "month", "day"], DATES, ["%Y", "%m", "%d"], "2020-04-30"),
            (["Day", "Month", "Year"], DATES, ["%d", "%m", "%Y"], "2020-04-30"),
            (["Jahr", "Monat"], firsts, ["%Y", "%m"], "2025-01"),
            (["YEAR", "MO"], firsts, ["%Y", "%m"], "2025-01"),
            (["Year", "Month"], firsts, ["%Y", "%b"], "2025-01"),
            (["year", "month", "day", "hour"], hours, ["%Y", "%m", "%d", "%H"],
             "2024-01-06 00:00:00"),
            (["date", "hour"], hours, ["%Y-%m-%d", "%H"], "2024-01-06 00:00:00"),
            (["year", "week"], [datetime.date(2020, 1, 6) + 7 * i * DAY for i in range(COUNT)],
             ["%G", "%V"], "2022-W17"),
        ]
        for names, dates, forms, expected in cases:
            text = table([*(texts(dates, form) for form in forms), WAVE], [*names, "value"])
            found, said = self.times(text)
            self.assertEqual(found[0], expected)
            self.assertIn("column 'value', time axis", said)
        quarters = table([[1990 + i // 4 for i in range(COUNT)],
                          [f"Q{i % 4 + 1}" for i in range(COUNT)], WAVE],
                         ["year", "quarter", "value"])
        self.assertEqual(self.times(quarters)[0][0], "2020-Q1")
        bad = table([[2020] * COUNT, [i % 13 for i in range(COUNT)], WAVE],
                    ["year", "month", "value"])
        self.assertIn("column 'value'", self.run_text(bad, "value").stderr)

    def test_parts_alone_are_not_the_series(self):
        for name in ("hour", "month", "day", "Monat"):
            text = table([DATES, WAVE, [i * 7 % 12 + 1 for i in range(COUNT)]],
                         ["date", "v", name])
            found, said = self.times(text)
            self.assertEqual(found[0], "2020-04-30")
            self.assertIn("column 'v'", said)

    def test_serial_numbers_of_days_are_a_time(self):
        text = table([[f"{43831 + i / 24:.8f}" for i in range(COUNT)], WAVE], ["date", "v"])
        self.assertIn("column 'v', time axis 'date'", self.times(text)[1])


if __name__ == "__main__":
    main()
