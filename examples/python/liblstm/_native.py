"""Common parts of liblstm and liblstm.mnist: loading a C library, handles that are freed
exactly once, and the memory of arrays without copies. Uses the standard library only."""
from __future__ import annotations

import _thread
import ctypes
import ctypes.util
import operator
import os
import pathlib
import signal
import sys
import threading
import time
import weakref
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar, Union

Path = Union[str, bytes, os.PathLike[str], os.PathLike[bytes]]
Self = TypeVar("Self", bound="Handle")
# Of Handle._dependents, which several threads may change.
_lock = threading.RLock()
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


def kind_of(value: object) -> str:
    """The type of a value in a message: "an int", "a torch.Tensor"."""
    kind = type(value)
    module = kind.__module__.split(".")[0]
    name = kind.__name__ if module in ("builtins", "liblstm") else f"{module}.{kind.__name__}"
    return f"{'an' if name[0].lower() in 'aeiou' else 'a'} {name}"


def flag_of(name: str, value: bool) -> bool:
    """An option that is on or off. Python would take "no" and NaN for true."""
    if isinstance(value, int) and value in (0, 1):
        return bool(value)
    # bool of NumPy.
    if type(value).__name__ in ("bool_", "bool"):
        return bool(value)
    raise TypeError(f"{name} is {value!r}, expected True or False")


class Struct(ctypes.Structure):
    """A struct whose fields can be given by name."""

    def __init__(self, **values: Any) -> None:
        # ctypes takes names that are not fields without a word.
        unknown = [name for name in values if not hasattr(type(self), name)]
        if unknown:
            raise TypeError(f"{type(self).__name__}() got an unexpected keyword argument "
                            f"{unknown[0]!r}")
        for name, kind, *_ in self._fields_:
            if kind is ctypes.c_bool and name in values:
                values[name] = flag_of(name, values[name])
        super().__init__(**values)

    def __repr__(self) -> str:
        values = (f"{name}={getattr(self, name)!r}" for name, *_ in self._fields_
                  if name != "reserved")
        return f"{type(self).__name__}({', '.join(values)})"


class Pointer(ctypes.c_void_p):
    """The address of an object of a library, and what has to live as long as the object.
    The object is destroyed when nothing refers to the Pointer. A call refers to its
    arguments, so an object in use by another thread is destroyed after the call."""

    def __init__(self, address: int | None = None) -> None:
        super().__init__(address)
        self.keep: dict[str, Any] = {}

    def own(self, destroy: Callable[[Any], Any]) -> None:
        """Calls destroy with the address of the address when nothing refers to self."""
        # At the end of the process a thread may still use the object: nothing is destroyed.
        weakref.finalize(self, _destroy, destroy, self.value, self.keep).atexit = False


class Handle:
    """An object of a library. It is destroyed exactly once: by close(), at the end of a
    `with` statement, or when it is garbage collected; if another thread uses it then, after
    that call. It keeps its owners alive, and close() first closes the objects that depend
    on it."""

    def __init__(self, pointer: Pointer, destroy: Callable[[Any], Any],
                 *owners: Handle) -> None:
        self._dependents: weakref.WeakSet[Handle] = weakref.WeakSet()
        self._pointer: Pointer | None = pointer
        for owner in owners:
            self._depend(owner)
        pointer.own(destroy)

    def _depend(self, owner: Handle) -> None:
        """Keeps the object of owner alive, and closes self before owner."""
        keep = self.pointer.keep
        keep[f"owner {len(keep)}"] = owner.pointer
        with _lock:
            owner._dependents.add(self)

    @property
    def pointer(self) -> Pointer:
        """The C pointer, to be passed to functions of the library."""
        pointer = self._pointer
        if pointer is None:
            raise ValueError(f"{type(self).__name__} is closed")
        return pointer

    def close(self) -> None:
        """Destroys the object, after the calls of other threads that use it; does nothing
        if it is closed."""
        with _lock:
            dependents = list(self._dependents)
        for dependent in dependents:
            dependent.close()
        self._pointer = None

    def __enter__(self: Self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __reduce_ex__(self, _: Any) -> Any:
        # Without this, a deep copy would free the object of the original.
        raise TypeError(f"a {type(self).__name__} cannot be copied or pickled: it is an "
                        f"object of a C library; Params.save() saves parameters")

    def _describe(self) -> str:
        """What repr() shows of an open object."""
        return f"{type(self).__name__}()"

    def __repr__(self) -> str:
        if self._pointer is None:
            return f"<closed {type(self).__name__}>"
        return self._describe()


def _destroy(destroy: Callable[[Any], Any], address: int | None, _keep: object) -> None:
    pointer = ctypes.c_void_p(address)
    try:
        destroy(ctypes.byref(pointer))
    except KeyboardInterrupt:
        # Python prints and drops exceptions of finalizers, so this sends the interrupt
        # again later. The pointer is NULL if the object has been destroyed.
        destroy(ctypes.byref(pointer))
        _thread.start_new_thread(_interrupt_later, ())


def _interrupt_later() -> None:
    time.sleep(1e-3)
    main = threading.main_thread().ident
    if main is not None:
        signal.pthread_kill(main, signal.SIGINT)


class Memory:
    """The memory of an array: address, type, shape and strides. Keeps the array alive."""

    def __init__(self, name: str, array: Any, wanted: str) -> None:
        self.type: str
        self.shape: tuple[int, ...]
        self.strides: tuple[int, ...] | None
        self.address: int
        self.readonly: bool
        self.keep: Any
        # Another thread may close a tensor while its memory is in use.
        self.keep = (array, array.pointer if isinstance(array, Handle) else None)
        interface = getattr(array, "_array_interface", None)
        if interface is None:
            interface = getattr(array, "__array_interface__", None)
        # NumPy's other form, a buffer, is that of the array itself.
        if isinstance(interface, Mapping) and isinstance(interface.get("data"), tuple):
            self._read_interface(interface)
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

    def _read_interface(self, interface: Mapping[str, Any]) -> None:
        order, code = interface["typestr"][0], interface["typestr"][1:]
        native = order in _ORDER + "|"
        self.type = _TYPES.get(code, code) if native else interface["typestr"]
        self.shape = tuple(interface["shape"])
        self.strides = interface.get("strides")
        self.address, self.readonly = interface["data"]

    def _read_buffer(self, name: str, array: Any) -> None:
        try:
            view = memoryview(array)
        except TypeError:
            hint = f"; use {name}.detach().numpy()" if hasattr(array, "detach") else ""
            raise TypeError(f"{name} is {kind_of(array)}, expected an array, an object with "
                            f"a buffer, or a liblstm.Tensor{hint}") from None
        if not view.c_contiguous:
            raise ValueError(f"{name} has strides {view.strides} bytes, expected "
                             f"contiguous memory or a NumPy array")
        # ctypes arrays state the byte order of the machine explicitly.
        self.type = _TYPES.get(view.format.lstrip(_ORDER), view.format)
        self.shape, self.strides = tuple(view.shape or ()), None
        self.readonly = view.readonly
        self.keep = (ctypes.c_char * view.nbytes).from_buffer_copy(view) if view.readonly \
            else (ctypes.c_char * view.nbytes).from_buffer(view)
        self.address = ctypes.addressof(self.keep)

    def __str__(self) -> str:
        return f"{self.type} [{', '.join(map(str, self.shape))}]"

    def writable(self) -> Memory:
        """Returns itself; fails if the memory is read-only."""
        if self.readonly:
            raise ValueError(f"{self.name} is {self} and read-only, expected writable "
                             f"memory")
        if any(extent > 1 and stride == 0
               for extent, stride in zip(self.shape, self.strides or ())):
            raise ValueError(f"{self.name} is {self} with strides {self.strides} bytes, "
                             f"expected an element of its own at each position")
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


def path_of(path: Path) -> bytes:
    """A path for C, in the encoding of the file system."""
    return _terminated("path", os.fsencode(path))


def text_of(name: str, text: str) -> bytes:
    """A string for C."""
    if not isinstance(text, str):
        raise TypeError(f"{name} is {text!r}, expected a str")
    return _terminated(name, text.encode())


def _terminated(name: str, text: bytes) -> bytes:
    if b"\0" in text:
        raise ValueError(f"{name} is {text!r}, expected no null byte")
    return text


def size_of(name: str, size: int, least: int = 0) -> int:
    """A size for C, which would take a negative number for a large one."""
    try:
        size = operator.index(size)
    except TypeError:
        raise TypeError(f"{name} is {size!r}, expected an integer") from None
    if not least <= size < 2**63:
        raise ValueError(f"{name} is {size}, expected at least {least} and less than 2**63")
    return size


def number_of(name: str, value: float) -> float:
    """A number for C."""
    try:
        return ctypes.c_double(value).value
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected a number") from None


def integer_of(name: str, value: int, least: int = -2**63, limit: int = 2**63) -> int:
    """An integer for C: ctypes would drop the high bits of a large one."""
    try:
        value = operator.index(value)
    except TypeError:
        raise TypeError(f"{name} is {value!r}, expected an integer") from None
    if not least <= value < limit:
        raise ValueError(f"{name} is {value}, expected {least} to {limit - 1}")
    return value


def integers_of(name: str, values: Sequence[int]) -> Any:
    """A list of integers as an array of int64."""
    return (ctypes.c_int64 * len(values))(*(integer_of(name, value) for value in values))


def declare(library: ctypes.CDLL,
            prototypes: Mapping[str, tuple[Any, list[Any]]]) -> None:
    """Declares the types of functions of a library: {name: (result, [arguments])}."""
    for name, (result, arguments) in prototypes.items():
        function = getattr(library, name)
        function.restype, function.argtypes = result, arguments
