"""Tests ablation.py with networks of four units.

usage: test_ablation.py TRAIN
"""
import pathlib
import subprocess
import sys
import tempfile
import unittest

SCRIPT = pathlib.Path(__file__).resolve().parent / "ablation.py"
TRAIN = None
SMALL = "--hidden 4 --epochs 3 --batch-size 16 --synthetic=60 --validation 20"


class Ablation(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="ablation-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def call(self, *words, add=SMALL, status=0):
        result = subprocess.run([sys.executable, SCRIPT, TRAIN, self.folder, "--threads", "1",
                                 "--add", add, *words], text=True, capture_output=True)
        self.assertEqual(result.returncode, status, result.stdout + result.stderr)
        return result

    def test_all_runs_are_done_once_and_give_the_tables(self):
        names = [line.split(":")[0] for line in self.call("--list").stdout.splitlines()]
        self.assertEqual(len(names), 5 + 2 * 12 + 2)
        self.assertEqual(len(set(names)), len(names))
        first = self.call().stdout
        self.assertEqual([line.split(":")[0] for line in first.splitlines()[:len(names)]], names)
        for text in ("| `best` |", "| `best`, --tta 5 |", "| `pixels` |", "| `permuted` |",
                     "| nothing |", "| the average of the weights |", "| label smoothing |",
                     "A training of `best` takes", f"{len(names)} of {len(names)} runs"):
            self.assertIn(text, first)
        again = self.call().stdout
        self.assertEqual(again, first[first.index("\n| recipe |"):])

    def test_each_part_is_left_out(self):
        lines = dict(line.split(": ") for line in
                     self.call("--list", add="").stdout.splitlines())
        for name, gone, stays in (
                ("no-columns-0", "--read=both", "--read=rows"),
                ("no-width-1", "--hidden=192", "--hidden=128"),
                ("no-directions-0", "--bidirectional", "--read=both"),
                ("no-augment-0", "--augment", "--ema"),
                ("no-elastic-0", "elastic", "shift:2,rotate:12,scale:0.12,shear:0.2 "),
                ("no-affine-0", "shear", "--augment=elastic:3 "),
                ("no-clean-0", "--clean-epochs", "elastic:3"),
                ("no-smoothing-0", "smoothing", "--ema"), ("no-ema-0", "--ema", "--decoupled"),
                ("no-decay-0", "decay", "--ema"), ("no-schedule-0", "cycle", "--lr=0.001")):
            self.assertIn(gone, lines["whole-0"])
            self.assertNotIn(gone, lines[name])
            self.assertIn(stays, lines[name])
            self.assertIn("--validation=5000", lines[name])
        self.assertNotIn("--validation", lines["best-0"])

    def test_an_interrupted_run_goes_on(self):
        self.call("--only", "whole-0", "--minutes", "0", status=3)
        first = self.call("--only", "whole-0").stdout
        model = (self.folder / "whole-0.safetensors").read_bytes()
        (self.folder / "whole-0.json").unlink()
        (self.folder / "whole-0.safetensors").unlink()
        again = self.call("--only", "whole-0").stdout
        self.assertEqual(again, first)
        self.assertEqual((self.folder / "whole-0.safetensors").read_bytes(), model)

    def test_results_of_other_options_are_refused(self):
        self.call("--only", "whole-0")
        result = self.call("--only", "whole-0", add=SMALL + " --lr 0.1", status=1)
        self.assertIn("name another folder", result.stderr)
        result = self.call("--only", "nothing", status=1)
        self.assertIn("no run has a name that begins with nothing", result.stderr)


if __name__ == "__main__":
    TRAIN = str(pathlib.Path(sys.argv[1]).resolve())
    unittest.main(argv=sys.argv[:1], verbosity=2)
