"""Renders the page of mnist-train --report in a headless Chromium, light, dark, narrow and in
print, and reads what is there.

usage: test_report.py PROGRAM
"""
import base64
import json
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

import browser

PROGRAM = None
# What the page has: curves that have a length, cells with a background, pictures with pixels.
COUNT = """const shown = (list, is) => [...document.querySelectorAll(list)].filter(is).length;
const colour = (element, name) => getComputedStyle(element)[name];
return {
  steps: shown('#loss path.steps', (path) => path.getTotalLength() > 1000),
  mean: shown('#loss path.mean', (path) => path.getTotalLength() > 300),
  accuracy: shown('#accuracy path.curve', (path) => path.getTotalLength() > 100),
  rate: shown('#rate path.curve', (path) => path.getTotalLength() > 100),
  cells: shown('#matrix tbody td', (cell) => cell.clientWidth > 15 &&
               colour(cell, 'backgroundColor') !== 'rgba(0, 0, 0, 0)'),
  images: shown('#worst img', (image) => image.complete && image.naturalWidth === 28 &&
                image.naturalHeight === 28 && image.clientWidth >= 60),
  classes: shown('#classes tbody tr', (row) => row.clientHeight > 0),
  advice: shown('#advice li', (item) => item.clientHeight > 0),
  scripts: document.scripts.length,
};"""
COLOURS = """const value = (name) => getComputedStyle(document.body)[name];
return [value('color'), value('backgroundColor')];"""
# Texts of charts that are outside of them, or on each other.
CLASHES = """const clashes = [];
for (const chart of document.querySelectorAll('svg')) {
  const frame = chart.getBoundingClientRect();
  const texts = [...chart.querySelectorAll('text')].filter(
    (text) => getComputedStyle(text).display !== 'none');
  const boxes = texts.map((text) => text.getBoundingClientRect());
  boxes.forEach((a, i) => {
    if (a.left < frame.left - 1 || a.right > frame.right + 1 || a.bottom > frame.bottom + 1)
      clashes.push(texts[i].textContent + ' is cut');
    boxes.slice(i + 1).forEach((b, k) => {
      if (a.left < b.right && b.left < a.right && a.top + 3 < b.bottom && b.top + 3 < a.bottom)
        clashes.push(texts[i].textContent + ' on ' + texts[i + 1 + k].textContent);
    });
  });
}
return clashes;"""
WANTED = {"steps": 1, "mean": 1, "accuracy": 2, "rate": 1, "cells": 100, "images": 40,
          "classes": 10, "scripts": 0}


def brightness(colour):
    return sum(map(int, re.findall(r"\d+", colour)[:3]))


@unittest.skipIf(browser.missing(), browser.missing())
class Report(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.own = tempfile.TemporaryDirectory(prefix="report-")
        folder = pathlib.Path(cls.own.name)
        subprocess.run([PROGRAM, "--synthetic=1200", "--hidden", "16", "--layers", "1",
                        "--batch-size", "32", "--epochs", "4", "--seed", "7", "--lr", "0.01",
                        "--schedule", "cosine", "--validation", "200", "--eval", "epoch",
                        "--no-save", "--report", "<b>&'.html", "--quiet"],
                       cwd=folder, check=True, capture_output=True)
        cls.url = (folder / "<b>&'.html").as_uri()

    @classmethod
    def tearDownClass(cls):
        cls.own.cleanup()

    def open(self, chromium, width=None):
        if width:
            chromium.devtools("Emulation.setDeviceMetricsOverride", width=width, height=800,
                              deviceScaleFactor=2, mobile=True)
        chromium.open(self.url)

    def check(self, chromium):
        found = chromium.run(COUNT)
        self.assertGreaterEqual(found.pop("advice"), 3)
        self.assertEqual(found, WANTED)
        self.assertEqual(chromium.run(CLASHES), [])
        self.assertEqual(chromium.log("browser"), [])

    def test_light_and_dark(self):
        for dark in (False, True):
            with self.subTest(dark=dark), browser.Browser(dark=dark) as chromium:
                self.open(chromium)
                self.check(chromium)
                ink, paper = map(brightness, chromium.run(COLOURS))
                self.assertEqual(ink > paper, dark)
                self.assertGreater(abs(ink - paper), 500)
                self.assertEqual(self.requests(chromium), {self.url})

    def requests(self, chromium):
        """What the page loads that is not in it."""
        events = [json.loads(entry["message"])["message"]
                  for entry in chromium.log("performance")]
        urls = {event["params"]["request"]["url"] for event in events
                if event["method"] == "Network.requestWillBeSent"
                and event["params"]["documentURL"] == self.url}
        return {url for url in urls if not url.startswith("data:")}

    def test_a_phone_needs_no_scrolling_sideways(self):
        with browser.Browser() as chromium:
            self.open(chromium, width=375)
            self.check(chromium)
            self.assertEqual(chromium.run("return document.documentElement.scrollWidth"), 375)
            self.assertLessEqual(chromium.run(
                "return document.getElementById('matrix').getBoundingClientRect().right"), 375)

    def test_print_is_light_and_has_a_few_pages(self):
        with browser.Browser(dark=True) as chromium:
            self.open(chromium)
            chromium.devtools("Emulation.setEmulatedMedia", media="print")
            ink, paper = map(brightness, chromium.run(COLOURS))
            self.assertLess(ink + 500, paper)
            chromium.devtools("Emulation.setEmulatedMedia", media="")
            pdf = base64.b64decode(chromium.devtools("Page.printToPDF",
                                                     preferCSSPageSize=True)["data"])
            self.assertIn(len(re.findall(rb"/Type /Page\b(?!s)", pdf)), (3, 4, 5))


if __name__ == "__main__":
    PROGRAM = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
