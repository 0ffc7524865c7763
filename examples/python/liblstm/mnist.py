"""Python bindings of libmnist, with ctypes only; see include/mnist/mnist.h.

    train = mnist.Dataset.open("train")
    loader = mnist.Loader(train, 64, shuffle=True)
    loader.start(seed)
    while count := loader.next(pixels, labels):    # [64, 28, 28] float32, [64] int64
        ...
"""
from __future__ import annotations

import ctypes
from collections.abc import Callable, Sequence
from ctypes import POINTER, byref, c_bool, c_char_p, c_float, c_int
from ctypes import c_size_t, c_uint8, c_uint32, c_uint64, c_void_p
from typing import Any

from liblstm import _native as native
from liblstm._native import Path
from liblstm._options import above_zero, changed, described, named_options

__all__ = ["PAPERS", "SPLITS", "Dataset", "Error", "Loader", "image_fit", "image_fit_digits",
           "version"]
SPLITS = {"train": 0, "test": 1}
PAPERS = ("auto", "dark", "light")


class Error(Exception):
    """A failed call of libmnist, with its status (see mnist/mnist.h) and its message."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(_library.mnist_last_error().decode(errors="replace"))

    @property
    def name(self) -> str:
        """Name of the status, for example "MNIST_BAD_FILE"."""
        return str(_library.mnist_status_name(self.status).decode())


PROGRESS = ctypes.CFUNCTYPE(None, c_char_p, c_size_t, c_size_t, c_void_p)


class Source(native.Struct):
    """mnist_source."""
    _fields_ = [("directory", c_char_p), ("name", c_char_p), ("offline", c_bool),
                ("synthetic", c_bool), ("synthetic_count", c_size_t),
                ("download_seconds", c_size_t), ("progress", PROGRESS), ("user", c_void_p),
                ("limit", c_uint64), ("reserved", c_uint64 * 7)]


class LoaderConfig(native.Struct):
    """mnist_loader_config."""
    _fields_ = [("batch_size", c_size_t), ("shuffle", c_bool), ("drop_last", c_bool),
                ("mean", c_float), ("std", c_float), ("shift", c_float),
                ("rotate", c_float), ("scale", c_float), ("shear", c_float),
                ("elastic", c_float), ("reserved", c_uint64 * 8)]


class FitConfig(native.Struct):
    """mnist_fit_config."""
    _fields_ = [("paper", c_int), ("reserved", c_uint64 * 8)]


class Box(native.Struct):
    """mnist_box."""
    _fields_ = [("top", c_size_t), ("left", c_size_t), ("rows", c_size_t),
                ("cols", c_size_t)]


def _status(status: int) -> None:
    if status != 0:
        raise Error(status)


_handle, _handle_address = c_void_p, POINTER(c_void_p)
_library = native.load("mnist", "LIBMNIST")
native.declare(_library, {
    "mnist_version": (c_char_p, []),
    "mnist_status_name": (c_char_p, [c_int]),
    "mnist_last_error": (c_char_p, []),
    "mnist_dataset_open": (_status, [_handle_address, POINTER(Source), c_int]),
    "mnist_dataset_read": (_status, [_handle_address, c_char_p, c_char_p, c_size_t]),
    "mnist_dataset_read_limited": (
        _status, [_handle_address, c_char_p, c_char_p, c_size_t, c_uint64]),
    "mnist_dataset_synthetic": (_status, [_handle_address, c_size_t, c_uint64]),
    "mnist_dataset_narrow": (_status, [_handle_address, _handle, c_size_t, c_size_t]),
    "mnist_dataset_destroy": (None, [_handle_address]),
    "mnist_dataset_count": (c_size_t, [_handle]),
    "mnist_dataset_rows": (c_size_t, [_handle]),
    "mnist_dataset_cols": (c_size_t, [_handle]),
    "mnist_dataset_classes": (c_size_t, [_handle]),
    "mnist_dataset_image": (c_void_p, [_handle, c_size_t]),
    "mnist_dataset_label": (c_int, [_handle, c_size_t]),
    "mnist_dataset_origin": (c_char_p, [_handle]),
    "mnist_dataset_is_synthetic": (c_bool, [_handle]),
    "mnist_dataset_paper": (c_int, [_handle]),
    "mnist_image_fit": (_status, [c_void_p, c_size_t, c_size_t, POINTER(FitConfig),
                                  c_void_p]),
    "mnist_image_fit_digits": (_status, [c_void_p, c_size_t, c_size_t, POINTER(FitConfig),
                                         c_size_t, c_void_p, POINTER(Box),
                                         POINTER(c_size_t)]),
    "mnist_loader_create": (_status, [_handle_address, _handle, POINTER(LoaderConfig)]),
    "mnist_loader_destroy": (None, [_handle_address]),
    "mnist_loader_batches": (c_size_t, [_handle]),
    "mnist_loader_start": (_status, [_handle, c_uint64]),
    "mnist_loader_next": (c_size_t, [_handle, c_void_p, c_void_p]),
    "mnist_loader_position": (c_size_t, [_handle]),
    "mnist_loader_order": (POINTER(c_uint32), [_handle]),
    "mnist_loader_restore": (_status, [_handle, POINTER(c_uint32), c_size_t]),
})


def version() -> str:
    """Version of the library."""
    return str(_library.mnist_version().decode())


def _picture(pixels: Any) -> native.Memory:
    memory = native.Memory("pixels", pixels, "uint8")
    if len(memory.shape) != 2:
        raise ValueError(f"pixels is {memory}, expected [rows, cols]")
    memory.shaped(*memory.shape)
    return memory


def _config(paper: str) -> FitConfig:
    if paper not in PAPERS:
        raise ValueError(f"paper is {paper!r}, expected one of {', '.join(PAPERS)}")
    return FitConfig(paper=PAPERS.index(paper))


def image_fit(pixels: Any, *, paper: str = "auto") -> bytes:
    """Brings a picture of a digit, uint8 [rows, cols], to the form of MNIST; returns
    28 * 28 bytes. paper is "auto", "dark" or "light". A blank picture and one of several
    digits are errors."""
    memory = _picture(pixels)
    out = (c_uint8 * (28 * 28))()
    _library.mnist_image_fit(memory.address, *memory.shape, byref(_config(paper)), out)
    return bytes(out)


def image_fit_digits(pixels: Any, *, paper: str = "auto",
                     most: int = 64) -> list[tuple[bytes, tuple[int, int, int, int]]]:
    """Brings each digit of a picture to the form of MNIST, from left to right; returns
    28 * 28 bytes and the box (top, left, rows, cols) of each of the first most digits."""
    memory = _picture(pixels)
    out = (c_uint8 * (most * 28 * 28))()
    boxes = (Box * most)()
    count = c_size_t()
    _library.mnist_image_fit_digits(memory.address, *memory.shape, byref(_config(paper)),
                                    most, out, boxes, byref(count))
    return [(bytes(out[i * 784:(i + 1) * 784]),
             (box.top, box.left, box.rows, box.cols))
            for i, box in enumerate(boxes[:min(count.value, most)])]


def _create(function: str, *arguments: Any) -> native.Pointer:
    pointer = native.Pointer()
    getattr(_library, function)(byref(pointer), *arguments)
    return pointer


def _path_of(path: Path | None) -> bytes | None:
    return None if path is None else native.path_of(path)


def _callback(progress: Callable[[str, int, int], None]) -> Any:
    def report(file: bytes, done: int, total: int, _: Any) -> None:
        progress(file.decode(errors="replace"), done, total)

    return PROGRESS(report)


class Dataset(native.Handle):
    """Images of one size as bytes, and their labels; created by open(), read() or
    synthetic()."""

    def __init__(self, pointer: native.Pointer, *owners: native.Handle) -> None:
        super().__init__(pointer, _library.mnist_dataset_destroy, *owners)
        self.count = len(self)
        self.rows = int(_library.mnist_dataset_rows(pointer))
        self.cols = int(_library.mnist_dataset_cols(pointer))
        self.classes = int(_library.mnist_dataset_classes(pointer))
        self.origin = str(_library.mnist_dataset_origin(pointer).decode(errors="replace"))
        self.is_synthetic = bool(_library.mnist_dataset_is_synthetic(pointer))
        self.reason = ""  # Of open(): why the data are synthetic or not in the cache.

    def _describe(self) -> str:
        return (f"<Dataset: {self.count} images [{self.rows}, {self.cols}], "
                f"{self.classes} classes, {self.origin}>")

    @classmethod
    @named_options(root="directory", train="split", download="offline")
    def open(cls, split: str, directory: Path | None = None, name: str | None = None,
             progress: Callable[[str, int, int], None] | None = None, *,
             offline: bool = False, synthetic: bool = False,
             synthetic_count: int | None = None,
             download_seconds: int | None = None, limit: int | None = None) -> Dataset:
        """Finds and loads one split, "train" or "test", of a data set: "mnist",
        "fashion-mnist", "kmnist", "qmnist" or one of EMNIST, such as "emnist-letters". With
        a directory no other source is tried; offline never uses the network. Without data
        and network the call fails, unless synthetic allows synthetic digits, of which
        synthetic_count is the number (default 60,000 for training, 10,000 for testing). A
        download calls progress with the address of the file, the bytes received and the
        bytes expected, about once per second also while no data arrive, and ends after
        download_seconds (default 600). limit is the number of bytes that a gzip file may
        become (default 100 times its own, and 1 GiB)."""
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}, expected 'train' or 'test'")
        source = Source(directory=_path_of(directory),
                        name=None if name is None else native.text_of("name", name),
                        offline=offline, synthetic=synthetic)
        if synthetic_count is not None:
            source.synthetic_count = native.size_of("synthetic_count", synthetic_count, 1)
        if download_seconds is not None:
            source.download_seconds = native.size_of("download_seconds", download_seconds, 1)
        if limit is not None:
            source.limit = native.size_of("limit", limit, 1)
        if progress is not None:
            source.progress = _callback(progress)
        pointer = _create("mnist_dataset_open", byref(source), SPLITS[split])
        message = str(_library.mnist_last_error().decode(errors="replace"))
        data = cls(pointer)
        if data.is_synthetic or data.origin.startswith("https://"):
            data.reason = message
        return data

    @classmethod
    @named_options()
    def read(cls, images: Path, labels: Path | None = None,
             classes: int | None = 10, limit: int | None = None) -> Dataset:
        """Reads images and, optionally, their labels from IDX files. With None, the largest
        label determines the number of classes. limit as open()."""
        return cls(_create("mnist_dataset_read_limited", _path_of(images), _path_of(labels),
                           0 if classes is None else native.size_of("classes", classes, 1),
                           0 if limit is None else native.size_of("limit", limit, 1)))

    @classmethod
    @named_options()
    def synthetic(cls, count: int, seed: int = 1) -> Dataset:
        """Generates synthetic digits."""
        return cls(_create("mnist_dataset_synthetic", native.size_of("count", count),
                           native.integer_of("seed", seed, limit=2**64)))

    def narrow(self, first: int, count: int) -> Dataset:
        """A data set of count images from first on, which shares their memory."""
        return Dataset(_create("mnist_dataset_narrow", self.pointer,
                               native.size_of("first", first),
                               native.size_of("count", count, 1)), self)

    def __len__(self) -> int:
        return int(_library.mnist_dataset_count(self.pointer))

    def image(self, index: int) -> bytes:
        """Pixels of an image: rows * cols bytes, row-major."""
        pointer = self.pointer
        address = _library.mnist_dataset_image(pointer, native.size_of("index", index))
        if address is None:
            raise IndexError(f"image {index} of {len(self)}")
        return ctypes.string_at(address, self.rows * self.cols)

    def label(self, index: int) -> int:
        """Label of an image; -1 without labels."""
        return int(_library.mnist_dataset_label(self.pointer,
                                                native.size_of("index", index)))


class Loader(native.Handle):
    """Reads a data set in batches of normalised float32. shift and elastic (pixels),
    rotate (degrees), scale (a share) and shear (pixels per pixel) are the most by which
    each image is moved, distorted, turned, scaled and slanted at random."""

    @named_options(batch="batch_size", sampler="shuffle", degrees="rotate",
                   translate="shift")
    def __init__(self, dataset: Dataset, batch_size: int, shuffle: bool = False,
                 drop_last: bool = False, mean: float = 0.1307, std: float = 0.3081,
                 shift: float = 0.0, rotate: float = 0.0, scale: float = 0.0,
                 shear: float = 0.0, elastic: float = 0.0) -> None:
        above_zero(std=std)
        changes = {"shift": shift, "rotate": rotate, "scale": scale, "shear": shear,
                   "elastic": elastic}
        config = LoaderConfig(batch_size=native.size_of("batch_size", batch_size, 1),
                              shuffle=shuffle, drop_last=drop_last, mean=mean, std=std,
                              **changes)
        if not isinstance(dataset, Dataset):
            raise TypeError(f"expected a Dataset, got {native.kind_of(dataset)}")
        pointer = _create("mnist_loader_create", dataset.pointer, byref(config))
        super().__init__(pointer, _library.mnist_loader_destroy, dataset)
        self._dataset, self._batch = dataset, batch_size
        self._shown = described(self, repr(dataset), batch_size, **changed(
            Loader.__init__, shuffle=shuffle, drop_last=drop_last, mean=mean, std=std,
            **changes))

    def _describe(self) -> str:
        return self._shown

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return int(_library.mnist_loader_batches(self.pointer))

    def start(self, seed: int = 0) -> None:
        """Starts an epoch; seed determines its order and how images are changed."""
        _library.mnist_loader_start(self.pointer,
                                    native.integer_of("seed", seed, limit=2**64))

    def next(self, pixels: Any, labels: Any = None) -> int:
        """Writes the next batch into pixels, float32 [batch_size, rows, cols], and labels,
        int64 [batch_size]; returns the number of images, 0 at the end of the epoch."""
        shape = self._batch, self._dataset.rows, self._dataset.cols
        pixels = native.Memory("pixels", pixels, "float32").writable().shaped(*shape)
        if labels is not None:
            labels = native.Memory("labels", labels, "int64").writable().shaped(shape[0])
        return int(_library.mnist_loader_next(self.pointer, pixels.address,
                                              labels and labels.address))

    @property
    def position(self) -> int:
        """Number of images returned so far in this epoch."""
        return int(_library.mnist_loader_position(self.pointer))

    @property
    def order(self) -> list[int]:
        """Order of this epoch: indices into the data set."""
        pointer = self.pointer
        return list(_library.mnist_loader_order(pointer)[:self._dataset.count])

    def restore(self, order: Sequence[int], position: int) -> None:
        """Restores the order and position of a loader of the same data set."""
        count = self._dataset.count
        if len(order) != count:
            raise ValueError(f"order is [{len(order)}], expected [{count}]")
        indices = (c_uint32 * count)(*(
            native.integer_of("index", index, 0, count) for index in order))
        _library.mnist_loader_restore(self.pointer, indices,
                                      native.size_of("position", position))
