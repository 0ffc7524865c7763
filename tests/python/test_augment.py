"""The images that a loader changes, compared with SciPy: the draws, written again from the
definition with Python's integers; the affine map as the inverse of a matrix; the field and
the pixels by scipy.ndimage.map_coordinates. Positions have 10 bits behind the point, so that
a pixel may differ by one level.

usage: test_augment.py (with LIBLSTM and LIBMNIST set)
"""
import array
import pathlib
import struct
import sys
import tempfile
import unittest

try:
    import numpy as np
    from scipy import ndimage
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(77)

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))
from liblstm import mnist  # noqa: E402

MASK = 2**64 - 1
CELLS, POINTS, COUNT = 5, 8, 60


def splitmix(state):
    """The numbers of SplitMix64."""
    while True:
        state = (state + 0x9e3779b97f4a7c15) & MASK
        z = ((state ^ (state >> 30)) * 0xbf58476d1ce4e5b9) & MASK
        z = ((z ^ (z >> 27)) * 0x94d049bb133111eb) & MASK
        yield z ^ (z >> 31)


def draws(seed, index):
    """Numbers between -1 and 1 for one image."""
    inner = next(splitmix((next(splitmix(seed)) + index) & MASK))
    for word in splitmix(inner):
        yield ((word >> 11) - 2**52 + 0.5) / 2**52


def expected(image, seed, index, shift=0, rotate=0, scale=0, shear=0, elastic=0):
    number = draws(seed, index)
    right, down = next(number) * shift, next(number) * shift
    angle = np.radians(rotate) * next(number)
    factor, slope = 1 + next(number) * scale, next(number) * shear
    rotation = np.array([[np.cos(angle), -np.sin(angle)], [np.sin(angle), np.cos(angle)]])
    forward = rotation @ np.array([[1, slope], [0, 1]]) * factor
    rows, cols = image.shape
    y, x = np.mgrid[:rows, :cols].astype(float)
    middle = np.array([(cols - 1) / 2, (rows - 1) / 2]).reshape(2, 1, 1)
    moved = np.stack([x, y]) - middle - np.array([right, down]).reshape(2, 1, 1)
    source = np.einsum("ij,jyx->iyx", np.linalg.inv(forward), moved) + middle
    if elastic:
        points = np.array([next(number) for _ in range(2 * POINTS**2)]) * elastic
        at = [1 + y * CELLS / (rows - 1), 1 + x * CELLS / (cols - 1)]
        for axis in 0, 1:
            field = points[axis::2].reshape(POINTS, POINTS)
            source[axis] += ndimage.map_coordinates(field, at, order=3, prefilter=False)
    return ndimage.map_coordinates(image.astype(float), source[::-1], order=1,
                                   mode="grid-constant", cval=0)


def smooth_images(rows, cols):
    noise = np.random.default_rng(3).uniform(size=(COUNT, rows, cols))
    blurred = ndimage.gaussian_filter(noise, (0, 1, 1))
    low, high = blurred.min(), blurred.max()
    return ((blurred - low) / (high - low) * 255).round().astype(np.uint8)


class Augment(unittest.TestCase):
    def compare(self, rows, cols, seed, **options):
        images = smooth_images(rows, cols)
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "images")
            path.write_bytes(struct.pack(">4I", 0x803, COUNT, rows, cols) + images.tobytes())
            dataset = mnist.Dataset.read(path)
        loader = mnist.Loader(dataset, COUNT, mean=0, std=1 / 255, **options)
        loader.start(seed)
        pixels = array.array("f", bytes(4 * images.size))
        self.assertEqual(loader.next(memoryview(pixels).cast("B").cast(
            "f", [COUNT, rows, cols])), COUNT)
        found = np.array(pixels).reshape(images.shape)
        wanted = np.stack([expected(image, seed, i, **options)
                           for i, image in enumerate(images)])
        self.assertLessEqual(np.abs(found - wanted).max(), 1.01)
        # Most are the nearest bytes.
        self.assertLess(np.mean(np.abs(found - wanted) > 0.51), 0.2)
        self.assertGreater(np.abs(found - images).max(), 20)

    def test_each_option_alone(self):
        for options in ({"shift": 3}, {"rotate": 180}, {"scale": 0.5}, {"shear": 0.7},
                        {"elastic": 5}):
            with self.subTest(options):
                self.compare(28, 28, 8, **options)

    def test_all_together(self):
        for rows, cols in (28, 28), (20, 31), (40, 8), (2, 64):
            for seed in 0, 2**63 + 5:
                with self.subTest(rows=rows, cols=cols, seed=seed):
                    self.compare(rows, cols, seed, shift=1.5, rotate=20, scale=0.25,
                                 shear=0.3, elastic=min(rows, cols) / 8)


if __name__ == "__main__":
    unittest.main()
