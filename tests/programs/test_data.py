"""The data of mnist-train: data sets as they are distributed, wrong folders, and downloads
that fail.

usage: test_data.py PROGRAM download|no-download
"""
import fcntl
import gzip
import os
import pathlib
import random
import re
import select
import struct
import subprocess
import sys
import tempfile
import time
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from mirror import Proxy  # noqa: E402

PROGRAM = None
COUNT, SIDE = 130, 6
OPTIONS = ["--hidden", "4", "--layers", "1", "--epochs", "1", "--seed", "3", "--no-save",
           "--threads", "1"]
CLASSES = {"byclass": 62, "bymerge": 47, "balanced": 47, "letters": 26, "digits": 10,
           "mnist": 10}


def pictures(classes):
    """Images, [COUNT, SIDE, SIDE] as lists of rows, and labels with all classes."""
    numbers = random.Random(classes)
    images = [[numbers.randbytes(SIDE) for _ in range(SIDE)] for _ in range(COUNT)]
    return images, [i % classes for i in range(COUNT)]


def images_file(images):
    return (struct.pack(">4I", 0x803, len(images), SIDE, SIDE) +
            b"".join(b"".join(rows) for rows in images))


def labels_file(labels):
    return struct.pack(">2I", 0x801, len(labels)) + bytes(labels)


def transposed(images):
    return [[bytes(column) for column in zip(*rows)] for rows in images]


class Data(unittest.TestCase):
    def setUp(self):
        own = tempfile.TemporaryDirectory(prefix="data-")
        self.addCleanup(own.cleanup)
        self.folder = pathlib.Path(own.name)
        self.environment = {
            **{k: v for k, v in os.environ.items()
               if k != "MNIST_DIR" and not k.lower().endswith("_proxy")},
            "HOME": str(self.folder / "home"), "XDG_CACHE_HOME": ""}

    def run_with(self, *arguments, status=0, **environment):
        result = subprocess.run([PROGRAM, *OPTIONS, *map(str, arguments)], text=True,
                                capture_output=True, stdin=subprocess.DEVNULL, timeout=200,
                                env={**self.environment, **environment})
        self.assertEqual(result.returncode, status, result.stderr)
        return result

    def put(self, folder, files):
        folder = self.folder / folder
        folder.mkdir(parents=True, exist_ok=True)
        for name, content in files.items():
            (folder / name).write_bytes(gzip.compress(content) if name.endswith(".gz")
                                        else content)
        return folder

    def plain(self, folder, classes, name="{}-{}-idx{}-ubyte"):
        """A data set under the names of MNIST, whose result others must have."""
        images, labels = pictures(classes)
        return self.put(folder, {
            name.format(split, kind, rank): content for split in ("train", "t10k")
            for kind, rank, content in (("images", 3, images_file(images)),
                                        ("labels", 1, labels_file(labels)))})

    def losses(self, *arguments, **environment):
        log = self.folder / "log.csv"
        result = self.run_with("--force", "--log", log, *arguments, **environment)
        lines = [line.split(",")[:5] for line in log.read_text().splitlines()]
        return result.stdout, lines, result.stderr

    def test_a_file_beyond_the_limit_names_the_option(self):
        folder = self.put("zeros", {
            "train-images-idx3-ubyte.gz": images_file([[bytes(SIDE)] * SIDE] * 9999),
            "train-labels-idx1-ubyte.gz": labels_file(bytes(9999))})
        result = self.run_with("--data", folder, "--eval", "none", status=1)
        self.assertIn("of the gzip file; --limit can allow more\n", result.stderr)

    def test_every_split_of_emnist(self):
        """The archive and torchvision have the images transposed, and the letters from 1."""
        for place, dotgz in ("EMNIST/raw", ""), ("gzip", ".gz"), ("", ".gz"):
            for split, classes in CLASSES.items():
                images, labels = pictures(classes)
                first = 1 if split == "letters" else 0
                self.put(f"root/{place}", {
                    f"emnist-{split}-{half}-{kind}-ubyte{dotgz}": content
                    for half in ("train", "test") for kind, content in (
                        ("images-idx3", images_file(transposed(images))),
                        ("labels-idx1", labels_file([first + label for label in labels])))})
                found = self.losses("--data", self.folder / "root", "--dataset", "emnist",
                                    "--split", split)
                expected = self.losses("--data", self.plain(f"as-{split}", classes))
                self.assertEqual(found[:2], expected[:2])
                self.assertIn(f" {classes} classes, ", found[2])
        letters = self.folder / "root" / "emnist-letters-train-labels-idx1-ubyte.gz"
        for wrong in 0, 27:
            letters.write_bytes(labels_file([wrong] * COUNT))
            error = self.run_with("--data", self.folder / "root", "--dataset", "emnist",
                                  "--split", "letters", status=1).stderr
            self.assertRegex(error, rf"{letters}: label 0 is {wrong}, expected 1 to ")

    def test_qmnist_has_integers_as_labels(self):
        images, labels = pictures(10)
        integers = struct.pack(">3I", 0xC02, COUNT, 8) + b"".join(
            struct.pack(">8i", label, 4, -1, 3000 + i, 0, 0, 0, 0)
            for i, label in enumerate(labels))
        expected = self.losses("--data", self.plain("plain", 10))
        for place, dotgz in ("QMNIST/raw", ""), ("", ".gz"):
            folder = self.put(f"root{dotgz}/{place}", {
                f"qmnist-{half}-{kind}{dotgz}": content for half in ("train", "test")
                for kind, content in (("images-idx3-ubyte", images_file(images)),
                                      ("labels-idx2-int", integers))})
            for data in {folder, self.folder / f"root{dotgz}"}:
                found = self.losses("--data", data, "--dataset", "qmnist")
                self.assertEqual(found[:2], expected[:2])

    def test_folders_and_names_of_others(self):
        expected = self.losses("--data", self.plain("plain", 10))
        for dataset, folder in ("mnist", "MNIST"), ("fashion-mnist", "FashionMNIST"), (
                "kmnist", "KMNIST"):
            self.plain(f"root/{folder}/raw", 10)
            for data in "", folder, f"{folder}/raw":
                found = self.losses("--data", self.folder / "root" / data, "--dataset", dataset)
                self.assertEqual(found[:2], expected[:2])
        found = self.losses(MNIST_DIR=str(self.folder / "root"))
        self.assertEqual(found[:2], expected[:2])
        for name in "{}-{}.idx{}-ubyte", "{}-{}.idx{}-ubyte.gz", "{}-{}-idx{}-ubyte.gz":
            folder = self.plain(f"named {name[5:]}", 10, name)
            self.assertEqual(self.losses("--data", folder)[:2], expected[:2])
        # Kaggle's archive also has a folder with the name of each file.
        (self.folder / "named -{}.idx{}-ubyte" / "train-images-idx3-ubyte").mkdir(parents=True)
        self.assertEqual(self.losses("--data", self.plain("named -{}.idx{}-ubyte", 10,
                                                          "{}-{}.idx{}-ubyte"))[:2],
                         expected[:2])

    def test_the_labels_have_the_classes(self):
        """A test set with fewer or more classes than the training set."""
        folder = self.plain("letters", 26)
        self.assertIn("130 images of 6 x 6, 26 classes, ", self.losses("--data", folder)[2])
        for half, classes in ("t10k", 12), ("train", 11):
            (folder / f"{half}-labels-idx1-ubyte").write_bytes(
                labels_file([i % classes for i in range(COUNT)]))
            stdout, _, errors = self.losses("--data", folder)
            self.assertIn("/130)", stdout)
            self.assertIn(f" {classes} classes, ", errors)
        self.assertIn("1 of 12 classes have no training image", errors)

    def test_a_model_may_have_more_classes_than_the_data(self):
        model = self.folder / "model"
        many, few = self.plain("many", 26), self.plain("few", 10)
        for data in many, few:
            self.run_with("--data", data, "--save", model, "--force"
                          if "--force" in self.run_with("--help").stdout else "--quiet")
            if data == many:
                for other in many, few:
                    self.run_with("--data", other, "--load", model, "--epochs", "0")
        error = self.run_with("--data", many, "--load", model, "--epochs", "0", status=1).stderr
        self.assertIn(f"{model}: has 10 classes, expected 26 as in the data", error)

    def test_a_wrong_folder_is_an_error(self):
        empty = self.put("empty", {})
        half = self.plain("half", 10)
        (half / "train-labels-idx1-ubyte").unlink()
        for folder, message in (
                (self.folder / "absent", "cannot access the mnist folder: No such file"),
                (empty, "train-images-idx3-ubyte[.gz] and train-labels-idx1-ubyte[.gz] of mnist "
                        "not found in it, in raw or MNIST/raw; it is empty"),
                (half, "train-labels-idx1-ubyte[.gz] not found beside "),
                (half / "train-images-idx3-ubyte", "is not a folder")):
            for arguments, environment, name in ((["--data", folder], {}, folder),
                                                 ([], {"MNIST_DIR": str(folder)},
                                                  f"{folder} (MNIST_DIR)")):
                result = self.run_with(*arguments, status=1, **environment)
                self.assertEqual(result.stdout, "")
                self.assertIn(f"mnist-train: {name}: ", result.stderr)
                self.assertIn(message, result.stderr)

    @unittest.skipIf(os.getuid(), "only root can become another user")
    def test_a_file_that_must_not_be_read_is_an_error(self):
        folder = self.plain("closed", 10)
        self.folder.chmod(0o755)
        for name in "train-images-idx3-ubyte", "t10k-labels-idx1-ubyte":
            (folder / name).chmod(0)
            result = subprocess.run([PROGRAM, *OPTIONS, "--data", folder], text=True,
                                    capture_output=True, user=65534, timeout=200)
            self.assertEqual((result.returncode, result.stdout), (1, ""))
            self.assertIn(f"{folder / name}: cannot be opened: Permission denied", result.stderr)
            (folder / name).chmod(0o644)

    def test_the_reason_of_synthetic_digits_is_printed(self):
        few = ["--quiet", "--epochs", "0"]
        error = self.run_with("--offline", *few).stderr
        self.assertIn("SYNTHETIC", error)
        self.assertRegex(error, r"The reason: mnist: not in the cache \(.*; download disabled")
        for code in 403, 407:
            proxy = Proxy(code)
            self.addCleanup(proxy.stop)
            error = self.run_with(*few, https_proxy=f"http://{proxy.address}").stderr
            self.assertIn("SYNTHETIC", error)
            if "download" not in sys.argv:
                self.assertIn("built without libcurl", error)
                continue
            self.assertRegex(
                error, r"The reason: .*download failed: https://[^ ]+/t10k-images-idx3-ubyte.gz: "
                       rf"the proxy {proxy.address} answered with HTTP status {code}; https://")

    def wait_for(self, process, text, seconds):
        """Waits until the program has written text to standard error; returns all of it."""
        data, end = b"", time.monotonic() + seconds
        while text not in data and time.monotonic() < end:
            if select.select([process.stderr], [], [], 0.1)[0]:
                part = os.read(process.stderr.fileno(), 4096)
                data += part
                if not part:
                    break
        return data.decode()

    def start(self, **environment):
        process = subprocess.Popen([PROGRAM, *OPTIONS, "--quiet"], stdout=subprocess.DEVNULL,
                                   stderr=subprocess.PIPE, env={**self.environment,
                                                                **environment})
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait)
        self.addCleanup(process.kill)
        return process

    @unittest.skipUnless("download" in sys.argv, "built without download")
    def test_a_download_that_hangs_says_so_within_five_seconds(self):
        proxy = Proxy(None)
        self.addCleanup(proxy.stop)
        error = self.wait_for(self.start(https_proxy=f"http://{proxy.address}"), b"\n", 60)
        self.assertRegex(error, r"\Awaiting for [a-z0-9.-]+: no data for [2-5] s\n")

    @unittest.skipUnless("download" in sys.argv, "built without download")
    def test_a_wait_for_another_download_is_said(self):
        cache = self.put("cache/mnist", {})
        with open(cache / ".lock", "w") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            error = self.wait_for(self.start(XDG_CACHE_HOME=str(cache.parent)), b"\n", 60)
        self.assertTrue(re.match(rf"waiting for {cache}/\.lock: no data for", error), error)


if __name__ == "__main__":
    PROGRAM = os.path.abspath(sys.argv.pop(1))
    unittest.main(argv=sys.argv[:1], verbosity=2)
