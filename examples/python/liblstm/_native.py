"""Common parts of the modules: loading a C library, handles that are freed
exactly once, and the memory of arrays without copies. Uses the standard library only."""
from __future__ import annotations

import _thread
import ctypes
import ctypes.util
import os
import pathlib
import signal
import sys
import threading
import time
import weakref
from typing import Any

_FOLDER = pathlib.Path(__file__).resolve().parent
# The folder of the libraries in a wheel.
_INSTALLED = _FOLDER / "_lib"
_ROOT = _FOLDER.parents[2]
# Names of the type codes of NumPy's array interface and of the buffer protocol.
_TYPES = {"f4": "float32", "f8": "float64", "i8": "int64", "i4": "int32", "u1": "uint8",
          "f": "float32", "d": "float64", "q": "int64", "l": "int64", "i": "int32",
          "B": "uint8"}
_ORDER = "@=<" if sys.byteorder == "little" else "@=>"
_SIZES = {"float32": 4, "int64": 8, "uint8": 1}


def load(name: str, variable: str) -> ctypes.CDLL:
    """Loads lib<name> from the first of these that exists: the file in the environment
    variable, the library of the installed wheel, build/ or else the newest build*/ folder
    of the source tree, the search path of the system's loader."""
    installed = _INSTALLED / f"lib{name}.so.1"
    if os.environ.get(variable) or installed.exists():
        return ctypes.CDLL(os.environ.get(variable) or str(installed))
    pattern = f"build*/lib/{name}/lib{name}.so.1"
    built = sorted(_ROOT.glob(pattern), reverse=True, key=lambda path: (
        path.parents[2].name == "build", path.stat().st_mtime))
    for candidate in [*map(str, built), f"lib{name}.so.1",
                      ctypes.util.find_library(name)]:
        if candidate:
            try:
                return ctypes.CDLL(candidate)
            except OSError:
                continue
    raise OSError(f"lib{name} was not found in ${variable} (not set), "
                  f"{_ROOT}/{pattern}, and the search path of the system's loader; build "
                  f"it with `meson setup build && ninja -C build`")


class Handle:
    """An object of a library. It is freed exactly once: by close(), at the end of a
    `with` statement, or when it is garbage collected. It keeps its owners alive, and
    close() first closes the objects that depend on it."""

    def __init__(self, pointer, destroy, *owners):
        self._pointer = pointer
        self._dependents = weakref.WeakSet()
        for owner in owners:
            owner._dependents.add(self)
        self._finalizer = weakref.finalize(self, _destroy, destroy, pointer, owners)

    @property
    def pointer(self) -> ctypes.c_void_p:
        """The C pointer, to be passed to functions of the library."""
        if not self._finalizer.alive:
            raise ValueError(f"{type(self).__name__} is closed")
        return self._pointer

    def close(self) -> None:
        """Frees the object; does nothing if it is closed."""
        for dependent in list(self._dependents):
            dependent.close()
        self._finalizer()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


def _destroy(destroy, pointer, _owners):
    try:
        destroy(ctypes.byref(pointer))
    except KeyboardInterrupt:
        # Python prints and drops exceptions of finalizers, so this sends the interrupt
        # again later. The pointer is NULL if the object has been freed.
        destroy(ctypes.byref(pointer))
        _thread.start_new_thread(_interrupt_later, ())


def _interrupt_later():
    time.sleep(1e-3)
    signal.pthread_kill(threading.main_thread().ident, signal.SIGINT)


class Memory:
    """The memory of an array: address, type, shape and strides. Keeps the array alive."""

    def __init__(self, name: str, array: Any, wanted: str) -> None:
        interface = getattr(array, "__array_interface__", None)
        if interface is not None:
            self._read_interface(interface)
            self.keep = array
        else:
            self._read_buffer(name, array)
        self.name = name
        if self.type != wanted:
            raise TypeError(f"{name} is {self}, expected {wanted}")
        size = _SIZES[wanted]
        if self.strides and any(stride % size for stride in self.strides):
            raise ValueError(f"{name} is {self} with strides {self.strides} bytes, "
                             f"expected multiples of {size}")
        if self.address % size:
            raise ValueError(f"{name} is {self} at address {self.address:#x}, expected a "
                             f"multiple of {size}")

    def _read_interface(self, interface):
        order, code = interface["typestr"][0], interface["typestr"][1:]
        native = order in _ORDER + "|"
        self.type = _TYPES.get(code, code) if native else interface["typestr"]
        self.shape = tuple(interface["shape"])
        self.strides = interface.get("strides")
        self.address, self.readonly = interface["data"]

    def _read_buffer(self, name, array):
        try:
            view = memoryview(array)
        except TypeError:
            raise TypeError(f"{name} is a {type(array).__name__}, expected an array, "
                            f"an object with a buffer, or a Tensor") from None
        if not view.c_contiguous:
            raise ValueError(f"{name} has strides {view.strides} bytes, expected "
                             f"contiguous memory or a NumPy array")
        # ctypes arrays state the byte order of the machine explicitly.
        self.type = _TYPES.get(view.format.lstrip(_ORDER), view.format)
        self.shape, self.strides, self.readonly = view.shape, None, view.readonly
        self.keep = (ctypes.c_char * view.nbytes).from_buffer_copy(view) if view.readonly \
            else (ctypes.c_char * view.nbytes).from_buffer(view)
        self.address = ctypes.addressof(self.keep)

    def __str__(self):
        return f"{self.type} [{', '.join(map(str, self.shape))}]"

    def writable(self) -> Memory:
        """Returns itself; fails if the memory is read-only."""
        if self.readonly:
            raise ValueError(f"{self.name} is {self} and read-only, expected writable "
                             f"memory")
        return self

    def shaped(self, *shape: int) -> Memory:
        """Returns itself; fails unless the memory is contiguous and has this shape."""
        if self.shape != shape:
            raise ValueError(f"{self.name} is {self}, expected "
                             f"[{', '.join(map(str, shape))}]")
        expected = _SIZES[self.type]
        for extent, stride in zip(reversed(shape), reversed(self.strides or ())):
            if extent > 1 and stride != expected:
                raise ValueError(f"{self.name} is {self} with strides {self.strides} "
                                 f"bytes, expected contiguous memory")
            expected *= extent
        return self


def declare(library: ctypes.CDLL, prototypes: dict) -> None:
    """Declares the types of functions of a library: {name: (result, [arguments])}."""
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
