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
from os import PathLike
from typing import Any, Union

from liblstm import _native as native

Path = Union[str, PathLike]
SPLITS = {"train": 0, "test": 1}


class Error(Exception):
    """A failed call of libmnist, with its status (see mnist/mnist.h) and its message."""

    def __init__(self, status):
        self.status = status
        super().__init__(_library.mnist_last_error().decode(errors="replace"))

    @property
    def name(self) -> str:
        """Name of the status, for example "MNIST_BAD_FILE"."""
        return _library.mnist_status_name(self.status).decode()


PROGRESS = ctypes.CFUNCTYPE(None, c_char_p, c_size_t, c_size_t, c_void_p)


class Source(ctypes.Structure):
    """mnist_source."""
    _fields_ = [("directory", c_char_p), ("name", c_char_p), ("offline", c_bool),
                ("no_synthetic", c_bool), ("synthetic_count", c_size_t),
                ("progress", PROGRESS), ("user", c_void_p),
                ("reserved", c_uint64 * 8)]


class LoaderConfig(ctypes.Structure):
    """mnist_loader_config."""
    _fields_ = [("batch_size", c_size_t), ("shuffle", c_bool), ("drop_last", c_bool),
                ("mean", c_float), ("std", c_float),
                ("reserved", c_uint64 * 8)]


def _status(status):
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
    "mnist_dataset_synthetic": (_status, [_handle_address, c_size_t, c_uint64]),
    "mnist_dataset_destroy": (None, [_handle_address]),
    "mnist_dataset_count": (c_size_t, [_handle]),
    "mnist_dataset_rows": (c_size_t, [_handle]),
    "mnist_dataset_cols": (c_size_t, [_handle]),
    "mnist_dataset_classes": (c_size_t, [_handle]),
    "mnist_dataset_image": (c_void_p, [_handle, c_size_t]),
    "mnist_dataset_label": (c_int, [_handle, c_size_t]),
    "mnist_dataset_origin": (c_char_p, [_handle]),
    "mnist_dataset_is_synthetic": (c_bool, [_handle]),
    "mnist_image_fit": (_status, [c_void_p, c_size_t, c_size_t, c_void_p]),
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
    return _library.mnist_version().decode()


def image_fit(pixels: Any) -> bytes:
    """Normalises a picture, uint8 [rows, cols], as MNIST does; returns 28 * 28 bytes."""
    memory = native.Memory("pixels", pixels, "uint8")
    if len(memory.shape) != 2:
        raise ValueError(f"pixels is {memory}, expected [rows, cols]")
    memory.shaped(*memory.shape)
    out = (c_uint8 * (28 * 28))()
    _library.mnist_image_fit(memory.address, *memory.shape, out)
    return bytes(out)


def _encoded(path):
    return None if path is None else str(path).encode()


class Dataset(native.Handle):
    """Images of one size as bytes, and their labels; created by open(), read() or
    synthetic()."""

    def __init__(self, pointer):
        super().__init__(pointer, _library.mnist_dataset_destroy)
        self.count = len(self)
        self.rows = _library.mnist_dataset_rows(pointer)
        self.cols = _library.mnist_dataset_cols(pointer)
        self.classes = _library.mnist_dataset_classes(pointer)
        self.origin = _library.mnist_dataset_origin(pointer).decode(errors="replace")
        self.is_synthetic = _library.mnist_dataset_is_synthetic(pointer)

    @classmethod
    def _create(cls, function, *arguments):
        pointer = c_void_p()
        getattr(_library, function)(byref(pointer), *arguments)
        return cls(pointer)

    @classmethod
    def open(cls, split: str, directory: Path | None = None, name: str | None = None,
             progress: Callable[[str, int, int], None] | None = None,
             **options: Any) -> Dataset:
        """Finds and loads one split, "train" or "test", of a data set. A download calls
        progress with the name of the file, the bytes received and the bytes expected."""
        if split not in SPLITS:
            raise ValueError(f"split is {split!r}, expected 'train' or 'test'")
        source = Source(directory=_encoded(directory), name=_encoded(name), **options)
        if progress:
            source.progress = PROGRESS(
                lambda file, done, total, _: progress(file.decode(), done, total))
        return cls._create("mnist_dataset_open", byref(source), SPLITS[split])

    @classmethod
    def read(cls, images: Path, labels: Path | None = None,
             classes: int = 10) -> Dataset:
        """Reads images and, optionally, their labels from IDX files."""
        return cls._create("mnist_dataset_read", _encoded(images), _encoded(labels), classes)

    @classmethod
    def synthetic(cls, count: int, seed: int = 1) -> Dataset:
        """Generates synthetic digits."""
        return cls._create("mnist_dataset_synthetic", count, seed)

    def __len__(self) -> int:
        return _library.mnist_dataset_count(self.pointer)

    def image(self, index: int) -> bytes:
        """Pixels of an image: rows * cols bytes, row-major."""
        address = _library.mnist_dataset_image(self.pointer, index)
        if address is None:
            raise IndexError(f"image {index} of {len(self)}")
        return ctypes.string_at(address, self.rows * self.cols)

    def label(self, index: int) -> int:
        """Label of an image; -1 without labels."""
        return _library.mnist_dataset_label(self.pointer, index)


class Loader(native.Handle):
    """Reads a data set in batches of normalised float32."""

    def __init__(self, dataset: Dataset, batch_size: int, shuffle: bool = False,
                 drop_last: bool = False, mean: float = 0.0, std: float = 0.0) -> None:
        config = LoaderConfig(batch_size, shuffle, drop_last, mean, std)
        pointer = c_void_p()
        _library.mnist_loader_create(byref(pointer), dataset.pointer, byref(config))
        super().__init__(pointer, _library.mnist_loader_destroy, dataset)
        self._dataset, self._batch = dataset, batch_size

    @property
    def batches(self) -> int:
        """Number of batches in an epoch."""
        return _library.mnist_loader_batches(self.pointer)

    def start(self, seed: int = 0) -> None:
        """Starts an epoch; with shuffle, seed determines its order."""
        _library.mnist_loader_start(self.pointer, seed)

    def next(self, pixels: Any, labels: Any = None) -> int:
        """Writes the next batch into pixels, float32 [batch_size, rows, cols], and labels,
        int64 [batch_size]; returns the number of images, 0 at the end of the epoch."""
        shape = self._batch, self._dataset.rows, self._dataset.cols
        pixels = native.Memory("pixels", pixels, "float32").writable().shaped(*shape)
        if labels is not None:
            labels = native.Memory("labels", labels, "int64").writable().shaped(shape[0])
        return _library.mnist_loader_next(self.pointer, pixels.address,
                                          labels and labels.address)

    @property
    def position(self) -> int:
        """Number of images returned so far in this epoch."""
        return _library.mnist_loader_position(self.pointer)

    @property
    def order(self) -> list[int]:
        """Order of this epoch: indices into the data set."""
        return _library.mnist_loader_order(self.pointer)[:len(self._dataset)]

    def restore(self, order: Sequence[int], position: int) -> None:
        """Restores the order and position of a loader of the same data set."""
        if len(order) != len(self._dataset):
            raise ValueError(f"order is [{len(order)}], expected [{len(self._dataset)}]")
        _library.mnist_loader_restore(self.pointer, (c_uint32 * len(order))(*order),
                                      position)
