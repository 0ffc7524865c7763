"""Safetensors files of liblstm; lstm.py is for users."""
from __future__ import annotations

from ctypes import byref
from os import PathLike
from typing import Union

import lstm_native as native
from lstm_c import LayerConfig, TensorInfo, create, library
from lstm_tensor import Tensor

Path = Union[str, PathLike]


class File(native.Handle):
    """A safetensors file, from a path or from bytes: what is in it, tensor by tensor.
    Layer.load(), Linear.load() and Params.load() take it in place of a path."""

    def __init__(self, source: Path | bytes) -> None:
        self._bytes = source if isinstance(source, bytes) else None
        pointer = (create("lstm_file_open", str(source).encode()) if self._bytes is None
                   else create("lstm_file_open_bytes", source, len(source)))
        super().__init__(pointer, library.lstm_file_destroy)

    def tensors(self) -> dict[str, tuple[str, tuple[int, ...]]]:
        """Data type and shape of each tensor, by name, in the order of the values."""
        found, info = {}, TensorInfo()
        for index in range(library.lstm_file_tensor_count(self.pointer)):
            library.lstm_file_tensor_info(self.pointer, index, byref(info))
            found[info.name.decode()] = info.dtype.decode(), tuple(info.shape[:info.rank])
        return found

    def read(self, name: str) -> Tensor:
        """The values of a tensor as float32."""
        tensor = Tensor(*self.tensors().get(name, (None, ()))[1])
        library.lstm_file_read_tensor(self.pointer, name.encode(), tensor.pointer)
        return tensor

    def metadata(self) -> dict[str, str]:
        """All texts of the metadata."""
        keys = _listed(library.lstm_file_metadata_key, self.pointer)
        return {key.decode(): library.lstm_file_metadata(self.pointer, key).decode()
                for key in keys}

    def layers(self) -> list[str]:
        """Prefixes of the LSTMs in the file."""
        prefixes = _listed(library.lstm_file_layer_prefix, self.pointer)
        return [prefix.decode() for prefix in prefixes]

    def layer_config(self, prefix: str | None = None) -> LayerConfig:
        """Options of an LSTM in the file; without a prefix of the only one."""
        config = LayerConfig()
        library.lstm_file_layer_config(self.pointer, prefix and prefix.encode(),
                                       byref(config))
        return config


def _listed(function, pointer):
    """What a getter by index gives until NULL."""
    found = []
    while (text := function(pointer, len(found))) is not None:
        found.append(text)
    return found


def source_of(kind, source):
    """The function that loads a kind of object from a path or a File, and where from."""
    if isinstance(source, File):
        return f"{kind}_read", source.pointer
    return f"{kind}_load", str(source).encode()


def file_metadata(path: Path, key: str) -> str:
    """One text of the metadata of a safetensors file."""
    with File(path) as file:
        return file.metadata()[key]
