"""Loads the library, computes with threads, and unloads it, many times: no thread, mapping or
file of it stays.

usage: unload.py LIBRARY [--rounds N]
"""
import _ctypes
import argparse
import ctypes as ct
import os
import pathlib
import sys

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from arguments import existing  # noqa: E402

STEPS, BATCH, INPUTS, HIDDEN, THREADS = 6, 32, 8, 32, 4


class Config(ct.Structure):
    """The beginning of lstm_layer_config; the rest is zero."""
    _fields_ = [("inputs", ct.c_size_t), ("hidden", ct.c_size_t), ("rest", ct.c_uint64 * 32)]


def handle(lib, name, *arguments):
    found = ct.c_void_p()
    if getattr(lib, name)(ct.byref(found), *arguments):
        raise RuntimeError(f"{name} fails")
    return found


def tensor(lib, *shape):
    return handle(lib, "lstm_tensor_create", ct.c_size_t(len(shape)),
                  (ct.c_size_t * len(shape))(*shape))


def compute(lib):
    """A forward and a backward; the number of threads of the process during the calls."""
    lib.lstm_set_threads(ct.c_size_t(THREADS))
    rng = handle(lib, "lstm_rng_create", ct.c_uint64(1))
    layer = handle(lib, "lstm_layer_create", ct.byref(Config(INPUTS, HIDDEN)), rng)
    x, out = tensor(lib, STEPS, BATCH, INPUTS), tensor(lib, STEPS, BATCH, HIDDEN)
    none = [None] * 2
    failed = (lib.lstm_layer_forward(layer, None, x, None, *none, out, *none) or
              lib.lstm_layer_backward(layer, None, out, *none, None, *none))
    threads = len(os.listdir("/proc/self/task"))
    for kind, item in (("tensor", x), ("tensor", out), ("layer", layer), ("rng", rng)):
        getattr(lib, f"lstm_{kind}_destroy")(ct.byref(item))
    if failed:
        raise RuntimeError("a call fails")
    return threads


def state(path):
    """Threads and open files of the process, and whether the library is mapped."""
    maps = pathlib.Path("/proc/self/maps").read_text()
    return (len(os.listdir("/proc/self/task")), len(os.listdir("/proc/self/fd")),
            os.path.basename(path) in maps)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("library", type=existing)
    parser.add_argument("--rounds", type=int, default=1000)
    options = parser.parse_args()
    path = os.path.realpath(options.library)
    before = state(path)
    for number in range(options.rounds):
        lib = ct.CDLL(path)
        threads = compute(lib)
        if threads != before[0] + THREADS - 1:
            sys.exit(f"round {number}: {threads} threads compute")
        _ctypes.dlclose(lib._handle)
        if state(path) != before:
            sys.exit(f"round {number}: threads, files, mapped: {state(path)}, expected {before}")
    print(f"{options.rounds} rounds, 0 wrong")


if __name__ == "__main__":
    main()
