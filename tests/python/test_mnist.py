"""liblstm.mnist: batches without copies, errors, training as in C.

usage: test_mnist.py MNIST_TRAIN
"""
import array
import ctypes
import os
import pathlib
import random
import struct
import subprocess
import sys
import tempfile
import unittest
import unittest.mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "examples" / "python"
sys.path[:0] = [str(MODULES), str(ROOT / "tests" / "support")]
import declarations  # noqa: E402
import liblstm  # noqa: E402
from liblstm import mnist  # noqa: E402

TRAINER = None


def write_images(folder, half, count, random):
    """Random images and labels as IDX files."""
    images = pathlib.Path(folder, f"{half}-images-idx3-ubyte")
    labels = pathlib.Path(folder, f"{half}-labels-idx1-ubyte")
    images.write_bytes(struct.pack(">4I", 0x803, count, 28, 28) +
                       random.randbytes(count * 28 * 28))
    labels.write_bytes(struct.pack(">2I", 0x801, count) +
                       bytes(random.randrange(10) for _ in range(count)))
    return images, labels


class Folder(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.files = [write_images(folder.name, half, count, random.Random(5))
                      for half, count in (("train", 150), ("t10k", 30))]


def mock_environment(home):
    """An environment without data."""
    return unittest.mock.patch.dict(os.environ, {
        "HOME": str(home), "MNIST_DIR": "", "XDG_CACHE_HOME": ""})


class Data(Folder):
    def test_a_batch_contains_normalised_pixels(self):
        data = mnist.Dataset.open("train", self.folder)
        loader = mnist.Loader(data, 64, shuffle=True)
        loader.start(9)
        pixels, labels = liblstm.Tensor(64, 28, 28), array.array("q", [0] * 64)
        self.assertEqual([loader.batches, loader.next(pixels, labels)], [3, 64])
        values = pixels.tolist()
        for i, index in enumerate(loader.order[:64]):
            self.assertEqual(labels[i], data.label(index))
            for value, byte in zip(values[784 * i:784 * (i + 1)], data.image(index)):
                self.assertAlmostEqual(value, (byte / 255 - 0.1307) / 0.3081, delta=1e-6)
        counts = [loader.next(pixels, labels), loader.next(pixels), loader.next(pixels)]
        self.assertEqual((counts, loader.position), ([64, 22, 0], 150))

    def test_a_restored_loader_continues_like_the_original(self):
        data = mnist.Dataset.synthetic(50)
        one, other = (mnist.Loader(data, 20, shuffle=True) for _ in range(2))
        a, b = liblstm.Tensor(20, 28, 28), liblstm.Tensor(20, 28, 28)
        one.start(3)
        one.next(a)
        other.restore(one.order, one.position)
        self.assertEqual((one.next(a), other.next(b)), (20, 20))
        self.assertEqual(a.tolist(), b.tolist())
        with self.assertRaisesRegex(ValueError, r"order is \[2\], expected \[50\]"):
            other.restore([0, 1], 0)

    def test_an_unknown_split_is_refused(self):
        with self.assertRaisesRegex(ValueError, "split is 'val', expected 'train' or 'test'"):
            mnist.Dataset.open("val", self.folder)

    def test_wrong_shapes_and_types_are_refused(self):
        loader = mnist.Loader(mnist.Dataset.synthetic(5), 4)
        with self.assertRaisesRegex(ValueError, r"float32 \[4, 28\], expected \[4, 28, 28\]"):
            loader.next(liblstm.Tensor(4, 28))
        with self.assertRaisesRegex(TypeError, r"labels is int32 \[4\], expected int64"):
            loader.next(liblstm.Tensor(4, 28, 28), (ctypes.c_int32 * 4)())
        with self.assertRaisesRegex(ValueError, r"read-only"):
            loader.next(liblstm.Tensor(4, 28, 28), memoryview(array.array("q", [0] * 4))
                        .toreadonly())

    def test_an_error_names_the_file(self):
        self.files[0][0].write_bytes(b"")
        with self.assertRaisesRegex(mnist.Error, str(self.files[0][0])) as caught:
            mnist.Dataset.open("train", self.folder)
        self.assertEqual(caught.exception.name, "MNIST_BAD_FILE")
        with self.assertRaisesRegex(mnist.Error, "absent"):
            mnist.Dataset.read(self.folder / "absent")

    def test_closing_a_data_set_closes_its_loaders(self):
        data = mnist.Dataset.read(*self.files[1])
        self.assertEqual((len(data), data.rows, data.cols, data.classes), (30, 28, 28, 10))
        loader = mnist.Loader(data, 4)
        data.close()
        with self.assertRaisesRegex(ValueError, "Loader is closed"):
            loader.start()

    def test_a_part_has_images_of_the_whole(self):
        data = mnist.Dataset.open("train", self.folder)
        part = data.narrow(140, 10)
        self.assertEqual((len(part), part.classes), (10, 10))
        self.assertEqual([part.image(9), part.label(9)], [data.image(149), data.label(149)])
        with self.assertRaisesRegex(mnist.Error, "10 images from 141 on.* of 150"):
            data.narrow(141, 10)
        del data
        self.assertEqual(len(part.image(0)), 784)

    def test_pictures_are_normalised(self):
        digit = mnist.Dataset.synthetic(1).image(0)
        picture = memoryview(digit).cast("B", (28, 28))
        self.assertEqual(len(mnist.image_fit(picture)), 784)
        self.assertRegex(mnist.version(), r"\d+\.\d+\.\d+")

    def test_every_exported_function_has_a_prototype(self):
        for name in declarations.functions("mnist"):
            self.assertIsNotNone(getattr(mnist._library, name).argtypes, name)


class Training(Folder):
    def test_a_fallback_to_synthetic_digits_prints_a_warning(self):
        environment = {**os.environ, "HOME": str(self.folder), "MNIST_DIR": "",
                       "XDG_CACHE_HOME": "", "https_proxy": "http://127.0.0.1:1"}
        done = subprocess.run([sys.executable, MODULES / "mnist_train.py", "--epochs", "0"],
                              text=True, capture_output=True, env=environment)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("WARNING: MNIST was not found; using synthetic digits: mnist: not in the "
                      "cache (", done.stderr)
        environment["MNIST_DIR"] = str(self.folder / "absent")
        done = subprocess.run([sys.executable, MODULES / "mnist_train.py", "--epochs", "0"],
                              text=True, capture_output=True, env=environment)
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("absent (MNIST_DIR): cannot access the mnist folder", done.stderr)

    def test_synthetic_digits_must_be_allowed(self):
        with mock_environment(self.folder):
            with self.assertRaisesRegex(mnist.Error, "download disabled") as caught:
                mnist.Dataset.open("train", offline=True)
            self.assertEqual(caught.exception.name, "MNIST_NOT_FOUND")
            data = mnist.Dataset.open("train", offline=True, synthetic=True,
                                      synthetic_count=20)
        self.assertEqual((len(data), data.is_synthetic), (20, True))
        self.assertRegex(data.reason, "not in the cache .*download disabled")

    def test_training_in_python_equals_c_bit_for_bit(self):
        common = ["--data", str(self.folder), "--seed", "3", "--epochs", "2", "--log"]
        environment = {**os.environ, "LSTM_NUM_THREADS": "2"}
        logs = [self.folder / "c.csv", self.folder / "python.csv"]
        outputs = [subprocess.run([*command, *common, str(log)], text=True, check=True,
                                  stdout=subprocess.PIPE, env=environment).stdout
                   for command, log in zip(([TRAINER, "--no-save"],
                                            [sys.executable, MODULES / "mnist_train.py"]),
                                           logs)]
        rows = [[line.split(",")[:3] for line in log.read_text().splitlines()]
                for log in logs]
        self.assertEqual(rows[0], rows[1])
        self.assertEqual(len(rows[0]), 1 + 2 * 3)
        self.assertEqual(*outputs)
        text = logs[1].read_bytes()
        again = subprocess.run([sys.executable, MODULES / "mnist_train.py", *common, logs[1]],
                               text=True, capture_output=True)
        self.assertEqual(again.returncode, 1)
        self.assertIn("python.csv: File exists, expected a name that is free", again.stderr)
        self.assertEqual(logs[1].read_bytes(), text)


if __name__ == "__main__":
    TRAINER = os.path.abspath(sys.argv.pop(1))
    unittest.main(verbosity=2)
