"""Tests that mnist-train resumes only what one of its runs has written, with the data of that
run.

usage: test_same_run.py PROGRAM
"""
import pathlib
import random
import struct
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from in_folder import InFolder  # noqa: E402
import models  # noqa: E402

SMALL = ["--batch-size", "8", "--hidden", "4", "--layers", "1", "--seed", "7", "--threads", "1",
         "--no-save", "--quiet"]


class Data(InFolder):
    COUNTS = {"train": 60, "t10k": 20}

    def write(self, folder, part, kind, content):
        count = self.COUNTS[part]
        name, magic, sizes = (("images-idx3", 0x803, (count, 5, 7)) if kind == "images" else
                              ("labels-idx1", 0x801, (count,)))
        path = self.folder / folder / f"{part}-{name}-ubyte"
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(struct.pack(f">{1 + len(sizes)}I", magic, *sizes) + content)

    def contents(self):
        """The same bytes at each call."""
        rng = random.Random(1)
        for part, count in self.COUNTS.items():
            yield part, "images", bytes(rng.randrange(256) for _ in range(count * 35))
            yield part, "labels", bytes(i % 4 for i in range(count))

    def make(self, folder, changed=None, at=0):
        for part, kind, content in self.contents():
            if changed == (part, kind):
                content = bytearray(content)
                content[at] ^= 1
            self.write(folder, part, kind, bytes(content))

    def setUp(self):
        super().setUp()
        self.make("own")

    def resume(self, folder, *words, status=0):
        return self.run_program("--resume", "c", "--data", folder, "--quiet", *words,
                                status=status).stderr

    def train(self, *words):
        self.run_program(*SMALL, "--data", "own", "--checkpoint", "c", "--epochs", "1", *words)
        self.before = (self.folder / "c").read_bytes()

    def metadata(self):
        return models.decode((self.folder / "c").read_bytes())[1]

    def test_other_images_or_labels_are_refused(self):
        """Whichever byte changed: the first, one within, and the last."""
        for words in ([], ["--validation", "16"]):
            self.train(*words, "--force")
            self.make("copy")
            for part, verb in (("train", "trained on"), ("t10k", "was tested on")):
                for kind, size in (("images", 35), ("labels", 1)):
                    for at in (0, self.COUNTS[part] * size // 2, self.COUNTS[part] * size - 1):
                        with self.subTest(words=words, part=part, kind=kind, at=at):
                            self.make("other", (part, kind), at)
                            self.assertEqual(
                                self.resume("other", "--epochs", "2", status=1),
                                f"mnist-train: c: the run {verb} other images or labels than those of other/"
                                f"{part}-images-idx3-ubyte, expected the same data\n")
                            self.assertEqual((self.folder / "c").read_bytes(), self.before)
            self.resume("copy", "--epochs", "2")

    def test_a_test_set_counts_only_where_there_was_one(self):
        self.make("other", ("t10k", "labels"))
        self.train("--eval", "none")
        self.assertNotIn("mnist-train.test", self.metadata())
        self.resume("own", "--epochs", "2", "--eval", "epoch")
        print_of_test = self.metadata()["mnist-train.test"]
        self.assertRegex(print_of_test, r"\A[0-9a-f]{16}\Z")
        self.resume("other", "--epochs", "3", "--eval", "none")
        self.assertEqual(self.metadata()["mnist-train.test"], print_of_test)
        self.resume("other", "--epochs", "4", "--eval", "epoch", status=1)
        self.resume("own", "--epochs", "4", "--eval", "epoch")

    def edit(self, **pairs):
        """Keys of the checkpoint get a value, or None: none."""
        def edit(_, metadata):
            for key, value in pairs.items():
                metadata["mnist-train." + key] = value
                if value is None:
                    del metadata["mnist-train." + key]
        (self.folder / "c").write_bytes(self.before)
        models.change(self.folder / "c", edit)

    def test_a_checkpoint_without_fingerprints_is_resumed(self):
        self.train()
        self.make("other", ("train", "images"))
        self.edit(train=None, test=None)
        self.resume("other", "--epochs", "2")
        self.assertIn("mnist-train.train", self.metadata())

    def test_a_fingerprint_that_is_not_one_is_refused(self):
        self.train()
        for value in ("", "0" * 15, "0" * 17, "g" * 16, "A" * 16):
            for key in ("train", "test"):
                self.edit(**{key: value})
                self.assertEqual(self.resume("own", "--epochs", "2", status=1),
                                 f"mnist-train: c: metadata mnist-train.{key} is damaged\n")


if __name__ == "__main__":
    InFolder.program = str(pathlib.Path(sys.argv.pop(1)).resolve())
    unittest.main()
