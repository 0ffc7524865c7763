"""Checks that a figure is the same in all documents, and that figures derived from the code
agree with the code.

usage: test_figures.py
"""
import pathlib
import re
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]

# For each figure, the files that contain it, with a pattern whose group is the figure.
FIGURES = {
    "largest difference of the first twenty losses from PyTorch": {
        "README.md": r"first twenty losses differ from PyTorch 2.13's by at most (\S+)\. ",
        "docs/numerics.md": r"first twenty losses differ from PyTorch's by at most (\S+);"},
    "limit of the difference of losses": {
        "docs/numerics.md": r"the limit of the tests is (\d\S+) ",
        "tests/api/test_losses.c": r"tolerance = (\S+);",
        "tests/programs/test_parity.py": r"TOLERANCE = (\S+) "},
    "real digits that a network of synthetic ones classifies": {
        "README.md": r"classifies about (\d+%) of the real test set",
        "include/mnist/dataset.h": r"classifies about (\d+%) of"},
    "milliseconds of a training step, one thread": {
        "README.md": r"A training step takes (\S+) ms with one thread",
        "docs/performance.md": r"\| training step \| (\S+) \| \d+% \| \S+ \| \d+% \|"},
    "milliseconds of a training step, two threads": {
        "README.md": r"with one thread and (\S+) ms with two",
        "docs/performance.md": r"\| training step \| \S+ \| \d+% \| (\S+) \| \d+% \|"},
    "time to PyTorch at its best": {
        "README.md": r"This is (\S+) times the time of PyTorch at its best",
        "docs/performance.md": r"\| PyTorch at its best \| \S+ \| \S+ \| (\S+) \|"},
    "time to PyTorch as installed": {
        "README.md": r"PyTorch at its best, and (\S+) times",
        "docs/performance.md": r"\| PyTorch as installed \| \S+ \| \S+ \| (\S+) \|"},
    "seconds of an epoch": {
        "README.md": r"An epoch of 938 steps takes (\S+ to \S+) s",
        "docs/performance.md": r"One epoch of `mnist-train --eval none` takes (\S+ to \S+) s"},
    "seconds of an epoch in PyTorch": {
        "README.md": r"s, in PyTorch (\S+ to \S+) s\.",
        "docs/performance.md": r"written in PyTorch (\S+ to \S+) s\."},
    "largest difference of bfloat16, by norm": {
        "include/lstm/layer.h": r"at most (\S+) of their norm",
        "include/lstm/stream.h": r"at most (\S+) of their norm",
        "docs/numerics.md": r"all gradients differ by 5e-4 to (\S+),"},
    "limit of the difference of bfloat16, as a power of 2": {
        "docs/numerics.md": r"The limit of the tests is 2\^(-\d+) ",
        "tests/api/test_bf16.c": r"exact\), 0, 0x1p(-\d+)\)"},
    "slowness of plain C in the reproducible mode": {
        "include/lstm/threads.h": r"takes (\d+) times as long",
        "docs/numerics.md": r"takes (\d+) times as long"},
    "microseconds until an idle worker sleeps": {
        "lib/lstm/core/pool.c": r"for about (\d+) microseconds",
        "docs/recipes-programs.md": r"sleep after about (\d+) microseconds"},
    "limits of compare_torch.py: outputs": {
        "docs/numerics.md": r"the limits are (\S+) and",
        "tests/golden/compare_torch.py": r"FORWARD, GRADIENT, LATER_GRADIENT = (\S+),"},
    "limits of compare_torch.py: gradients": {
        "docs/numerics.md": r"the limits are \S+ and (\S+)\. ",
        "tests/golden/compare_torch.py": r"LATER_GRADIENT = \S+, (\S+),"},
}


def words(name):
    """The text of a file on one line, without the stars of comments."""
    text = re.sub(r"^ *\*", "", (ROOT / name).read_text(encoding="utf-8"), flags=re.M)
    return " ".join(text.split())


class Figures(unittest.TestCase):
    def test_they_are_the_same_everywhere(self):
        for what, places in FIGURES.items():
            with self.subTest(what):
                found = {name: re.search(pattern, words(name))
                         for name, pattern in places.items()}
                self.assertTrue(all(found.values()), found)
                self.assertEqual(len({each[1] for each in found.values()}), 1, found)

    def test_the_mean_equals_the_figures_of_the_seeds(self):
        found = re.search(r"seeds 0 to 4 classify (.*?) correctly, (\S+) on average",
                          words("README.md"))
        each = [int(number.replace(",", "")) for number in re.findall(r"\d,\d+", found[1])]
        self.assertEqual(len(each), 5)
        self.assertEqual(f"{round(sum(each) / 5):,}", found[2])


if __name__ == "__main__":
    unittest.main(verbosity=2)
