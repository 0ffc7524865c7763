"""Functions of tensors, losses, embeddings and tapes through the package liblstm."""
import array
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
import liblstm  # noqa: E402


def floats(values, *shape):
    """A float32 array of the standard library with this shape."""
    return memoryview(array.array("f", values)).cast("B").cast("f", shape)


class Functions(unittest.TestCase):
    def test_tensors_have_views_softmax_and_sigmoid(self):
        x = liblstm.Tensor(2, 3)
        flat = x.reshape(6)
        flat.fill(2.0)
        x.softmax(x)
        self.assertAlmostEqual(flat.tolist()[4], 1 / 3, 6)
        x.sigmoid(liblstm.Tensor(2, 3))
        self.assertEqual((x.reshape(3, 1, 2).shape, flat.tolist()), ((3, 1, 2), [0.5] * 6))
        with self.assertRaisesRegex(liblstm.Error, "the strides of .* allow no view"):
            x.narrow(1, 0, 2).reshape(4)

    def test_losses_of_elements_have_a_mask(self):
        x, target = floats([1, 2, 3, float("nan")], 2, 2), floats([0, 0, 1, 1], 2, 2)
        mask, dx = floats([1, 1, 1, 0], 2, 2), liblstm.Tensor(2, 2)
        self.assertEqual(liblstm.mse(x, target, mask=mask), 3.0)
        self.assertEqual(liblstm.mse(x, target, mask=mask, reduction=liblstm.NONE),
                         [1.0, 4.0, 4.0, 0.0])
        liblstm.mse_backward(x, target, dx, 3.0, mask=mask)
        self.assertEqual(dx.tolist(), [2.0, 4.0, 4.0, 0.0])
        zeros = liblstm.Tensor(2, 2)
        self.assertAlmostEqual(liblstm.bce(zeros, target, reduction=liblstm.SUM,
                                        pos_weight=[1.0, 3.0]), 6 * 0.693147, 5)
        liblstm.bce_backward(zeros, target, dx, reduction=liblstm.SUM, pos_weight=[1.0, 3.0])
        self.assertEqual(dx.tolist(), [0.5, 0.5, -0.5, -1.5])
        with self.assertRaisesRegex(liblstm.Error, "classes is 1, expected 2"):
            liblstm.bce(zeros, target, pos_weight=[1.0])
        with self.assertRaisesRegex(ValueError, r"dvalue is \[2\], expected \[4\]"):
            liblstm.mse_backward(x, target, dx, [1.0, 2.0], reduction=liblstm.NONE)

    def test_the_cross_entropy_takes_a_target_at_each_step(self):
        loss, logits = liblstm.CrossEntropy(liblstm.NONE, ignore_index=-1), liblstm.Tensor(2, 3, 4)
        targets = memoryview(array.array("q", [0, 1, -1, 2, 3, -1])).cast("B")
        values = loss.forward(logits, targets.cast("q", (2, 3)))
        self.assertEqual([round(value, 5) for value in values],
                         [1.38629, 1.38629, 0.0, 1.38629, 1.38629, 0.0])
        dlogits = liblstm.Tensor(2, 3, 4)
        loss.backward(dlogits, [1.0] * 6)
        self.assertEqual(dlogits.tolist()[:4], [-0.75, 0.25, 0.25, 0.25])

    def test_an_embedding_gives_rows_of_its_table(self):
        table = liblstm.Embedding(5, 3, liblstm.Rng(0), padding_index=0)
        params, y = liblstm.Params(words=table), liblstm.Tensor(4, 3)
        self.assertEqual(params.names(), ["words.weight"])
        self.assertEqual(params.value("words.weight").shape, (5, 3))
        table.forward([0, 2, 2, 4], y)
        rows = params.value("words.weight").tolist()
        self.assertEqual(y.tolist(), [0.0] * 3 + rows[6:9] * 2 + rows[12:])
        y.fill(1.0)
        table.backward(y)
        self.assertEqual(params.grads().tolist(),
                         [0.0] * 6 + [2.0] * 3 + [0.0] * 3 + [1.0] * 3)
        with self.assertRaisesRegex(liblstm.Error, "index at position 1 is 5"):
            table.forward([0, 5, 0, 0], y)
        with self.assertRaisesRegex(ValueError, r"indices is int64 \[3\]"):
            table.forward([0, 1, 2], y)

    def test_tapes_keep_several_forwards_pending(self):
        rng, x = liblstm.Rng(1), [liblstm.Tensor(3, 2, 4) for _ in range(2)]
        layer = liblstm.Layer(4, 5, rng=rng, bidirectional=True)
        params = liblstm.Params(lstm=layer)
        out, dout = (liblstm.Tensor(3, 2, layer.output_size) for _ in range(2))
        self.assertEqual(layer.output_size, 10)
        dout.fill(1.0)
        expected = []
        for tensor in x:
            rng.uniform(tensor, -1, 1)
            params.zero_grad()
            layer.forward(tensor, out=out)
            layer.backward(dout=dout)
            expected.append(params.grads().tolist())
        tapes = [liblstm.Tape(layer), liblstm.Tape(layer)]
        layer.pack()
        for tensor, tape in zip(x, tapes):
            layer.forward(tensor, out=out, tape=tape)
        gates = liblstm.Tensor(3, 2, 20)
        layer.gates(gates, direction=1, tape=tapes[0])
        self.assertTrue(all(0 < gate < 1 for gate in gates.select(2, 0).tolist()))
        for index in (1, 0):
            params.zero_grad()
            layer.backward(dout=dout, tape=tapes[index])
            self.assertEqual(params.grads().tolist(), expected[index])
        with self.assertRaisesRegex(liblstm.Error, "no pending forward"):
            layer.backward(dout=dout, tape=tapes[0])
        with self.assertRaisesRegex(liblstm.Error, "another layer"):
            liblstm.Layer(4, 5).forward(x[0], tape=tapes[0])
        layer.close()
        with self.assertRaisesRegex(ValueError, "Tape is closed"):
            tapes[0].pointer


if __name__ == "__main__":
    unittest.main(verbosity=2)
