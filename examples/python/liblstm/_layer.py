"""LSTM layers and tapes."""
from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from ctypes import byref, c_size_t
from typing import Any

from liblstm import _native as native
from liblstm._c import LayerConfig, Layout, Precision, create, library, weight_shapes
from liblstm._file import File, prefix_of, source_of
from liblstm._native import Path
from liblstm._options import changed, described, member, named_options
from liblstm._tensor import Array, Rng, call, pointer_of, tensor_of

PRECISIONS = {"fp32": Precision.FLOAT32, "bf16": Precision.BFLOAT16,
              "int8": Precision.INT8}


def _precision_of(precision: Precision | int | str) -> Precision:
    if isinstance(precision, str) and precision not in PRECISIONS:
        raise ValueError(f"precision is {precision!r}, expected fp32, bf16 or int8")
    return member(Precision, "precision", PRECISIONS.get(precision, precision)
                  if isinstance(precision, str) else precision)


class Layer(native.Handle):
    """A stack of LSTM layers, as torch.nn.LSTM.

    rng draws the initial weights, which are zero without it. With dropout, the layer
    keeps a reference to rng and draws the masks of each forward from it. precision is
    "fp32", "bf16" or "int8", the number format of products. int8 has no training.

    Shapes, for N sequences of T steps, S = proj_size or hidden, and D = 2 if
    bidirectional, else 1: x is [N, T, inputs] with batch_first, else [T, N, inputs]; out
    has D*S instead of inputs; h0 and hn are [layers*D, N, S]; c0 and cn are
    [layers*D, N, hidden]."""

    @named_options(input_size="inputs", hidden_size="hidden", num_layers="layers",
                   bias="no_bias", units="hidden", generator="rng", seed="rng",
                   device="liblstm computes on the CPU.",
                   dtype="products are float32, or bfloat16 with precision='bf16'.")
    def __init__(self, inputs: int, hidden: int, layers: int = 1, *,
                 proj_size: int = 0, dropout: float = 0.0, no_bias: bool = False,
                 batch_first: bool = False, bidirectional: bool = False,
                 precision: Precision | int | str = Precision.FLOAT32,
                 rng: Rng | None = None) -> None:
        config = LayerConfig(
            inputs=native.size_of("inputs", inputs, 1),
            hidden=native.size_of("hidden", hidden, 1),
            layers=native.size_of("layers", layers, 1),
            proj_size=native.size_of("proj_size", proj_size),
            dropout=native.number_of("dropout", dropout),
            no_bias=no_bias, batch_first=batch_first, bidirectional=bidirectional,
            precision=_precision_of(precision))
        pointer = create("lstm_layer_create", byref(config), pointer_of(rng, Rng))
        # Only dropout draws from the generator later on.
        super().__init__(pointer, library.lstm_layer_destroy,
                         *([rng] if rng and dropout else []))

    def _describe(self) -> str:
        config = self.config
        names = ("layers", "proj_size", "dropout", "no_bias", "batch_first",
                 "bidirectional")
        name = {value: key for key, value in PRECISIONS.items()}[config.precision]
        precision = name if name != "fp32" else None
        return described(self, config.inputs, config.hidden, **changed(
            Layer.__init__, **{name: getattr(config, name) for name in names}),
            precision=precision)

    @classmethod
    def load(cls, path: Path | File, prefix: str | None = None,
             rng: Rng | None = None) -> Layer:
        """Loads a layer from a file. prefix None means the only LSTM in the file; without
        a generator, dropout is off."""
        layer = cls.__new__(cls)
        function, source = source_of("lstm_layer", path)
        pointer = create(function, source, prefix_of(prefix), pointer_of(rng, Rng))
        native.Handle.__init__(layer, pointer, library.lstm_layer_destroy,
                               *([rng] if rng else []))
        return layer

    @property
    def config(self) -> LayerConfig:
        """A copy of the options."""
        pointer = self.pointer
        return LayerConfig.from_buffer_copy(
            library.lstm_layer_get_config(pointer).contents)

    @named_options(mode="training")
    def train(self, training: bool = True) -> None:
        """Sets training mode, or evaluation mode if training is False."""
        library.lstm_layer_set_training(self.pointer, native.flag_of("training", training))

    def pack(self) -> None:
        """Packs the weights for the kernels. Call it after changing weights and before
        forwards in several threads."""
        library.lstm_layer_pack(self.pointer)

    @named_options(hx="h0 c0", input="x", h_0="h0", c_0="c0", output="out", h_n="hn", c_n="cn")
    def forward(self, x: Array, h0: Array | None = None, c0: Array | None = None,
                out: Array | None = None, hn: Array | None = None,
                cn: Array | None = None, lengths: Sequence[int] | None = None,
                tape: Tape | None = None) -> None:
        """Computes out, hn and cn from x, h0 and c0; see Layer for the shapes. lengths
        are the N sequence lengths, 1 to T. None means: zero states, output not
        computed, full lengths, the layer's own tape."""
        x, array = tensor_of("x", x), None
        if lengths is not None:
            shape = x.shape
            count = shape[0 if self.config.batch_first else 1] if len(shape) == 3 else None
            if count is not None and len(lengths) != count:
                raise ValueError(f"lengths is [{len(lengths)}], expected [{count}]")
            array = (c_size_t * len(lengths))(
                *(native.size_of("a length", length) for length in lengths))
        call(library.lstm_layer_forward,
             (self.pointer, pointer_of(tape, Tape), x.pointer, array),
             {"h0": h0, "c0": c0}, {"out": out, "hn": hn, "cn": cn})

    @named_options(gradient="dout", dy="dout")
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
        library.lstm_layer_gates(
            self.pointer, pointer_of(tape, Tape), native.size_of("index", index),
            native.size_of("direction", direction), gates.pointer)

    @property
    def output_size(self) -> int:
        """Size of the last axis of out, D*S."""
        return int(library.lstm_layer_output_size(self.pointer))

    def workspace_size(self, training: bool, batch: int, steps: int) -> int:
        """Size in bytes of the workspace that forward and backward of a batch need."""
        return int(library.lstm_layer_workspace_size(
            self.pointer, training, native.size_of("batch", batch),
            native.size_of("steps", steps)))

    def set_workspace(self, memory: Array | None, tape: Tape | None = None) -> None:
        """Sets the workspace of a tape, or of the layer's own tape: an array of uint8,
        [size], aligned to 64 bytes, which is kept alive. None restores the default, memory
        of the library."""
        kept = None if memory is None else \
            native.Memory("memory", memory, "uint8").writable()
        if kept is not None and len(kept.shape) != 1:
            raise ValueError(f"memory is {kept}, expected [size]")
        if kept is not None:
            kept.shaped(*kept.shape)
        owner = (tape or self).pointer
        library.lstm_layer_set_workspace(self.pointer, pointer_of(tape, Tape),
                                         kept and kept.address, kept.shape[0] if kept else 0)
        owner.keep["workspace"] = kept

    def set_weights(self, index: int, direction: int, layout: Layout | int | str, input: Array,
                    recurrent: Array, bias: Array | None = None,
                    projection: Array | None = None) -> None:
        """Sets the weights of one direction (0 forward, 1 reverse) of layer index. The
        layout of the arrays is "pytorch", "keras", "onnx" or "onednn". For "pytorch",
        input is [4*hidden, I], recurrent [4*hidden, S], bias [2, 4*hidden] and projection
        [S, hidden], where I is inputs for layer 0, else D*S; lstm/weights.h has the
        others."""
        self._weights(library.lstm_layer_set_weights, index, direction, layout, {
            "input": input, "recurrent": recurrent, "bias": bias,
            "projection": projection}, False)

    def get_weights(self, index: int, direction: int, layout: Layout | int | str,
                    input: Array | None = None, recurrent: Array | None = None,
                    bias: Array | None = None, projection: Array | None = None) -> None:
        """Writes the weights into arrays of the shapes of set_weights(); None skips one.
        """
        self._weights(library.lstm_layer_get_weights, index, direction, layout, {
            "input": input, "recurrent": recurrent, "bias": bias,
            "projection": projection}, True)

    def _weights(self, function: Callable[..., Any], index: int, direction: int,
                 layout: Layout | int | str, arrays: Mapping[str, Array | None],
                 output: bool) -> None:
        layout = member(Layout, "layout", layout)
        shapes = weight_shapes(self.config, index, layout)
        memories = [None if array is None else
                    native.Memory(name, array, "float32").shaped(*shapes[name])
                    for name, array in arrays.items()]
        function(self.pointer, native.size_of("index", index),
                 native.size_of("direction", direction), layout, *(
                     memory and (memory.writable() if output else memory).address
                     for memory in memories))


class Tape(native.Handle):
    """The activations of one forward of a layer, for its backward. With one tape each, any
    number of forwards of a layer can be pending and can run in several threads. If the
    layer has dropout, rng is required and draws the masks."""

    @named_options(generator="rng")
    def __init__(self, layer: Layer, rng: Rng | None = None) -> None:
        pointer = create("lstm_tape_create", pointer_of(layer, Layer),
                         pointer_of(rng, Rng))
        super().__init__(pointer, library.lstm_tape_destroy, layer,
                         *([rng] if rng else []))
        self._layer = repr(layer)

    def _describe(self) -> str:
        return described(self, self._layer)
