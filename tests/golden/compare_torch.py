#!/usr/bin/env python3
"""Compares liblstm with torch.nn.LSTM on random configurations, element by element.

usage: compare_torch.py [--seed S] [--count N] [--package | --drop-in] [--library FILE]
           [--verbose]

Configurations have sizes 1 to 70, T 1 to 40, N 1 to 33, 1 to 3 layers, and random options:
bias, batch_first, dropout, bidirectional, proj_size, lengths, h0 and c0, and which output
gradients are used. Each one runs three steps of forward, backward and Adam. Initial weights
must be equal bit for bit. Dropout masks are equal, because both libraries use the same
seed.

Without an option, the script calls the functions of the C library. --package uses Layer,
Params and Adam of the Python package liblstm instead, and --drop-in uses liblstm.torch.LSTM
with PyTorch's autograd and Adam.

Limits of the differences to PyTorch in float32:
  outputs     2e-6 of the larger of 1 and the element
  gradients   2e-5 of a quarter of the element and three quarters of the largest one
  parameters  the effect of the difference of the gradients on three Adam steps
The first step of Adam is lr times the sign of the gradient. A parameter whose gradient is
below the rounding error may move in either direction, and then the gradients of the next
step differ by more than rounding. The limits of outputs and gradients therefore apply to
the first step only; later gradients must agree within 2e-3 of the largest element. An error
e of a gradient, at least 2e-5, changes a step by at most lr min(2, 2 e / sqrt(v^)).

The last line is a summary. The exit status is 0 if all configurations are within the
limits. Requires torch 2.13 and numpy. The library is --library, $LIBLSTM, or the newest
one in build*/.
"""
import argparse
import ctypes as ct
import functools
import importlib
import os
import sys
import warnings
from pathlib import Path

import need_torch  # noqa: F401
import numpy as np
import torch
from torch import nn

from make_layer import forward

LR, STEPS = 0.001, 3
FORWARD, GRADIENT, LATER_GRADIENT = 2e-6, 2e-5, 2e-3
# The share of a gradient's limit that depends on the element itself.
OWN = 0.25


class Config(ct.Structure):
    _fields_ = [("inputs", ct.c_size_t), ("hidden", ct.c_size_t),
                ("layers", ct.c_size_t), ("proj_size", ct.c_size_t),
                ("dropout", ct.c_double), ("no_bias", ct.c_bool),
                ("batch_first", ct.c_bool), ("bidirectional", ct.c_bool),
                ("precision", ct.c_int), ("reserved", ct.c_uint64 * 8)]


class Library:
    """Calls functions of liblstm; raises an exception for a status other than 0."""

    def __init__(self, path):
        self.lib = ct.CDLL(str(path))
        for name in ("lstm_last_error", "lstm_kernels_name", "lstm_version"):
            getattr(self.lib, name).restype = ct.c_char_p
        for name in ("lstm_params_value", "lstm_params_grad", "lstm_tensor_data"):
            getattr(self.lib, name).restype = ct.c_void_p
        self.lib.lstm_params_size.restype = ct.c_size_t
        self.lib.lstm_tensor_count.restype = ct.c_size_t

    def __call__(self, name, *args):
        if getattr(self.lib, name)(*args) != 0:
            raise RuntimeError(self.lib.lstm_last_error().decode())

    def handle(self, name, *args):
        handle = ct.c_void_p()
        self(name, ct.byref(handle), *args)
        return handle

    def wrap(self, array):
        """Creates a tensor in the memory of an array, which must outlive it."""
        if array is None:
            return ct.c_void_p()
        shape = (ct.c_size_t * array.ndim)(*array.shape)
        data = ct.c_void_p(array.ctypes.data)
        return self.handle("lstm_tensor_wrap", data, ct.c_size_t(array.ndim), shape,
                           None)

    def view(self, tensor):
        """A flat array in the memory of a tensor of the library."""
        tensor = ct.c_void_p(tensor)
        data = ct.cast(self.lib.lstm_tensor_data(tensor), ct.POINTER(ct.c_float))
        return np.ctypeslib.as_array(data, (self.lib.lstm_tensor_count(tensor),))

    def destroy(self, kind, handle):
        if handle:
            getattr(self.lib, f"lstm_{kind}_destroy")(ct.byref(handle))


def draw(rng):
    """Draws a configuration, in the format of make_layer.py."""
    c = dict(I=rng.integers(1, 71), H=rng.integers(1, 71), L=rng.integers(1, 4),
             T=rng.integers(1, 41), N=rng.integers(1, 34), bias=rng.random() < 0.7,
             batch_first=rng.random() < 0.5, bidirectional=rng.random() < 0.4,
             h0=rng.random() < 0.5, c0=rng.random() < 0.5)
    c = {k: v.item() if isinstance(v, np.generic) else v for k, v in c.items()}
    projected = c["H"] > 1 and rng.random() < 0.3
    c["P"] = int(rng.integers(1, c["H"])) if projected else 0
    c["dropout"] = float(np.round(rng.uniform(0.05, 0.95), 2)) \
        if rng.random() < 0.3 else 0.0
    c["lengths"] = rng.integers(1, c["T"] + 1, c["N"]).tolist() \
        if rng.random() < 0.4 else None
    which = rng.integers(1, 8)
    c["grads"] = [k for bit, k in enumerate(("out", "hn", "cn")) if which >> bit & 1]
    return c


def tensors(c, rng):
    D, S = 1 + c["bidirectional"], c["P"] or c["H"]
    time = (c["N"], c["T"]) if c["batch_first"] else (c["T"], c["N"])
    rows = (c["L"] * D, c["N"])
    shapes = dict(x=(*time, c["I"]), out=(*time, D * S), h0=(*rows, S),
                  c0=(*rows, c["H"]), hn=(*rows, S), cn=(*rows, c["H"]))
    values = {k: rng.uniform(-1, 1, s).astype(np.float32) for k, s in shapes.items()}
    for name in ("h0", "c0"):
        if not c[name]:
            values[name][:] = 0
    return values


def run_torch(c, seed, values, kind=nn.LSTM):
    """Results of PyTorch: a dictionary of float32 arrays per step."""
    torch.manual_seed(seed)
    layer = kind(c["I"], c["H"], c["L"], bias=c["bias"],
                 batch_first=c["batch_first"], dropout=c["dropout"],
                 bidirectional=c["bidirectional"], proj_size=c["P"])
    parameters = list(layer.parameters())
    adam = torch.optim.Adam(parameters, lr=LR)
    inputs = {k: torch.tensor(values[k], requires_grad=True) for k in ("x", "h0", "c0")}
    steps = []
    for step in range(1, STEPS + 1):
        result = {f"before {k}": p.detach().clone() for k, p in enumerate(parameters)}
        for tensor in inputs.values():
            tensor.grad = None
        outputs = dict(zip(("out", "hn", "cn"), forward(layer, c, **inputs)))
        adam.zero_grad()
        loss = sum((torch.from_numpy(values[k]) * outputs[k]).sum()
                   for k in c["grads"])
        loss.backward()
        result |= {k: v.detach() for k, v in outputs.items()}
        # Autograd leaves None if the loss does not depend on a tensor.
        for tensor in (*inputs.values(), *parameters):
            if tensor.grad is None:
                tensor.grad = torch.zeros_like(tensor)
        result |= {f"d{k}": v.grad for k, v in inputs.items()}
        result |= {f"grad {k}": p.grad.clone() for k, p in enumerate(parameters)}
        adam.step()
        for k, p in enumerate(parameters):
            v = adam.state[p]["exp_avg_sq"] / (1 - 0.999**step)
            result[f"slack {k}"] = LR * 2 / (v.sqrt() + 1e-8)
        result |= {f"after {k}": p.detach().clone() for k, p in enumerate(parameters)}
        steps.append({k: v.numpy() for k, v in result.items()})
    return steps


class Functions:
    """A layer and its optimiser, through the functions of the C library."""

    def __init__(self, lib, c, seed):
        config = Config(c["I"], c["H"], c["L"], c["P"], c["dropout"], not c["bias"],
                        c["batch_first"], c["bidirectional"])
        self.lib, self.tensors = lib, []
        self.rng = lib.handle("lstm_rng_create", ct.c_uint64(seed))
        self.layer = lib.handle("lstm_layer_create", ct.byref(config), self.rng)
        self.params = lib.handle("lstm_params_create")
        lib("lstm_params_add_layer", self.params, b"", self.layer)
        self.adam = lib.handle("lstm_adam_create", self.params, None)
        self.values, self.grads = (
            [lib.view(function(self.params, ct.c_size_t(k)))
             for k in range(lib.lib.lstm_params_size(self.params))]
            for function in (lib.lib.lstm_params_value, lib.lib.lstm_params_grad))

    def wrap(self, arrays):
        made = [self.lib.wrap(array) for array in arrays]
        self.tensors += made
        return made

    def forward(self, lengths, *arrays):
        lengths = (ct.c_size_t * len(lengths))(*lengths) if lengths else None
        x, *others = self.wrap(arrays)
        self.lib("lstm_layer_forward", self.layer, None, x, lengths, *others)

    def backward(self, *arrays):
        self.lib("lstm_params_zero_grad", self.params)
        self.lib("lstm_layer_backward", self.layer, None, *self.wrap(arrays))

    def step(self):
        self.lib("lstm_adam_step", self.adam)

    def close(self):
        for tensor in self.tensors:
            self.lib.destroy("tensor", tensor)
        for kind in ("adam", "params", "layer", "rng"):
            self.lib.destroy(kind, getattr(self, kind))


class Package:
    """The same through the Python package."""

    def __init__(self, liblstm, c, seed):
        self.layer = liblstm.Layer(
            c["I"], c["H"], c["L"], proj_size=c["P"], dropout=c["dropout"],
            no_bias=not c["bias"], batch_first=c["batch_first"],
            bidirectional=c["bidirectional"], rng=liblstm.Rng(seed))
        self.params = liblstm.Params(lstm=self.layer)
        self.adam = liblstm.Adam(self.params, lr=LR)
        self.values, self.grads = (
            [np.asarray(function(name)).ravel() for name in self.params.names()]
            for function in (self.params.value, self.params.grad))

    def forward(self, lengths, *arrays):
        self.layer.forward(*arrays, lengths=lengths)

    def backward(self, *arrays):
        self.params.zero_grad()
        self.layer.backward(*arrays)

    def step(self):
        self.adam.step()

    def close(self):
        for handle in (self.adam, self.params, self.layer):
            handle.close()


def run_library(model, c, values):
    """Results of liblstm, in the same format; closes the model."""
    results = {k: np.full_like(values[k], np.nan)
               for k in ("x", "h0", "c0", "out", "hn", "cn")}
    states = [values[k] if c[k] else None for k in ("h0", "c0")]
    incoming = [values[k] if k in c["grads"] else None for k in ("out", "hn", "cn")]
    steps = []
    for _ in range(STEPS):
        result = {f"before {k}": v.copy() for k, v in enumerate(model.values)}
        model.forward(c["lengths"], values["x"], *states,
                      *(results[k] for k in ("out", "hn", "cn")))
        model.backward(*incoming, *(results[k] for k in ("x", "h0", "c0")))
        result |= {k: results[k].copy() for k in ("out", "hn", "cn")}
        result |= {f"d{k}": results[k].copy() for k in ("x", "h0", "c0")}
        result |= {f"grad {k}": g.copy() for k, g in enumerate(model.grads)}
        model.step()
        result |= {f"after {k}": v.copy() for k, v in enumerate(model.values)}
        steps.append(result)
    model.close()
    return steps


def difference(expected, actual):
    return np.abs(expected.ravel().astype(np.float64) - actual.ravel())


def gradient_limit(expected):
    """The limit of each element, by its own size and, because sums cancel, by the size of
    the largest element."""
    size = np.abs(expected.astype(np.float64)).ravel()
    return GRADIENT * (OWN * size + (1 - OWN) * size.max()) + 1e-30


def compare(theirs, ours):
    """The largest error of each kind of result, as a fraction of its limit, with the name
    of the tensor."""
    worst = {"outputs": (0, ""), "gradients": (0, ""), "parameters": (0, "")}

    def note(kind, share, name):
        if not share <= worst[kind][0]:
            worst[kind] = (share, name)

    first, last = theirs[0], theirs[-1]
    for name, expected in first.items():
        if name.startswith("before"):
            equal = np.array_equal(expected.ravel().view(np.uint32),
                                   ours[0][name].ravel().view(np.uint32))
            note("parameters", 0 if equal else np.inf, "initial weights")
        elif name in ("out", "hn", "cn"):
            limit = FORWARD * np.maximum(1, np.abs(expected.ravel()))
            note("outputs", (difference(expected, ours[0][name]) / limit).max(), name)
        elif name[0] in "dg":
            limit = gradient_limit(expected)
            note("gradients", (difference(expected, ours[0][name]) / limit).max(), name)
    for k in range(sum(n.startswith("after") for n in last)):
        limit, error = 3 * 2**-23 * np.abs(last[f"after {k}"].ravel()) + 1e-12, 0
        for a, b in zip(theirs, ours):
            largest = max(np.abs(a[f"grad {k}"]).max(), 1e-30)
            gap = difference(a[f"grad {k}"], b[f"grad {k}"])
            note("gradients", gap.max() / largest / LATER_GRADIENT, f"later grad {k}")
            error = np.maximum(error, np.maximum(gap, GRADIENT * largest))
            limit = limit + np.minimum(2 * LR, a[f"slack {k}"].ravel() * error)
        share = (difference(last[f"after {k}"], ours[-1][f"after {k}"]) / limit).max()
        note("parameters", share, f"parameter {k}")
    return worst


def find_library():
    if "LIBLSTM" in os.environ:
        return Path(os.environ["LIBLSTM"])
    root = Path(__file__).resolve().parents[2]
    found = sorted(root.glob("build*/lib/lstm/liblstm.so"),
                   key=lambda f: f.stat().st_mtime)
    if not found:
        sys.exit(f"no library found in {root}/build*/lib/lstm; set --library FILE")
    return found[-1]


def load(name, library):
    """Loads a module of the package with the same library."""
    os.environ["LIBLSTM"] = str(library)
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
    return importlib.import_module(name)


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--seed", type=int, default=1, help="seed (default 1)")
    parser.add_argument("--count", type=int, default=300,
                        help="number of configurations (default 300)")
    through = parser.add_mutually_exclusive_group()
    through.add_argument("--package", action="store_true",
                         help="compare liblstm.Layer instead of the C library")
    through.add_argument("--drop-in", action="store_true",
                         help="compare liblstm.torch.LSTM instead of the C library")
    parser.add_argument("--library", type=Path, help="path of liblstm.so")
    parser.add_argument("--verbose", action="store_true",
                        help="print every configuration")
    args = parser.parse_args()
    warnings.filterwarnings("ignore", message=".*(projections|dropout).*")
    torch.set_num_threads(1)
    path = args.library or find_library()
    lib = Library(path)
    drop_in = load("liblstm.torch", path).LSTM if args.drop_in else None
    liblstm = load("liblstm", path)
    create = functools.partial(*(Package, liblstm) if args.package else (Functions, lib))
    rng = np.random.default_rng(args.seed)
    worst, failed = {}, 0
    for index in range(args.count):
        c = draw(rng)
        values, seed = tensors(c, rng), int(rng.integers(2**32))
        try:
            theirs = run_torch(c, seed, values)
            ours = run_torch(c, seed, values, drop_in) if drop_in else \
                run_library(create(c, seed), c, values)
            shares = compare(theirs, ours)
        except (RuntimeError, liblstm.Error) as error:
            shares = {"outputs": (np.inf, str(error))}
        bad = {k: v for k, v in shares.items() if not v[0] <= 1}
        failed += bool(bad)
        if bad or args.verbose:
            print("FAILED" if bad else "ok", index, bad or shares, c, flush=True)
        for kind, (share, name) in shares.items():
            if not share <= worst.get(kind, (-1,))[0]:
                worst[kind] = (share, name, index, c)
    limits = {"outputs": FORWARD, "gradients": GRADIENT}
    for kind, (share, name, index, c) in worst.items():
        error = f"{share * limits[kind]:.2e} " if kind in limits else ""
        print(f"worst {kind}: {error}({share:.0%} of the limit), {name}, "
              f"number {index}, {c}")
    print(f"seed {args.seed}: {args.count - failed} of {args.count} configurations "
          f"within the limits, kernels {lib.lib.lstm_kernels_name().decode()}, "
          f"PyTorch {torch.__version__}")
    return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
