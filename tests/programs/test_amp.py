"""Tests lstm-amp as a program, on sounds that are made here.

usage: test_amp.py PROGRAM (lstm-amp)
"""
import json
import pathlib
import re
import shlex
import struct
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import sounds  # noqa: E402

AMP = None
RATE = 8000
SMALL = ["--hidden", "6", "--batch", "4", "--steps", "200", "--threads", "1"]
EPOCH = re.compile(r"^epoch (\d+): loss (\S+), validation (\S+), ESR (\S+) "
                   r"\(-?[\d.]+ dB\)(, best)?$", re.M)
RESULT = re.compile(r"validation ESR (\S+) \(-?[\d.]+ dB\) in epoch (\d+) of (\d+); "
                    r"volume alone (\S+)\n")


class Base(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.dry = sounds.notes(2, RATE)
        cls.wet = sounds.device(cls.dry)

    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.write("dry.wav", self.dry)
        self.write("wet.wav", self.wet)

    def write(self, name, samples, rate=RATE, channels=1):
        sounds.write(self.folder / name, samples, rate, channels)

    def run_amp(self, *words):
        return subprocess.run([AMP, *map(str, words)], cwd=self.folder, capture_output=True,
                              text=True, timeout=500)

    def done(self, *words):
        done = self.run_amp(*words)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def train(self, *words, epochs=3, dry="dry.wav", wet="wet.wav"):
        return self.done(*SMALL, "--epochs", epochs, "--force", "train", dry, wet, *words)

    def refused(self, message, *words, status=1):
        before = sorted(self.folder.iterdir())
        done = self.run_amp(*words)
        self.assertEqual((done.returncode, done.stdout), (status, ""), done.stderr)
        self.assertRegex(done.stderr.splitlines()[-1], f"^lstm-amp: .*{message}")
        self.assertEqual(sorted(self.folder.iterdir()), before)

    def bytes(self, name):
        return (self.folder / name).read_bytes()


class Train(Base):
    def test_the_device_is_learned_and_played(self):
        done = self.train("m.safetensors", epochs=30)
        esr, best, _, volume = map(float, RESULT.fullmatch(done.stdout).groups())
        self.assertLess(esr, 0.4 * volume)
        epochs = EPOCH.findall(done.stderr)
        self.assertEqual(len(epochs), 30)
        losses = [float(each[2]) for each in epochs]
        self.assertEqual(losses.index(min(losses)) + 1, best)
        # The error of what is played; the states at the start of the part differ a little.
        self.done("play", "m.safetensors", "dry.wav", "out.wav")
        out, first = sounds.read(self.folder / "out.wav"), len(self.dry) * 4 // 5
        self.assertEqual(len(out), len(self.dry))
        energy = sum(each**2 for each in self.wet[first:])
        played = sum((a - b)**2 for a, b in zip(out[first:], self.wet[first:])) / energy
        self.assertAlmostEqual(played, esr, delta=0.01 * esr + 1e-5)
        product = sum(a * b for a, b in zip(self.dry[first:], self.wet[first:]))
        square = sum(each**2 for each in self.dry[first:])
        self.assertAlmostEqual(volume, 1 - product**2 / square / energy, delta=2e-5)

    def test_the_best_epoch_is_kept(self):
        done = self.train("m.safetensors", "--lr", "0.3", epochs=20)
        last = next(int(each[0]) for each in EPOCH.findall(done.stderr) if not each[4])
        done = self.train("m.safetensors", "--lr", "0.3", epochs=last)
        best = int(RESULT.fullmatch(done.stdout)[2])
        self.assertLess(best, last)
        self.train("short.safetensors", "--lr", "0.3", epochs=best)
        self.assertEqual(self.bytes("m.safetensors"), self.bytes("short.safetensors"))

    def test_patience_ends_a_training(self):
        done = self.train("m.safetensors", "--lr", "0.3", "--patience", "2", epochs=100)
        _, best, last, _ = RESULT.fullmatch(done.stdout).groups()
        self.assertEqual(int(last), int(best) + 2)

    def test_bits_depend_on_the_seed_but_not_on_threads(self):
        self.train("one.safetensors")
        for words, same in ((("--threads", "2"), True), (("--threads", "5"), True),
                            (("--seed", "2"), False), (("--no-skip",), False)):
            self.train("other.safetensors", *words)
            self.assertEqual(self.bytes("one.safetensors") == self.bytes("other.safetensors"),
                             same, words)

    def test_more_warm_up_and_fewer_samples(self):
        for words in (("--warm-up", "0"), ("--warm-up", "3999"), ("--steps", "1000000"),
                      ("--steps", "1701"), ("--batch", "1"), ("--batch", "10000"),
                      ("--validation", "0.5"), ("--validation", "0.01"), ("--hidden", "1")):
            self.train("m.safetensors", *words, epochs=1)
        self.write("dry.wav", self.dry[:1000])
        self.write("wet.wav", self.wet[:1000])
        self.train("m.safetensors", epochs=1)

    def test_divergence_is_an_error(self):
        self.write("dry.wav", [1e38 * each for each in self.dry])
        self.write("wet.wav", [1e-3 * each for each in self.wet])
        self.refused("epoch 1: the loss is (inf|-?nan), expected a finite number: the training "
                     "has diverged", *SMALL, "train", "dry.wav", "wet.wav", "m.safetensors")

    def test_another_scale_is_told(self):
        self.write("dry.wav", [32768 * each for each in self.dry])
        self.assertIn("times full scale: are the numbers those of integers?",
                      self.train("m.safetensors", epochs=1).stderr)

    def test_what_does_not_belong_together_is_told(self):
        other = sounds.notes(2, RATE, seed=9)
        self.write("wet.wav", other[::-1])
        done = self.train("m.safetensors", epochs=2)
        self.assertIn("not better than the dry sound at another volume", done.stderr)

    def test_a_delay_is_told_and_cut_off(self):
        plain = self.train("plain.safetensors")
        self.assertNotIn("--delay", plain.stderr)
        silence = [0.0] * 123
        for sign in (1, -1):
            late = silence + [sign * each for each in self.wet]
            self.write("late.wav", late)
            done = self.train("m.safetensors", wet="late.wav", epochs=1)
            self.assertRegex(done.stderr, r"late.wav seems to be 12[123] samples \(15.\d ms\) "
                                          r"late.*--delay 12[123] cuts it off")
        self.write("late.wav", silence + self.wet)
        done = self.train("cut.safetensors", "--delay", "123", wet="late.wav")
        self.assertNotIn("seems", done.stderr)
        self.assertEqual(self.bytes("plain.safetensors"), self.bytes("cut.safetensors"))
        self.write("late.wav", silence + self.dry)
        done = self.train("m.safetensors", dry="late.wav", epochs=1)
        self.assertRegex(done.stderr, r"12[345] samples \(15.\d ms\) early.*--delay -12[345] ")
        self.train("cut.safetensors", "--delay", "-123", dry="late.wav")
        self.assertEqual(self.bytes("plain.safetensors"), self.bytes("cut.safetensors"))

    def test_a_constant_tone_has_no_delay(self):
        tone = [0.3 if i % 40 < 20 else -0.3 for i in range(2 * RATE)]
        self.write("dry.wav", tone)
        self.write("wet.wav", tone)
        self.assertIn("delay: 0 samples", self.train("m.safetensors", epochs=1).stderr)

    def test_clipped_recordings_are_told(self):
        self.write("wet.wav", [max(-1, min(1, 9 * each)) for each in self.wet])
        self.assertRegex(self.train("m.safetensors", epochs=1).stderr,
                         r"wet.wav: \d+ samples stay at full scale")

    def test_lengths_may_differ_a_little(self):
        self.write("wet.wav", self.wet + [0.5] * 700)
        done = self.train("m.safetensors")
        self.assertIn("the lengths differ by 700 samples", done.stderr)
        self.train("n.safetensors")
        self.write("wet.wav", self.wet + [0.5] * 900)
        train = [*SMALL, "train", "dry.wav", "wet.wav", "x.safetensors"]
        self.refused("dry.wav has 16000 samples and wet.wav has 16900: they differ by 0.1125 "
                     "s, expected at most 0.1 s, --tolerance", *train)
        self.train("m.safetensors", "--tolerance", "0.2", epochs=1)

    def test_unfit_sounds_are_refused(self):
        train = ["train", "dry.wav", "wet.wav", "x.safetensors"]
        self.write("wet.wav", self.wet, rate=44100)
        self.refused("dry.wav has 8000 Hz and wet.wav has 44100 Hz", *train)
        self.write("wet.wav", [0.0] * len(self.wet))
        self.refused("wet.wav: all samples are 0", *train)
        self.write("wet.wav", self.wet[:12000] + [0.0] * 4000)
        self.refused("the last 3200 samples of wet.wav, the validation part, are all 0", *train)
        self.write("wet.wav", [0.0] * 13000 + self.wet[13000:])
        self.refused("the first 12800 samples of wet.wav, the training part, are all 0", *train)
        self.write("dry.wav", self.dry[:999])
        self.write("wet.wav", self.wet[:999])
        self.refused("999 samples that belong together, expected at least 1000", *train)
        self.write("dry.wav", self.dry)
        self.write("wet.wav", self.wet)
        self.refused("0 samples that belong together", *train, "--delay", "50000")
        self.refused("--warm-up is 4000, expected less than the 4000", *train, "--warm-up",
                     "4000")
        self.write("wet.wav", self.wet, channels=2)
        self.refused("wet.wav: has 2 channels, expected one; --channel 1", *train)
        (self.folder / "wet.wav").write_bytes(b"ID3")
        self.refused("wet.wav: is an MP3 file", *train)
        self.refused("none.wav: No such file", "train", "dry.wav", "none.wav", "m.nam",
                     "--no-skip")

    def test_a_channel_is_chosen(self):
        both = [each for two in zip(self.wet, self.dry) for each in two]
        self.write("both.wav", both, channels=2)
        self.train("plain.safetensors")
        done = self.train("m.safetensors", "--channel", "1", wet="both.wav")
        self.assertIn("both.wav: channel 1 of 2", done.stderr)
        self.assertEqual(self.bytes("plain.safetensors"), self.bytes("m.safetensors"))
        self.train("m.safetensors", "--channel", "2", dry="both.wav")
        self.assertEqual(self.bytes("plain.safetensors"), self.bytes("m.safetensors"))


class Play(Base):
    def setUp(self):
        super().setUp()
        self.train("m.safetensors", "--no-skip")

    def test_encodings_and_clipping(self):
        loud = [3 * each for each in self.dry]
        self.write("dry.wav", loud)
        self.train("m.safetensors")
        said = self.done("play", "m.safetensors", "dry.wav", "f.wav").stderr
        out = sounds.read(self.folder / "f.wav")
        beyond = sum(abs(each) > 1 for each in out)
        self.assertGreater(beyond, 0)
        self.assertIn(f"f.wav: {beyond} samples are beyond full scale", said)
        said = self.done("--encoding", "pcm16", "play", "m.safetensors", "dry.wav",
                         "i.wav").stderr
        self.assertIn(f"i.wav: {beyond} samples were beyond full scale and are clipped", said)
        ints = struct.unpack(f"<{len(out)}h", self.bytes("i.wav")[44:])
        for one, other in zip(ints, out):
            self.assertLessEqual(abs(one / 32768 - max(-1, min(1, other))), 1 / 32768)
        # The encoding of the input is the default.
        self.done("play", "m.safetensors", "i.wav", "again.wav")
        self.assertEqual(self.bytes("again.wav")[:44], self.bytes("i.wav")[:44])

    def test_play_refuses(self):
        play = ["play", "m.safetensors", "dry.wav"]
        self.refused("the file exists; --force replaces it", *play, "wet.wav")
        self.refused("given twice, or is one to read", "--force", *play, "dry.wav", status=2)
        self.write("fast.wav", self.dry, rate=9000)
        self.refused("fast.wav has 9000 Hz, expected 8000 Hz, the sample rate of "
                     "m.safetensors", *play[:2], "fast.wav", "o.wav")
        for name in ("none.nam", "none.safetensors"):
            self.refused(f"{name}: No such file or directory", "play", name, "dry.wav", "o.wav")
        for name in ("a.nam", "a.json", "a.aidax", "a.keras", "it's \u00e4 b.nam", "./-a.nam"):
            (self.folder / name).write_bytes(b"{}")
            done = self.run_amp("play", name, "dry.wav", "o.wav")
            self.assertIn(f"{name}: is a model of another program; this makes one that is read: "
                          "python3 -m liblstm.convert ", done.stderr)
            words = shlex.split(done.stderr.split("read: ")[1])
            self.assertEqual(words, ["python3", "-m", "liblstm.convert", name,
                                     "model.safetensors"])
        done = self.run_amp("--", "play", "-a.nam", "dry.wav", "o.wav")
        self.assertIn("convert ./-a.nam model", done.stderr)
        (self.folder / "a\nb.nam").write_bytes(b"{}")
        for name in ("a\nb.nam", 600 * "./" + "a.nam"):
            self.refused("convert FILE model.safetensors", "play", name, "dry.wav", "o.wav")
        (self.folder / "bad.safetensors").write_bytes(b"bad")
        self.refused("bad.safetensors", "play", "bad.safetensors", "dry.wav", "o.wav")
        self.refused("none/o.wav: No such file", *play, "none/o.wav")

    def test_exports_are_those_of_the_training(self):
        self.train("m.safetensors", "m.nam", "m.aidax", "--no-skip")
        self.train("m.safetensors", "m.nam", "m.aidax", "m.json", "--no-skip", "--format",
                   "guitarml")
        self.done("export", "m.safetensors", "e.nam", "e.aidax", "e.json", "--format",
                  "guitarml")
        for end in ("nam", "aidax", "json"):
            self.assertEqual(self.bytes(f"m.{end}"), self.bytes(f"e.{end}"))
            json.loads(self.bytes(f"e.{end}"))
        nam = json.loads(self.bytes("e.nam"))
        self.assertEqual((nam["architecture"], nam["sample_rate"]), ("LSTM", RATE))
        self.assertEqual(len(nam["weights"]), 4 * 6 * (1 + 6) + 6 * 6 + 6 + 1)

    def test_export_refuses(self):
        export = ["export", "m.safetensors"]
        self.refused("export writes the formats nam, aidax and guitarml", *export,
                     "n.safetensors")
        self.refused("m.json: the name does not tell the format", *export, "m.json")
        self.refused("--format is that of none of the files", *export, "m.nam", "--format",
                     "aidax")
        self.train("skip.safetensors")
        self.refused("train it with --no-skip", "export", "skip.safetensors", "m.nam")
        self.refused("train it with --no-skip", *SMALL, "train", "dry.wav", "wet.wav", "m.nam")
        self.done("export", "skip.safetensors", "m.aidax")
        self.refused("m.aidax: the file exists", *export, "m.aidax")
        self.assertEqual(json.loads(self.bytes("m.aidax"))["in_skip"], 1)

    def test_wrong_usage(self):
        for message, words in (
                ("the first argument is train, play or export", []),
                ("the first argument is train, play or export", ["learn"]),
                ("train needs DRY.wav, WET.wav and a MODEL", ["train", "a", "b"]),
                ("play needs MODEL, IN.wav and OUT.wav", ["play", "a", "b"]),
                ("play has three arguments", ["play", "a", "b", "c", "d"]),
                ("export needs MODEL and another one", ["export", "a"]),
                ("given twice", ["export", "a", "b", "b"]),
                ("--hidden is not an option of this command", ["play", "--hidden", "3"]),
                ("--channel is not an option", ["export", "--channel", "3"]),
                ("--encoding is not an option", ["train", "--encoding", "pcm16"]),
                ("'1.5'.*integer", ["train", "--delay", "1.5"]),
                ("the file to write is an empty file name", ["export", "a", ""])):
            with self.subTest(words=words):
                self.refused(message, *words, status=2)


if __name__ == "__main__":
    AMP = pathlib.Path(sys.argv.pop(1)).resolve()
    unittest.main(verbosity=2)
