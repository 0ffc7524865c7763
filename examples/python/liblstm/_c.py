"""ctypes declarations of the functions and structs of liblstm."""
from __future__ import annotations

import enum
from collections.abc import Mapping
from ctypes import POINTER, byref, c_bool, c_char_p, c_double, c_float, c_int, c_int64
from ctypes import c_size_t, c_ssize_t, c_uint8, c_uint64, c_void_p
from typing import Any

from liblstm import _native as native

MAX_THREADS, MAX_RANK, RNG_STATE_SIZE = 64, 4, 2512


class Precision(enum.IntEnum):
    """Number format of products: lstm_precision."""
    FLOAT32 = 0
    BFLOAT16 = 1
    INT8 = 2


class Reduction(enum.IntEnum):
    """How losses are reduced: lstm_reduction."""
    MEAN = 0
    SUM = 1
    NONE = 2


class Layout(enum.IntEnum):
    """Layout of weights: lstm_layout."""
    PYTORCH = 0
    KERAS = 1
    ONNX = 2
    ONEDNN = 3


class ScheduleKind(enum.IntEnum):
    """Formula of a schedule: lstm_schedule_kind."""
    CONSTANT = 0
    STEP = 1
    MULTI_STEP = 2
    EXPONENTIAL = 3
    COSINE = 4
    ONE_CYCLE = 5


class Error(Exception):
    """A failed call of liblstm, with its status (see lstm/status.h) and its message."""

    def __init__(self, status: int) -> None:
        self.status = status
        super().__init__(library.lstm_last_error().decode(errors="replace"))

    @property
    def name(self) -> str:
        """Name of the status, for example "LSTM_SHAPE_MISMATCH"."""
        return str(library.lstm_status_name(self.status).decode())


class LayerConfig(native.Struct):
    """lstm_layer_config."""
    _fields_ = [("inputs", c_size_t), ("hidden", c_size_t), ("layers", c_size_t),
                ("proj_size", c_size_t), ("dropout", c_double), ("no_bias", c_bool),
                ("batch_first", c_bool), ("bidirectional", c_bool), ("precision", c_int),
                ("reserved", c_uint64 * 8)]


class LinearConfig(native.Struct):
    """lstm_linear_config."""
    _fields_ = [("inputs", c_size_t), ("outputs", c_size_t), ("no_bias", c_bool),
                ("reserved", c_uint64 * 8)]


class EmbeddingConfig(native.Struct):
    """lstm_embedding_config."""
    _fields_ = [("count", c_size_t), ("size", c_size_t), ("padding", c_bool),
                ("padding_index", c_size_t), ("reserved", c_uint64 * 8)]


class AdamConfig(native.Struct):
    """lstm_adam_config."""
    _fields_ = [("lr", c_double), ("beta1", c_double), ("beta2", c_double),
                ("eps", c_double), ("weight_decay", c_double), ("decoupled", c_bool),
                ("amsgrad", c_bool), ("maximize", c_bool), ("check_finite", c_bool),
                ("reserved", c_uint64 * 8)]


class CrossEntropyConfig(native.Struct):
    """lstm_cross_entropy_config."""
    _fields_ = [("reduction", c_int), ("class_weights", POINTER(c_float)),
                ("classes", c_size_t), ("ignore", c_bool), ("ignore_index", c_int64),
                ("label_smoothing", c_double), ("zero_mean_of_none", c_bool),
                ("reserved", c_uint64 * 8)]


class LossOptions(native.Struct):
    """lstm_loss_options."""
    _fields_ = [("reduction", c_int), ("mask", c_void_p), ("pos_weight", POINTER(c_float)),
                ("classes", c_size_t), ("reserved", c_uint64 * 8)]


class ScheduleConfig(native.Struct):
    """lstm_schedule."""
    _fields_ = [("kind", c_int), ("lr", c_double), ("steps", c_uint64),
                ("milestones", POINTER(c_uint64)), ("milestone_count", c_size_t),
                ("gamma", c_double), ("min_lr", c_double), ("warmup", c_uint64),
                ("warmup_start", c_double), ("rise", c_double), ("div_factor", c_double),
                ("final_div_factor", c_double), ("three_phase", c_bool),
                ("linear", c_bool),
                ("reserved", c_uint64 * 8)]


class PlateauConfig(native.Struct):
    """lstm_plateau."""
    _fields_ = [("lr", c_double), ("maximize", c_bool), ("factor", c_double),
                ("patience", c_int64), ("threshold", c_double), ("absolute", c_bool),
                ("cooldown", c_uint64), ("min_lr", c_double), ("started", c_bool),
                ("best", c_double), ("bad", c_uint64), ("cooling", c_uint64),
                ("reserved", c_uint64 * 8)]


class FileOptions(native.Struct):
    """lstm_file_options."""
    _fields_ = [("rename", POINTER(c_char_p)), ("rename_count", c_size_t),
                ("allow_surplus", c_bool), ("adam", c_void_p), ("rng", c_void_p),
                ("metadata", POINTER(c_char_p)), ("metadata_count", c_size_t),
                ("converted", POINTER(c_size_t)),
                ("reserved", c_uint64 * 8)]


class TensorInfo(native.Struct):
    """lstm_tensor_info."""
    _fields_ = [("name", c_char_p), ("dtype", c_char_p), ("rank", c_size_t),
                ("shape", POINTER(c_size_t)), ("bytes", c_uint64),
                ("reserved", c_uint64 * 8)]


def pairs(name: str, texts: Mapping[str, str] | None) -> Any:
    """Converts a dictionary of strings to a C array of alternating keys and values."""
    if texts is not None and not hasattr(texts, "items"):
        raise TypeError(f"{name} is {texts!r}, expected a dictionary")
    flat = [native.text_of(name, text) for pair in (texts or {}).items() for text in pair]
    return (c_char_p * len(flat))(*flat)


def weight_shapes(config: LayerConfig, index: int,
                  layout: Layout) -> dict[str, tuple[int, ...]]:
    """Shapes of the weights of one direction of a layer; see lstm/weights.h."""
    hidden, state = config.hidden, config.proj_size or config.hidden
    inputs = config.inputs if index == 0 else (1 + config.bidirectional) * state
    rows, gates = layout in (Layout.PYTORCH, Layout.ONNX), 4 * hidden
    return {"input": (gates, inputs) if rows else (inputs, gates),
            "recurrent": (gates, state) if rows else (state, gates),
            "bias": (2, gates) if rows else (gates,),
            "projection": (state, hidden) if rows else (hidden, state)}


def check(status: int) -> None:
    """Raises Error unless the status is LSTM_OK."""
    if status != 0:
        raise Error(status)


_handle, _handle_address = c_void_p, POINTER(c_void_p)
_shape, _strides = POINTER(c_size_t), POINTER(c_ssize_t)
CHECKED: dict[str, list[Any]] = {
    "lstm_set_threads": [c_size_t],
    "lstm_tensor_create": [_handle_address, c_size_t, _shape],
    "lstm_tensor_wrap": [_handle_address, c_void_p, c_size_t, _shape, _strides],
    "lstm_tensor_select": [_handle_address, _handle, c_size_t, c_size_t],
    "lstm_tensor_narrow": [_handle_address, _handle, c_size_t, c_size_t, c_size_t],
    "lstm_tensor_reshape": [_handle_address, _handle, c_size_t, _shape],
    "lstm_tensor_softmax": [_handle, _handle],
    "lstm_tensor_sigmoid": [_handle, _handle],
    "lstm_tensor_fill": [_handle, c_float],
    "lstm_tensor_copy": [_handle, _handle],
    "lstm_rng_create": [_handle_address, c_uint64],
    "lstm_rng_uniform": [_handle, _handle, c_float, c_float],
    "lstm_rng_normal": [_handle, _handle, c_float, c_float],
    "lstm_rng_permutation": [_handle, POINTER(c_int64), c_size_t],
    "lstm_rng_get_state": [_handle, POINTER(c_uint8)],
    "lstm_rng_set_state": [_handle, POINTER(c_uint8)],
    "lstm_layer_create": [_handle_address, POINTER(LayerConfig), _handle],
    "lstm_layer_set_training": [_handle, c_bool],
    "lstm_layer_pack": [_handle],
    "lstm_layer_forward": [*[_handle] * 3, _shape, *[_handle] * 5],
    "lstm_layer_backward": [_handle] * 8,
    "lstm_layer_gates": [_handle, _handle, c_size_t, c_size_t, _handle],
    "lstm_layer_set_workspace": [_handle, _handle, c_void_p, c_size_t],
    "lstm_tape_create": [_handle_address, _handle, _handle],
    "lstm_layer_set_weights": [_handle, c_size_t, c_size_t, c_int, *[c_void_p] * 4],
    "lstm_layer_get_weights": [_handle, c_size_t, c_size_t, c_int, *[c_void_p] * 4],
    "lstm_stream_create": [_handle_address, _handle, _handle, c_size_t],
    "lstm_stream_step": [_handle] * 3,
    "lstm_stream_reset": [_handle, POINTER(c_bool)],
    "lstm_stream_get_state": [_handle] * 3,
    "lstm_stream_set_state": [_handle] * 3,
    "lstm_linear_create": [_handle_address, POINTER(LinearConfig), _handle],
    "lstm_linear_forward": [_handle] * 3,
    "lstm_linear_backward": [_handle] * 3,
    "lstm_embedding_create": [_handle_address, POINTER(EmbeddingConfig), _handle],
    "lstm_embedding_forward": [_handle, c_void_p, _handle],
    "lstm_embedding_backward": [_handle] * 2,
    "lstm_cross_entropy_create": [_handle_address, POINTER(CrossEntropyConfig)],
    "lstm_cross_entropy_forward": [_handle, _handle, c_void_p, POINTER(c_float)],
    "lstm_cross_entropy_forward_probabilities": [_handle, _handle, _handle,
                                                 POINTER(c_float)],
    "lstm_cross_entropy_backward": [_handle, POINTER(c_float), _handle],
    "lstm_mse_forward": [_handle, _handle, POINTER(LossOptions), POINTER(c_float)],
    "lstm_mse_backward": [_handle, _handle, POINTER(LossOptions), POINTER(c_float), _handle],
    "lstm_bce_forward": [_handle, _handle, POINTER(LossOptions), POINTER(c_float)],
    "lstm_bce_backward": [_handle, _handle, POINTER(LossOptions), POINTER(c_float), _handle],
    "lstm_params_create": [_handle_address],
    "lstm_params_add_layer": [_handle, c_char_p, _handle],
    "lstm_params_add_linear": [_handle, c_char_p, _handle],
    "lstm_params_add_embedding": [_handle, c_char_p, _handle],
    "lstm_params_add_tensor": [_handle, c_char_p, _handle, _handle],
    "lstm_params_set_trainable": [_handle, c_size_t, c_bool],
    "lstm_params_get_values": [_handle, c_void_p],
    "lstm_params_set_values": [_handle, c_void_p],
    "lstm_params_get_grads": [_handle, c_void_p],
    "lstm_params_set_grads": [_handle, c_void_p],
    "lstm_params_zero_grad": [_handle],
    "lstm_params_clip_norm": [_handle, c_double, POINTER(c_double)],
    "lstm_params_clip_value": [_handle, c_double],
    "lstm_params_save": [_handle, c_char_p, POINTER(FileOptions)],
    "lstm_params_load": [_handle, c_char_p, POINTER(FileOptions)],
    "lstm_params_read": [_handle, _handle, POINTER(FileOptions)],
    "lstm_file_open": [_handle_address, c_char_p],
    "lstm_file_open_bytes": [_handle_address, c_char_p, c_size_t],
    "lstm_file_tensor_info": [_handle, c_size_t, POINTER(TensorInfo)],
    "lstm_file_layer_config": [_handle, c_char_p, POINTER(LayerConfig)],
    "lstm_file_read_tensor": [_handle, c_char_p, _handle],
    "lstm_linear_load": [_handle_address, c_char_p, c_char_p],
    "lstm_linear_read": [_handle_address, _handle, c_char_p],
    "lstm_layer_load": [_handle_address, c_char_p, c_char_p, _handle],
    "lstm_layer_read": [_handle_address, _handle, c_char_p, _handle],
    "lstm_adam_create": [_handle_address, _handle, POINTER(AdamConfig)],
    "lstm_adam_step": [_handle],
    "lstm_adam_set_lr": [_handle, c_double],
    "lstm_adam_set_parameter": [_handle, c_size_t, c_double, c_double],
    "lstm_schedule_lr": [POINTER(ScheduleConfig), c_uint64, POINTER(c_double)],
    "lstm_plateau_update": [POINTER(PlateauConfig), c_double],
}
OTHERS: dict[str, tuple[Any, list[Any]]] = {
    "lstm_version": (c_char_p, []),
    "lstm_status_name": (c_char_p, [c_int]),
    "lstm_last_error": (c_char_p, []),
    "lstm_threads": (c_size_t, []),
    "lstm_kernels_name": (c_char_p, []),
    "lstm_set_reproducible": (None, [c_bool]),
    "lstm_tensor_rank": (c_size_t, [_handle]),
    "lstm_tensor_extent": (c_size_t, [_handle, c_size_t]),
    "lstm_tensor_stride": (c_ssize_t, [_handle, c_size_t]),
    "lstm_tensor_count": (c_size_t, [_handle]),
    "lstm_tensor_data": (c_void_p, [_handle]),
    "lstm_rng_next": (c_uint64, [_handle]),
    "lstm_layer_get_config": (POINTER(LayerConfig), [_handle]),
    "lstm_layer_output_size": (c_size_t, [_handle]),
    "lstm_layer_workspace_size": (c_size_t, [_handle, c_bool, c_size_t, c_size_t]),
    "lstm_linear_get_config": (POINTER(LinearConfig), [_handle]),
    "lstm_params_size": (c_size_t, [_handle]),
    "lstm_params_count": (c_size_t, [_handle]),
    "lstm_params_name": (c_char_p, [_handle, c_size_t]),
    "lstm_params_value": (c_void_p, [_handle, c_size_t]),
    "lstm_params_grad": (c_void_p, [_handle, c_size_t]),
    "lstm_params_trainable": (c_bool, [_handle, c_size_t]),
    "lstm_file_tensor_count": (c_size_t, [_handle]),
    "lstm_file_metadata_key": (c_char_p, [_handle, c_size_t]),
    "lstm_file_metadata": (c_char_p, [_handle, c_char_p]),
    "lstm_file_layer_prefix": (c_char_p, [_handle, c_size_t]),
    "lstm_adam_lr": (c_double, [_handle]),
    "lstm_adam_steps": (c_uint64, [_handle]),
}
DESTROYED = ["stream", "tape", "tensor", "rng", "layer", "linear", "embedding",
             "cross_entropy", "params", "adam", "file"]
library = native.load("lstm", "LIBLSTM")
native.declare(library, {
    **{name: (check, arguments) for name, arguments in CHECKED.items()},
    **OTHERS,
    **{f"lstm_{name}_destroy": (None, [_handle_address]) for name in DESTROYED},
})


def create(function: str, *arguments: Any) -> native.Pointer:
    """Calls a function that writes a new handle to its first argument; returns the
    handle."""
    pointer = native.Pointer()
    getattr(library, function)(byref(pointer), *arguments)
    return pointer
