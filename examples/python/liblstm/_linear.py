"""Linear layers and embeddings."""
from __future__ import annotations

from ctypes import byref

from liblstm import _native as native
from liblstm._c import EmbeddingConfig, LinearConfig, create, library
from liblstm._file import File, source_of
from liblstm._native import Path
from liblstm._options import described, named_options
from liblstm._tensor import Array, Rng, call, pointer_of, tensor_of


class Linear(native.Handle):
    """A linear layer, as torch.nn.Linear. rng draws the initial weights, which are zero
    without it."""

    @named_options(in_features="inputs", out_features="outputs", bias="no_bias",
                   generator="rng", device="liblstm computes on the CPU.",
                   dtype="values are float32.")
    def __init__(self, inputs: int, outputs: int, rng: Rng | None = None, *,
                 no_bias: bool = False) -> None:
        config = LinearConfig(inputs=native.size_of("inputs", inputs, 1),
                              outputs=native.size_of("outputs", outputs, 1),
                              no_bias=no_bias)
        pointer = create("lstm_linear_create", byref(config), pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_linear_destroy)

    @classmethod
    def load(cls, path: Path | File, prefix: str) -> Linear:
        """Loads a linear layer from a file, with the sizes in it."""
        linear = cls.__new__(cls)
        function, source = source_of("lstm_linear", path)
        pointer = create(function, source, native.text_of("prefix", prefix))
        native.Handle.__init__(linear, pointer, library.lstm_linear_destroy)
        return linear

    def _describe(self) -> str:
        config = self.config
        return described(self, config.inputs, config.outputs,
                         no_bias=config.no_bias or None)

    @property
    def config(self) -> LinearConfig:
        """A copy of the options."""
        pointer = self.pointer
        return LinearConfig.from_buffer_copy(
            library.lstm_linear_get_config(pointer).contents)

    @named_options(input="x", out="y", output="y")
    def forward(self, x: Array, y: Array) -> None:
        """x [N, inputs] -> y [N, outputs]."""
        call(library.lstm_linear_forward, (self.pointer,), {"x": x}, {"y": y})

    @named_options(gradient="dy", dout="dy")
    def backward(self, dy: Array, dx: Array | None = None) -> None:
        """dy [N, outputs] -> dx [N, inputs]; adds the gradients of the parameters."""
        call(library.lstm_linear_backward, (self.pointer,), {"dy": dy}, {"dx": dx})


class Embedding(native.Handle):
    """Rows of a table by index, as torch.nn.Embedding. rng draws the initial values, which
    are zero without it. The row padding_index is zero and gets no gradient."""

    @named_options(num_embeddings="count", embedding_dim="size",
                   padding_idx="padding_index", padding="padding_index", generator="rng",
                   sparse="gradients are dense.",
                   device="liblstm computes on the CPU.", dtype="values are float32.")
    def __init__(self, count: int, size: int, rng: Rng | None = None, *,
                 padding_index: int | None = None) -> None:
        config = EmbeddingConfig(count=native.size_of("count", count, 1),
                                 size=native.size_of("size", size, 1))
        if padding_index is not None:
            config.padding = True
            config.padding_index = native.size_of("padding_index", padding_index)
        pointer = create("lstm_embedding_create", byref(config), pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_embedding_destroy)
        self._shown = described(self, count, size, padding_index=padding_index)

    def _describe(self) -> str:
        return self._shown

    @named_options(input="indices", x="indices", out="y", output="y")
    def forward(self, indices: Array, y: Array) -> None:
        """indices [..] int64 -> y [.., size]."""
        y = tensor_of("y", y, True)
        if isinstance(indices, (list, tuple)):
            indices = native.integers_of("index", indices)
        indices = native.Memory("indices", indices, "int64").shaped(*y.shape[:-1])
        library.lstm_embedding_forward(self.pointer, indices.address, y.pointer)

    def backward(self, dy: Array) -> None:
        """Adds dy [.., size] to the gradient of the table."""
        call(library.lstm_embedding_backward, (self.pointer,), {"dy": dy}, {})
