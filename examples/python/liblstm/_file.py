"""Safetensors files."""
from __future__ import annotations

from ctypes import byref
from os import PathLike
from typing import Union

from liblstm import _native as native
from liblstm._c import LayerConfig, TensorInfo, create, library
from liblstm._tensor import Tensor

Path = Union[str, PathLike]


class File(native.Handle):
    """An open safetensors file, from a path or from an object with bytes, which is copied
    unless it is bytes. Layer.load(), Linear.load() and Params.load() accept a File instead
    of a path."""

    def __init__(self, source: Path | bytes) -> None:
        if not isinstance(source, (str, PathLike)):
            source = bytes(source)
        self._bytes = source if isinstance(source, bytes) else None
        pointer = (create("lstm_file_open", str(source).encode()) if self._bytes is None
                   else create("lstm_file_open_bytes", source, len(source)))
        super().__init__(pointer, library.lstm_file_destroy)

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Data type and shape of each tensor, by name, in the order of the data."""
        found, info = {}, TensorInfo()
        for index in range(library.lstm_file_tensor_count(self.pointer)):
            library.lstm_file_tensor_info(self.pointer, index, byref(info))
            found[info.name.decode()] = info.dtype.decode(), tuple(info.shape[:info.rank])
        return found

    def read(self, name: str) -> Tensor:
        """Reads a tensor, converted to float32."""
        # With an unknown name, any shape leads to the error of the library.
        tensor = Tensor(*self.tensors().get(name, (None, (1,)))[1])
        library.lstm_file_read_tensor(self.pointer, name.encode(), tensor.pointer)
        return tensor

    def metadata(self) -> dict[str, str]:
        """All keys and values of the metadata."""
        keys = _listed(library.lstm_file_metadata_key, self.pointer)
        return {key.decode(): library.lstm_file_metadata(self.pointer, key).decode()
                for key in keys}

    def layers(self) -> list[str]:
        """Prefixes of the LSTMs in the file."""
        prefixes = _listed(library.lstm_file_layer_prefix, self.pointer)
        return [prefix.decode() for prefix in prefixes]

    def layer_config(self, prefix: str | None = None) -> LayerConfig:
        """Options of an LSTM in the file; prefix None means the only one."""
        config = LayerConfig()
        library.lstm_file_layer_config(self.pointer, prefix_of(prefix),
                                       byref(config))
        return config


def _listed(function, pointer):
    """Calls a getter with the indices 0, 1, ... until it returns NULL."""
    found = []
    while (text := function(pointer, len(found))) is not None:
        found.append(text)
    return found


def prefix_of(prefix):
    """A prefix for C; None is the only layer of a file."""
    return None if prefix is None else prefix.encode()


def source_of(kind, source):
    """The function that loads a kind of object from a path or a File, and its source
    argument."""
    if isinstance(source, File):
        return f"{kind}_read", source.pointer
    return f"{kind}_load", str(source).encode()


def file_metadata(path: Path, key: str) -> str:
    """Value of a key in the metadata of a safetensors file."""
    with File(path) as file:
        return file.metadata()[key]
