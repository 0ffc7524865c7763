"""Compares liblstm.torch with nn.LSTM, beyond compare_torch.py.

usage: test_torch.py (with LIBLSTM in the environment)
"""
import copy
import io
import os
import pathlib
import subprocess
import sys
import threading
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))
try:
    import numpy  # noqa: F401
    import torch
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(77)
from torch import nn  # noqa: E402
from torch.nn.utils.rnn import (  # noqa: E402
    pack_padded_sequence, pack_sequence, pad_packed_sequence)

import liblstm.torch  # noqa: E402

SIZES = dict(input_size=5, hidden_size=7, num_layers=2, batch_first=True)


def pair(seed=0, **options):
    """nn.LSTM and its replacement with the same seed."""
    made = []
    for kind in (nn.LSTM, liblstm.torch.LSTM):
        torch.manual_seed(seed)
        made.append(kind(**(SIZES | options)))
    return made


def inputs(batch=3, steps=4, size=5):
    generator = torch.Generator().manual_seed(9)
    return torch.rand(batch, steps, size, generator=generator) * 2 - 1


class Replacement(unittest.TestCase):
    def close(self, actual, expected):
        torch.testing.assert_close(actual, expected, rtol=1e-5, atol=2e-6)

    def grads_are_close(self, ours, theirs):
        for (name, a), (_, b) in zip(ours.named_parameters(), theirs.named_parameters()):
            with self.subTest(name):
                self.close(a.grad, b.grad)

    def test_compare_torch_finds_no_difference_with_another_seed(self):
        driver = ROOT / "tests/golden/compare_torch.py"
        for option in ("--drop-in", "--package"):
            with self.subTest(option):
                done = subprocess.run([sys.executable, driver, option, "--count", "40",
                                       "--seed", "77"], capture_output=True, text=True)
                self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
                self.assertIn("40 of 40 configurations", done.stdout)

    def test_it_is_an_nn_lstm_with_the_same_weights_and_state_dict(self):
        theirs, ours = pair(bidirectional=True, proj_size=3)
        self.assertIsInstance(ours, nn.LSTM)
        self.assertEqual(repr(ours), repr(theirs))
        for name, value in theirs.state_dict().items():
            self.assertTrue(torch.equal(ours.state_dict()[name], value), name)
        torch.manual_seed(5)
        theirs.reset_parameters()
        ours.load_state_dict(theirs.state_dict())
        self.close(ours(inputs())[0], theirs(inputs())[0])
        theirs.load_state_dict(ours.state_dict())

    def test_changes_through_weight_data_take_effect(self):
        theirs, ours = pair()
        for training in (True, False):
            for layer in (theirs, ours):
                layer.train(training)
                with torch.no_grad():
                    layer(inputs())
                    layer.weight_hh_l1.data.mul_(-1.5)
            with torch.no_grad():
                self.close(ours(inputs())[0], theirs(inputs())[0])

    def test_unbatched_inputs_and_states(self):
        theirs, ours = pair(bidirectional=True)
        x, state = inputs()[0], (torch.ones(4, 7), torch.ones(4, 7) / 2)
        for hx in (None, state):
            out, hidden = ours(x, hx)
            expected, states = theirs(x, hx)
            self.assertEqual(out.shape, expected.shape)
            self.close((out, *hidden), (expected, *states))

    def test_packs_with_equal_lengths_have_the_masks_of_pytorch(self):
        sequences = [torch.rand(1 + (3 * n) % 4, 5) for n in range(40)]
        for chosen, options in ((sequences, dict(enforce_sorted=False)),
                                (sorted(sequences, key=len, reverse=True), {})):
            packed = pack_sequence(chosen, **options)
            theirs, ours = pair(dropout=0.5)
            torch.manual_seed(3)
            expected, states = theirs(packed)
            after = torch.get_rng_state()
            torch.manual_seed(3)
            out, hidden = ours(packed)
            self.assertTrue(torch.equal(torch.get_rng_state(), after))
            self.close((out.data, *hidden), (expected.data, *states))
            self.assertTrue(torch.equal(out.batch_sizes, expected.batch_sizes))

    def test_lengths_are_those_of_a_pack(self):
        lengths, shape = [2, 4, 1, 4, 3], (5, 4, 5)
        for options in ({}, {"dropout": 0.5}, {"bidirectional": True, "proj_size": 3}):
            for batch_first in (True, False):
                theirs, ours = pair(batch_first=batch_first, **options)
                results = []
                for layer in (theirs, ours):
                    torch.manual_seed(3)
                    x = torch.rand(shape if batch_first else (4, 5, 5), requires_grad=True)
                    if layer is ours:
                        out, hidden = layer(x, lengths=lengths)
                    else:
                        pack = pack_padded_sequence(x, torch.tensor(lengths), batch_first,
                                                    enforce_sorted=False)
                        out, hidden = layer(pack)
                        out = pad_packed_sequence(out, batch_first, total_length=4)[0]
                    (out.square().sum() + hidden[0].sum() + hidden[1].square().sum()).backward()
                    results.append((out, *hidden, x.grad))
                self.close(*results)
                self.grads_are_close(ours, theirs)

        class Net(nn.Module):
            def __init__(self):
                super().__init__()
                self.lstm = ours

            def forward(self, x, lengths):
                return self.lstm(x, lengths=lengths)[0]

        other = torch.tensor([4, 3, 2, 1, 1])
        for net in (torch.jit.trace(Net(), (x, torch.tensor(lengths))),
                    torch.fx.symbolic_trace(Net())):
            self.close(net(x, other), ours(x, lengths=other)[0])

    def test_lengths_that_do_not_fit_are_refused(self):
        ours, x = pair()[1], torch.rand(3, 4, 5)
        self.assertTrue(ours.batch_first)
        for error, text, lengths in (
                (ValueError, r"are \[2\], expected \[3\]", [1, 2]),
                (ValueError, r"lengths\[1\] is 0, expected 1 to 4", [1, 0, 2]),
                (ValueError, r"lengths\[2\] is 5, expected 1 to 4", [1, 2, 5]),
                (ValueError, r"are \[1, 3\]", torch.ones(1, 3, dtype=torch.int64)),
                (TypeError, "float32, expected integers", [1.0, 2.0, 3.0]),
                (TypeError, "bool, expected integers", [True] * 3)):
            with self.assertRaisesRegex(error, text):
                ours(x, lengths=lengths)
        with self.assertRaisesRegex(ValueError, "2D, expected 3D"):
            ours(x[0], lengths=[4])
        with self.assertRaisesRegex(TypeError, "PackedSequence"):
            ours(pack_sequence([x[0]]), lengths=[4])

    def test_several_forwards_can_be_pending(self):
        theirs, ours = pair()
        for layer in (theirs, ours):
            losses = [layer(inputs() * scale)[0].sum() for scale in (1, -1, 0.5)]
            (layer(inputs(2, 9))[0].mean() + losses[1]).backward()
            losses[2].backward()
            losses[0].backward()
        self.grads_are_close(ours, theirs)

    def test_a_layer_can_occur_twice_in_a_graph(self):
        theirs, ours = pair(proj_size=5)
        for layer in (theirs, ours):
            torch.manual_seed(1)
            out, hidden = layer(inputs())
            out, hidden = layer(out, hidden)
            (out.square().sum() + hidden[1].sum()).backward()
        self.grads_are_close(ours, theirs)

    def test_a_retained_graph_gives_the_same_gradients_again(self):
        _, ours = pair(dropout=0.5)
        x = inputs().requires_grad_()
        loss = ours(x)[0].sum()
        loss.backward(retain_graph=True)
        ours(inputs())[0].sum()
        torch.manual_seed(77)
        state = torch.get_rng_state()
        first = x.grad.clone(), ours.weight_hh_l0.grad.clone()
        loss.backward()
        self.assertTrue(torch.equal(torch.get_rng_state(), state))
        self.assertTrue(torch.equal(x.grad, 2 * first[0]))
        self.assertTrue(torch.equal(ours.weight_hh_l0.grad, 2 * first[1]))
        with self.assertRaisesRegex(RuntimeError, "second time"):
            loss.backward()

    def test_weights_changed_before_backward_are_refused(self):
        _, ours = pair()
        loss = ours(inputs())[0].sum()
        with torch.no_grad():
            ours.bias_hh_l0.add_(1)
        with self.assertRaisesRegex(RuntimeError, "inplace"):
            loss.backward()

    def test_frozen_weights_and_unwanted_inputs_get_no_gradient(self):
        theirs, ours = pair()
        for layer in (theirs, ours):
            layer.weight_hh_l0.requires_grad_(False)
            hn = layer(inputs())[1][0]
            hn[-1].sum().backward()
        self.assertIsNone(ours.weight_hh_l0.grad)
        self.close(ours.weight_ih_l0.grad, theirs.weight_ih_l0.grad)

    def test_evaluation_with_gradients_draws_no_masks(self):
        theirs, ours = pair(dropout=0.9)
        x = inputs().requires_grad_()
        out = ours.eval()(x)[0]
        self.close(out, theirs.eval()(x)[0])
        out.sum().backward()
        with torch.no_grad():
            self.assertTrue(torch.equal(ours(x)[0], out))
            self.assertFalse(torch.equal(ours.train()(x)[0], out))

    def test_strided_inputs_and_gradients(self):
        theirs, ours = pair()
        x = torch.rand(5, 3, 8).permute(1, 2, 0)[:, ::2]
        for layer in (theirs, ours):
            layer(x)[0].sum().backward()  # The gradient of sum() is an expanded scalar.
        self.grads_are_close(ours, theirs)
        self.close(ours(x[:1].expand(6, 4, 5))[0], theirs(x[:1].expand(6, 4, 5))[0])

    def test_copies_pickles_and_moved_weights_work(self):
        _, ours = pair()
        expected = ours(inputs())[0]
        twin = copy.deepcopy(ours)
        self.assertTrue(torch.equal(twin(inputs())[0], expected))
        file = io.BytesIO()
        torch.save(ours, file)
        file.seek(0)
        read = torch.load(file, weights_only=False)
        self.assertTrue(torch.equal(read(inputs())[0], expected))
        ours.double().float()
        self.assertTrue(torch.equal(ours(inputs())[0], expected))

    def test_traces_record_pytorch_and_work_for_other_inputs(self):
        theirs, ours = pair()
        traced = torch.jit.trace(ours, inputs(), check_trace=False)
        self.assertIn("aten::lstm", str(traced.inlined_graph))
        self.close(traced(inputs(2, 9))[0], theirs(inputs(2, 9))[0])
        if hasattr(torch.compiler, "is_exporting"):
            with torch.no_grad():
                exported = torch.export.export(ours.eval(), (inputs(),)).module()
            other = inputs().flip(0)
            self.close(exported(other)[0], theirs(other)[0])

    def test_unsupported_inputs_are_refused(self):
        _, ours = pair()
        with self.assertRaisesRegex(TypeError, "input is torch.float64 on cpu"):
            ours.double()(inputs().double())
        _, ours = pair()
        with self.assertRaisesRegex(RuntimeError, "Expected 5, got 6"):
            ours(inputs(size=6))
        with self.assertRaisesRegex(RuntimeError, "Expected hidden"):
            ours(inputs(), (torch.zeros(2, 4, 7), torch.zeros(2, 4, 7)))
        with self.assertRaisesRegex(RuntimeError, r"\(2-D, 2-D\) tensors"):
            ours(inputs(), (torch.zeros(2, 7), torch.zeros(2, 7)))
        self.assertEqual(ours(inputs()[:0])[0].shape, (0, 4, 7))

    def test_several_threads_share_a_module(self):
        _, ours = pair()
        ours.eval()
        expected, wrong = ours(inputs(8, 20))[0], []

        def work():
            for _ in range(20):
                with torch.no_grad():
                    if not torch.equal(ours(inputs(8, 20))[0], expected):
                        wrong.append(1)

        workers = [threading.Thread(target=work) for _ in range(4)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual(wrong, [])

    @unittest.skipUnless(pathlib.Path("/proc/self/task").exists() and
                         "OpenMP" in torch.__config__.parallel_info(),
                         "PyTorch has no OpenMP, or the system does not list threads")
    def test_openmp_threads_of_pytorch_are_released(self):
        program = """if True:
            import os, torch, liblstm.torch
            def workers():
                return len(os.listdir("/proc/self/task")) - alone
            torch.set_num_threads(3)
            layer = liblstm.torch.LSTM(2, 3)
            alone = len(os.listdir("/proc/self/task"))
            torch.ones(1 << 20).add(1)
            print(workers())
            with torch.no_grad():
                layer(torch.ones(1, 1, 2))
            print(workers())
            """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              env=os.environ | {"PYTHONPATH": ROOT / "examples/python"})
        self.assertEqual(done.stdout.split(), ["2", "0"], done.stderr)

    def test_tapes_are_reused_after_a_graph_is_freed(self):
        _, ours = pair()
        for _ in range(5):
            ours(inputs())
        engine, = (one for engines in ours._pool._engines.values() for one in engines)
        self.assertEqual((len(engine.free), engine.running), (1, 0))

    def test_forwards_with_different_weights_can_be_pending(self):
        theirs, ours = pair(dropout=0.5)
        for layer in (theirs, ours):
            torch.manual_seed(4)
            losses = []
            for scale in (1.0, 0.5, -1.0):
                weights = {name: value * scale for name, value in layer.named_parameters()}
                out, _ = torch.func.functional_call(layer, weights, inputs())
                losses.append(out.square().sum())
            for index in (1, 0, 2):
                losses[index].backward(retain_graph=index == 0)
        self.grads_are_close(ours, theirs)

    def test_a_hundred_single_steps_take_a_few_megabytes(self):
        program = """if True:
            import torch, liblstm.torch
            def resident():
                with open("/proc/self/statm") as file:
                    return int(file.read().split()[1]) * 4096
            layer, x = liblstm.torch.LSTM(256, 256), torch.ones(1, 1, 256)
            state = layer(x)[1]
            before = resident()
            for _ in range(100):
                out, state = layer(x, state)
            out.sum().backward()
            print(resident() - before)
            """
        done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True,
                              env=os.environ | {"PYTHONPATH": ROOT / "examples/python"})
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertLess(int(done.stdout), 40 << 20)


if __name__ == "__main__":
    # PyTorch warns about its slow path for projections.
    unittest.main(verbosity=2, warnings="ignore")
