#!/usr/bin/env python3
"""Writes the golden data of linear layer, loss and optimiser, one header each.

    python3 tests/golden/make_objects.py

The headers in this folder were made with PyTorch 2.13.0 on Linux x86-64. They do not
contain inputs: the tests draw them with liblstm's generator, which equals PyTorch's.
"""

import pathlib
import struct

import need_torch  # noqa: F401
import torch
from torch import nn

HERE = pathlib.Path(__file__).parent


def bits(tensor):
    """The float32 values of a tensor as C integers."""
    words = struct.unpack(f"<{tensor.numel()}I", tensor.numpy().tobytes())
    return [f"0x{word:08x}" for word in words]


def floats(tensor):
    return [f"{value:.9g}" for value in tensor.flatten().tolist()]


def array(name, kind, values):
    lines, line = [], "   "
    for value in values:
        if len(line) + len(value) + 2 > 88:
            lines.append(line)
            line = "   "
        line += f" {value},"
    lines.append(line)
    return f"static const {kind} {name}[] = {{\n" + "\n".join(lines) + "\n};\n"


def header(name, parts):
    guard = f"TESTS_GOLDEN_{name.upper()}_H"
    text = f"/* Made by make_objects.py with PyTorch {torch.__version__}. */\n"
    text += f"#ifndef {guard}\n#define {guard}\n\n#include <stdint.h>\n\n"
    text += "/* clang-format off */\n" + "\n".join(parts) + "/* clang-format on */\n"
    (HERE / f"{name}.h").write_text(text + "\n#endif\n")


def drawn(*shape):
    return torch.empty(*shape).uniform_(-1, 1)


def linear():
    """Linear(7, 5) after manual_seed(3), x and dy drawn after it; two backwards."""
    torch.manual_seed(3)
    fc = nn.Linear(7, 5)
    parts = [array("linear_weight", "uint32_t", bits(fc.weight.detach()))]
    parts += [array("linear_bias", "uint32_t", bits(fc.bias.detach()))]
    x, dy = drawn(6, 7).requires_grad_(), drawn(6, 5)
    y = fc(x)
    y.backward(dy)
    parts += [array("linear_y", "float", floats(y))]
    parts += [array("linear_dx", "float", floats(x.grad))]
    parts += [array("linear_dweight", "float", floats(fc.weight.grad))]
    parts += [array("linear_dbias", "float", floats(fc.bias.grad))]
    torch.manual_seed(3)
    fc = nn.Linear(7, 5, bias=False)
    x, dy = drawn(6, 7).requires_grad_(), drawn(6, 5)
    y = fc(x)
    y.backward(dy)
    parts += [array("linear_plain_y", "float", floats(y))]
    parts += [array("linear_plain_dx", "float", floats(x.grad))]
    parts += [array("linear_plain_dweight", "float", floats(fc.weight.grad))]
    # The bound of the initial values depends on the inputs only.
    sizes = [1, 2, 3, 10, 28, 64, 100, 128, 256, 1000, 1023]
    rows = []
    for size in sizes:
        torch.manual_seed(size)
        fc = nn.Linear(size, 3)
        first, last = bits(fc.weight.detach())[0], bits(fc.bias.detach())[-1]
        rows += [str(size), first, last]
    parts += [array("linear_bounds", "uint32_t", rows)]
    header("linear", parts)


def params():
    """clip_grad_norm_ of the gradients of linear() to 0.5."""
    torch.manual_seed(3)
    fc = nn.Linear(7, 5)
    x, dy = drawn(6, 7), drawn(6, 5)
    fc(x).backward(dy)
    norm = nn.utils.clip_grad_norm_(fc.parameters(), 0.5)
    parts = [array("params_norm", "float", floats(norm))]
    parts += [array("params_dweight", "float", floats(fc.weight.grad))]
    parts += [array("params_dbias", "float", floats(fc.bias.grad))]
    # The same gradients, with the bias frozen.
    fc.zero_grad()
    fc(x).backward(dy)
    norm = nn.utils.clip_grad_norm_([fc.weight], 0.5)
    parts += [array("params_frozen_norm", "float", floats(norm))]
    parts += [array("params_frozen_dweight", "float", floats(fc.weight.grad))]
    header("params", parts)


def cross_entropy():
    """Logits [6, 5] in (-4, 4) drawn after manual_seed(11), every reduction."""
    torch.manual_seed(11)
    logits = torch.empty(6, 5).uniform_(-4, 4).requires_grad_()
    targets = torch.tensor([0, 4, 2, 2, 1, 3])
    parts = [array("cross_entropy_targets", "int64_t", [str(t) for t in targets.tolist()])]
    for reduction in ("mean", "sum", "none"):
        value = nn.functional.cross_entropy(logits, targets, reduction=reduction)
        logits.grad = None
        # The gradient of the loss: 1, or 0.5, 1.0, 1.5 ... for the rows.
        value.backward((torch.arange(6) + 1) / 2 if reduction == "none" else None)
        parts += [array(f"cross_entropy_{reduction}", "float", floats(value))]
        parts += [array(f"cross_entropy_{reduction}_dlogits", "float", floats(logits.grad))]
    weight = torch.tensor([0.5, 2, 1, 0.25, 1.5])
    probabilities = torch.empty(6, 5).uniform_(0, 1)
    cases = {
        "weighted": (targets, dict(weight=weight)),
        "ignored": (targets, dict(weight=weight, ignore_index=2)),
        "smoothed": (targets, dict(label_smoothing=0.2)),
        "smoothed_sum": (targets, dict(label_smoothing=0.2, weight=weight, ignore_index=2,
                                       reduction="sum")),
        "all": (targets, dict(label_smoothing=0.2, weight=weight, ignore_index=2)),
        "all_none": (targets, dict(label_smoothing=0.2, weight=weight, ignore_index=2,
                                   reduction="none")),
        "soft": (probabilities, dict()),
        "soft_all": (probabilities, dict(weight=weight, label_smoothing=0.1)),
        "soft_sum": (probabilities, dict(weight=weight, label_smoothing=0.1,
                                         reduction="sum")),
        "soft_none": (probabilities, dict(weight=weight, label_smoothing=0.1,
                                          reduction="none")),
    }
    for name, (target, options) in cases.items():
        logits.grad = None
        value = nn.functional.cross_entropy(logits, target, **options)
        value.backward((torch.arange(6) + 1) / 2 if value.dim() else None)
        parts += [array(f"cross_entropy_{name}", "float", floats(value))]
        parts += [array(f"cross_entropy_{name}_dlogits", "float", floats(logits.grad))]
    header("cross_entropy", parts)


ADAM = {
    "default": dict(),
    "betas": dict(lr=0.05, betas=(0.3, 0.9), eps=1e-3),
    "decay": dict(lr=0.01, weight_decay=0.1),
    "decoupled": dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
    "groups": dict(lr=0.01, weight_decay=0.1),
    "amsgrad": dict(lr=0.01, amsgrad=True),
    "maximize": dict(lr=0.01, maximize=True, weight_decay=0.1, amsgrad=True),
    "frozen": dict(lr=0.01, weight_decay=0.1, decoupled_weight_decay=True),
}


def adam():
    """Linear(7, 5) after manual_seed(5), five steps with gradients of (-2^-s, 2^-s);
    "frozen": steps 2 and 3 without the bias."""
    parts = []
    for name, options in ADAM.items():
        torch.manual_seed(5)
        fc = nn.Linear(7, 5)
        groups = fc.parameters()
        if name == "groups":
            groups = [{"params": [fc.weight]},
                      {"params": [fc.bias], "lr": 0.0025, "weight_decay": 0}]
        optimiser = torch.optim.Adam(groups, foreach=False, **options)
        for step in range(1, 6):
            for parameter in fc.parameters():
                parameter.grad = torch.empty_like(parameter).uniform_(-(0.5**step), 0.5**step)
            if name == "frozen" and step in (2, 3):
                fc.bias.grad = None
            optimiser.step()
        values = torch.cat([fc.weight.detach().flatten(), fc.bias.detach()])
        parts += [array(f"adam_{name}", "float", floats(values))]
    header("adam", parts)


def rates(make, count):
    """Learning rates of the first count steps, base rate 0.1."""
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler, rates = make(optimiser), []
    for _ in range(count):
        rates.append(repr(optimiser.param_groups[0]["lr"]))
        optimiser.step()
        scheduler.step()
    return rates


METRICS = [5, 4, 3, 3, 3, 3, 2.9999, 3, 2, 2, 2, 2, 2, float("nan"), 2, 2, 1, 1, 1, 1]


def plateau(**options):
    optimiser = torch.optim.SGD([nn.Parameter(torch.zeros(1))], lr=0.1)
    scheduler = torch.optim.lr_scheduler.ReduceLROnPlateau(optimiser, **options)
    rates = []
    for metric in METRICS:
        scheduler.step(metric)
        rates.append(repr(optimiser.param_groups[0]["lr"]))
    return rates


def schedule():
    """The first rates of every scheduler, and of plateaus over METRICS."""
    s = torch.optim.lr_scheduler
    parts = [array("schedule_" + name, "double", values) for name, values in {
        "step": rates(lambda o: s.StepLR(o, 3, 0.5), 12),
        "multi_step": rates(lambda o: s.MultiStepLR(o, [2, 5, 5, 9], 0.1), 12),
        "exponential": rates(lambda o: s.ExponentialLR(o, 0.9), 12),
        "cosine": rates(lambda o: s.CosineAnnealingLR(o, 5, 0.01), 12),
        "warm_cosine": rates(lambda o: s.SequentialLR(o, [
            s.LinearLR(o, 0.25, total_iters=3), s.CosineAnnealingLR(o, 8, 0.01)], [3]), 12),
        "warm_third": rates(lambda o: s.LinearLR(o, total_iters=5), 12),
        "one_cycle": rates(lambda o: s.OneCycleLR(o, 0.1, 12, cycle_momentum=False), 12),
        "three_phase": rates(lambda o: s.OneCycleLR(
            o, 0.1, 12, pct_start=0.4, div_factor=10, final_div_factor=100,
            three_phase=True, anneal_strategy="linear", cycle_momentum=False), 12),
        "plateau": plateau(patience=1),
        "plateau_cool": plateau(patience=0, factor=0.5, cooldown=2, min_lr=0.02),
        "plateau_max": plateau(patience=2, mode="max", threshold=0.5,
                               threshold_mode="abs"),
    }.items()]
    header("schedule", parts)


def embedding():
    """Embedding(11, 6, padding_idx=4) after manual_seed(8), dy drawn after it."""
    torch.manual_seed(8)
    table = nn.Embedding(11, 6, padding_idx=4)
    indices = torch.tensor([[3, 0, 4, 10, 3], [3, 7, 4, 0, 3]])
    table(indices).backward(drawn(2, 5, 6))
    header("embedding", [
        array("embedding_indices", "int64_t", map(str, indices.flatten().tolist())),
        array("embedding_weight", "float", floats(table.weight.detach())),
        array("embedding_dweight", "float", floats(table.weight.grad))])


def elements(loss, input, target, mask):
    """Sum and mean, losses of the elements, and gradients of the mean and of the losses
    times 1/8, 2/8 ...; in double, where the mask is not 0."""
    x = input.double().requires_grad_()
    losses = torch.zeros(x.shape, dtype=torch.float64)
    if mask.dim() < x.dim():
        mask = mask[..., None].expand(x.shape)
    kept = loss(x, target.double())[mask]
    losses[mask] = kept
    dmean, = torch.autograd.grad(kept.mean(), x, retain_graph=True)
    factors = (torch.arange(x.numel(), dtype=torch.float64) + 1).view(x.shape) / 8
    dnone, = torch.autograd.grad(losses, x, factors)
    losses = losses.detach()
    return {"sums": torch.stack([kept.sum(), kept.mean()]).detach(), "none": losses,
            "dmean": dmean, "dnone": dnone}


def loss():
    """Input, target and masks [4, 3, 5] and [4, 3] drawn after manual_seed(17)."""
    torch.manual_seed(17)
    input, target = torch.empty(4, 3, 5).uniform_(-4, 4), torch.empty(4, 3, 5).uniform_(0, 1)
    mask, rows = drawn(4, 3, 5) < 0, drawn(4, 3) < 0
    weight = torch.empty(5).uniform_(0.5, 3).double()
    every = torch.ones_like(mask)
    mse, bce = nn.MSELoss(reduction="none"), nn.BCEWithLogitsLoss(reduction="none")
    weighted = nn.BCEWithLogitsLoss(reduction="none", pos_weight=weight)
    cases = {"mse_plain": (mse, every), "mse_masked": (mse, mask), "mse_rows": (mse, rows),
             "bce_plain": (bce, every), "bce_masked": (bce, mask), "bce_rows": (bce, rows),
             "bce_weighted": (weighted, every), "bce_all": (weighted, mask)}
    header("loss", [array(f"{name}_{part}", "double", floats(values))
                    for name, (function, kept) in cases.items()
                    for part, values in elements(function, input, target, kept).items()])


def reshape():
    """Tensors of extents 1 to 4 with drawn strides and shapes of the same count: rank, shape
    and strides; new rank and shape; 1 and the strides of the view, or 0."""
    import itertools
    import random
    source, numbers = random.Random(1), []
    pad = lambda values: [*values, *[0] * (4 - len(values))]
    while len(numbers) < 200 * 19:
        shape = [source.choice([1, 2, 2, 3, 4]) for _ in range(source.randint(1, 4))]
        order, strides, step = list(range(len(shape))), [0] * len(shape), 1
        if source.random() < 0.3:
            source.shuffle(order)
        for axis in reversed(order):
            strides[axis] = 0 if source.random() < 0.05 else step
            step *= shape[axis] * source.choice([1, 1, 1, 1, 2])
        tensor = torch.zeros(2000).as_strided(shape, strides)
        rank = source.randint(1, 4)
        fitting = [new for new in itertools.product(range(1, tensor.numel() + 1), repeat=rank)
                   if torch.Size(new).numel() == tensor.numel()] if rank < 4 or \
            tensor.numel() <= 12 else []
        if not fitting:
            continue
        new = source.choice(fitting)
        try:
            view = [1, *pad(tensor.view(new).stride())]
        except RuntimeError:
            view = [0] * 5
        numbers += [len(shape), *pad(shape), *pad(strides), rank, *pad(new), *view]
    header("reshape", [array("reshape_cases", "int", map(str, numbers))])


def normal():
    """After manual_seed(size): normal_(0, 1), normal_(0, 2), of which the last 70 numbers
    are kept, random_(), and one number of normal_(0.5, 0.25)."""
    sizes = [*range(1, 20), 31, 32, 33, 47, 48, 49, 50, 63, 64, 65, 70, 1000]
    values, following, last = [], [], []
    for size in sizes:
        torch.manual_seed(size)
        torch.empty(size).normal_()
        values += floats(torch.empty(size).normal_(0, 2)[-70:])
        following.append(str(int(torch.empty((), dtype=torch.int64).random_())))
        last += floats(torch.empty(1).normal_(0.5, 0.25))
    header("normal", [array("normal_sizes", "int", map(str, sizes)),
                      array("normal_values", "float", values),
                      array("normal_next", "int64_t", following),
                      array("normal_last", "float", last)])


if __name__ == "__main__":
    torch.set_num_threads(1)
    linear()
    params()
    cross_entropy()
    adam()
    schedule()
    normal()
    embedding()
    loss()
    reshape()
