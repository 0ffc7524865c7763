"""Safetensors files."""
from __future__ import annotations

import os
from collections.abc import Callable
from ctypes import byref
from typing import Any

from liblstm import _native as native
from liblstm._c import LayerConfig, TensorInfo, create, library
from liblstm._native import Path
from liblstm._options import named_options
from liblstm._tensor import Tensor


class File(native.Handle):
    """An open safetensors file, from a path (str or os.PathLike) or from an object with the
    bytes of a file, which is copied unless it is bytes. Layer.load(), Linear.load() and
    Params.load() accept a File instead of a path."""

    @named_options()
    def __init__(self, source: str | os.PathLike[str] | os.PathLike[bytes] | bytes) -> None:
        if isinstance(source, (str, os.PathLike)):
            self._name = repr(os.fspath(source))
            pointer = create("lstm_file_open", native.path_of(source))
        else:
            try:
                source = bytes(memoryview(source))
            except TypeError:
                raise TypeError(f"source is {source!r}, expected a path or the bytes of a "
                                f"file") from None
            self._name = f"<{len(source)} bytes>"
            pointer = create("lstm_file_open_bytes", source, len(source))
            pointer.keep["bytes"] = source
        super().__init__(pointer, library.lstm_file_destroy)

    def _describe(self) -> str:
        tensors = ", ".join(f"{name} {dtype} {list(shape)}"
                            for name, (dtype, shape) in self.tensors().items())
        return f"File({self._name}: {tensors})"

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Data type and shape of each tensor, by name, in the order of the data."""
        found, info, pointer = {}, TensorInfo(), self.pointer
        for index in range(library.lstm_file_tensor_count(pointer)):
            library.lstm_file_tensor_info(pointer, index, byref(info))
            found[info.name.decode()] = info.dtype.decode(), tuple(info.shape[:info.rank])
        return found

    def read(self, name: str) -> Tensor:
        """Reads a tensor in its shape, converted to float32."""
        # With an unknown name, any shape leads to the error of the library.
        tensor = Tensor(*self.tensors().get(name, ("", (1,)))[1])
        library.lstm_file_read_tensor(self.pointer, native.text_of("name", name),
                                      tensor.pointer)
        return tensor

    def metadata(self) -> dict[str, str]:
        """All keys and values of the metadata."""
        pointer = self.pointer
        return {key.decode(): library.lstm_file_metadata(pointer, key).decode()
                for key in _listed(library.lstm_file_metadata_key, pointer)}

    def layers(self) -> list[str]:
        """Prefixes of the LSTMs in the file."""
        prefixes = _listed(library.lstm_file_layer_prefix, self.pointer)
        return [prefix.decode() for prefix in prefixes]

    def layer_config(self, prefix: str | None = None) -> LayerConfig:
        """Options of an LSTM in the file; prefix None means the only one."""
        config = LayerConfig()
        library.lstm_file_layer_config(self.pointer, prefix_of(prefix), byref(config))
        return config


def _listed(function: Callable[[Any, int], bytes | None],
            pointer: native.Pointer) -> list[bytes]:
    """Calls a getter with the indices 0, 1, ... until it returns NULL."""
    found: list[bytes] = []
    while (text := function(pointer, len(found))) is not None:
        found.append(text)
    return found


def prefix_of(prefix: str | None) -> bytes | None:
    """A prefix for C; None is the only layer of a file."""
    return None if prefix is None else native.text_of("prefix", prefix)


def source_of(kind: str, source: Path | File) -> tuple[str, Any]:
    """The function that loads a kind of object from a path or a File, and its source
    argument."""
    if isinstance(source, File):
        return f"{kind}_read", source.pointer
    return f"{kind}_load", native.path_of(source)


def file_metadata(path: Path, key: str) -> str:
    """Value of a key in the metadata of a safetensors file."""
    with File(os.fsdecode(path)) as file:
        return file.metadata()[key]
