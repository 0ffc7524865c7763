"""Models that lstm-amp exports, read by others: this package's converter, torch.nn.LSTM, and
the reader of Neural Amp Modeler; and its training, repeated with PyTorch.

usage: test_amp_formats.py PROGRAM (lstm-amp; with LIBLSTM in the environment)

Needs NumPy. What needs PyTorch or neural-amp-modeler is skipped without it; of the latter
`pip install --no-deps neural-amp-modeler` is enough. With RTNEURAL, the folder of RTNeural's
sources, in the environment its own parser and layers are compared, too.
"""
import json
import os
import pathlib
import re
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).resolve().parent
ROOT = HERE.parents[1]
sys.path[:0] = [str(ROOT / "examples/python"), str(ROOT / "tests/support")]
try:
    import numpy as np
except ImportError:
    print("skipped: numpy not installed")
    sys.exit(77)
try:
    import torch

    torch.set_num_threads(1)
except ImportError:
    torch = None

import sounds  # noqa: E402
from liblstm import convert  # noqa: E402

AMP = None
RATE, HIDDEN, SECONDS = 8000, 7, 1.5
TRAIN = ["--hidden", HIDDEN, "--steps", "300", "--batch", "100", "--seed", "5", "--epochs"]


class Formats(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.dry = sounds.notes(SECONDS, RATE)
        cls.wet = sounds.device(cls.dry)
        sounds.write(cls.folder / "dry.wav", cls.dry, RATE)
        sounds.write(cls.folder / "wet.wav", cls.wet, RATE)
        cls.run_amp(*TRAIN, 3, "--format", "guitarml", "train", "dry.wav", "wet.wav",
                    "skip.safetensors", "skip.aidax", "skip.json")
        cls.run_amp(*TRAIN, 3, "--format", "guitarml", "--no-skip", "train", "dry.wav",
                    "wet.wav", "plain.safetensors", "plain.aidax", "plain.json", "plain.nam")
        for name in ("skip", "plain"):
            cls.run_amp("play", f"{name}.safetensors", "dry.wav", f"{name}.wav")

    @classmethod
    def run_amp(cls, *words):
        return subprocess.run([AMP, *map(str, words)], cwd=cls.folder, check=True,
                              capture_output=True, text=True)

    def tree(self, name):
        return json.loads((self.folder / name).read_text())

    def played(self, name):
        return np.array(sounds.read(self.folder / f"{name}.wav"), np.float32)

    def test_all_formats_give_the_same_samples(self):
        self.assertFalse(np.allclose(self.played("skip"), self.played("plain"), atol=1e-2))
        for name in ("skip.aidax", "skip.json", "plain.aidax", "plain.json", "plain.nam"):
            with self.subTest(name):
                convert.convert(self.folder / name, self.folder / "back.safetensors")
                self.run_amp("--force", "play", "back.safetensors", "dry.wav", "back.wav")
                self.assertEqual((self.folder / "back.wav").read_bytes(),
                                 (self.folder / f"{name.split('.')[0]}.wav").read_bytes())

    def test_a_converted_model_is_exported_again(self):
        for name, other in (("plain.nam", "plain.nam"), ("skip.aidax", "skip.aidax")):
            convert.convert(self.folder / name, self.folder / "back.safetensors")
            self.run_amp("--force", "export", "back.safetensors", f"again.{other}")
            self.assertEqual(self.tree(f"again.{other}"), self.tree(name))

    def test_gains_activations_and_first_states_are_exported_or_refused(self):
        tree = self.tree("skip.aidax") | {"in_gain": 3.5, "out_gain": -2}
        tree["layers"][1]["activation"] = "tanh"
        (self.folder / "more.aidax").write_text(json.dumps(tree))
        convert.convert(self.folder / "more.aidax", self.folder / "more.safetensors")
        self.run_amp("export", "more.safetensors", "more_again.aidax")
        self.assertEqual(self.tree("more_again.aidax"), tree)
        nam = self.tree("plain.nam")
        at = 4 * HIDDEN * (HIDDEN + 2)
        nam["weights"][at:at + 2 * HIDDEN] = [i / 16 for i in range(2 * HIDDEN)]
        (self.folder / "states.nam").write_text(json.dumps(nam))
        convert.convert(self.folder / "states.nam", self.folder / "states.safetensors")
        self.run_amp("export", "states.safetensors", "states_again.nam")
        self.assertEqual(self.tree("states_again.nam"), nam)
        for model, file, message in (("more", "no.nam", "adds its input"),
                                     ("more", "no.json", "has gains"),
                                     ("states", "no.aidax", "first states")):
            with self.assertRaises(subprocess.CalledProcessError) as caught:
                self.run_amp("--format", "guitarml", "export", f"{model}.safetensors", file,
                             "other")
            self.assertIn(message, caught.exception.stderr)

    def test_torch_plays_the_state_dict(self):
        if torch is None:
            self.skipTest("torch not installed")
        for name in ("skip", "plain"):
            tree = self.tree(f"{name}.json")
            data = tree["model_data"]
            self.assertEqual((data["unit_type"], data["hidden_size"], data["skip"],
                              data["sample_rate"]), ("LSTM", HIDDEN, name == "skip", RATE))
            net = torch.nn.ModuleDict({"rec": torch.nn.LSTM(1, HIDDEN),
                                       "lin": torch.nn.Linear(HIDDEN, 1)})
            net.load_state_dict({key: torch.tensor(each)
                                 for key, each in tree["state_dict"].items()})
            x = torch.tensor(self.dry)[:, None, None]
            with torch.no_grad():
                y = net["lin"](net["rec"](x)[0]) + (x if data["skip"] else 0)
            np.testing.assert_allclose(self.played(name), y.numpy()[:, 0, 0], atol=2e-6)

    def test_neural_amp_modeler_plays_its_file(self):
        done = subprocess.run([sys.executable, HERE / "nam_reader.py", "plain.nam", "dry.wav",
                               "nam.wav"], cwd=self.folder, capture_output=True, text=True)
        if done.returncode == 77:
            self.skipTest(done.stdout.strip())
        self.assertEqual(done.returncode, 0, done.stderr)
        np.testing.assert_allclose(self.played("plain"), self.played("nam"), atol=2e-6)

    def test_rtneural_plays_its_file(self):
        sources = os.environ.get("RTNEURAL")
        if not sources:
            self.skipTest("no sources of RTNeural; RTNEURAL is their folder")
        program = self.folder / "rtneural"
        subprocess.run([*os.environ.get("CXX", "c++").split(), "-std=c++17", "-O1",
                        "-DRTNEURAL_USE_STL=1", "-DRTNEURAL_DEFAULT_ALIGNMENT=16", "-I", sources,
                        HERE / "rtneural_play.cpp", "-o", program], check=True)
        for name in ("skip", "plain"):
            done = subprocess.run([program, self.folder / f"{name}.aidax"], check=True,
                                  input="\n".join(map(repr, self.dry)), capture_output=True,
                                  text=True)
            y = np.array([*map(float, done.stdout.split())])
            # Programs add the input themselves.
            np.testing.assert_allclose(self.played(name),
                                       y + (self.dry if name == "skip" else 0), atol=2e-6)

    def test_rtneural_layers_are_those_of_keras(self):
        tree = self.tree("skip.aidax")
        self.assertEqual((tree["in_skip"], tree["in_shape"]), (1, [None, None, 1]))
        lstm, dense = tree["layers"]
        kernel, recurrent, bias = (np.array(each) for each in lstm["weights"])
        h = c = np.zeros(HIDDEN)
        out = []
        for each in self.dry:
            i, f, g, o = np.split(each * kernel[0] + h @ recurrent + bias, 4)
            c = c / (1 + np.exp(-f)) + np.tanh(g) / (1 + np.exp(-i))
            h = np.tanh(c) / (1 + np.exp(-o))
            out.append(h @ np.array(dense["weights"][0])[:, 0] + dense["weights"][1][0] + each)
        np.testing.assert_allclose(self.played("skip"), out, atol=2e-6)

    def test_training_is_that_of_torch(self):
        if torch is None:
            self.skipTest("torch not installed")
        done = self.run_amp(*TRAIN, 4, "--force", "train", "dry.wav", "wet.wav", "m.safetensors")
        found = [tuple(map(float, each)) for each in re.findall(
            r"loss (\S+), validation (\S+), ESR (\S+) ", done.stderr)]
        np.testing.assert_allclose(found, Torch(self.dry, self.wet).train(4), rtol=2e-3)


class Torch:
    """The same training in PyTorch: one batch of all segments, so that their order does not
    matter."""

    def __init__(self, dry, wet):
        torch.manual_seed(5)
        self.rec, self.lin = torch.nn.LSTM(1, HIDDEN), torch.nn.Linear(HIDDEN, 1)
        self.adam = torch.optim.Adam([*self.rec.parameters(), *self.lin.parameters()], lr=0.005)
        self.dry, self.wet = torch.tensor(dry), torch.tensor(wet)
        self.first = len(dry) - int(len(dry) * 0.2)

    @staticmethod
    def emphasis(signal):
        return signal - 0.85 * torch.cat([torch.zeros_like(signal[:1]), signal[:-1]])

    def loss(self, y, t):
        p, q = self.emphasis(y), self.emphasis(t)
        esr = ((p - q)**2).mean() / ((q**2).mean() + 1e-5)
        dc = ((t.mean(0) - y.mean(0))**2).mean() / ((t**2).mean() + 1e-5)
        return 0.75 * esr + 0.25 * dc

    def epoch(self):
        length, total, updates = RATE // 2, 0.0, 0
        starts = [min(at, self.first - length) for at in range(0, self.first, length)]
        x, t = (torch.stack([each[at:at + length] for at in starts], 1)[:, :, None]
                for each in (self.dry, self.wet))
        with torch.no_grad():
            _, states = self.rec(x[:200])
        for at in range(200, length, 300):
            out, states = self.rec(x[at:at + 300], states)
            loss = self.loss(self.lin(out) + x[at:at + 300], t[at:at + 300])
            self.adam.zero_grad()
            loss.backward()
            self.adam.step()
            states = tuple(each.detach() for each in states)
            total, updates = total + loss.item(), updates + 1
        return total / updates

    def train(self, epochs):
        result = []
        for _ in range(epochs):
            loss = self.epoch()
            with torch.no_grad():
                x = self.dry[self.first - 200:, None, None]
                y = (self.lin(self.rec(x)[0]) + x)[200:]
            t = self.wet[self.first:, None, None]
            esr = ((y - t)**2).sum() / (t**2).sum()
            result.append((loss, self.loss(y, t).item(), esr.item()))
        return result


if __name__ == "__main__":
    AMP = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
