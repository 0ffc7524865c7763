"""LSTM networks on the CPU: the Python binding of liblstm, with ctypes only.

Names, shapes and rules are those of the C headers in include/lstm: T steps, N sequences,
I inputs, H hidden units, L layers, C classes. Every function that takes a tensor accepts
a Tensor, a float32 NumPy array, or any object with a buffer of floats, without a copy.
A failed call raises Error with the message of the library.

    rng = liblstm.Rng(0)
    net = liblstm.Layer(28, 128, layers=2, batch_first=True, rng=rng)
    net.forward(x, out=out)                # x [N, T, 28] -> out [N, T, 128]
"""
from __future__ import annotations

from collections.abc import Mapping, Sequence
from ctypes import byref, c_double, c_int64, c_size_t, c_uint64, c_void_p, pointer
from typing import Any

from liblstm import _native as native
from liblstm._c import (BFLOAT16, FLOAT32, KERAS, MAX_RANK, MAX_THREADS, MEAN, NONE, ONEDNN,
                    ONNX, PYTORCH, SUM, AdamConfig, EmbeddingConfig, Error, FileOptions,
                    LayerConfig, LinearConfig, Plateau, Schedule, create, library, pairs,
                    weight_shapes)
from liblstm._file import File, Path, file_metadata, prefix_of, source_of
from liblstm._loss import CrossEntropy, bce, bce_backward, mse, mse_backward
from liblstm._stream import Stream
from liblstm._tensor import Array, Rng, Tensor, call, pointer_of, tensor_of

__all__ = ["BFLOAT16", "FLOAT32", "KERAS", "MAX_RANK", "MAX_THREADS", "MEAN", "NONE",
           "ONEDNN", "ONNX", "PYTORCH", "SUM", "Adam", "AdamConfig", "CrossEntropy",
           "Embedding", "EmbeddingConfig", "Error", "File", "Layer", "LayerConfig",
           "Linear", "LinearConfig", "Params", "Plateau", "Rng", "Stream", "Tape", "Tensor",
           "bce", "bce_backward", "file_metadata", "kernels_name", "mse", "mse_backward",
           "schedule_lr", "set_reproducible", "set_threads", "threads", "version"]


def version() -> str:
    """Version of the library."""
    return library.lstm_version().decode()


def kernels_name() -> str:
    """Name of the kernels in use: avx512bf16, avx512, avx2, neon or generic."""
    return library.lstm_kernels_name().decode()


def threads() -> int:
    """Maximum number of threads of a call."""
    return library.lstm_threads()


def set_threads(count: int) -> None:
    """Sets the maximum number of threads of a call; 0 restores the default."""
    library.lstm_set_threads(count)


def set_reproducible(reproducible: bool = True) -> None:
    """Turns reproducible mode on or off: bit-identical results on every processor."""
    library.lstm_set_reproducible(reproducible)


PRECISIONS = {"fp32": FLOAT32, "bf16": BFLOAT16}


class Layer(native.Handle):
    """A stack of LSTM layers, as torch.nn.LSTM.

    rng draws the initial weights, which are zero without it. With dropout, the layer
    keeps a reference to rng and draws the masks of each forward from it. Options:
    proj_size, dropout, no_bias, batch_first, bidirectional, precision ("fp32" or "bf16").

    Shapes, for N sequences of T steps, S = proj_size or hidden, and D = 2 if
    bidirectional, else 1: x is [N, T, inputs] with batch_first, else [T, N, inputs]; out
    has D*S instead of inputs; h0 and hn are [layers*D, N, S]; c0 and cn are
    [layers*D, N, hidden]."""

    def __init__(self, inputs: int, hidden: int, layers: int = 1, *,
                 rng: Rng | None = None, **options: Any) -> None:
        precision = options.get("precision")
        if isinstance(precision, str):
            if precision not in PRECISIONS:
                raise ValueError(f"precision is {precision!r}, expected fp32 or bf16")
            options["precision"] = PRECISIONS[precision]
        config = LayerConfig(inputs=inputs, hidden=hidden, layers=layers, **options)
        pointer = create("lstm_layer_create", byref(config), pointer_of(rng, Rng))
        # Only dropout draws from the generator later on.
        super().__init__(pointer, library.lstm_layer_destroy,
                         *([rng] if options.get("dropout") else []))

    @classmethod
    def load(cls, path: Path | File, prefix: str | None = None,
             rng: Rng | None = None) -> Layer:
        """Loads a layer from a file. prefix None means the only LSTM in the file; without
        a generator, dropout is off."""
        layer = cls.__new__(cls)
        pointer = create(*source_of("lstm_layer", path), prefix_of(prefix),
                         pointer_of(rng, Rng))
        native.Handle.__init__(layer, pointer, library.lstm_layer_destroy,
                               *([rng] if rng else []))
        return layer

    @property
    def config(self) -> LayerConfig:
        """A copy of the options."""
        return LayerConfig.from_buffer_copy(
            library.lstm_layer_get_config(self.pointer).contents)

    def train(self, training: bool = True) -> None:
        """Sets training mode, or evaluation mode if training is False."""
        library.lstm_layer_set_training(self.pointer, training)

    def pack(self) -> None:
        """Packs the weights for the kernels. Call it after changing weights and before
        forwards in several threads."""
        library.lstm_layer_pack(self.pointer)

    def forward(self, x: Array, h0: Array | None = None, c0: Array | None = None,
                out: Array | None = None, hn: Array | None = None,
                cn: Array | None = None, lengths: Sequence[int] | None = None,
                tape: Tape | None = None) -> None:
        """Computes out, hn and cn from x, h0 and c0; see Layer for the shapes. lengths
        are the N sequence lengths, 1 to T. None means: zero states, output not
        computed, full lengths, the layer's own tape."""
        x = tensor_of("x", x)
        if lengths is not None:
            count = x.shape[0 if self.config.batch_first else 1]
            if len(lengths) != count:
                raise ValueError(f"lengths is [{len(lengths)}], expected [{count}]")
            lengths = (c_size_t * count)(*map(int, lengths))
        call(library.lstm_layer_forward,
             (self.pointer, pointer_of(tape, Tape), x.pointer, lengths),
             {"h0": h0, "c0": c0}, {"out": out, "hn": hn, "cn": cn})

    def backward(self, dout: Array | None = None, dhn: Array | None = None,
                 dcn: Array | None = None, dx: Array | None = None,
                 dh0: Array | None = None, dc0: Array | None = None,
                 tape: Tape | None = None) -> None:
        """Computes dx, dh0 and dc0 from dout, dhn and dcn, each with the shape of its
        value. Adds the gradients of the parameters to Params.grad()."""
        call(library.lstm_layer_backward, (self.pointer, pointer_of(tape, Tape)),
              {"dout": dout, "dhn": dhn, "dcn": dcn}, {"dx": dx, "dh0": dh0, "dc0": dc0})

    def gates(self, gates: Array, index: int = 0, direction: int = 0,
              tape: Tape | None = None) -> None:
        """Writes the gate activations i, f, g, o of a pending forward: [N, T, 4*hidden]
        with batch_first, else [T, N, 4*hidden]."""
        gates = tensor_of("gates", gates, True)
        library.lstm_layer_gates(self.pointer, pointer_of(tape, Tape), index, direction,
                                 gates.pointer)

    @property
    def output_size(self) -> int:
        """Size of the last axis of out, D*S."""
        return library.lstm_layer_output_size(self.pointer)

    def workspace_size(self, training: bool, batch: int, steps: int) -> int:
        """Size in bytes of the workspace that forward and backward of a batch need."""
        return library.lstm_layer_workspace_size(self.pointer, training, batch, steps)

    def set_workspace(self, memory: Array | None, tape: Tape | None = None) -> None:
        """Sets the workspace of a tape, or of the layer's own tape: an array of uint8,
        [size], aligned to 64 bytes, which is kept alive. None restores the default, memory
        of the library."""
        kept = memory if memory is None else \
            native.Memory("memory", memory, "uint8").writable()
        library.lstm_layer_set_workspace(self.pointer, pointer_of(tape, Tape),
                                         kept and kept.address, kept.shape[0] if kept else 0)
        (tape or self)._workspace = kept

    def set_weights(self, index: int, direction: int, layout: int, input: Array,
                    recurrent: Array, bias: Array | None = None,
                    projection: Array | None = None) -> None:
        """Sets the weights of one direction (0 forward, 1 reverse) of layer index. The
        layout of the arrays is PYTORCH, KERAS, ONNX or ONEDNN; see lstm/weights.h."""
        self._weights(library.lstm_layer_set_weights, index, direction, layout, {
            "input": input, "recurrent": recurrent, "bias": bias,
            "projection": projection}, False)

    def get_weights(self, index: int, direction: int, layout: int,
                    input: Array | None = None, recurrent: Array | None = None,
                    bias: Array | None = None, projection: Array | None = None) -> None:
        """Writes the weights into arrays of the shapes of set_weights(); None skips one.
        """
        self._weights(library.lstm_layer_get_weights, index, direction, layout, {
            "input": input, "recurrent": recurrent, "bias": bias,
            "projection": projection}, True)

    def _weights(self, function, index, direction, layout, arrays, output):
        shapes = weight_shapes(self.config, index, layout)
        memories = [array if array is None else
                    native.Memory(name, array, "float32").shaped(*shapes[name])
                    for name, array in arrays.items()]
        function(self.pointer, index, direction, layout, *(
            memory and (memory.writable() if output else memory).address
            for memory in memories))


class Tape(native.Handle):
    """The activations of one forward of a layer, for its backward. With one tape each, any
    number of forwards of a layer can be pending and can run in several threads. If the
    layer has dropout, rng is required and draws the masks."""

    def __init__(self, layer: Layer, rng: Rng | None = None) -> None:
        pointer = create("lstm_tape_create", pointer_of(layer, Layer),
                         pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_tape_destroy, layer,
                         *([rng] if rng else []))


class Linear(native.Handle):
    """A linear layer, as torch.nn.Linear. rng draws the initial weights, which are zero
    without it."""

    def __init__(self, inputs: int, outputs: int, rng: Rng | None = None, *,
                 no_bias: bool = False) -> None:
        config = LinearConfig(inputs=inputs, outputs=outputs, no_bias=no_bias)
        pointer = create("lstm_linear_create", byref(config), pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_linear_destroy)

    @classmethod
    def load(cls, path: Path | File, prefix: str) -> Linear:
        """Loads a linear layer from a file, with the sizes in it."""
        linear, source = cls.__new__(cls), source_of("lstm_linear", path)
        native.Handle.__init__(linear, create(*source, prefix.encode()),
                               library.lstm_linear_destroy)
        return linear

    @property
    def config(self) -> LinearConfig:
        """A copy of the options."""
        return LinearConfig.from_buffer_copy(
            library.lstm_linear_get_config(self.pointer).contents)

    def forward(self, x: Array, y: Array) -> None:
        """x [N, inputs] -> y [N, outputs]."""
        call(library.lstm_linear_forward, (self.pointer,), {"x": x}, {"y": y})

    def backward(self, dy: Array, dx: Array | None = None) -> None:
        """dy [N, outputs] -> dx [N, inputs]; adds the gradients of the parameters."""
        call(library.lstm_linear_backward, (self.pointer,), {"dy": dy}, {"dx": dx})


class Embedding(native.Handle):
    """Rows of a table by index, as torch.nn.Embedding. rng draws the initial values, which
    are zero without it. The row padding_index is zero and gets no gradient."""

    def __init__(self, count: int, size: int, rng: Rng | None = None, *,
                 padding_index: int | None = None) -> None:
        config = EmbeddingConfig(count=count, size=size)
        if padding_index is not None:
            config.padding, config.padding_index = True, padding_index
        pointer = create("lstm_embedding_create", byref(config), pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_embedding_destroy)

    def forward(self, indices: Array, y: Array) -> None:
        """indices [..] int64 -> y [.., size]."""
        y = tensor_of("y", y, True)
        if isinstance(indices, (list, tuple)):
            indices = (c_int64 * len(indices))(*indices)
        indices = native.Memory("indices", indices, "int64").shaped(*y.shape[:-1])
        library.lstm_embedding_forward(self.pointer, indices.address, y.pointer)

    def backward(self, dy: Array) -> None:
        """Adds dy [.., size] to the gradient of the table."""
        call(library.lstm_embedding_backward, (self.pointer,), {"dy": dy}, {})


class Params(native.Handle):
    """Parameters and gradients of layers, by name: Params(lstm=layer, fc=linear)."""

    def __init__(self, **layers: Layer | Linear | Embedding) -> None:
        super().__init__(create("lstm_params_create"), library.lstm_params_destroy)
        self._layers = []
        for prefix, layer in layers.items():
            self.add(prefix, layer)

    def add(self, prefix: str, layer: Layer | Linear | Embedding) -> None:
        """Adds the parameters of a layer with names "PREFIX.weight..."."""
        kinds = {Layer: "layer", Embedding: "embedding", Linear: "linear"}
        kind = next((kind for kind in kinds if isinstance(layer, kind)), None)
        if kind is None:
            raise TypeError(f"expected a Layer, Linear or Embedding, got a "
                            f"{type(layer).__name__}")
        add = getattr(library, f"lstm_params_add_{kinds[kind]}")
        add(self.pointer, prefix.encode(), layer.pointer)
        layer._dependents.add(self)
        self._layers.append(layer)

    def add_tensor(self, name: str, value: Tensor, grad: Tensor | None = None) -> None:
        """Adds a tensor of the program as a parameter. Without a gradient it is saved and
        loaded, but not trained."""
        library.lstm_params_add_tensor(self.pointer, name.encode(),
                                       pointer_of(value, Tensor), pointer_of(grad, Tensor))
        for tensor in (value, grad):
            if tensor is not None:
                tensor._dependents.add(self)
                self._layers.append(tensor)

    def __len__(self) -> int:
        return library.lstm_params_size(self.pointer)

    @property
    def count(self) -> int:
        """Number of float32 values in all parameters."""
        return library.lstm_params_count(self.pointer)

    def names(self) -> list[str]:
        """Names in PyTorch's order."""
        return [library.lstm_params_name(self.pointer, i).decode()
                for i in range(len(self))]

    def _index(self, name):
        names = self.names()
        if name not in names:
            raise ValueError(f"unknown parameter {name!r}, expected one of "
                             f"{', '.join(names)}")
        return names.index(name)

    def _item(self, function, name):
        address = function(self.pointer, self._index(name))
        return address and Tensor._from(c_void_p(address), self, *self._layers,
                                        destroy=lambda _: None)

    def value(self, name: str) -> Tensor:
        """Values of a parameter, without a copy."""
        return self._item(library.lstm_params_value, name)

    def grad(self, name: str) -> Tensor | None:
        """Gradient of a parameter, without a copy; None if it has none."""
        return self._item(library.lstm_params_grad, name)

    def trainable(self, name: str) -> bool:
        """Whether a parameter has a gradient and is not frozen."""
        return library.lstm_params_trainable(self.pointer, self._index(name))

    def set_trainable(self, name: str, trainable: bool) -> None:
        """Freezes a parameter, or makes it trainable again. Adam, norm and clipping skip
        frozen parameters."""
        library.lstm_params_set_trainable(self.pointer, self._index(name), trainable)

    def values(self) -> Tensor:
        """A copy of all values, [count], for example of the best weights so far."""
        values = Tensor(self.count)
        library.lstm_params_get_values(self.pointer,
                                       library.lstm_tensor_data(values.pointer))
        return values

    def set_values(self, values: Array) -> None:
        """Sets all values, [count]."""
        memory = native.Memory("values", values, "float32").shaped(self.count)
        library.lstm_params_set_values(self.pointer, memory.address)

    def grads(self) -> Tensor:
        """A copy of all gradients, [count]; zeros for parameters without a gradient."""
        grads = Tensor(self.count)
        library.lstm_params_get_grads(self.pointer,
                                      library.lstm_tensor_data(grads.pointer))
        return grads

    def set_grads(self, grads: Array) -> None:
        """Sets all gradients, [count]."""
        memory = native.Memory("grads", grads, "float32").shaped(self.count)
        library.lstm_params_set_grads(self.pointer, memory.address)

    def zero_grad(self) -> None:
        """Sets all gradients to zero, also those of frozen parameters."""
        library.lstm_params_zero_grad(self.pointer)

    def clip_norm(self, max_norm: float) -> float:
        """Scales the gradients of trainable parameters so that their total norm is at most
        max_norm; returns the norm before."""
        norm = c_double()
        library.lstm_params_clip_norm(self.pointer, max_norm, byref(norm))
        return norm.value

    def clip_value(self, limit: float) -> None:
        """Clamps the gradients of trainable parameters to [-limit, limit]."""
        library.lstm_params_clip_value(self.pointer, limit)

    def save(self, path: Path, adam: Adam | None = None, rng: Rng | None = None,
             rename: Mapping[str, str] | None = None,
             metadata: Mapping[str, str] | None = None) -> None:
        """Writes a safetensors file; with adam and rng, a checkpoint. rename maps prefixes
        of names to the prefixes in the file."""
        options = _file_options(adam, rng, rename, metadata)
        library.lstm_params_save(self.pointer, str(path).encode(), byref(options))

    def load(self, path: Path | File, adam: Adam | None = None, rng: Rng | None = None,
             rename: Mapping[str, str] | None = None,
             allow_surplus: bool = False) -> int:
        """Reads a safetensors file; returns the number of tensors converted to float32."""
        options = _file_options(adam, rng, rename, None)
        converted = c_size_t()
        options.converted, options.allow_surplus = pointer(converted), allow_surplus
        function, where = source_of("lstm_params", path)
        getattr(library, function)(self.pointer, where, byref(options))
        return converted.value


def _file_options(adam, rng, rename, metadata):
    rename, metadata = pairs(rename or {}), pairs(metadata or {})
    return FileOptions(rename=rename, rename_count=len(rename) // 2,
                       adam=pointer_of(adam, Adam), rng=pointer_of(rng, Rng),
                       metadata=metadata, metadata_count=len(metadata) // 2)


class Adam(native.Handle):
    """The Adam optimiser. Options: lr, beta1, beta2, eps, weight_decay, decoupled (AdamW),
    amsgrad, maximize, check_finite."""

    def __init__(self, params: Params, **options: Any) -> None:
        config = AdamConfig(**options)
        pointer = create("lstm_adam_create", pointer_of(params, Params), byref(config))
        super().__init__(pointer, library.lstm_adam_destroy, params)

    def step(self) -> None:
        """Updates all trainable parameters from their gradients."""
        library.lstm_adam_step(self.pointer)

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        return library.lstm_adam_lr(self.pointer)

    @lr.setter
    def lr(self, lr: float) -> None:
        library.lstm_adam_set_lr(self.pointer, lr)

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return library.lstm_adam_steps(self.pointer)

    def set_parameter(self, index: int, lr_factor: float = 1.0,
                      weight_decay: float = 0.0) -> None:
        """Sets the learning rate factor and the weight decay of one parameter."""
        library.lstm_adam_set_parameter(self.pointer, index, lr_factor, weight_decay)


def schedule_lr(step: int, kind: int, lr: float, milestones: Sequence[int] = (),
                **options: Any) -> float:
    """Learning rate of a step; kinds and options as in lstm/schedule.h."""
    schedule = Schedule(kind=kind, lr=lr, milestone_count=len(milestones), **options)
    schedule.milestones = (c_uint64 * len(milestones))(*milestones)
    result = c_double()
    library.lstm_schedule_lr(byref(schedule), step, byref(result))
    return result.value
