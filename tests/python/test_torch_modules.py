"""Calls, changes, copies and shares liblstm.torch.LSTM and nn.LSTM side by side.

usage: test_torch_modules.py (with LIBLSTM in the environment)
"""
import copy
import ctypes
import io
import os
import pickle
import unittest

from sides import LSTM, Sides, X, grads, nn, random, run, torch
from torch.nn.utils.rnn import pack_padded_sequence


class Arguments(Sides):
    def test_states_of_packed_sequences(self):
        def packed(model, order, shape):
            lengths = torch.tensor([5, 3] if order else [3, 5])
            x = pack_padded_sequence(X, lengths, batch_first=True, enforce_sorted=order)
            states = random(*shape), random(*shape, seed=3)
            out, hidden = model.lstm(x, states)
            return out.data, *hidden

        for order in (True, False):
            self.same(lambda model: packed(model, order, (2, 2, 4)))
        for shape in ((2, 3, 4), (2, 1, 4), (3, 2, 4), (2, 2, 5), (2, 4)):
            self.wrong(lambda model: packed(model, True, shape), RuntimeError,
                       r"Expected hidden\[0\] size \(2, 2, 4\), got")
        self.wrong(lambda model: packed(model, False, (2, 1, 4)), RuntimeError, "bounds")
        # index_select() takes the rows that it needs.
        self.same(lambda model: packed(model, False, (2, 3, 4)))

    def test_wrong_arguments(self):
        zeros = torch.zeros(2, 2, 4)
        for hx, error, message in (
                (torch.zeros(2, 2, 2, 4), TypeError, r"expected \(h0, c0\)"),
                ((zeros,) * 3, RuntimeError, r"has 3 tensors, expected \(h0, c0\)"),
                ((zeros,), RuntimeError, r"has 1 tensors"),
                ((zeros, None), AttributeError, ""),
                ((zeros, zeros[:1]), RuntimeError, r"Expected hidden\[1\]"),
                ((zeros[0], zeros[0]), RuntimeError, "should also be 3-D")):
            self.wrong(lambda model: model.lstm(X, hx), error, message)
        for x, error, message in (
                ([1, 2], AttributeError, "dim"), (X[None], ValueError, "2D or 3D"),
                (X[..., :2], RuntimeError, "Expected 3, got 2"),
                (X[:, :0], RuntimeError, "larger than 0"), (X.int(), ValueError, "int32")):
            self.wrong(lambda model: model(x), error, message)
        self.same(lambda model: model.lstm(X, [zeros, zeros]))
        self.same(lambda model: model.lstm(X[:0]))

    def test_weights_of_another_shape_are_refused(self):
        def use(model):
            model.lstm.weight_ih_l0 = nn.Parameter(torch.zeros(16, 900))
            return model(X)
        self.wrong_for_ours(use, RuntimeError,
                            r"weight_ih_l0 is \[16, 900\], expected \[16, 3\]")

    def test_attributes_can_change(self):
        def use(model):
            first = model.lstm(X)[0]
            model.lstm.batch_first = False
            second = model.lstm(X)[0]
            model.lstm.dropout = 0.5
            torch.manual_seed(2)
            return first, second, model.lstm(X)[0]
        self.same(use)


class Weights(Sides):
    def test_options_change_between_backwards(self):
        def use(module):
            x = torch.linspace(-1, 1, 12).reshape(2, 2, 3).requires_grad_()
            value = module(x)[0].pow(2).sum()
            value.backward(retain_graph=True)
            module.batch_first = not module.batch_first
            value.backward()
            return x.grad

        torch.manual_seed(0)
        ours = LSTM(3, 4)
        theirs = ours.to_nn()
        torch.testing.assert_close(use(ours), use(theirs), atol=1e-6, rtol=1e-5)

    def test_pruning_norms_and_shared_weights(self):
        from torch.nn.utils import prune

        def pruned(model):
            prune.l1_unstructured(model.lstm, "weight_hh_l0", 0.5)
            result = grads(model, model(X)[0])
            prune.remove(model.lstm, "weight_hh_l0")
            return result, model(X)

        def norm(model):
            nn.utils.parametrizations.weight_norm(model.lstm, "weight_hh_l0")
            out = model(X)
            return out, grads(model, out[0])

        def tied(model):
            model.lstm.weight_hh_l0_reverse = model.lstm.weight_hh_l0
            out = model(X)
            return out, grads(model, out[0])

        def vector(model):
            values = nn.utils.parameters_to_vector(model.parameters())
            nn.utils.vector_to_parameters(values * 0.5, model.parameters())
            out = model(X)
            return out, grads(model, out[0])
        self.same(pruned)
        self.same(norm)
        self.same(tied, bidirectional=True)
        self.same(vector)

    def test_copies_and_pickles(self):
        def use(model):
            expected = model(X)
            copies = [copy.copy(model), copy.deepcopy(model),
                      pickle.loads(pickle.dumps(model)),
                      model.to("meta").to_empty(device="cpu")]
            copies[-1].load_state_dict(copies[1].state_dict(), assign=True)
            return expected, [one(X) for one in copies]
        self.same(use)
        file = io.BytesIO()
        torch.save(LSTM(3, 4), file)
        self.assertNotIn(b"Pool", file.getvalue())

    def test_replicas_shared_memory_and_averages(self):
        def average(model):
            averaged = torch.optim.swa_utils.AveragedModel(model)
            grads(model, model(X)[0])
            torch.optim.SGD(model.parameters(), 0.1).step()
            averaged.update_parameters(model)
            return averaged(X)
        self.same(lambda model: model.lstm._replicate_for_data_parallel()(X))
        self.same(lambda model: model.share_memory()(X))
        self.same(average)

        def strict(model):
            state = model.state_dict()
            state["lstm.other"] = state.pop("lstm.bias_hh_l0")
            model.load_state_dict(state)
        self.wrong(strict, RuntimeError, "Missing key.*\n.*Unexpected key")

    def test_hooks(self):
        def use(model):
            log = []
            model.lstm.register_forward_pre_hook(lambda _, args: (args[0] * 2,))
            model.lstm.register_forward_hook(
                lambda _, args, out: log.append(out[0].detach()))
            model.lstm.register_full_backward_hook(lambda _, dx, dout: log.append(dout[0]))
            return grads(model, model(X)[0]), log
        self.same(use)

    @unittest.skipUnless(hasattr(os, "fork"), "no fork")
    def test_a_forked_process_trains(self):
        program = """if True:
            import multiprocessing, torch
            from liblstm.torch import LSTM
            def train():
                torch.set_num_threads(2)
                out = layer(x)[0]
                out.backward(torch.ones_like(out))
                return float(out[-1, -1, -1].detach()), float(layer.bias_hh_l0.grad[0])
            def work(queue):
                queue.put(train())
            torch.manual_seed(0)
            layer, x = LSTM(8, 64), torch.rand(20, 8, 8)
            expected, fork = train(), multiprocessing.get_context("fork")
            layer.zero_grad()
            queue = fork.Queue()
            process = fork.Process(target=work, args=(queue,), daemon=True)
            process.start()
            assert queue.get(timeout=60) == expected
            """
        done = run(program)
        self.assertEqual(done.returncode, 0, done.stderr)


class Memory(unittest.TestCase):
    @unittest.skipUnless(hasattr(ctypes.CDLL(None), "mallinfo2"), "needs a newer glibc")
    def test_pending_forwards_need_less_memory_than_those_of_pytorch(self):
        program = """if True:
            import ctypes, sys, torch
            from liblstm.torch import LSTM
            class Info(ctypes.Structure):
                _fields_ = [(name, ctypes.c_size_t) for name in (
                    "arena", "ordblks", "smblks", "hblks", "hblkhd", "usmblks",
                    "fsmblks", "uordblks", "fordblks", "keepcost")]
            info = ctypes.CDLL(None).mallinfo2
            info.restype = Info
            def used():
                now = info()
                return now.uordblks + now.hblkhd
            torch.set_num_threads(1)
            kind = LSTM if sys.argv[1] == "ours" else torch.nn.LSTM
            layer, x, state = kind(256, 256), torch.ones(1, 1, 256), None
            layer(x)[0].sum().backward()
            before, losses = used(), []
            for _ in range(100):
                out, state = layer(x, state)
                losses.append(out.sum())
            print(used() - before)
            sum(losses).backward()
            """
        sizes = {}
        for side in ("theirs", "ours"):
            done = run(program, side)
            self.assertEqual(done.returncode, 0, done.stderr)
            sizes[side] = int(done.stdout)
        print("bytes of 100 pending forwards:", sizes)
        self.assertLess(sizes["ours"], sizes["theirs"])


if __name__ == "__main__":
    unittest.main(verbosity=2, warnings="ignore")
