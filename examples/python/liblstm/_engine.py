"""Layers of liblstm that compute with the weights of PyTorch modules; see torch.py."""
from __future__ import annotations

import contextlib
import ctypes
import threading
from collections.abc import Iterator
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

import liblstm
from liblstm._c import MAX_THREADS, RNG_STATE_SIZE, library

_process = ctypes.CDLL(None)
_compare = _process.memcmp
_compare.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
# Releases the idle worker threads of the caller; a function of OpenMP 5.
_end_workers = getattr(_process, "omp_pause_resource_all", None)
_OMP_PAUSE_SOFT = 1
# Positions in torch.get_rng_state(): the number of words left, the index of the next word,
# and 624 words in 64 bits each. The state of liblstm begins with 624 words in 32 bits each
# and the number of words used; the rest, about normal numbers, is zero here.
_LEFT, _NEXT, _WORDS, _USED = slice(8, 12), slice(16, 20), slice(24, 24 + 8 * 624), 624

CPU: dict[str, Any] = {"dtype": torch.float32, "device": "cpu"}
# Held from reading PyTorch's generator to writing it back.
generator_lock = threading.RLock()


def _set_threads() -> None:
    """Sets the number of threads to that of PyTorch, and releases the idle OpenMP threads
    of PyTorch: they busy-wait for milliseconds after their work and would compete with
    those of liblstm. PyTorch starts them again when it needs them."""
    threads = min(torch.get_num_threads(), MAX_THREADS)
    if library.lstm_threads() != threads:
        library.lstm_set_threads(threads)
    if threads > 1 and _end_workers:
        _end_workers(_OMP_PAUSE_SOFT)


class Views:
    """Tensors of liblstm in the memory of PyTorch tensors, for the duration of a call."""

    def __enter__(self) -> Views:
        self._handles: list[ctypes.c_void_p] = []
        self._tensors: list[Tensor] = []
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            library.lstm_tensor_destroy(ctypes.byref(handle))

    def __call__(self, tensor: Tensor | None) -> ctypes.c_void_p | None:
        if tensor is None:
            return None
        tensor = self._in_memory(tensor)
        try:
            address = tensor.data_ptr()
        except RuntimeError:
            raise RuntimeError("LSTM: liblstm has no backward of batched gradients "
                               "(is_grads_batched, vectorize); use torch.nn.LSTM") from None
        rank, handle = tensor.dim(), ctypes.c_void_p()
        library.lstm_tensor_wrap(
            ctypes.byref(handle), address, rank,
            (ctypes.c_size_t * rank)(*tensor.shape),
            (ctypes.c_ssize_t * rank)(*tensor.stride()))
        self._handles.append(handle)
        self._tensors.append(tensor)
        return handle

    @staticmethod
    def _in_memory(tensor: Tensor) -> Tensor:
        """Returns the tensor, or a copy if its values differ from its memory: sparse
        gradients, negated views, zeros without memory."""
        if tensor.layout is not torch.strided:
            tensor = tensor.to_dense()
        if tensor._is_zerotensor():
            tensor = tensor.clone()
        return tensor.resolve_neg()


class Engine:
    """A layer of liblstm with the weights of a module, and tapes for its forwards."""

    def __init__(self, options: Options, training: bool, dropout: float) -> None:
        rng = liblstm.Rng(0) if dropout else None
        self.layer = liblstm.Layer(
            options.input_size, options.hidden_size, options.num_layers, rng=rng,
            dropout=dropout, no_bias=not options.bias, batch_first=options.batch_first,
            bidirectional=options.bidirectional, proj_size=options.proj_size)
        self.config, self.dropout = self.layer.config, dropout
        self.layer.train(training)
        self.params = liblstm.Params(lstm=self.layer)
        self.values, self.grads = (
            [library.lstm_tensor_data(of(self.params.pointer, index))
             for index in range(len(self.params))]
            for of in (library.lstm_params_value, library.lstm_params_grad))
        # Number of calls in progress, which read the weights; version of the weights.
        self.running, self.version = 0, 0
        self.free: list[Tape] = []
        self.backward_lock = threading.Lock()

    def has_weights(self, weights: list[Tensor]) -> bool:
        """Compares bytes, because a write to weight.data does not change the version
        counter of a PyTorch tensor."""
        return self.version > 0 and not any(
            _compare(value, weight.data_ptr(), 4 * weight.numel())
            for weight, value in zip(weights, self.values))

    def set_weights(self, weights: list[Tensor]) -> None:
        """Copies the weights. A backward of a pending forward recomputes the forward."""
        for weight, value in zip(weights, self.values):
            ctypes.memmove(value, weight.data_ptr(), 4 * weight.numel())
        self.layer.pack()
        self.version += 1

    def forward(self, tape: Tape, x: Tensor, h0: Tensor | None, c0: Tensor | None,
                lengths: list[int] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Returns out, hn, cn; draws dropout masks from PyTorch's generator."""
        _set_threads()
        config = self.config
        width = config.proj_size or config.hidden
        states = (config.layers * (1 + config.bidirectional),
                  x.shape[0 if config.batch_first else 1])
        out = torch.empty(*x.shape[:2], self.layer.output_size, **CPU)
        hn, cn = (torch.empty(*states, size, **CPU) for size in (width, config.hidden))
        with Views() as view, tape.generator():
            array = lengths and (ctypes.c_size_t * len(lengths))(*lengths)
            library.lstm_layer_forward(
                self.layer.pointer, tape.tape.pointer, view(x), array,
                *(view(tensor) for tensor in (h0, c0, out, hn, cn)))
        return out, hn, cn

    def backward(self, tape: Tape, incoming: Any, outgoing: Any, weights: Any) -> Any:
        """Writes the gradients of x, h0, c0 to outgoing and returns those of the weights,
        None for a weight that is None. Backwards run one at a time, because the layer has
        one set of gradients."""
        _set_threads()
        with self.backward_lock:
            self.params.zero_grad()
            with Views() as view:
                library.lstm_layer_backward(self.layer.pointer, tape.tape.pointer,
                                            *(view(tensor) for tensor in incoming),
                                            *(view(tensor) for tensor in outgoing))
            gradients = [None if weight is None else torch.empty(weight.shape, **CPU)
                         for weight in weights]
            for gradient, grad in zip(gradients, self.grads):
                if gradient is not None:
                    ctypes.memmove(gradient.data_ptr(), grad, 4 * gradient.numel())
        return gradients


class Tape:
    """A tape of an engine, and the generator of its dropout masks."""

    def __init__(self, engine: Engine) -> None:
        self.rng = liblstm.Rng(0) if engine.dropout else None
        self.tape = liblstm.Tape(engine.layer, self.rng)

    @contextlib.contextmanager
    def generator(self) -> Iterator[None]:
        """Draws the masks of a forward from PyTorch's generator, if there are any."""
        if not self.rng:
            yield
            return
        with generator_lock:
            self._load_generator()
            yield
            self._store_generator()

    def _load_generator(self) -> None:
        """Copies the state of PyTorch's generator to the generator of the masks."""
        state = torch.get_rng_state()
        words = torch.zeros(RNG_STATE_SIZE // 4, dtype=torch.int32, device="cpu")
        words[:_USED] = state[_WORDS].view(torch.int32)[::2]
        words[_USED] = 625 - state[_LEFT].view(torch.int32)
        assert self.rng is not None
        self.rng.state = ctypes.string_at(words.data_ptr(), RNG_STATE_SIZE)

    def _store_generator(self) -> None:
        """Copies the state after the masks back to PyTorch's generator."""
        assert self.rng is not None
        words = torch.frombuffer(bytearray(self.rng.state), dtype=torch.int32)
        state = torch.get_rng_state()
        state[_WORDS].view(torch.int32)[::2] = words[:_USED]
        state[_LEFT].view(torch.int32)[0] = 625 - words[_USED]
        state[_NEXT].view(torch.int32)[0] = words[_USED]
        torch.set_rng_state(state)


class Options(NamedTuple):
    """Options of a module at the time of a forward: they are attributes, which can change
    before its backward."""
    input_size: int
    hidden_size: int
    num_layers: int
    bias: bool
    bidirectional: bool
    proj_size: int
    batch_first: bool

    @classmethod
    def of(cls, module: nn.LSTM) -> Options:
        return cls(*(getattr(module, name) for name in cls._fields))


class Pool:
    """The engines of a module, usually one for training and one for evaluation. Copies of
    the module and modules loaded from a file create their own."""

    def __init__(self) -> None:
        self._engines: dict[tuple[Any, ...], list[Engine]] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return Pool, ()

    def acquire(self, options: Options, training: bool, dropout: float,
                weights: Any) -> Loan:
        """Returns a loan of an engine with these weights, which is in use until
        release()."""
        weights = [weight.resolve_neg().contiguous() for weight in weights]
        with self._lock:
            engines = self._engines.setdefault((training, dropout, options), [])
            engine = next((one for one in engines if one.has_weights(weights)), None)
            if engine is None:
                # Weights must not change during a call that reads them.
                engine = next((one for one in engines if not one.running), None)
                if engine is None:
                    engine = Engine(options, training, dropout)
                    engines.append(engine)
                engine.set_weights(weights)
            engine.running += 1
            return Loan(engine)

    def acquire_again(self, loan: Loan | None) -> bool:
        """Acquires the engine of a loan again; False if its weights have changed."""
        with self._lock:
            if loan is None or loan.version != loan.engine.version:
                return False
            loan.engine.running += 1
            return True

    def release(self, loan: Loan) -> None:
        with self._lock:
            loan.engine.running -= 1


class Loan:
    """A tape in use; garbage collection returns it to its engine."""

    def __init__(self, engine: Engine) -> None:
        self.engine, self.version = engine, engine.version
        try:
            self.tape = engine.free.pop()
        except IndexError:
            self.tape = Tape(engine)

    def __del__(self) -> None:
        self.engine.free.append(self.tape)
