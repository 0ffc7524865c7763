"""A drop-in replacement for torch.nn.LSTM that computes with liblstm.

    from liblstm.torch import LSTM         # instead of: from torch.nn import LSTM

LSTM is a subclass of nn.LSTM with the same constructor, parameters, state dict, initial
weights, dropout masks, errors, and tensor or packed inputs. Forward and backward run in
liblstm with torch.get_num_threads() threads. Sequences of different lengths need no
packing: LSTM()(x, lengths=lengths) takes a padded batch.

nn.LSTM itself computes while the module is traced, scripted or exported, in torch.func
transforms, in forward-mode differentiation, under autocast, under a dispatch mode, and for
meta tensors and subclasses of Tensor. These raise an error that names nn.LSTM: other types
than float32, other devices than the CPU, second derivatives, and quantization.
docs/pytorch.md has the details.

The weights remain PyTorch tensors; liblstm copies them after a change. Each forward has
its own tape, so any number of forwards can be pending. A second backward of a retained
graph recomputes the forward; so does a backward whose weights liblstm has replaced.
"""
from __future__ import annotations

import copy
import functools
import sys
from collections.abc import Callable, Sequence
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.autograd import forward_ad
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence

from liblstm._engine import CPU, Options, Pool, generator_lock

__all__ = ["LSTM"]

# Programs may put the class below in the place of nn.LSTM.
_Base = nn.LSTM

# A function of PyTorch 2.7.
_is_exporting = getattr(getattr(torch, "compiler", None), "is_exporting", lambda: False)


def _not_compiled(function: Any) -> Any:
    """Keeps torch.compile() from compiling a function and all that it calls: it cannot
    follow calls to C. Does not import the compiler, which takes seconds."""
    uncompiled: Any = getattr(torch, "_disable_dynamo")(function)

    @functools.wraps(function)
    def call(*args: Any) -> Any:
        return (uncompiled if "torch._dynamo" in sys.modules else function)(*args)
    return call


def _run(pool: Pool, options: Options, training: bool, dropout: float, lengths: list[int] | None,
         x: Tensor, h0: Tensor | None, c0: Tensor | None, weights: Any) -> Any:
    """Computes a forward; returns its loan and (out, hn, cn)."""
    loan = pool.acquire(options, training, dropout, weights)
    try:
        return loan, loan.engine.forward(loan.tape, x, h0, c0, lengths)
    finally:
        pool.release(loan)


class _Function(torch.autograd.Function):
    """Forward and backward for autograd."""

    @staticmethod
    def forward(ctx: Any, module: LSTM, dropout: float, lengths: list[int] | None,
                x: Tensor, h0: Tensor | None, c0: Tensor | None, *weights: Tensor) -> Any:
        ctx.set_materialize_grads(False)
        ctx.save_for_backward(x, h0, c0, *weights)
        ctx.pool, ctx.options = module._pool, Options.of(module)
        ctx.dropout, ctx.lengths = dropout, lengths
        ctx.generator = torch.get_rng_state() if dropout else None
        ctx.loan, results = _run(ctx.pool, ctx.options, True, dropout, lengths, x, h0, c0,
                                 weights)
        return results

    @staticmethod
    @_not_compiled
    def backward(ctx: Any, *incoming: Tensor | None) -> Any:
        saved = ctx.saved_tensors
        compute = functools.partial(_Function._gradients, ctx, incoming, *saved)
        if torch.is_grad_enabled():
            return _first_derivative(compute, *incoming, *saved)
        return compute()

    @staticmethod
    def _gradients(ctx: Any, incoming: Any, x: Tensor, h0: Tensor | None,
                   c0: Tensor | None, *weights: Tensor) -> Any:
        loan, ctx.loan = ctx.loan, None
        pool = ctx.pool
        while not pool.acquire_again(loan):
            loan = _Function._recompute(ctx, x, h0, c0, weights)
        wanted = ctx.needs_input_grad[3:]
        outgoing = [
            torch.empty(tensor.shape, **CPU) if tensor is not None and need else None
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
                   weights: Any) -> Any:
        """Recomputes the forward with the same masks, after a backward of a retained graph
        or a change of the weights of the engine."""
        with generator_lock:
            now = torch.get_rng_state()
            if ctx.generator is not None:
                torch.set_rng_state(ctx.generator)
            try:
                return _run(ctx.pool, ctx.options, True, ctx.dropout, ctx.lengths, x, h0,
                            c0, weights)[0]
            finally:
                torch.set_rng_state(now)


class _FirstDerivative(torch.autograd.Function):
    """Gradients with create_graph=True. They depend on all tensors of the forward, so that
    a second derivative raises an error, and is not zero."""

    @staticmethod
    def forward(ctx: Any, compute: Any, *sources: Tensor | None) -> Any:
        return compute()

    @staticmethod
    def backward(ctx: Any, *_: Any) -> Any:
        raise RuntimeError(
            "LSTM: liblstm has no second derivatives; use torch.nn.LSTM for gradient "
            "penalties and Hessians")


# PyTorch's apply() and is_tracing() have no types.
_differentiable: Callable[..., Any] = _Function.apply
_first_derivative: Callable[..., Any] = _FirstDerivative.apply
_is_tracing: Callable[[], bool] = getattr(torch.jit, "is_tracing")


@functools.lru_cache
def _weight_shapes(inputs: int, hidden: int, layers: int, bias: bool, bidirectional: bool,
                   projection: int) -> list[tuple[int, ...]]:
    """Shapes of the weights in PyTorch's order."""
    shapes: list[tuple[int, ...]] = []
    directions, width = 1 + bidirectional, projection or hidden
    for layer in range(layers):
        size = width * directions if layer else inputs
        shapes += directions * [
            (4 * hidden, size), (4 * hidden, width), *2 * bias * [(4 * hidden,)],
            *bool(projection) * [(projection, hidden)]]
    return shapes


class LSTM(_Base):
    """nn.LSTM(input_size, hidden_size, num_layers=1, bias=True, batch_first=False,
    dropout=0.0, bidirectional=False, proj_size=0), computed by liblstm.

    Shapes, for N sequences, T steps, I inputs, H hidden units, L layers, D directions and
    S = proj_size or H: the input is [T, N, I], [N, T, I] with batch_first, [T, I], or a
    PackedSequence; h0 is [L*D, N, S] and c0 is [L*D, N, H], both without N for an input
    [T, I]; the output has D*S instead of I.
    """

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self._pool = Pool()

    def __getstate__(self) -> dict[str, Any]:
        inherited: Callable[[], dict[str, Any]] = super().__getstate__
        state = inherited()
        state.pop("_pool", None)
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        inherited: Callable[[dict[str, Any]], None] = super().__setstate__
        inherited(state)
        self.__dict__.setdefault("_pool", Pool())

    def __setattr__(self, name: str, value: Any) -> None:
        # PyTorch's quantization writes this attribute to all modules, quantizes those of
        # the class nn.LSTM, and would keep this one in float32.
        if name == "qconfig":
            raise TypeError("LSTM: liblstm has no quantization; replace this module with "
                            "torch.nn.LSTM first, for example with to_nn()")
        super().__setattr__(name, value)

    def __prepare_scriptable__(self) -> nn.Module:
        """Called by torch.jit.script()."""
        return self.to_nn() if type(self) is LSTM else self

    def to_nn(self) -> nn.LSTM:
        """Returns an nn.LSTM that shares the parameters, for what liblstm does not
        support."""
        if "parametrizations" in self._modules:
            raise TypeError("LSTM: remove the parametrizations before to_nn()")
        module = _Base.__new__(_Base)
        for name, value in self.__dict__.items():
            if name != "_pool":
                module.__dict__[name] = copy.copy(value) \
                    if isinstance(value, (dict, list)) else value
        return module

    def forward(self, input: Tensor | PackedSequence,
                hx: tuple[Tensor, Tensor] | None = None,
                lengths: Tensor | Sequence[int] | None = None
                ) -> tuple[Any, tuple[Tensor, Tensor]]:
        """Returns out, (hn, cn). hx is (h0, c0), or None for zeros.

        With lengths [N], each from 1 to T, input is a padded batch in any order. The result
        is that of nn.LSTM for pack_padded_sequence(input, lengths, enforce_sorted=False),
        padded to T steps again: out is zero after the end of a sequence, hn and cn are of
        its last step. The padding may have any values and gets no gradient.
        """
        if _is_tracing() or _is_exporting():
            result: tuple[Any, tuple[Tensor, Tensor]] = self._by_pytorch(input, hx, lengths)
        else:
            result = self._forward(input, hx, lengths)
        return result

    def _check_lengths(self, input: Any, lengths: Any) -> list[int]:
        """The lengths as numbers; refuses those that do not fit the input."""
        if isinstance(input, PackedSequence):
            raise TypeError("LSTM: lengths are given, but input is a PackedSequence, which has "
                            "its own")
        if input.dim() != 3:
            raise ValueError(f"LSTM: lengths are given, but input is {input.dim()}D, expected 3D")
        found = torch.as_tensor(lengths)
        if found.is_floating_point() or found.is_complex() or found.dtype is torch.bool:
            raise TypeError(f"LSTM: lengths are {found.dtype}, expected integers")
        steps, batch = input.shape[1], input.shape[0]
        if not self.batch_first:
            steps, batch = batch, steps
        if found.shape != (batch,):
            raise ValueError(f"LSTM: lengths are {list(found.shape)}, expected [{batch}], one "
                             "for each sequence")
        numbers: list[int] = found.tolist()
        for index, length in enumerate(numbers):
            if not 1 <= length <= steps:
                raise ValueError(f"LSTM: lengths[{index}] is {length}, expected 1 to {steps}")
        return numbers

    def _by_pytorch(self, input: Any, hx: Any, lengths: Any) -> Any:
        if lengths is None:
            return super().forward(input, hx)
        if not isinstance(lengths, Tensor):
            lengths = torch.tensor(lengths, device="cpu")
        packed = pack_padded_sequence(input, lengths, self.batch_first, enforce_sorted=False)
        out, hidden = super().forward(packed, hx)
        steps = input.shape[1 if self.batch_first else 0]
        return pad_packed_sequence(out, self.batch_first, total_length=steps)[0], hidden

    @_not_compiled
    def _forward(self, input: Any, hx: Any, lengths: Any) -> Any:
        data = input.data if isinstance(input, PackedSequence) else input
        if isinstance(data, fx.Proxy):
            return self._record(data.tracer, input, hx, lengths)
        if lengths is not None:
            lengths = self._check_lengths(input, lengths)
        self._update_flat_weights()
        if isinstance(hx, Tensor):
            raise TypeError("LSTM: hx is a Tensor, expected (h0, c0)")
        if hx is not None and len(hx) != 2:
            raise RuntimeError(f"LSTM: hx has {len(hx)} tensors, expected (h0, c0)")
        if self._is_left_to_pytorch(data, *(() if hx is None else hx)):
            return self._by_pytorch(input, hx, lengths)
        if isinstance(input, PackedSequence):
            return self._forward_packed(input, hx)
        return self._forward_padded(input, hx, lengths)

    def _record(self, tracer: Any, input: Any, hx: Any, lengths: Any) -> Any:
        """Records a call of the module, as torch.fx does for modules of torch.nn."""
        path = tracer.path_of_module(self)
        if not path:
            # Raises the error of nn.LSTM.
            return super().forward(input, hx)
        more = {} if lengths is None else {"lengths": lengths}
        return tracer.create_proxy("call_module", path,
                                   (input,) if hx is None else (input, hx), more)

    def _is_left_to_pytorch(self, *tensors: Any) -> bool:
        """Whether nn.LSTM computes: values are not in memory, or PyTorch watches every
        operation."""
        return (any(type(tensor) not in (Tensor, nn.Parameter)
                    or tensor.is_meta or tensor.is_nested
                    for tensor in (*tensors, *self._flat_weights))
                or torch._C._len_torch_dispatch_stack() > 0
                or torch._C._are_functorch_transforms_active()
                or forward_ad._current_level >= 0
                or torch.is_autocast_enabled("cpu"))

    def _forward_padded(self, input: Tensor, hx: Any, lengths: list[int] | None) -> Any:
        if input.dim() not in (2, 3):
            raise ValueError(
                f"LSTM: Expected input to be 2D or 3D, got {input.dim()}D instead")
        batched = input.dim() == 3
        axis = 0 if self.batch_first else 1
        if hx is not None and any(state.dim() != input.dim() for state in hx):
            raise RuntimeError(
                f"For {'batched' if batched else 'unbatched'} {input.dim()}-D input, hx "
                f"and cx should also be {input.dim()}-D but got ({hx[0].dim()}-D, "
                f"{hx[1].dim()}-D) tensors")
        if batched:
            return self._run(input, hx, lengths)
        if hx is not None:
            hx = tuple(state.unsqueeze(1) for state in hx)
        out, (hn, cn) = self._run(input.unsqueeze(axis), hx)
        return out.squeeze(axis), (hn.squeeze(1), cn.squeeze(1))

    def _forward_packed(self, packed: PackedSequence, hx: Any) -> Any:
        """Computes sequences of different lengths, longest first, as PyTorch does."""
        data, batch_sizes, sorted_indices, unsorted_indices = packed
        self.check_input(data, batch_sizes)
        steps, batch = len(batch_sizes), int(batch_sizes[0])
        if hx is not None:
            hx = self.permute_hidden(hx, sorted_indices)
            self.check_forward_args(data, hx, batch_sizes)
        arange = functools.partial(torch.arange, device="cpu")
        lengths = (batch_sizes[:, None] > arange(batch)).sum(0)
        # liblstm draws masks in the order of torch.sort(), longest first. Sequences of
        # equal length are placed so that this order equals their order in the pack.
        order = torch.sort(lengths, descending=True).indices
        step = torch.repeat_interleave(arange(steps), batch_sizes)
        row = order[arange(len(data)) - (batch_sizes.cumsum(0) - batch_sizes)[step]]
        index = row * steps + step if self.batch_first else step * batch + row
        shape = (batch, steps) if self.batch_first else (steps, batch)
        x = data.new_zeros(batch * steps, data.shape[1]).index_copy(0, index, data)
        if hx is not None:
            hx = tuple(state.index_select(1, torch.argsort(order))
                       for state in hx)
        out, hidden = self._run(x.view(*shape, -1), hx, lengths.tolist())
        out = out.view(batch * steps, -1).index_select(0, index)
        hidden = tuple(state.index_select(1, order) for state in hidden)
        return (PackedSequence(out, batch_sizes, sorted_indices, unsorted_indices),
                self.permute_hidden(hidden, unsorted_indices))

    def _run(self, x: Any, hx: Any, lengths: list[int] | None = None) -> Any:
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
            # Autograd saves no tensors that inference mode has created.
            x, h0, c0 = (tensor if tensor is None or not tensor.is_inference()
                         else tensor.clone() for tensor in (x, h0, c0))
            out, hn, cn = _differentiable(self, dropout, lengths, x, h0, c0, *weights)
        else:
            out, hn, cn = _run(self._pool, Options.of(self), bool(dropout), dropout, lengths,
                               x, h0, c0, weights)[1]
        return out, (hn, cn)

    def _check(self, x: Tensor, h0: Any, c0: Any) -> None:
        """Checks shapes as nn.LSTM does, and types that liblstm supports."""
        self.check_input(x, None)
        if h0 is not None:
            self.check_forward_args(x, (h0, c0), None)
        weights: Any = list(zip(self._flat_weights_names, self._flat_weights))
        for name, tensor in (("input", x), ("h0", h0), ("c0", c0), *weights):
            if tensor is not None and (
                    tensor.dtype is not torch.float32 or tensor.device.type != "cpu"
                    or tensor.layout is not torch.strided):
                layout = "" if tensor.layout is torch.strided else f" {tensor.layout}"
                raise TypeError(
                    f"LSTM: {name} is {tensor.dtype}{layout} on {tensor.device}, liblstm "
                    f"expects torch.float32 on cpu; convert module and inputs with "
                    f".float(), .cpu() and .to_dense(), or use torch.nn.LSTM")
        for (name, weight), shape in zip(weights, _weight_shapes(*Options.of(self)[:6])):
            if weight.shape != shape:
                raise RuntimeError(f"LSTM: {name} is {list(weight.shape)}, expected "
                                   f"{list(shape)}")
