"""Tensors, arrays and random generators."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes import addressof, c_float, c_int64, c_size_t, c_ssize_t, c_uint8
from typing import Any

from liblstm import _native as native
from liblstm._c import RNG_STATE_SIZE, create, library
from liblstm._options import described, named_options

# A Tensor, a NumPy array, or another object with a buffer of the right type.
Array = Any


def pointer_of(handle: object, kind: type[native.Handle]) -> native.Pointer | None:
    """The pointer of a handle of one kind; None stays None."""
    if handle is None:
        return None
    if not isinstance(handle, kind):
        article = "an" if kind.__name__[0] in "AE" else "a"
        raise TypeError(f"expected {article} {kind.__name__}, got {native.kind_of(handle)}")
    return handle.pointer


def extents_of(shape: Sequence[int]) -> Any:
    """A shape for C."""
    return (c_size_t * len(shape))(*(native.size_of("extent", size) for size in shape))


class Tensor(native.Handle):
    """A float32 array. Tensor(2, 3) allocates zeros of shape [2, 3]; Tensor.wrap(array)
    uses the memory of an array; numpy.asarray(tensor) is a view of the tensor, which
    remains valid after close()."""

    # Whether the memory is that of a read-only array.
    _readonly = False

    def __init__(self, *shape: int) -> None:
        super().__init__(create("lstm_tensor_create", len(shape), extents_of(shape)),
                         library.lstm_tensor_destroy)

    @classmethod
    def _from(cls, pointer: native.Pointer, *owners: native.Handle,
              destroy: Callable[[Any], Any] = library.lstm_tensor_destroy) -> Tensor:
        tensor = cls.__new__(cls)
        native.Handle.__init__(tensor, pointer, destroy, *owners)
        tensor._readonly = any(isinstance(owner, Tensor) and owner._readonly
                               for owner in owners)
        return tensor

    @property
    def output(self) -> native.Pointer:
        """The C pointer, to be written through; fails for memory that is read-only."""
        pointer = self.pointer
        if self._readonly:
            raise ValueError(f"{self!r} is in read-only memory, expected writable memory")
        return pointer

    @classmethod
    def wrap(cls, array: Array, name: str = "array", output: bool = False) -> Tensor:
        """Creates a tensor in the memory of a float32 array of any shape, and keeps the
        array alive."""
        memory = native.Memory(name, array, "float32")
        if output:
            memory.writable()
        readonly = array._readonly if isinstance(array, Tensor) else memory.readonly
        rank = len(memory.shape)
        strides = memory.strides and (c_ssize_t * rank)(*[s // 4 for s in memory.strides])
        pointer = create("lstm_tensor_wrap", memory.address, rank, extents_of(memory.shape),
                         strides)
        pointer.keep["memory"] = memory
        tensor = cls._from(pointer)
        tensor._readonly = readonly
        return tensor

    def _describe(self) -> str:
        dense: list[int] = []
        size = 1
        for extent in reversed(self.shape):
            dense.insert(0, size)
            size *= extent
        strides = self.strides
        return described(self, *self.shape,
                         strides=None if list(strides) == dense else strides)

    def select(self, axis: int, index: int) -> Tensor:
        """A view of one position of an axis, which the view does not have: for axis 1,
        [A, B, C] -> [A, C]."""
        return self._from(create("lstm_tensor_select", self.pointer,
                                 native.size_of("axis", axis),
                                 native.size_of("index", index)), self)

    def narrow(self, axis: int, start: int, count: int) -> Tensor:
        """A view of a range of an axis: for axis 1, [A, B, C] -> [A, count, C]."""
        return self._from(create("lstm_tensor_narrow", self.pointer,
                                 native.size_of("axis", axis),
                                 native.size_of("start", start),
                                 native.size_of("count", count)), self)

    def reshape(self, *shape: int) -> Tensor:
        """A view in another shape, as torch.Tensor.view(); an Error where strides do not
        allow one."""
        return self._from(create("lstm_tensor_reshape", self.pointer, len(shape),
                                 extents_of(shape)), self)

    def softmax(self, source: Array) -> None:
        """Writes the softmax along the last axis of source, which may be the tensor."""
        call(library.lstm_tensor_softmax, (self.output,), {"source": source}, {})

    def sigmoid(self, source: Array) -> None:
        """Writes the sigmoid of source, which may be the tensor."""
        call(library.lstm_tensor_sigmoid, (self.output,), {"source": source}, {})

    def fill(self, value: float) -> None:
        """Sets every element to value."""
        library.lstm_tensor_fill(self.output, native.number_of("value", value))

    def copy(self, source: Array) -> None:
        """Copies the elements of a tensor or array of the same shape."""
        call(library.lstm_tensor_copy, (self.output,), {"source": source}, {})

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each axis."""
        pointer = self.pointer
        rank = library.lstm_tensor_rank(pointer)
        return tuple(library.lstm_tensor_extent(pointer, i) for i in range(rank))

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride of each axis, in elements."""
        pointer = self.pointer
        rank = library.lstm_tensor_rank(pointer)
        return tuple(library.lstm_tensor_stride(pointer, i) for i in range(rank))

    def __len__(self) -> int:
        return int(library.lstm_tensor_count(self.pointer))

    @property
    def _array_interface(self) -> dict[str, Any]:
        """For Memory, which keeps the pointer."""
        return {"version": 3, "typestr": "<f4", "shape": self.shape,
                "strides": tuple(4 * stride for stride in self.strides),
                "data": (library.lstm_tensor_data(self.pointer), self._readonly)}

    @property
    def __array_interface__(self) -> dict[str, Any]:
        pointer, interface = self.pointer, self._array_interface
        shape, strides = interface["shape"], interface["strides"]
        reach = [stride * (extent - 1) for extent, stride in zip(shape, strides)]
        before = -sum(each for each in reach if each < 0)
        size = before + sum(each for each in reach if each > 0) + 4
        # An array refers to its buffer, which keeps the memory alive after close().
        buffer: Any = (c_uint8 * size).from_address(interface["data"][0] - before)
        buffer.keep = pointer
        data = memoryview(buffer).toreadonly() if self._readonly else buffer
        return {**interface, "data": data, "offset": before}

    def tolist(self) -> list[float]:
        """All elements in row-major order."""
        values = (c_float * len(self))()
        shape = self.shape
        pointer = create("lstm_tensor_wrap", addressof(values), len(shape),
                         extents_of(shape), None)
        with Tensor._from(pointer) as dense:
            dense.copy(self)
        return list(values)

    def argmax(self) -> list[int]:
        """Index of the largest element of each row of a tensor [N, C]."""
        if len(self.shape) != 2:
            raise ValueError(f"the tensor is {list(self.shape)}, expected [N, C]")
        rows, columns = self.shape
        elements = self.tolist()
        each = (elements[i:i + columns] for i in range(0, rows * columns, columns))
        # NaN counts as the largest, as in NumPy and PyTorch.
        return [next((i for i, value in enumerate(row) if value != value),
                     row.index(max(row))) for row in each]


def tensor_of(name: str, value: Array, output: bool = False) -> Tensor:
    """Returns a Tensor unchanged, and a Tensor in the memory of an array."""
    if not isinstance(value, Tensor):
        return Tensor.wrap(value, name, output)
    if output and value._readonly:
        raise ValueError(f"{name} is {value!r} in read-only memory, expected writable memory")
    return value


def call(function: Callable[..., Any], first: Sequence[Any], inputs: Mapping[str, Array],
         outputs: Mapping[str, Array]) -> None:
    """Calls a function with the arguments in first, then tensors; None stays None. Tensors
    that wrap arrays live until the function returns."""
    tensors = [None if value is None else tensor_of(name, value, values is outputs)
               for values in (inputs, outputs) for name, value in values.items()]
    function(*first, *(pointer_of(tensor, Tensor) for tensor in tensors))


class Rng(native.Handle):
    """A random generator with the same numbers as PyTorch's CPU generator after
    torch.manual_seed(seed)."""

    @named_options()
    def __init__(self, seed: int) -> None:
        seed = native.integer_of("seed", seed, limit=2**64)
        super().__init__(create("lstm_rng_create", seed), library.lstm_rng_destroy)
        self._seed: int | None = seed

    def _describe(self) -> str:
        return "Rng(...)" if self._seed is None else f"Rng({self._seed})"

    def next(self) -> int:
        """Draws 64 random bits."""
        return int(library.lstm_rng_next(self.pointer))

    @named_options(a="low", b="high")
    def uniform(self, tensor: Array, low: float = 0.0, high: float = 1.0) -> None:
        """Fills a tensor or array of any shape with uniform numbers in [low, high)."""
        tensor = tensor_of("tensor", tensor, True)
        library.lstm_rng_uniform(self.pointer, tensor.pointer, native.number_of("low", low),
                                 native.number_of("high", high))

    @named_options()
    def normal(self, tensor: Array, mean: float = 0.0, std: float = 1.0) -> None:
        """Fills a tensor or array of any shape with normally distributed numbers."""
        tensor = tensor_of("tensor", tensor, True)
        library.lstm_rng_normal(self.pointer, tensor.pointer, native.number_of("mean", mean),
                                native.number_of("std", std))

    def permutation(self, count: int) -> list[int]:
        """A random permutation of 0 to count - 1, as torch.randperm()."""
        count = native.size_of("count", count)
        if count >= 2**60:
            raise ValueError(f"count is {count}, expected less than 2**60")
        order = (c_int64 * count)()
        library.lstm_rng_permutation(self.pointer, order, count)
        return list(order)

    @property
    def state(self) -> bytes:
        """The state as bytes; assigning it restores the generator."""
        state = (c_uint8 * RNG_STATE_SIZE)()
        library.lstm_rng_get_state(self.pointer, state)
        return bytes(state)

    @state.setter
    def state(self, state: bytes) -> None:
        if len(state) != RNG_STATE_SIZE:
            raise ValueError(f"the state has {len(state)} bytes, expected "
                             f"{RNG_STATE_SIZE}")
        self._seed = None
        library.lstm_rng_set_state(self.pointer,
                                   (c_uint8 * RNG_STATE_SIZE).from_buffer_copy(state))
