"""the package liblstm: arrays without copies, errors, handles freed once.

Uses the standard library only; tests that need NumPy are skipped without it.
"""
import array
import ctypes
import math
import os
import pathlib
import shutil
import subprocess
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
MODULES = ROOT / "examples" / "python"
sys.path[:0] = [str(MODULES), str(ROOT / "tests" / "support")]
import declarations  # noqa: E402
import liblstm  # noqa: E402
from liblstm import _c  # noqa: E402
from liblstm import mnist  # noqa: E402

try:
    import numpy
except ImportError:
    numpy = None
with_numpy = unittest.skipUnless(numpy, "NumPy is not installed")

SOME = [0.25 * i - 2.0 for i in range(24)]


def floats(values, *shape):
    """A float32 array of the standard library with this shape."""
    return memoryview(array.array("f", values)).cast("B").cast("f", shape)


def small_layer(**options):
    return liblstm.Layer(4, 5, layers=2, batch_first=True, rng=liblstm.Rng(3), **options)


class Arrays(unittest.TestCase):
    def test_a_new_tensor_is_zero(self):
        tensor = liblstm.Tensor(2, 3)
        self.assertEqual((tensor.shape, tensor.strides, len(tensor)), ((2, 3), (3, 1), 6))
        self.assertEqual(tensor.tolist(), [0.0] * 6)

    def test_arrays_of_the_standard_library_are_not_copied(self):
        out = floats([0.0] * 30, 2, 3, 5)
        small_layer().forward(floats(SOME, 2, 3, 4), out=out)
        tensor, x = liblstm.Tensor(2, 3, 5), liblstm.Tensor(2, 3, 4)
        x.copy(floats(SOME, 2, 3, 4))
        small_layer().forward(x, out=tensor)
        values = [value for rows in out.tolist() for row in rows for value in row]
        self.assertEqual(values, tensor.tolist())
        self.assertNotEqual(values, [0.0] * 30)

    def test_views_share_memory(self):
        tensor = liblstm.Tensor(2, 3, 4)
        last = tensor.select(1, 2)
        last.fill(7.0)
        self.assertEqual(tensor.tolist(), ([0.0] * 8 + [7.0] * 4) * 2)
        tensor.narrow(0, 0, 1).fill(1.0)
        self.assertEqual(last.tolist(), [1.0] * 4 + [7.0] * 4)

    @with_numpy
    def test_numpy_arrays_are_not_copied(self):
        array = numpy.arange(24, dtype=numpy.float32).reshape(2, 3, 4)
        tensor = liblstm.Tensor.wrap(array)
        array[1, 2, 3] = -1.0
        self.assertEqual(tensor.tolist()[-1], -1.0)
        tensor.fill(5.0)
        self.assertTrue((array == 5.0).all())
        again = numpy.asarray(tensor)
        self.assertEqual(again.__array_interface__["data"], array.__array_interface__["data"])

    @with_numpy
    def test_a_numpy_view_keeps_the_tensor_alive(self):
        view = numpy.asarray(liblstm.Tensor(1000, 1000))
        liblstm.Tensor(1000, 1000).fill(3.0)
        self.assertTrue((view == 0.0).all())

    @with_numpy
    def test_strides_of_any_sign_work(self):
        array = numpy.arange(48, dtype=numpy.float32).reshape(2, 3, 8) / 48
        for x in (array[:, :, ::2], array[:, ::-1, :4], array.transpose(0, 2, 1)[:, :3].copy(),
                  numpy.broadcast_to(array[:1, :, :4], (2, 3, 4))):
            x = x if x.shape == (2, 3, 4) else x[:, :, :1].repeat(4, axis=2)
            out, expected = (numpy.zeros((2, 3, 5), numpy.float32) for _ in range(2))
            small_layer().forward(x, out=out)
            small_layer().forward(numpy.ascontiguousarray(x), out=expected)
            self.assertTrue((out == expected).all())

    @with_numpy
    def test_argmax_equals_numpy(self):
        scores = numpy.random.default_rng(0).normal(size=(20, 10)).astype(numpy.float32)
        self.assertEqual(liblstm.Tensor.wrap(scores).argmax(), scores.argmax(1).tolist())


class Refused(unittest.TestCase):
    def test_a_shape_mismatch_reports_both_shapes(self):
        with self.assertRaisesRegex(liblstm.Error, r"\[2, 3, 5\].*\[N, T, 4\]") as caught:
            small_layer().forward(floats([0.0] * 30, 2, 3, 5))
        self.assertEqual(caught.exception.name, "LSTM_SHAPE_MISMATCH")

    def test_a_wrong_type_is_reported_with_its_shape(self):
        doubles = memoryview(array.array("d", SOME)).cast("B").cast("d", (2, 3, 4))
        with self.assertRaisesRegex(TypeError, r"x is float64 \[2, 3, 4\], expected float32"):
            small_layer().forward(doubles)
        with self.assertRaisesRegex(TypeError, "x is a list, expected an array"):
            small_layer().forward([1.0, 2.0])

    def test_the_number_of_targets_must_equal_the_number_of_rows(self):
        with self.assertRaisesRegex(ValueError, r"targets is int64 \[3\], expected \[2\]"):
            liblstm.CrossEntropy().forward(liblstm.Tensor(2, 4), [0, 1, 2])

    def test_the_number_of_lengths_must_equal_the_number_of_sequences(self):
        with self.assertRaisesRegex(ValueError, r"lengths is \[3\], expected \[2\]"):
            small_layer().forward(liblstm.Tensor(2, 3, 4), lengths=[1, 2, 3])

    def test_a_handle_of_the_wrong_type_is_refused(self):
        with self.assertRaisesRegex(TypeError, "expected a Rng, got a Tensor"):
            liblstm.Layer(4, 5, rng=liblstm.Tensor(1))

    @with_numpy
    def test_arrays_that_need_a_copy_are_refused(self):
        layer, out = small_layer(), numpy.zeros((2, 3, 5), numpy.float32)
        x = numpy.zeros((2, 3, 4), numpy.float32)
        mixed = numpy.zeros((2, 3, 4), [("a", numpy.float32), ("b", numpy.uint8)])["a"]
        for bad, text in ((x.astype(">f4"), r"x is >f4 \[2, 3, 4\], expected float32"),
                          (mixed, "with strides .* expected multiples of 4")):
            with self.assertRaisesRegex((TypeError, ValueError), text):
                layer.forward(bad, out=out)
        out.setflags(write=False)
        with self.assertRaisesRegex(ValueError, r"out is float32 \[2, 3, 5\] and read-only"):
            layer.forward(x, out=out)


class Handles(unittest.TestCase):
    def counting(self):
        """A tensor that records the calls of its destroy function."""
        freed = []

        def destroy(address):
            freed.append(address)
            _c.library.lstm_tensor_destroy(address)

        shape = (ctypes.c_size_t * 1)(2)
        pointer = _c.create("lstm_tensor_create", 1, shape)
        return liblstm.Tensor._from(pointer, destroy=destroy), freed

    def test_a_handle_is_freed_once(self):
        for end in (lambda handle: handle.close(), lambda handle: None):
            tensor, freed = self.counting()
            with tensor:
                end(tensor)
            end(tensor)
            del tensor
            self.assertEqual(len(freed), 1)

    def test_an_unreferenced_handle_is_freed(self):
        tensor, freed = self.counting()
        del tensor
        self.assertEqual(len(freed), 1)

    def test_using_a_closed_handle_is_an_error(self):
        layer = small_layer()
        layer.close()
        with self.assertRaisesRegex(ValueError, "Layer is closed"):
            layer.train()

    def test_closing_a_handle_closes_its_dependents(self):
        layer, linear = small_layer(), liblstm.Linear(5, 2)
        params = liblstm.Params(lstm=layer, fc=linear)
        adam = liblstm.Adam(params)
        value = params.value("fc.bias")
        layer.close()
        for closed in (params, adam, value):
            with self.assertRaises(ValueError):
                closed.pointer
        self.assertIsNotNone(linear.pointer)

    def test_a_handle_keeps_its_owners_alive(self):
        view = liblstm.Tensor(100, 100).select(0, 99)
        params = liblstm.Params(fc=liblstm.Linear(3, 2, liblstm.Rng(0)))
        bias = params.grad("fc.bias")
        del params
        bias.fill(2.0)
        self.assertEqual(bias.tolist(), [2.0, 2.0])
        self.assertEqual(view.tolist(), [0.0] * 100)

    def test_a_process_ends_with_open_handles(self):
        code = ("import liblstm; a = liblstm.Layer(4, 5, rng=liblstm.Rng(0), dropout=0.5, layers=2);"
                "p = liblstm.Params(a=a); b = liblstm.Adam(p); v = p.value('a.bias_ih_l0')")
        result = subprocess.run([sys.executable, "-c", code], cwd=MODULES, text=True,
                                capture_output=True)
        self.assertEqual((result.returncode, result.stderr), (0, ""))


class Objects(unittest.TestCase):
    def test_a_generator_continues_from_a_restored_state(self):
        rng = liblstm.Rng(1234)
        self.assertEqual(liblstm.Rng(1234).permutation(6), [3, 2, 4, 5, 1, 0])
        state = rng.state
        first = rng.next()
        rng.state = state
        self.assertEqual(rng.next(), first)
        with self.assertRaisesRegex(ValueError, "3 bytes, expected 2512"):
            rng.state = b"abc"

    def test_normal_numbers_equal_pytorch(self):
        numbers = liblstm.Tensor(5)
        liblstm.Rng(0).normal(numbers)
        self.assertAlmostEqual(numbers.tolist()[0], 1.5410, 4)
        self.assertAlmostEqual(numbers.tolist()[4], -1.0845, 4)

    def test_names_and_sizes_equal_pytorch(self):
        params = liblstm.Params(lstm=liblstm.Layer(28, 128, layers=2), fc=liblstm.Linear(128, 10))
        self.assertEqual(params.count, 214282)
        self.assertEqual(params.names()[0], "lstm.weight_ih_l0")
        self.assertEqual(params.names()[-1], "fc.bias")
        self.assertEqual(params.value("lstm.weight_hh_l1").shape, (512, 128))

    def test_a_linear_layer_without_bias_has_one_parameter(self):
        linear = liblstm.Linear(3, 2, liblstm.Rng(0), no_bias=True)
        self.assertEqual((linear.config.inputs, linear.config.outputs), (3, 2))
        self.assertTrue(linear.config.no_bias)
        self.assertEqual(liblstm.Params(fc=linear).names(), ["fc.weight"])

    def test_tensors_of_the_program_can_be_parameters(self):
        value, grad, mean = liblstm.Tensor(2, 3), liblstm.Tensor(2, 3), liblstm.Tensor(4)
        params = liblstm.Params()
        params.add_tensor("table", value, grad)
        params.add_tensor("mean", mean)
        adam = liblstm.Adam(params, lr=0.5)
        grad.fill(3.0)
        adam.step()
        self.assertAlmostEqual(value.tolist()[5], -0.5, 6)
        self.assertEqual(mean.tolist(), [0.0] * 4)
        self.assertEqual(params.grads().tolist(), [3.0] * 6 + [0.0] * 4)
        self.assertIsNone(params.grad("mean"))
        self.assertEqual((params.trainable("table"), params.trainable("mean")),
                         (True, False))
        with self.assertRaisesRegex(liblstm.Error, "memory of again is in the set already"):
            params.add_tensor("again", grad)
        mean.close()
        with self.assertRaisesRegex(ValueError, "closed"):
            params.names()

    def test_subclasses_of_layers_are_added_and_other_types_refused(self):
        class Mine(liblstm.Layer):
            pass

        params = liblstm.Params(a=Mine(2, 3), b=liblstm.Embedding(4, 2))
        self.assertEqual(params.names()[-1], "b.weight")
        with self.assertRaisesRegex(TypeError, "expected a Layer, .* got a Tensor"):
            params.add("c", liblstm.Tensor(2))
        with self.assertRaisesRegex(ValueError, "unknown parameter 'c', expected one of a"):
            params.value("c")

    def test_a_frozen_parameter_is_not_stepped(self):
        params = liblstm.Params(fc=liblstm.Linear(2, 1))
        params.set_grads(floats([3.0, 4.0, 1.0], 3))
        params.set_trainable("fc.bias", False)
        self.assertEqual(params.clip_norm(100.0), 5.0)
        liblstm.Adam(params, lr=0.5).step()
        values = params.values().tolist()
        self.assertAlmostEqual(values[0], -0.5, 6)
        self.assertEqual(values[2], 0.0)

    def test_values_can_be_copied_and_restored(self):
        params = liblstm.Params(fc=liblstm.Linear(3, 2, liblstm.Rng(0)))
        best = params.values()
        params.value("fc.weight").fill(9.0)
        params.set_values(best)
        self.assertEqual(params.values().tolist(), best.tolist())
        with self.assertRaisesRegex(ValueError, r"values is float32 \[7\], expected \[8\]"):
            params.set_values(liblstm.Tensor(7))

    def test_precision_is_selected_by_name(self):
        x, out = floats(SOME, 3, 2, 4), {}
        for name in "fp32", "int8", "bf16":
            layer = liblstm.Layer(4, 8, rng=liblstm.Rng(0), precision=name)
            memory = array.array("f", bytes(4 * 3 * 2 * 8))
            layer.forward(x, out=memoryview(memory).cast("B").cast("f", (3, 2, 8)))
            out[name] = list(memory)
        self.assertEqual(layer.config.precision, liblstm.BFLOAT16)
        self.assertNotEqual(out["fp32"], out["bf16"])
        self.assertNotEqual(out["fp32"], out["int8"])
        largest = max(abs(a - b) for a, b in zip(out["fp32"], out["int8"]))
        self.assertLess(largest, 0.01)
        with self.assertRaisesRegex(ValueError, "precision is 'fp16'"):
            liblstm.Layer(4, 8, precision="fp16")

    def test_int8_has_no_training(self):
        layer = liblstm.Layer(4, 8, rng=liblstm.Rng(0), precision=liblstm.INT8)
        self.assertEqual(layer.config.precision, liblstm.INT8)
        self.assertIn("precision='int8'", repr(layer))
        with self.assertRaisesRegex(liblstm.Error, "precision is int8, which has no training"):
            layer.train()
        layer.train(False)

    def test_training_lowers_the_loss(self):
        layer, linear = small_layer(), liblstm.Linear(5, 3, liblstm.Rng(1))
        params, loss = liblstm.Params(lstm=layer, fc=linear), liblstm.CrossEntropy()
        adam = liblstm.Adam(params, lr=0.05)
        x, targets = floats(SOME, 2, 3, 4), [2, 0]
        hn, dhn = liblstm.Tensor(2, 2, 5), liblstm.Tensor(2, 2, 5)
        logits, dlogits = liblstm.Tensor(2, 3), liblstm.Tensor(2, 3)
        values = []
        for _ in range(30):
            layer.forward(x, hn=hn)
            linear.forward(hn.select(0, 1), logits)
            values.append(loss.forward(logits, targets))
            loss.backward(dlogits)
            params.zero_grad()
            linear.backward(dlogits, dhn.select(0, 1))
            layer.backward(dhn=dhn)
            self.assertGreater(params.clip_norm(1.0), 0.0)
            adam.step()
        self.assertLess(values[-1], values[0] / 4)
        self.assertEqual((adam.steps, adam.lr), (30, 0.05))
        self.assertEqual(logits.argmax(), targets)

    def test_saved_values_are_loaded(self):
        with tempfile.TemporaryDirectory() as folder:
            path = os.path.join(folder, "model.safetensors")
            saved = liblstm.Params(lstm=small_layer())
            saved.save(path)
            loaded = liblstm.Params(lstm=liblstm.Layer(4, 5, layers=2))
            loaded.load(path)
            for name in saved.names():
                self.assertEqual(loaded.value(name).tolist(), saved.value(name).tolist())
            with self.assertRaisesRegex(liblstm.Error, "absent"):
                loaded.load(os.path.join(folder, "absent"))

    def test_threads_and_names(self):
        liblstm.set_threads(3)
        self.assertEqual(liblstm.threads(), 3)
        liblstm.set_threads(0)
        with self.assertRaises(liblstm.Error):
            liblstm.set_threads(liblstm.MAX_THREADS + 1)
        name = liblstm.kernels_name()
        sets = ("avx512bf16", "avx512", "avx2", "neon", "generic")
        self.assertIn(name, sets)
        liblstm.set_reproducible()
        self.assertEqual(liblstm.kernels_name(), name)
        liblstm.set_reproducible(False)
        self.assertRegex(liblstm.version(), r"\d+\.\d+\.\d+")
        self.assertEqual(liblstm.__version__, liblstm.version())


class Streaming(unittest.TestCase):
    def test_a_stream_equals_a_forward_bit_for_bit(self):
        layer = small_layer()
        layer.train(False)
        out = floats([0.0] * 30, 2, 3, 5)
        x = floats(SOME, 2, 3, 4)
        layer.forward(x, out=out)
        stream, y = liblstm.Stream(layer, batch=2), liblstm.Tensor(2, 5)
        whole = liblstm.Tensor.wrap(x)
        for step in range(3):
            stream.step(whole.select(1, step), y)
            expected = liblstm.Tensor.wrap(out).select(1, step).tolist()
            self.assertEqual(y.tolist(), expected)
        h, c = liblstm.Tensor(2, 2, 5), liblstm.Tensor(2, 2, 5)
        stream.get_state(h, c)
        stream.reset([True, False])
        stream.set_state(h, c)
        again = liblstm.Tensor(2, 2, 5)
        stream.get_state(again)
        self.assertEqual(again.tolist(), h.tolist())
        self.assertEqual(h.select(0, 1).tolist(), y.tolist())
        with self.assertRaisesRegex(ValueError, r"rows is \[3\], expected \[2\]"):
            stream.reset([True] * 3)

    def test_weights_convert_to_a_layout_and_back(self):
        source, target = small_layer(), liblstm.Layer(4, 5, layers=2, batch_first=True)
        for index, inputs in enumerate((4, 5)):
            arrays = [floats([0.0] * count * 20, *shape) for count, shape in (
                (inputs, (inputs, 20)), (5, (5, 20)), (1, (20,)))]
            source.get_weights(index, 0, liblstm.KERAS, *arrays)
            target.set_weights(index, 0, liblstm.KERAS, *arrays)
        a, b = liblstm.Tensor(2, 3, 5), liblstm.Tensor(2, 3, 5)
        source.forward(floats(SOME, 2, 3, 4), out=a)
        target.forward(floats(SOME, 2, 3, 4), out=b)
        self.assertEqual(a.tolist(), b.tolist())
        message = r"input is float32 \[4, 20\], expected \[20, 4\]"
        with self.assertRaisesRegex(ValueError, message):
            source.get_weights(0, 0, liblstm.PYTORCH, floats([0.0] * 80, 4, 20))


class Library(unittest.TestCase):
    def test_every_exported_function_has_a_prototype(self):
        names = {*_c.CHECKED, *_c.OTHERS,
                 *(f"lstm_{name}_destroy" for name in _c.DESTROYED)}
        self.assertEqual(names, set(declarations.functions("lstm")))

    def test_a_missing_library_error_lists_the_searched_paths(self):
        with tempfile.TemporaryDirectory() as folder:
            modules = pathlib.Path(folder) / "examples" / "python"
            shutil.copytree(MODULES, modules)
            environment = {name: value for name, value in os.environ.items()
                           if name != "LIBLSTM"}
            code = ("import os; os.environ['LIBLSTM'] = library; "
                    "from liblstm import _native; _native.load('nolstm', 'NOLSTM')")
            code = f"library = {_c.library._name!r}; {code}"
            result = subprocess.run([sys.executable, "-c", code], cwd=modules, text=True,
                                    capture_output=True, env=environment)
        self.assertIn(f"in $NOLSTM (not set), {folder}/build*/lib/nolstm/libnolstm.so.1",
                      result.stderr)

    def test_the_environment_selects_the_library(self):
        result = subprocess.run([sys.executable, "-c", "import liblstm"], cwd=MODULES, text=True,
                                capture_output=True,
                                env={**os.environ, "LIBLSTM": "/no/such/library"})
        self.assertIn("/no/such/library", result.stderr)

    def test_losses_accept_weights_ignored_rows_and_probabilities(self):
        logits, dlogits = liblstm.Tensor(2, 2), liblstm.Tensor(2, 2)
        loss = liblstm.CrossEntropy(class_weights=[1.0, 3.0], ignore_index=-100,
                                 label_smoothing=0.5)
        value = loss.forward(logits, [1, -100])
        self.assertAlmostEqual(value, math.log(2) * (0.5 * 3 + 0.25 * 4) / 3, places=6)
        loss.backward(dlogits)
        self.assertAlmostEqual(loss.forward_probabilities(logits, logits),
                               math.log(2) * 0.25 * 4, places=6)

    def test_checkpoints_contain_optimiser_generator_and_metadata(self):
        rng = liblstm.Rng(1)
        layer, params = liblstm.Layer(3, 4, rng=rng), liblstm.Params()
        params.add("lstm", layer)
        adam = liblstm.Adam(params, lr=0.5)
        adam.step()
        with tempfile.TemporaryDirectory() as folder:
            path = pathlib.Path(folder, "model.safetensors")
            params.save(path, adam, rng, {"lstm.": "rnn."}, {"note": "hello"})
            drawn = rng.next()
            adam.step()
            self.assertEqual(params.load(path, adam, rng, {"lstm.": "rnn."}), 0)
            self.assertEqual((adam.steps, rng.next()), (1, drawn))
            self.assertEqual(liblstm.file_metadata(path, "note"), "hello")
            self.assertEqual(liblstm.Layer.load(path, "rnn").config.hidden, 4)
            with self.assertRaises(liblstm.Error):
                params.load(path)

    def test_schedules_depend_on_the_step_only(self):
        rates = [*map(liblstm.Schedule("multi_step", 1.0, milestones=[2, 3]), range(4))]
        self.assertEqual([round(rate, 9) for rate in rates], [1.0, 1.0, 0.1, 0.01])
        plateau = liblstm.Plateau(lr=1.0, patience=1, factor=0.5)
        self.assertEqual([plateau.update(1.0) for _ in range(3)], [1.0, 1.0, 0.5])

    def test_structures_equal_those_in_c(self):
        try:
            import cffi
        except ImportError:
            self.skipTest("cffi is not installed")
        for library, module in (("lstm", _c), ("mnist", mnist)):
            ffi = cffi.FFI()
            ffi.cdef(declarations.cdef(library))
            structures = [kind for kind in vars(module).values() if isinstance(kind, type)
                          and issubclass(kind, ctypes.Structure)]
            self.assertGreater(len(structures), 1)
            for structure in structures:
                c_name = structure.__doc__.split(":")[0].rstrip(".")
                offsets = [(name, field.offset) for name, field in ffi.typeof(c_name).fields]
                self.assertEqual([(name, getattr(structure, name).offset)
                                  for name, _ in structure._fields_], offsets)
                self.assertEqual(ctypes.sizeof(structure), ffi.sizeof(c_name))


if __name__ == "__main__":
    unittest.main(verbosity=2)
