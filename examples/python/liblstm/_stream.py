"""Streams: inference step by step."""
from __future__ import annotations

import os
from collections.abc import Sequence
from ctypes import c_bool

from liblstm import _native as native
from liblstm._c import create, library
from liblstm._file import File
from liblstm._keys import Keys
from liblstm._layer import Layer
from liblstm._linear import Embedding, Linear
from liblstm._native import Path
from liblstm._options import described, named_options
from liblstm._params import Params
from liblstm._tensor import Array, Tensor, call, pointer_of, tensor_of


class Stream(native.Handle):
    """Step-by-step inference: the states of N sequences in a layer in evaluation mode.
    With a head, a Linear, step() returns the output of the head. Several threads may use
    streams of the same layer."""

    @named_options(batch_size="batch")
    def __init__(self, layer: Layer, head: Linear | None = None,
                 batch: int = 1) -> None:
        pointer = create("lstm_stream_create", pointer_of(layer, Layer),
                         pointer_of(head, Linear), native.size_of("batch", batch, 1))
        super().__init__(pointer, library.lstm_stream_destroy, layer)
        self._batch, self._layer = batch, layer
        self._shown = [repr(layer), *([] if head is None else [repr(head)])]
        self._keys: Keys | None = None
        self._embedding: Embedding | None = None
        self._initial: tuple[Tensor | None, Tensor | None] | None = None

    def _describe(self) -> str:
        return described(self, *self._shown, batch=self._batch)

    @classmethod
    @named_options(batch_size="batch")
    def load(cls, path: Path | File, prefix: str | None = None, head: str | None = None,
             batch: int = 1) -> Stream:
        """Loads a whole model: the LSTM under a prefix (None means the only one), the linear
        layer under head (None means "fc", if the file has it), the table "embedding.weight"
        if there is one, the initial states, and the keys of the metadata, which step()
        obeys: see docs/file-format.md. The input of a model with an embedding is int64 indices
        without the last axis."""
        if not isinstance(path, File):
            with File(os.fsdecode(path)) as file:
                return cls.load(file, prefix, head, batch)
        tensors, found = path.tensors(), path.layers()
        layer = Layer.load(path, prefix)
        name = found[0] if prefix is None else prefix
        if head is None and "fc.weight" in tensors:
            head = "fc"
        linear = None if head is None else Linear.load(path, head)
        layer.train(False)
        keys = Keys(path.metadata(), layer.config.inputs,
                    linear.config.outputs if linear else layer.output_size)
        if name in keys.reverse:
            raise ValueError(f"{name} reads from the last step to the first (metadata "
                             f"model.reverse): a stream cannot run it")
        stream = cls(layer, linear, batch)
        stream._keys = keys
        stream._initial = stream._initial_states(path, f"{name}." if name else "")
        if "embedding.weight" in tensors:
            count, size = tensors["embedding.weight"][1]
            stream._embedding = Embedding(count, size)
            with Params(embedding=stream._embedding) as params:
                params.load(path, allow_surplus=True)
        stream.reset()
        return stream

    def _initial_states(self, file: File, prefix: str
                        ) -> tuple[Tensor | None, Tensor | None] | None:
        """h0 and c0 of a file, [L, N, S] and [L, N, H]; None if it has neither."""
        config = self._layer.config
        states: list[Tensor | None] = []
        sizes = {"h0": self._layer.output_size, "c0": config.hidden}
        for name, size in sizes.items():
            if prefix + name not in file.tensors():
                states.append(None)
                continue
            rows = file.read(prefix + name)
            if rows.shape != (config.layers, size):
                raise ValueError(f"{prefix}{name} is {list(rows.shape)}, expected "
                                 f"[{config.layers}, {size}]")
            state = Tensor(config.layers, self._batch, size)
            for row in range(self._batch):
                state.select(1, row).copy(rows)
            states.append(state)
        return None if states == [None, None] else (states[0], states[1])

    @property
    def samplerate(self) -> float | None:
        """Sample rate in Hz that a loaded model is made for; None if it is not known."""
        return self._keys.samplerate if self._keys else None

    def step(self, x: Array, y: Array | None = None) -> None:
        """Advances by one step, x [N, I] -> y [N, C], or by several steps, with x as in
        Layer.forward(); C = S without a head."""
        if self._keys is None:
            call(library.lstm_stream_step, (self.pointer,), {"x": x}, {"y": y})
            return
        x, output = self._keys.before(self._input(x)), None
        if y is not None:
            output = tensor_of("y", y, True)
        call(library.lstm_stream_step, (self.pointer,), {"x": x}, {"y": output})
        if output is not None:
            self._keys.after(output, x)

    def _input(self, x: Array) -> Tensor:
        """x as a tensor; rows of the embedding, if there is one."""
        if self._embedding is None:
            return x if isinstance(x, Tensor) else Tensor.wrap(x, "x")
        indices = native.Memory("x", x, "int64")
        rows = Tensor(*indices.shape, self._layer.config.inputs)
        self._embedding.forward(x, rows)
        return rows

    def reset(self, rows: Sequence[bool] | None = None) -> None:
        """Sets the states of all sequences to zero, or of those with a true in rows. In a
        loaded model with initial states, sets those instead of zeros."""
        if rows is not None and len(rows) != self._batch:
            raise ValueError(f"rows is [{len(rows)}], expected [{self._batch}]")
        if self._initial is not None:
            self._reset_to(self._initial, rows)
            return
        chosen = None if rows is None else (c_bool * self._batch)(*map(bool, rows))
        library.lstm_stream_reset(self.pointer, chosen)

    def _reset_to(self, initial: tuple[Tensor | None, Tensor | None],
                  rows: Sequence[bool] | None) -> None:
        config = self._layer.config
        states = [Tensor(config.layers, self._batch, size)
                  for size in (self._layer.output_size, config.hidden)]
        self.get_state(*states)
        for row in range(self._batch):
            if rows is None or rows[row]:
                for state, first in zip(states, initial):
                    view = state.select(1, row)
                    if first is None:
                        view.fill(0)
                    else:
                        view.copy(first.select(1, row))
        self.set_state(*states)

    def get_state(self, h: Array | None = None, c: Array | None = None) -> None:
        """Copies the states to h, [L, N, S], and c, [L, N, H]."""
        call(library.lstm_stream_get_state, (self.pointer,), {}, {"h": h, "c": c})

    def set_state(self, h: Array | None = None, c: Array | None = None) -> None:
        """Sets the states, h [L, N, S] and c [L, N, H]; None sets zeros."""
        call(library.lstm_stream_set_state, (self.pointer,), {"h": h, "c": c}, {})
