"""The workloads of compare.py in other libraries, one process per library.

usage: works.py LIBRARY THREADS (jobs on stdin, results on stdout, one JSON object per line)

A job has a workload, the shape N, T, I, H, L, and seconds; see compare.py. With one thread,
Keras is pinned to one processor, because it cannot limit its threads.
"""
import contextlib
import importlib.util
import json
import os
import statistics
import sys
import time
from pathlib import Path

CLASSES = 10
# Module, display name and supported workloads of each library.
TRAINING = {"train", "infer", "stream", "lengths", "padded"}
LIBRARIES = {
    "torch": ("torch", "PyTorch", TRAINING),
    "drop-in": ("torch", "liblstm.torch", TRAINING),
    "onnxruntime": ("onnxruntime", "ONNX Runtime", {"infer", "stream"}),
    "keras": ("keras", "Keras on JAX", {"train", "infer"}),
}


def missing(library):
    """The first required module of a library that is not installed, or None."""
    needed = [LIBRARIES[library][0], *{"onnxruntime": ["onnx"], "keras": ["jax"]}.get(
        library, [])]
    return next((name for name in needed if not importlib.util.find_spec(name)), None)


def spread_lengths(batch, steps):
    """Lengths spread evenly over 1 to T, unsorted, as in lstm-bench."""
    return [1 + n * 1000003 % batch * steps // batch for n in range(batch)]


def torch_work(job, kind=None):
    """A function that runs the workload once."""
    import torch
    from torch import nn
    from torch.nn.utils.rnn import pack_padded_sequence, pad_packed_sequence

    batch, steps, inputs, hidden, layers = job["shape"]
    torch.set_num_threads(job["threads"])
    torch.manual_seed(0)
    lstm = (kind or nn.LSTM)(inputs, hidden, layers, batch_first=True)
    head = nn.Linear(hidden, CLASSES)
    x = torch.rand(batch, steps, inputs) * 2 - 1
    targets = torch.arange(batch) % CLASSES
    lengths = torch.tensor(spread_lengths(batch, steps))
    dout = torch.rand(batch, steps, hidden) * 2 - 1
    criterion = nn.CrossEntropyLoss()
    parameters = [*lstm.parameters(), *head.parameters()]
    optimizer = torch.optim.Adam(parameters, lr=0.001, fused=job["best"] or None)

    def precision():
        if job["bf16"]:
            return torch.autocast("cpu", dtype=torch.bfloat16)
        return contextlib.nullcontext()

    def train():
        with precision():
            loss = criterion(head(lstm(x)[0][:, -1, :]), targets)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()

    def infer():
        with torch.inference_mode(), precision():
            head(lstm(x)[0][:, -1, :])

    state = [None]

    def stream():
        with torch.inference_mode(), precision():
            out, state[0] = lstm(x, state[0])
            head(out[:, -1, :])

    def packed():
        optimizer.zero_grad()
        pack = pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        out, _ = pad_packed_sequence(lstm(pack)[0], batch_first=True, total_length=steps)
        out.backward(dout)

    def with_lengths():
        optimizer.zero_grad()
        lstm(x, lengths=lengths)[0].backward(dout)

    def padded():
        optimizer.zero_grad()
        lstm(x)[0].backward(dout)

    lstm.train(job["work"] not in ("infer", "stream"))
    return {"train": train, "infer": infer, "stream": stream, "lengths": with_lengths if kind else packed,
            "padded": padded}[job["work"]]


def drop_in_work(job):
    """PyTorch with liblstm.torch.LSTM instead of nn.LSTM."""
    sys.path.insert(0, str(Path(__file__).resolve().parents[2] / "examples/python"))
    from liblstm.torch import LSTM

    return torch_work(job, LSTM)


def onnx_model(shape):
    """A model with all layers and the head; the states are inputs and outputs."""
    import numpy as np
    import onnx
    from onnx import TensorProto, helper, numpy_helper

    batch, steps, inputs, hidden, layers = shape
    rng, weights, nodes, states = np.random.default_rng(0), [], [], []

    def weight(name, *extents):
        values = rng.uniform(-1, 1, extents) / hidden ** 0.5
        weights.append(numpy_helper.from_array(values.astype(np.float32), name))
        return name

    def tensor(name, *extents):
        return helper.make_tensor_value_info(name, TensorProto.FLOAT, extents)

    weights.append(numpy_helper.from_array(np.array([1]), "direction"))
    weights.append(numpy_helper.from_array(np.array([0]), "first"))
    below, width = "x", inputs
    for k in range(layers):
        nodes.append(helper.make_node("LSTM", [
            below, weight(f"w{k}", 1, 4 * hidden, width),
            weight(f"r{k}", 1, 4 * hidden, hidden), weight(f"b{k}", 1, 8 * hidden), "",
            f"h{k}", f"c{k}"], [f"y{k}", f"hn{k}", f"cn{k}"], hidden_size=hidden))
        nodes.append(helper.make_node("Squeeze", [f"y{k}", "direction"], [f"out{k}"]))
        states += [f"{name}{k}" for name in "hc"]
        below, width = f"out{k}", hidden
    nodes.append(helper.make_node("Squeeze", [f"hn{layers - 1}", "first"], ["last"]))
    nodes.append(helper.make_node("Gemm", [
        "last", weight("fc", hidden, CLASSES), weight("bias", CLASSES)], ["logits"]))
    graph = helper.make_graph(
        nodes, "net",
        [tensor("x", steps, batch, inputs),
         *(tensor(name, 1, batch, hidden) for name in states)],
        [tensor("logits", batch, CLASSES),
         *(tensor(name[0] + "n" + name[1:], 1, batch, hidden) for name in states)],
        weights)
    model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 17)])
    model.ir_version = 8
    onnx.checker.check_model(model)
    return model.SerializeToString(), states


def onnx_work(job):
    """ONNX Runtime with all inputs and outputs bound to memory."""
    import numpy as np
    import onnxruntime

    batch, steps, inputs, hidden, _ = job["shape"]
    model, states = onnx_model(job["shape"])
    options = onnxruntime.SessionOptions()
    options.intra_op_num_threads = job["threads"]
    session = onnxruntime.InferenceSession(model, options,
                                           providers=["CPUExecutionProvider"])

    def value(array):
        return onnxruntime.OrtValue.ortvalue_from_numpy(array.astype(np.float32))

    x = value(np.random.default_rng(1).uniform(-1, 1, (steps, batch, inputs)))
    logits = value(np.zeros((batch, CLASSES)))
    # Each step reads the states that the previous step wrote.
    sides = [{name: value(np.zeros((1, batch, hidden))) for name in states}
             for _ in range(2)]
    bindings = []
    for before, after in (sides, sides[::-1]):
        binding = session.io_binding()
        binding.bind_ortvalue_input("x", x)
        binding.bind_ortvalue_output("logits", logits)
        for name in states:
            binding.bind_ortvalue_input(name, before[name])
            binding.bind_ortvalue_output(name[0] + "n" + name[1:], after[name])
        bindings.append(binding)

    def run():
        session.run_with_iobinding(bindings[0])
        if job["work"] == "stream":
            bindings.reverse()

    return run


def keras_work(job):
    """Keras with the JAX backend, compiled."""
    os.environ["KERAS_BACKEND"] = "jax"
    import jax
    import keras
    import numpy as np

    batch, steps, inputs, hidden, layers = job["shape"]
    model = keras.Sequential([keras.layers.Input((steps, inputs)), *(
        keras.layers.LSTM(hidden, return_sequences=k + 1 < layers)
        for k in range(layers)), keras.layers.Dense(CLASSES)])
    model.compile(keras.optimizers.Adam(0.001),
                  keras.losses.SparseCategoricalCrossentropy(from_logits=True))
    x = np.random.default_rng(1).uniform(-1, 1, (batch, steps, inputs)).astype("float32")
    targets = np.arange(batch) % CLASSES
    if job["work"] == "train":
        return lambda: model.train_on_batch(x, targets)
    call = jax.jit(lambda values: model(values, training=False))
    return lambda: call(x).block_until_ready()


def time_work(run, seconds, repeats):
    """Medians of wall-clock and CPU time in ms, of at least three samples."""
    run()
    run()
    wall, cpu = [], []
    end = time.perf_counter() + seconds
    while len(wall) < 3 or time.perf_counter() < end:
        start, cpu_start = time.perf_counter(), time.process_time()
        for _ in range(repeats):
            run()
        cpu.append((time.process_time() - cpu_start) / repeats)
        wall.append((time.perf_counter() - start) / repeats)
    return {"median_ms": statistics.median(wall) * 1e3,
            "cpu_ms": statistics.median(cpu) * 1e3}


def main():
    library, threads = sys.argv[1], int(sys.argv[2])
    if threads == 1 and library == "keras":
        os.sched_setaffinity(0, [max(os.sched_getaffinity(0))])
    work = {"torch": torch_work, "drop-in": drop_in_work, "onnxruntime": onnx_work,
            "keras": keras_work}[library]
    known, run = None, None
    for line in sys.stdin:
        job = json.loads(line) | {"threads": threads}
        seconds = job.pop("seconds")
        if job != known:
            known, run = job, work(job)
        repeats = 16 if job["work"] == "stream" else 1
        print(json.dumps(time_work(run, seconds, repeats)), flush=True)


if __name__ == "__main__":
    main()
