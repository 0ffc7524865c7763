"""Wrong uses of liblstm: each is an error of Python, not a crash or another result.

Uses the standard library only. usage: test_misuse.py (with LIBLSTM and LIBMNIST set)
"""
import array
import copy
import pathlib
import pickle
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
import liblstm  # noqa: E402
from liblstm import mnist  # noqa: E402


class Memory:
    """An object with NumPy's array interface."""

    def __init__(self, values, shape, strides, readonly=False, code="f4", start=0):
        self.values = values
        self.__array_interface__ = {
            "version": 3, "typestr": ("<" if code == "f4" else "|") + code, "shape": shape,
            "strides": strides, "data": (values.buffer_info()[0] + start, readonly)}


class Misuse(unittest.TestCase):
    def refused(self, kind, text, function, *arguments, **options):
        with self.assertRaisesRegex(kind, text):
            function(*arguments, **options)

    def test_handles_are_not_copied(self):
        for handle in (liblstm.Tensor(2), liblstm.Layer(2, 3), mnist.Dataset.synthetic(1)):
            for copied in (copy.copy, copy.deepcopy, pickle.dumps):
                self.refused(TypeError, "cannot be copied or pickled", copied, handle)

    def test_read_only_memory_is_not_written(self):
        values = array.array("f", [1, 2, 3])
        tensor = liblstm.Tensor.wrap(Memory(values, (3,), None, True))
        part = tensor.narrow(0, 1, 2)
        for each in (tensor, part, liblstm.Tensor.wrap(tensor)):
            for function in (each.fill, each.copy, each.softmax, each.sigmoid):
                self.refused(ValueError, "read-only", function,
                             1 if function == each.fill else each)
            self.refused(ValueError, "read-only", liblstm.Rng(1).uniform, each)
            self.refused(ValueError, "read-only", liblstm.Params().add_tensor, "a", each)
        self.assertTrue(memoryview(tensor.__array_interface__["data"]).readonly)
        self.assertEqual(values.tolist(), [1, 2, 3])

    def test_views_of_other_programs_stay_valid_after_close(self):
        tensor = liblstm.Tensor(3)
        tensor.fill(5)
        view = tensor.__array_interface__
        tensor.close()
        others = [liblstm.Tensor(3) for _ in range(20)]
        self.assertEqual(memoryview(view["data"]).tobytes(),
                         array.array("f", [5, 5, 5]).tobytes())
        del others

    def test_outputs_have_their_own_elements(self):
        out = Memory(array.array("f", [0]), (2, 1, 3), (0, 0, 0))
        self.refused(ValueError, "element of its own", liblstm.Layer(2, 3).forward,
                     liblstm.Tensor(2, 1, 2), out=out)

    def test_a_workspace_is_contiguous(self):
        values = array.array("B", bytes(4096))
        layer = liblstm.Layer(2, 3)
        reverse = Memory(values, (2048,), (-1,), code="u1", start=2047)
        self.refused(ValueError, "contiguous", layer.set_workspace, reverse)
        self.refused(ValueError, r"expected \[size\]", layer.set_workspace,
                     Memory(values, (), None, code="u1"))

    def test_large_integers_do_not_lose_bits(self):
        logits, large = liblstm.Tensor(1, 3), 2**64 + 1
        loader = mnist.Loader(mnist.Dataset.synthetic(3), 2, shuffle=True)
        plateau = liblstm.Plateau(1.0)
        for function, *arguments in (
                (liblstm.CrossEntropy().forward, logits, [large]),
                (liblstm.CrossEntropy, "mean", None, large),
                (liblstm.Embedding(3, 2).forward, [large], liblstm.Tensor(1, 2)),
                (liblstm.Rng, large), (mnist.Dataset.synthetic, 3, large),
                (loader.start, large), (loader.restore, [2**32, 1, 2], 0),
                (setattr, plateau, "state", (1.0, True, 0.0, -1, 0))):
            self.refused(ValueError, "expected", function, *arguments)
        for seed in (1.5, "1", None):
            self.refused(TypeError, "expected an integer", liblstm.Rng, seed)

    def test_flags_are_true_or_false(self):
        layer = liblstm.Layer(2, 3)
        params = liblstm.Params(a=layer)
        for value in ("no", None, float("nan"), 2, []):
            for function, *arguments in (
                    (lambda v: liblstm.Layer(2, 3, batch_first=v), value),
                    (lambda v: liblstm.Adam(params, amsgrad=v), value),
                    (layer.train, value),
                    (params.set_trainable, "a.weight_ih_l0", value)):
                self.refused(TypeError, "expected True or False", function, *arguments)
        self.assertTrue(liblstm.Layer(2, 3, batch_first=1).config.batch_first)

    def test_other_types_are_named(self):
        layer = liblstm.Linear(2, 3)
        self.refused(TypeError, "source is 5", liblstm.File, 5)
        self.refused(TypeError, "prefix is 3, expected a str", liblstm.Params().add, 3, layer)
        self.refused(TypeError, "expected a dictionary", liblstm.Params(a=layer).save, "/x",
                     metadata=["a"])
        self.refused(ValueError, r"expected \[N, C\]", liblstm.Tensor(3).argmax)

    def test_nan_is_the_largest(self):
        tensor = liblstm.Tensor.wrap(Memory(
            array.array("f", [1, float("nan"), 3, 1, 2, 3]), (2, 3), None))
        self.assertEqual(tensor.argmax(), [1, 2])


if __name__ == "__main__":
    unittest.main()
