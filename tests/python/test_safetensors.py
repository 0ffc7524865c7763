"""Compares files of liblstm with the reference implementation of safetensors.

usage: test_safetensors.py (with LIBLSTM in the environment)
"""
import json
import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
try:
    import numpy
    import safetensors
    import safetensors.numpy
except ImportError as missing:
    print(f"skipped: {missing.name} is not installed")
    sys.exit(77)
import liblstm  # noqa: E402


class Files(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "model.safetensors")
        self.rng = liblstm.Rng(1)
        self.layer = liblstm.Layer(5, 6, layers=2, bidirectional=True, rng=self.rng)
        self.linear = liblstm.Linear(12, 3, self.rng)
        self.params = liblstm.Params()
        self.params.add("lstm", self.layer)
        self.params.add("fc", self.linear)
        self.adam = liblstm.Adam(self.params)

    def state(self, params=None):
        """Parameter values as NumPy views."""
        params = params or self.params
        return {name: numpy.asarray(params.value(name)) for name in params.names()}

    def test_the_reference_reads_our_files(self):
        self.params.save(self.path, self.adam, self.rng, metadata={"format": "np",
                                                                   "text": "\u00e9\"\n"})
        read = safetensors.numpy.load_file(self.path)
        for name, value in self.state().items():
            numpy.testing.assert_array_equal(read.pop(name), value)
        self.assertEqual(len(read), 2 * len(self.state()))
        with safetensors.safe_open(self.path, "numpy") as file:
            self.assertEqual(file.metadata()["format"], "np")
            self.assertEqual(file.metadata()["text"], "\u00e9\"\n")
            self.assertEqual(json.loads(file.metadata()["lstm.layer.lstm"])["hidden"], 6)

    def test_what_the_reference_writes_anew_keeps_its_checksums(self):
        """Tensors and metadata of models and checkpoints, in the order of the reference."""
        for adam, rng in ((None, None), (self.adam, self.rng)):
            self.params.save(self.path, adam, rng, metadata={"text": "\u00e9\"\n"})
            with safetensors.safe_open(self.path, "numpy") as file:
                metadata = file.metadata()
                tensors = {name: file.get_tensor(name) for name in file.keys()}
            first = self.path.read_bytes()
            self.path.unlink()
            safetensors.numpy.save_file(tensors, self.path, metadata=metadata)
            self.assertNotEqual(self.path.read_bytes(), first)
            self.assertIn("lstm.checksum", liblstm.File(self.path).metadata())
            self.assertEqual(self.params.load(self.path, adam, rng), 0)
            self.assertEqual(liblstm.Layer.load(self.path).config.hidden, 6)
            # The checksum is checked: it does not match another value.
            metadata["text"] = "other"
            safetensors.numpy.save_file(tensors, self.path, metadata=metadata)
            with self.assertRaisesRegex(liblstm.Error, "checksum of the header"):
                self.params.load(self.path, adam, rng)

    def test_we_read_files_of_the_reference(self):
        for dtype, converted in ((numpy.float32, 0), (numpy.float64, 18),
                                 (numpy.float16, 18)):
            wanted = {name: (value * 3).astype(dtype) for name, value in self.state().items()}
            safetensors.numpy.save_file(wanted, self.path, metadata={"format": "np"})
            self.assertEqual(self.params.load(self.path), converted)
            for name, value in self.state().items():
                numpy.testing.assert_array_equal(value, wanted[name].astype(numpy.float32))

    def test_layers_load_from_files_of_the_reference(self):
        """Without metadata, names and shapes determine the options."""
        wanted = self.state()
        safetensors.numpy.save_file(wanted, self.path)
        layer, linear = liblstm.Layer.load(self.path, "lstm"), liblstm.Linear.load(self.path, "fc")
        config = layer.config
        self.assertEqual((config.inputs, config.hidden, config.layers, config.bidirectional),
                         (5, 6, 2, True))
        params = liblstm.Params()
        params.add("lstm", layer)
        params.add("fc", linear)
        for name, value in self.state(params).items():
            numpy.testing.assert_array_equal(value, wanted.pop(name))
        self.assertEqual(wanted, {})

    def test_every_float16_and_bfloat16_is_converted_exactly(self):
        """All 65,536 values of each type, compared with NumPy's conversion and a shift."""
        linear, params = liblstm.Linear(255, 256), liblstm.Params()
        params.add("w", linear)
        bits = numpy.arange(65536, dtype=numpy.uint16)
        wide = {"F16": bits.view(numpy.float16).astype(numpy.float32),
                "BF16": (bits.astype(numpy.uint32) << 16).view(numpy.float32)}
        for name, expected in wide.items():
            header = json.dumps({
                "w.weight": {"dtype": name, "shape": [256, 255], "data_offsets": [0, 130560]},
                "w.bias": {"dtype": name, "shape": [256], "data_offsets": [130560, 131072]},
            }).encode()
            self.path.write_bytes(struct.pack("<Q", len(header)) + header + bits.tobytes())
            self.assertEqual(params.load(self.path), 2)
            read = numpy.concatenate([value.ravel()
                                      for value in self.state(params).values()])
            numpy.testing.assert_array_equal(read, expected)
            finite = ~numpy.isnan(expected)
            numpy.testing.assert_array_equal(numpy.signbit(read[finite]),
                                             numpy.signbit(expected[finite]))

    def test_int8_has_the_values_of_its_definition(self):
        """docs/numerics.md in NumPy: q and the scales bit for bit, outputs in double precision."""
        random = numpy.random.default_rng(3)
        layer = liblstm.Layer(5, 7, precision="int8", rng=liblstm.Rng(1), batch_first=True)
        params = liblstm.Params(lstm=layer)
        for value in self.state(params).values():
            sizes = 2.0 ** random.integers(-8, 2, (len(value),) + (1,) * (value.ndim - 1))
            value[...] = random.uniform(-1, 1, value.shape) * sizes
        exact, state = {}, self.state(params)
        params.save(self.path)
        saved = safetensors.numpy.load_file(self.path)
        for name, value in state.items():
            if value.ndim == 1:
                exact[name] = value.astype(float)
                numpy.testing.assert_array_equal(saved[name], value)
                continue
            scale = numpy.abs(value).max(axis=1) / numpy.float32(127)
            scale = (scale.view(numpy.uint32) & ~numpy.uint32(127)).view(numpy.float32)
            q = numpy.rint(value / scale[:, None]).astype(numpy.int8)
            self.assertEqual(saved[name].dtype, numpy.int8)
            numpy.testing.assert_array_equal(saved[name], q)
            numpy.testing.assert_array_equal(saved[name + "_scale"], scale)
            exact[name] = q.astype(float) * scale[:, None]
        x = random.uniform(-1, 1, (2, 9, 5)).astype(numpy.float32)
        out = numpy.zeros((2, 9, 7), numpy.float32)
        layer.forward(x, out=out)
        again = numpy.zeros_like(out)
        liblstm.Layer.load(self.path).forward(x, out=again)
        numpy.testing.assert_array_equal(again, out)
        h, c = numpy.zeros((2, 7)), numpy.zeros((2, 7))
        for step in range(9):
            z = (x[:, step] @ exact["lstm.weight_ih_l0"].T + exact["lstm.bias_ih_l0"] +
                 h @ exact["lstm.weight_hh_l0"].T + exact["lstm.bias_hh_l0"])
            i, f, g, o = numpy.split(z, 4, axis=1)
            i, f, o = (1 / (1 + numpy.exp(-gate)) for gate in (i, f, o))
            c = f * c + i * numpy.tanh(g)
            h = o * numpy.tanh(c)
            numpy.testing.assert_allclose(out[:, step], h, rtol=0, atol=2e-4)

    def test_files_that_the_reference_refuses_are_refused(self):
        """Replaces bytes of the header; whatever liblstm loads, the reference loads too."""
        self.params.save(self.path)
        data = self.path.read_bytes()
        end = 8 + struct.unpack("<Q", data[:8])[0]
        for position in range(0, end, 3):
            for byte in b'\x00"9{x':
                changed = data[:position] + bytes([byte]) + data[position + 1:]
                # Some file systems sync a file that is truncated and rewritten.
                self.path.unlink()
                self.path.write_bytes(changed)
                try:
                    self.params.load(self.path)
                except liblstm.Error:
                    continue
                safetensors.numpy.load(changed)


if __name__ == "__main__":
    unittest.main(verbosity=2)
