"""A drop-in replacement for torch.nn.LSTM that computes with liblstm.

    from liblstm.torch import LSTM         # instead of: from torch.nn import LSTM

LSTM is a subclass of nn.LSTM with the same constructor, parameters, state dict, initial
weights, dropout masks, errors, and tensor or packed inputs. Forward and backward run in
liblstm with torch.get_num_threads() threads. It supports float32 on the CPU only, and no
second derivatives. While torch.jit.trace(), torch.export or an ONNX exporter records the
module, nn.LSTM computes.

The weights remain PyTorch tensors; liblstm copies them after a change. Each forward has
its own tape, so any number of forwards can be pending. A second backward of a retained
graph recomputes the forward; so does a backward whose weights liblstm has replaced.
"""
# mypy: disable-error-code="import-not-found,attr-defined,misc,untyped-decorator"
# mypy: disable-error-code="no-untyped-call,no-any-return"
from __future__ import annotations

import ctypes
import threading
from typing import Any

import torch
from torch import Tensor, nn
from torch.autograd.function import once_differentiable
from torch.nn.utils.rnn import PackedSequence

import liblstm
from liblstm._c import MAX_THREADS, RNG_STATE_SIZE, library

__all__ = ["LSTM"]

_process = ctypes.CDLL(None)
_compare = _process.memcmp
_compare.argtypes = [ctypes.c_void_p, ctypes.c_void_p, ctypes.c_size_t]
# Releases the idle worker threads of the caller; a function of OpenMP 5.
_end_workers = getattr(_process, "omp_pause_resource_all", None)
_OMP_PAUSE_SOFT = 1
# A function of PyTorch 2.7.
_is_exporting = getattr(getattr(torch, "compiler", None), "is_exporting", lambda: False)
# Positions in torch.get_rng_state(): the number of words left, the index of the next word,
# and 624 words in 64 bits each. The state of liblstm has 624 words in 32 bits each, then the
# number of words used.
_LEFT, _NEXT, _WORDS, _USED = slice(8, 12), slice(16, 20), slice(24, 24 + 8 * 624), 624


def _set_threads() -> None:
    """Sets the number of threads to that of PyTorch, and releases the idle OpenMP threads
    of PyTorch: they busy-wait for milliseconds after their work and would compete with
    those of liblstm. PyTorch starts them again when it needs them."""
    threads = min(torch.get_num_threads(), MAX_THREADS)
    if library.lstm_threads() != threads:
        library.lstm_set_threads(threads)
    if threads > 1 and _end_workers:
        _end_workers(_OMP_PAUSE_SOFT)


class _Views:
    """Tensors of liblstm in the memory of PyTorch tensors, for the duration of a call."""

    def __enter__(self) -> _Views:
        self._handles: list[ctypes.c_void_p] = []
        return self

    def __exit__(self, *_: object) -> None:
        for handle in self._handles:
            library.lstm_tensor_destroy(ctypes.byref(handle))

    def __call__(self, tensor: Tensor | None) -> ctypes.c_void_p | None:
        if tensor is None:
            return None
        rank, handle = tensor.dim(), ctypes.c_void_p()
        library.lstm_tensor_wrap(
            ctypes.byref(handle), tensor.data_ptr(), rank,
            (ctypes.c_size_t * rank)(*tensor.shape),
            (ctypes.c_ssize_t * rank)(*tensor.stride()))
        self._handles.append(handle)
        return handle


class _Engine:
    """A layer of liblstm with the weights of a module, and tapes for its forwards."""

    def __init__(self, module: LSTM, training: bool, dropout: float) -> None:
        rng = liblstm.Rng(0) if dropout else None
        self.layer = liblstm.Layer(
            module.input_size, module.hidden_size, module.num_layers, rng=rng,
            dropout=dropout, no_bias=not module.bias, batch_first=module.batch_first,
            bidirectional=module.bidirectional, proj_size=module.proj_size)
        self.config, self.dropout = self.layer.config, dropout
        self.layer.train(training)
        self.params = liblstm.Params(lstm=self.layer)
        self.values, self.grads = (
            [library.lstm_tensor_data(of(self.params.pointer, index))
             for index in range(len(self.params))]
            for of in (library.lstm_params_value, library.lstm_params_grad))
        # Number of calls in progress, which read the weights; version of the weights.
        self.running, self.version = 0, 0
        self.free: list[_Tape] = []
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

    def forward(self, tape: _Tape, x: Tensor, h0: Tensor | None, c0: Tensor | None,
                lengths: list[int] | None) -> tuple[Tensor, Tensor, Tensor]:
        """Returns out, hn, cn; draws dropout masks from PyTorch's generator."""
        _set_threads()
        config = self.config
        width = config.proj_size or config.hidden
        states = (config.layers * (1 + config.bidirectional),
                  x.shape[0 if config.batch_first else 1])
        out = x.new_empty(*x.shape[:2], self.layer.output_size)
        hn, cn = x.new_empty(*states, width), x.new_empty(*states, config.hidden)
        tape.load_generator()
        with _Views() as view:
            array = lengths and (ctypes.c_size_t * len(lengths))(*lengths)
            library.lstm_layer_forward(
                self.layer.pointer, tape.tape.pointer, view(x), array,
                *(view(tensor) for tensor in (h0, c0, out, hn, cn)))
        tape.store_generator()
        return out, hn, cn

    def backward(self, tape: _Tape, incoming: Any, outgoing: Any, weights: Any) -> Any:
        """Writes the gradients of x, h0, c0 to outgoing and returns those of the weights,
        None for a weight that is None. Backwards run one at a time, because the layer has
        one set of gradients."""
        _set_threads()
        with self.backward_lock:
            self.params.zero_grad()
            with _Views() as view:
                library.lstm_layer_backward(self.layer.pointer, tape.tape.pointer,
                                            *(view(tensor) for tensor in incoming),
                                            *(view(tensor) for tensor in outgoing))
            gradients = [None if weight is None else torch.empty(weight.shape)
                         for weight in weights]
            for gradient, grad in zip(gradients, self.grads):
                if gradient is not None:
                    ctypes.memmove(gradient.data_ptr(), grad, 4 * gradient.numel())
        return gradients


class _Tape:
    """A tape of an engine, and the generator of its dropout masks."""

    def __init__(self, engine: _Engine) -> None:
        self.rng = liblstm.Rng(0) if engine.dropout else None
        self.tape = liblstm.Tape(engine.layer, self.rng)

    def load_generator(self) -> None:
        """Copies the state of PyTorch's generator to the generator of the masks."""
        if self.rng is None:
            return
        state = torch.get_rng_state()
        words = torch.zeros(RNG_STATE_SIZE // 4, dtype=torch.int32)
        words[:_USED] = state[_WORDS].view(torch.int32)[::2]
        words[_USED] = 625 - state[_LEFT].view(torch.int32)
        self.rng.state = ctypes.string_at(words.data_ptr(), RNG_STATE_SIZE)

    def store_generator(self) -> None:
        """Copies the state after the masks back to PyTorch's generator."""
        if self.rng is None:
            return
        words = torch.frombuffer(bytearray(self.rng.state), dtype=torch.int32)
        state = torch.get_rng_state()
        state[_WORDS].view(torch.int32)[::2] = words[:_USED]
        state[_LEFT].view(torch.int32)[0] = 625 - words[_USED]
        state[_NEXT].view(torch.int32)[0] = words[_USED]
        torch.set_rng_state(state)


class _Pool:
    """The engines of a module, usually one for training and one for evaluation. Copies of
    the module and modules loaded from a file create their own."""

    def __init__(self) -> None:
        self._engines: dict[tuple[bool, float], list[_Engine]] = {}
        self._lock = threading.Lock()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Pool, ()

    def acquire(self, module: LSTM, training: bool, dropout: float,
                weights: Any) -> _Loan:
        """Returns a loan of an engine with these weights, which is in use until
        release()."""
        weights = [weight.contiguous() for weight in weights]
        with self._lock:
            engines = self._engines.setdefault((training, dropout), [])
            engine = next((one for one in engines if one.has_weights(weights)), None)
            if engine is None:
                # Weights must not change during a call that reads them.
                engine = next((one for one in engines if not one.running), None)
                if engine is None:
                    engine = _Engine(module, training, dropout)
                    engines.append(engine)
                engine.set_weights(weights)
            engine.running += 1
            return _Loan(engine)

    def acquire_again(self, loan: _Loan | None) -> bool:
        """Acquires the engine of a loan again; False if its weights have changed."""
        with self._lock:
            if loan is None or loan.version != loan.engine.version:
                return False
            loan.engine.running += 1
            return True

    def release(self, loan: _Loan) -> None:
        with self._lock:
            loan.engine.running -= 1


class _Loan:
    """A tape in use; garbage collection returns it to its engine."""

    def __init__(self, engine: _Engine) -> None:
        self.engine, self.version = engine, engine.version
        try:
            self.tape = engine.free.pop()
        except IndexError:
            self.tape = _Tape(engine)

    def __del__(self) -> None:
        self.engine.free.append(self.tape)


def _run(module: LSTM, training: bool, dropout: float, lengths: list[int] | None, x: Tensor,
         h0: Tensor | None, c0: Tensor | None, weights: Any) -> tuple[_Loan, Any]:
    """Computes a forward; returns its loan and (out, hn, cn)."""
    loan = module._pool.acquire(module, training, dropout, weights)
    try:
        return loan, loan.engine.forward(loan.tape, x, h0, c0, lengths)
    finally:
        module._pool.release(loan)


class _Function(torch.autograd.Function):
    """Forward and backward for autograd."""

    @staticmethod
    def forward(ctx: Any, module: LSTM, dropout: float, lengths: list[int] | None, x: Tensor,
                h0: Tensor | None, c0: Tensor | None, *weights: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, h0, c0, *weights)
        ctx.module, ctx.dropout, ctx.lengths = module, dropout, lengths
        ctx.generator = torch.get_rng_state() if dropout else None
        ctx.loan, results = _run(module, True, dropout, lengths, x, h0, c0, weights)
        return results

    @staticmethod
    @once_differentiable
    def backward(ctx: Any, *incoming: Tensor | None) -> Any:
        x, h0, c0, *weights = ctx.saved_tensors
        loan, ctx.loan = ctx.loan, None
        pool = ctx.module._pool
        while not pool.acquire_again(loan):
            loan = _Function._recompute(ctx, x, h0, c0, weights)
        wanted = ctx.needs_input_grad[3:]
        outgoing = [torch.empty(tensor.shape) if need else None
                    for tensor, need in zip((x, h0, c0), wanted)]
        try:
            gradients = loan.engine.backward(
                loan.tape, incoming, outgoing,
                [weight if need else None for weight, need in zip(weights, wanted[3:])])
        finally:
            pool.release(loan)
        return (None, None, None, *outgoing, *gradients)

    @staticmethod
    def _recompute(ctx: Any, x: Tensor, h0: Tensor | None, c0: Tensor | None,
                   weights: Any) -> _Loan:
        """Recomputes the forward with the same masks, after a backward of a retained graph
        or a change of the weights of the engine."""
        now = torch.get_rng_state()
        if ctx.generator is not None:
            torch.set_rng_state(ctx.generator)
        try:
            return _run(ctx.module, True, ctx.dropout, ctx.lengths, x, h0, c0, weights)[0]
        finally:
            torch.set_rng_state(now)


class LSTM(nn.LSTM):
    """nn.LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
    dropout=0.0, bidirectional=False, proj_size=0), computed by liblstm.

    Shapes, for N sequences, T steps, I inputs, H hidden units, L layers, D directions and
    S = proj_size or H: the input is [T, N, I], [N, T, I] with batch_first, [T, I], or a
    PackedSequence; h0 is [L*D, N, S] and c0 is [L*D, N, H], both without N for an input
    [T, I]; the output has D*S instead of I.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = _Pool()

    def __setstate__(self, state: dict[str, Any]) -> None:
        super().__setstate__(state)
        self.__dict__.setdefault("_pool", _Pool())

    def forward(self, input: Tensor | PackedSequence,
                hx: Any = None) -> Any:
        """Returns out, (hn, cn). hx is (h0, c0), or None for zeros."""
        if torch.jit.is_tracing() or _is_exporting():
            return super().forward(input, hx)
        self._update_flat_weights()
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        if input.dim() not in (2, 3):
            raise ValueError(
                f"LSTM: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched = input.dim() == 3
        axis = 0 if self.batch_first else 1
        if hx is not None and any(state.dim() != input.dim() for state in hx):
            raise RuntimeError(
                f"For {'batched' if batched else 'unbatched'} {input.dim()}-D input, hx and "
                f"cx should also be {input.dim()}-D but got ({hx[0].dim()}-D, "
                f"{hx[1].dim()}-D) tensors")
        if batched:
            return self._run(input, hx)
        hx = hx and tuple(state.unsqueeze(1) for state in hx)
        out, (hn, cn) = self._run(input.unsqueeze(axis), hx)
        return out.squeeze(axis), (hn.squeeze(1), cn.squeeze(1))

    def _forward_packed(self, packed: PackedSequence,
                        hx: Any) -> Any:
        """Computes sequences of different lengths, longest first, as PyTorch does."""
        data, batch_sizes, sorted_indices, unsorted_indices = packed
        self.check_input(data, batch_sizes)
        steps, batch = len(batch_sizes), int(batch_sizes[0])
        lengths = (batch_sizes[:, None] > torch.arange(batch)).sum(0)
        # liblstm draws masks in the order of torch.sort(), longest first. Sequences of
        # equal length are placed so that this order equals their order in the pack.
        order = torch.sort(lengths, descending=True).indices
        step = torch.repeat_interleave(torch.arange(steps), batch_sizes)
        row = order[torch.arange(len(data)) - (batch_sizes.cumsum(0) - batch_sizes)[step]]
        index = row * steps + step if self.batch_first else step * batch + row
        shape = (batch, steps) if self.batch_first else (steps, batch)
        x = data.new_zeros(batch * steps, data.shape[1]).index_copy(0, index, data)
        if hx is not None:
            hx = tuple(state.index_select(1, torch.argsort(order))
                       for state in self.permute_hidden(hx, sorted_indices))
        out, hidden = self._run(x.view(*shape, -1), hx, lengths.tolist())
        out = out.view(batch * steps, -1).index_select(0, index)
        hidden = tuple(state.index_select(1, order) for state in hidden)
        return (PackedSequence(out, batch_sizes, sorted_indices, unsorted_indices),
                self.permute_hidden(hidden, unsorted_indices))

    def _run(self, x: Tensor, hx: Any,
             lengths: list[int] | None = None) -> Any:
        """Returns out, (hn, cn) of a batch, with a graph if a gradient is required."""
        h0, c0 = hx or (None, None)
        self._check(x, h0, c0)
        if x.shape[0] == 0 or x.shape[1] == 0:
            return super().forward(x, hx)
        weights = self._flat_weights
        dropout = self.dropout if self.training and self.num_layers > 1 else 0.0
        if torch.is_grad_enabled() and any(
                tensor is not None and tensor.requires_grad
                for tensor in (x, h0, c0, *weights)):
            out, hn, cn = _Function.apply(self, dropout, lengths, x, h0, c0, *weights)
        else:
            out, hn, cn = _run(self, bool(dropout), dropout, lengths, x, h0, c0, weights)[1]
        return out, (hn, cn)

    def _check(self, x: Tensor, h0: Any, c0: Any) -> None:
        """Checks shapes as nn.LSTM does, and types that liblstm supports."""
        self.check_input(x, None)
        if h0 is not None:
            self.check_forward_args(x, (h0, c0), None)
        for name, tensor in (("input", x), ("h0", h0), ("c0", c0),
                             *zip(self._flat_weights_names, self._flat_weights)):
            if tensor is not None and (tensor.dtype is not torch.float32
                                       or tensor.device.type != "cpu"):
                raise TypeError(f"LSTM: {name} is {tensor.dtype} on {tensor.device}, "
                                f"expected torch.float32 on cpu")
