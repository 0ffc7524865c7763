"""Tensors, arrays and random generators of liblstm."""
from __future__ import annotations

from ctypes import c_float, c_int64, c_size_t, c_ssize_t, c_uint8
from typing import Any

from liblstm import _native as native
from liblstm._c import RNG_STATE_SIZE, create, library

# A Tensor, a NumPy array, or another object with a buffer of the right type.
Array = Any


def pointer_of(handle, kind):
    if handle is None:
        return None
    if not isinstance(handle, kind):
        raise TypeError(f"expected a {kind.__name__}, got a {type(handle).__name__}")
    return handle.pointer


class Tensor(native.Handle):
    """A float32 array. Tensor(2, 3) allocates zeros of shape [2, 3]; Tensor.wrap(array)
    uses the memory of an array; numpy.asarray(tensor) is a view of the tensor."""

    def __init__(self, *shape: int) -> None:
        extents = (c_size_t * len(shape))(*shape)
        self._adopt(create("lstm_tensor_create", len(shape), extents))

    def _adopt(self, pointer, destroy=library.lstm_tensor_destroy, *owners, keep=None):
        super().__init__(pointer, destroy, *owners)
        self._keep = keep

    @classmethod
    def _from(cls, pointer, *owners, destroy=library.lstm_tensor_destroy, keep=None):
        tensor = cls.__new__(cls)
        tensor._adopt(pointer, destroy, *owners, keep=keep)
        return tensor

    @classmethod
    def wrap(cls, array: Array, name: str = "array", output: bool = False) -> Tensor:
        """Creates a tensor in the memory of a float32 array, and keeps the array alive."""
        memory = native.Memory(name, array, "float32")
        if output:
            memory.writable()
        rank = len(memory.shape)
        strides = memory.strides and (c_ssize_t * rank)(*[s // 4 for s in memory.strides])
        pointer = create("lstm_tensor_wrap", memory.address, rank,
                          (c_size_t * rank)(*memory.shape), strides)
        return cls._from(pointer, keep=memory)

    def select(self, axis: int, index: int) -> Tensor:
        """A view of one position of an axis, which the view does not have."""
        return self._from(create("lstm_tensor_select", self.pointer, axis, index), self)

    def narrow(self, axis: int, start: int, count: int) -> Tensor:
        """A view of a range of an axis."""
        return self._from(
            create("lstm_tensor_narrow", self.pointer, axis, start, count), self)

    def reshape(self, *shape: int) -> Tensor:
        """A view in another shape, as torch.Tensor.view(); an Error where strides do not
        allow one."""
        extents = (c_size_t * len(shape))(*shape)
        return self._from(
            create("lstm_tensor_reshape", self.pointer, len(shape), extents), self)

    def softmax(self, source: Array) -> None:
        """Writes the softmax along the last axis of source, which may be the tensor."""
        source = tensor_of("source", source)
        library.lstm_tensor_softmax(self.pointer, source.pointer)

    def sigmoid(self, source: Array) -> None:
        """Writes the sigmoid of source, which may be the tensor."""
        source = tensor_of("source", source)
        library.lstm_tensor_sigmoid(self.pointer, source.pointer)

    def fill(self, value: float) -> None:
        """Sets every element to value."""
        library.lstm_tensor_fill(self.pointer, value)

    def copy(self, source: Array) -> None:
        """Copies the elements of a tensor or array of the same shape."""
        source = tensor_of("source", source)
        library.lstm_tensor_copy(self.pointer, source.pointer)

    @property
    def shape(self) -> tuple[int, ...]:
        """Size of each axis."""
        rank = library.lstm_tensor_rank(self.pointer)
        return tuple(library.lstm_tensor_extent(self.pointer, i) for i in range(rank))

    @property
    def strides(self) -> tuple[int, ...]:
        """Stride of each axis, in elements."""
        return tuple(library.lstm_tensor_stride(self.pointer, i)
                     for i in range(len(self.shape)))

    def __len__(self) -> int:
        return library.lstm_tensor_count(self.pointer)

    @property
    def __array_interface__(self) -> dict:
        return {"version": 3, "typestr": "<f4", "shape": self.shape,
                "strides": tuple(4 * stride for stride in self.strides),
                "data": (library.lstm_tensor_data(self.pointer), False)}

    def tolist(self) -> list[float]:
        """All elements in row-major order."""
        dense = Tensor(len(self))
        view = create("lstm_tensor_wrap", library.lstm_tensor_data(dense.pointer),
                       len(self.shape), (c_size_t * len(self.shape))(*self.shape), None)
        with Tensor._from(view, dense) as copy:
            copy.copy(self)
            data = library.lstm_tensor_data(dense.pointer)
            return list((c_float * len(self)).from_address(data))

    def argmax(self) -> list[int]:
        """Index of the largest element of each row of a tensor [N, C]."""
        rows, columns = self.shape
        elements = self.tolist()
        each = (elements[i:i + columns] for i in range(0, rows * columns, columns))
        return [row.index(max(row)) for row in each]


def tensor_of(name, value, output=False):
    """Returns a Tensor or None unchanged, and a Tensor in the memory of an array."""
    if value is None or isinstance(value, Tensor):
        return value
    return Tensor.wrap(value, name, output)


def call(function, first, inputs, outputs):
    """Calls a function with the arguments in first, then tensors. Tensors that wrap
    arrays live until the function returns."""
    tensors = [*(tensor_of(name, value) for name, value in inputs.items()),
               *(tensor_of(name, value, True) for name, value in outputs.items())]
    function(*first, *(pointer_of(tensor, Tensor) for tensor in tensors))


class Rng(native.Handle):
    """A random generator with the same numbers as PyTorch's CPU generator."""

    def __init__(self, seed: int) -> None:
        super().__init__(create("lstm_rng_create", seed), library.lstm_rng_destroy)

    def next(self) -> int:
        """Draws 64 random bits."""
        return library.lstm_rng_next(self.pointer)

    def uniform(self, tensor: Array, low: float = 0.0, high: float = 1.0) -> None:
        """Fills a tensor or array with uniform numbers in [low, high)."""
        tensor = tensor_of("tensor", tensor, True)
        library.lstm_rng_uniform(self.pointer, tensor.pointer, low, high)

    def normal(self, tensor: Array, mean: float = 0.0, std: float = 1.0) -> None:
        """Fills a tensor or array with normally distributed numbers."""
        tensor = tensor_of("tensor", tensor, True)
        library.lstm_rng_normal(self.pointer, tensor.pointer, mean, std)

    def permutation(self, count: int) -> list[int]:
        """A random permutation of 0 to count - 1, as torch.randperm()."""
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
        library.lstm_rng_set_state(self.pointer,
                                    (c_uint8 * RNG_STATE_SIZE).from_buffer_copy(state))
