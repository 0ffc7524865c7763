"""Parameter sets and the optimiser."""
from __future__ import annotations

from collections.abc import Callable, Mapping
from ctypes import byref, c_double, c_size_t, pointer
from typing import Any

from liblstm import _native as native
from liblstm._c import AdamConfig, FileOptions, create, library, pairs
from liblstm._file import File, source_of
from liblstm._layer import Layer
from liblstm._linear import Embedding, Linear
from liblstm._native import Path
from liblstm._options import at_least_zero, changed, described, named_options
from liblstm._tensor import Array, Rng, Tensor, pointer_of


class Params(native.Handle):
    """Parameters and gradients of layers, by name: Params(lstm=layer, fc=linear)."""

    def __init__(self, **layers: Layer | Linear | Embedding) -> None:
        super().__init__(create("lstm_params_create"), library.lstm_params_destroy)
        for prefix, layer in layers.items():
            self.add(prefix, layer)

    def add(self, prefix: str, layer: Layer | Linear | Embedding) -> None:
        """Adds the parameters of a layer with names "PREFIX.weight..."."""
        for kind, name in ((Layer, "layer"), (Linear, "linear"), (Embedding, "embedding")):
            if isinstance(layer, kind):
                add = getattr(library, f"lstm_params_add_{name}")
                add(self.pointer, native.text_of("prefix", prefix), layer.pointer)
                return self._depend(layer)
        raise TypeError(f"expected a Layer, Linear or Embedding, got "
                        f"{native.kind_of(layer)}")

    def add_tensor(self, name: str, value: Tensor, grad: Tensor | None = None) -> None:
        """Adds a tensor of the program, of any shape, as a parameter. Without a gradient,
        which has the same shape, it is saved and loaded, but not trained."""
        for tensor in (value, grad):
            if isinstance(tensor, Tensor):
                tensor.output  # Fails if it is read-only.
        library.lstm_params_add_tensor(self.pointer, native.text_of("name", name),
                                       pointer_of(value, Tensor), pointer_of(grad, Tensor))
        for tensor in (value, grad):
            if tensor is not None:
                self._depend(tensor)

    def _describe(self) -> str:
        shapes = (f"{name} {list(self.value(name).shape)}" for name in self.names())
        return f"Params({', '.join(shapes)})"

    def __len__(self) -> int:
        return int(library.lstm_params_size(self.pointer))

    @property
    def count(self) -> int:
        """Number of float32 values in all parameters."""
        return int(library.lstm_params_count(self.pointer))

    def names(self) -> list[str]:
        """Names in PyTorch's order."""
        pointer = self.pointer
        return [library.lstm_params_name(pointer, i).decode()
                for i in range(library.lstm_params_size(pointer))]

    def _index(self, name: str) -> int:
        names = self.names()
        if name not in names:
            raise ValueError(f"unknown parameter {name!r}, expected one of "
                             f"{', '.join(names)}")
        return names.index(name)

    def _item(self, function: Callable[..., Any], name: str) -> Tensor | None:
        index, pointer = self._index(name), self.pointer
        address = function(pointer, index)
        if address is None:
            return None
        return Tensor._from(native.Pointer(address), self, destroy=lambda _: None)

    def value(self, name: str) -> Tensor:
        """Values of a parameter, without a copy."""
        value = self._item(library.lstm_params_value, name)
        assert value is not None
        return value

    def grad(self, name: str) -> Tensor | None:
        """Gradient of a parameter, without a copy; None if it has none."""
        return self._item(library.lstm_params_grad, name)

    def trainable(self, name: str) -> bool:
        """Whether a parameter has a gradient and is not frozen."""
        return bool(library.lstm_params_trainable(self.pointer, self._index(name)))

    def set_trainable(self, name: str, trainable: bool) -> None:
        """Freezes a parameter, or makes it trainable again. Adam, norm and clipping skip
        frozen parameters."""
        library.lstm_params_set_trainable(self.pointer, self._index(name),
                                          native.flag_of("trainable", trainable))

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

    @named_options(set_to_none="gradients are always zeroed.")
    def zero_grad(self) -> None:
        """Sets all gradients to zero, also those of frozen parameters."""
        library.lstm_params_zero_grad(self.pointer)

    @named_options(norm_type="the norm is the Euclidean one.",
                   error_if_nonfinite="Adam(check_finite=True) refuses such a step.")
    def clip_norm(self, max_norm: float) -> float:
        """Scales the gradients of trainable parameters so that their total norm is at most
        max_norm; returns the norm before."""
        norm = c_double()
        library.lstm_params_clip_norm(
            self.pointer, native.number_of("max_norm", max_norm), byref(norm))
        return norm.value

    @named_options(clip_value="limit")
    def clip_value(self, limit: float) -> None:
        """Clamps the gradients of trainable parameters to [-limit, limit]."""
        library.lstm_params_clip_value(self.pointer, native.number_of("limit", limit))

    @named_options(optimizer="adam", filename="path")
    def save(self, path: Path, adam: Adam | None = None, rng: Rng | None = None,
             rename: Mapping[str, str] | None = None,
             metadata: Mapping[str, str] | None = None) -> None:
        """Writes a safetensors file; with adam and rng, a checkpoint. rename maps prefixes
        of names to the prefixes in the file."""
        options = _file_options(adam, rng, rename, metadata)
        library.lstm_params_save(self.pointer, native.path_of(path), byref(options))

    @named_options(optimizer="adam", filename="path", strict="allow_surplus",
                   metadata="a File has the metadata.")
    def load(self, path: Path | File, adam: Adam | None = None, rng: Rng | None = None,
             rename: Mapping[str, str] | None = None,
             allow_surplus: bool = False) -> int:
        """Reads a safetensors file; returns the number of tensors converted to float32."""
        options = _file_options(adam, rng, rename, None)
        converted = c_size_t()
        options.converted = pointer(converted)
        options.allow_surplus = native.flag_of("allow_surplus", allow_surplus)
        function, where = source_of("lstm_params", path)
        getattr(library, function)(self.pointer, where, byref(options))
        return converted.value


def _file_options(adam: Adam | None, rng: Rng | None, rename: Mapping[str, str] | None,
                  metadata: Mapping[str, str] | None) -> FileOptions:
    renames, texts = pairs("rename", rename), pairs("metadata", metadata)
    options = FileOptions(rename=renames, rename_count=len(renames) // 2,
                          adam=pointer_of(adam, Adam), rng=pointer_of(rng, Rng),
                          metadata=texts, metadata_count=len(texts) // 2)
    # A struct has only the addresses of the objects.
    options.keep = (adam and adam.pointer, rng and rng.pointer)
    return options


class Adam(native.Handle):
    """The Adam optimiser, as torch.optim.Adam, or torch.optim.AdamW with decoupled.
    check_finite refuses a step with gradients that are not finite."""

    @named_options(learning_rate="lr", betas="beta1 beta2", epsilon="eps",
                   decoupled_weight_decay="decoupled", params_lr="lr",
                   fused="a step is always fused.", foreach="a step is always fused.")
    def __init__(self, params: Params, lr: float = 0.001, *, beta1: float = 0.9,
                 beta2: float = 0.999, eps: float = 1e-8, weight_decay: float = 0.0,
                 decoupled: bool = False, amsgrad: bool = False, maximize: bool = False,
                 check_finite: bool = False) -> None:
        at_least_zero(lr=lr, beta1=beta1, beta2=beta2, eps=eps)
        # Zero is a default in C. A negative beta is none; the smallest double is 0 in
        # float32.
        config = AdamConfig(
            lr=lr, beta1=beta1 or -1.0, beta2=beta2 or -1.0, eps=eps or 5e-324,
            weight_decay=weight_decay, decoupled=decoupled, amsgrad=amsgrad,
            maximize=maximize, check_finite=check_finite)
        pointer = create("lstm_adam_create", pointer_of(params, Params), byref(config))
        super().__init__(pointer, library.lstm_adam_destroy, params)
        if lr == 0:
            self.lr = 0.0
        self._shown = changed(
            Adam.__init__, beta1=beta1, beta2=beta2, eps=eps, weight_decay=weight_decay,
            decoupled=decoupled, amsgrad=amsgrad, maximize=maximize,
            check_finite=check_finite)
        self._size = len(params)

    def _describe(self) -> str:
        return described(self, f"<{self._size} parameters>", lr=self.lr, **self._shown)

    def step(self) -> None:
        """Updates all trainable parameters from their gradients."""
        library.lstm_adam_step(self.pointer)

    @property
    def lr(self) -> float:
        """Learning rate of the next step."""
        return float(library.lstm_adam_lr(self.pointer))

    @lr.setter
    def lr(self, lr: float) -> None:
        library.lstm_adam_set_lr(self.pointer, native.number_of("lr", lr))

    @property
    def steps(self) -> int:
        """Number of steps taken."""
        return int(library.lstm_adam_steps(self.pointer))

    def set_parameter(self, index: int, lr_factor: float = 1.0,
                      weight_decay: float = 0.0) -> None:
        """Sets the learning rate factor and the weight decay of one parameter."""
        library.lstm_adam_set_parameter(
            self.pointer, native.size_of("index", index),
            native.number_of("lr_factor", lr_factor),
            native.number_of("weight_decay", weight_decay))
