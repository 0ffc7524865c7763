"""Calls every exported function of both libraries through cffi, with the declarations in
the headers.

usage: test_cffi.py LIBLSTM LIBMNIST
"""
import pathlib
import struct
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import declarations  # noqa: E402

try:
    import cffi
except ImportError:
    print("skipped: cffi is not installed")
    sys.exit(77)

FFI, PATHS = cffi.FFI(), {}


class Library:
    """A library that records the names of called functions."""

    def __init__(self, name):
        FFI.cdef(declarations.cdef(name))
        self.library, self.name, self.called = FFI.dlopen(PATHS[name]), name, set()

    def __getattr__(self, name):
        self.called.add(name)
        return getattr(self.library, name)

    def make(self, kind, *arguments, verb="create"):
        """Creates an object of a kind; returns the address of its handle."""
        address = FFI.new(f"{kind} **")
        status = getattr(self, f"{kind}_{verb}")(address, *arguments)
        if status != 0:
            raise AssertionError(FFI.string(getattr(self, f"{self.name}_last_error")()))
        return address

    def destroy(self, kind, address):
        getattr(self, f"{kind}_destroy")(address)
        assert address[0] == FFI.NULL


class Lstm(unittest.TestCase):
    def setUp(self):
        self.c = Library("lstm")

    def ok(self, status):
        self.assertEqual(status, 0, FFI.string(self.c.lstm_last_error()))

    def tensor(self, *shape):
        return self.c.make("lstm_tensor", len(shape), list(shape))[0]

    def test_every_function(self):
        self.general()
        self.tensors()
        self.generator()
        self.network()
        self.assertEqual(self.c.called, set(declarations.functions("lstm")))

    def general(self):
        c = self.c
        self.assertRegex(FFI.string(c.lstm_version()).decode(), r"\d+\.\d+\.\d+")
        self.assertEqual(FFI.string(c.lstm_status_name(2)), b"LSTM_SHAPE_MISMATCH")
        self.ok(c.lstm_set_threads(2))
        self.assertEqual(c.lstm_threads(), 2)
        self.assertIn(b"a", FFI.string(c.lstm_kernels_name()) + b"a")
        c.lstm_set_reproducible(True)

    def tensors(self):
        c = self.c
        owner = c.make("lstm_tensor", 2, [2, 3])
        self.ok(c.lstm_tensor_fill(owner[0], 2.0))
        memory = FFI.new("float[6]")
        wrapped = c.make("lstm_tensor", memory, 2, [2, 3], [3, 1], verb="wrap")
        self.ok(c.lstm_tensor_copy(wrapped[0], owner[0]))
        self.assertEqual(list(memory), [2.0] * 6)
        row = c.make("lstm_tensor", wrapped[0], 0, 1, verb="select")
        column = c.make("lstm_tensor", wrapped[0], 1, 2, 1, verb="narrow")
        self.assertEqual(c.lstm_tensor_data(row[0]), memory + 3)
        self.assertEqual((c.lstm_tensor_rank(row[0]), c.lstm_tensor_rank(column[0])), (1, 2))
        self.assertEqual(c.lstm_tensor_extent(column[0], 1), 1)
        self.assertEqual(c.lstm_tensor_stride(column[0], 0), 3)
        self.assertEqual(c.lstm_tensor_count(column[0]), 2)
        flat = c.make("lstm_tensor", owner[0], 1, [6], verb="reshape")
        self.ok(c.lstm_tensor_softmax(owner[0], owner[0]))
        self.ok(c.lstm_tensor_sigmoid(flat[0], flat[0]))
        for address in (flat, row, column, wrapped, owner):
            c.destroy("lstm_tensor", address)

    def generator(self):
        c = self.c
        rng = c.make("lstm_rng", 1234)
        order = FFI.new("int64_t[6]")
        self.ok(c.lstm_rng_permutation(rng[0], order, 6))
        self.assertEqual(list(order), [3, 2, 4, 5, 1, 0])
        state = FFI.new("uint8_t[]", c.LSTM_RNG_STATE_SIZE)
        c.called.discard("LSTM_RNG_STATE_SIZE")
        self.ok(c.lstm_rng_get_state(rng[0], state))
        first = c.lstm_rng_next(rng[0])
        self.ok(c.lstm_rng_set_state(rng[0], state))
        self.assertEqual(c.lstm_rng_next(rng[0]), first)
        tensor = self.tensor(5)
        self.ok(c.lstm_rng_uniform(rng[0], tensor, 1.0, 2.0))
        self.assertTrue(1.0 <= c.lstm_tensor_data(tensor)[4] <= 2.0)
        self.ok(c.lstm_rng_normal(rng[0], tensor, 3.0, 0.0))
        self.assertEqual(c.lstm_tensor_data(tensor)[4], 3.0)
        c.destroy("lstm_rng", rng)

    def network(self):
        c = self.c
        rng = c.make("lstm_rng", 0)
        config = FFI.new("lstm_layer_config *", {"inputs": 3, "hidden": 4})
        layer = c.make("lstm_layer", config, rng[0])
        sizes = FFI.new("lstm_linear_config *", {"inputs": 4, "outputs": 2})
        linear = c.make("lstm_linear", sizes, rng[0])
        self.assertEqual(c.lstm_linear_get_config(linear[0]).outputs, 2)
        params = c.make("lstm_params")
        self.ok(c.lstm_params_add_layer(params[0], b"lstm", layer[0]))
        self.ok(c.lstm_params_add_linear(params[0], b"fc", linear[0]))
        loss = c.make("lstm_cross_entropy", FFI.NULL)
        adam = c.make("lstm_adam", params[0], FFI.NULL)
        self.assertEqual(c.lstm_layer_get_config(layer[0]).hidden, 4)
        self.assertEqual((c.lstm_params_size(params[0]), c.lstm_params_count(params[0])),
                         (6, 4 * 4 * (3 + 4 + 2) + 2 * 5))
        self.assertEqual(FFI.string(c.lstm_params_name(params[0], 5)), b"fc.bias")
        values = [self.step(layer[0], linear[0], params[0], loss[0], adam[0])
                  for _ in range(20)]
        self.assertLess(values[-1], values[0])
        self.optimiser(params[0], adam[0])
        self.own_parameters(params[0])
        self.lengths(layer[0])
        self.tapes(layer[0])
        self.workspace(layer[0])
        self.weights(layer[0])
        self.stream(layer[0], linear[0])
        self.files(params[0], adam[0], rng[0])
        for kind, address in (("adam", adam), ("cross_entropy", loss), ("params", params),
                              ("linear", linear), ("layer", layer), ("rng", rng)):
            c.destroy(f"lstm_{kind}", address)

    def step(self, layer, linear, params, loss, adam):
        c, null = self.c, FFI.NULL
        x, out, dout = self.tensor(5, 2, 3), self.tensor(5, 2, 4), self.tensor(5, 2, 4)
        last, dlast = (c.make("lstm_tensor", of, 0, 4, verb="select")[0]
                       for of in (out, dout))
        logits, dlogits = self.tensor(2, 2), self.tensor(2, 2)
        value = FFI.new("float *")
        self.ok(c.lstm_tensor_fill(x, 0.5))
        self.ok(c.lstm_layer_set_training(layer, True))
        self.ok(c.lstm_layer_forward(layer, null, x, null, null, null, out, null, null))
        self.ok(c.lstm_linear_forward(linear, last, logits))
        self.ok(c.lstm_cross_entropy_forward(loss, logits, [1, 1], value))
        self.ok(c.lstm_cross_entropy_forward_probabilities(loss, logits, dlogits, value))
        self.ok(c.lstm_cross_entropy_forward(loss, logits, [1, 1], value))
        self.ok(c.lstm_cross_entropy_backward(loss, null, dlogits))
        for name in "mse", "bce":
            forward = getattr(c, f"lstm_{name}_forward")
            backward = getattr(c, f"lstm_{name}_backward")
            self.ok(forward(logits, dlogits, FFI.new("lstm_loss_options *"), value))
            self.ok(backward(logits, dlogits, null, null, self.tensor(2, 2)))
        self.ok(c.lstm_cross_entropy_forward(loss, logits, [1, 1], value))
        self.ok(c.lstm_params_zero_grad(params))
        self.ok(c.lstm_linear_backward(linear, dlogits, dlast))
        self.ok(c.lstm_layer_backward(layer, null, dout, null, null, null, null, null))
        self.ok(c.lstm_adam_step(adam))
        return value[0]

    def own_parameters(self, params):
        c, count = self.c, self.c.lstm_params_count(params)
        values, grads = FFI.new("float[]", count), FFI.new("float[]", count)
        self.ok(c.lstm_params_get_values(params, values))
        self.ok(c.lstm_params_set_values(params, values))
        self.ok(c.lstm_params_get_grads(params, grads))
        self.ok(c.lstm_params_set_grads(params, grads))
        self.ok(c.lstm_params_set_trainable(params, 1, False))
        self.assertFalse(c.lstm_params_trainable(params, 1))
        self.ok(c.lstm_params_set_trainable(params, 1, True))
        other = c.make("lstm_params")
        config = FFI.new("lstm_embedding_config *", {"count": 5, "size": 3})
        embedding = c.make("lstm_embedding", config, FFI.NULL)
        y = self.tensor(2, 3)
        self.ok(c.lstm_params_add_embedding(other[0], b"table", embedding[0]))
        self.ok(c.lstm_embedding_forward(embedding[0], [4, 0], y))
        self.ok(c.lstm_embedding_backward(embedding[0], y))
        mean = c.make("lstm_tensor", 1, [3])
        self.ok(c.lstm_params_add_tensor(other[0], b"mean", mean[0], FFI.NULL))
        c.destroy("lstm_params", other)
        c.destroy("lstm_embedding", embedding)
        c.destroy("lstm_tensor", mean)

    def optimiser(self, params, adam):
        c, norm = self.c, FFI.new("double *")
        self.assertEqual((c.lstm_adam_steps(adam), c.lstm_adam_lr(adam)), (20, 0.001))
        self.ok(c.lstm_adam_set_lr(adam, 0.5))
        self.ok(c.lstm_params_clip_norm(params, float("inf"), norm))
        self.assertGreater(norm[0], 0.0)
        self.ok(c.lstm_params_clip_value(params, 0.5))
        self.ok(c.lstm_adam_set_parameter(adam, 5, 0.5, 0.0))
        schedule = FFI.new("lstm_schedule *", {"lr": 3.0})
        self.ok(c.lstm_schedule_lr(schedule, 5, norm))
        self.assertEqual(norm[0], 3.0)
        plateau = FFI.new("lstm_plateau *", {"lr": 0.5})
        self.ok(c.lstm_plateau_update(plateau, 1.0))
        self.assertEqual(c.lstm_tensor_count(c.lstm_params_grad(params, 5)), 2)
        self.assertEqual(c.lstm_tensor_count(c.lstm_params_value(params, 4)), 8)

    def lengths(self, layer, tape=FFI.NULL):
        out = self.tensor(5, 2, 4)
        null = FFI.NULL
        self.ok(self.c.lstm_layer_forward(layer, tape, self.tensor(5, 2, 3), [5, 1], null,
                                          null, out, null, null))
        self.assertEqual(self.c.lstm_tensor_data(out)[39], 0.0)

    def tapes(self, layer):
        c, gates, null = self.c, self.tensor(5, 2, 16), FFI.NULL
        self.assertEqual(c.lstm_layer_output_size(layer), 4)
        tape = c.make("lstm_tape", layer, null)
        self.ok(c.lstm_layer_pack(layer))
        self.lengths(layer, tape[0])
        self.lengths(layer)
        self.ok(c.lstm_layer_gates(layer, tape[0], 0, 0, gates))
        self.assertTrue(0 < c.lstm_tensor_data(gates)[0] < 1)
        self.ok(c.lstm_layer_backward(layer, tape[0], *[null] * 6))
        self.assertNotEqual(c.lstm_layer_backward(layer, tape[0], *[null] * 6), 0)
        c.destroy("lstm_tape", tape)

    def workspace(self, layer):
        c = self.c
        size = c.lstm_layer_workspace_size(layer, True, 2, 5)
        memory = FFI.new("char[]", size + 64)
        address = int(FFI.cast("uintptr_t", memory))
        self.ok(c.lstm_layer_set_workspace(layer, FFI.NULL, memory + -address % 64, size))
        self.lengths(layer)
        self.ok(c.lstm_layer_set_workspace(layer, FFI.NULL, FFI.NULL, 0))

    def weights(self, layer):
        c, sizes = self.c, (48, 64, 32)
        arrays = [FFI.new("float[]", size) for size in sizes]
        self.ok(c.lstm_layer_get_weights(layer, 0, 0, 0, *arrays, FFI.NULL))
        self.ok(c.lstm_layer_set_weights(layer, 0, 0, 0, *arrays, FFI.NULL))

    def stream(self, layer, head):
        c = self.c
        self.ok(c.lstm_layer_set_training(layer, False))
        stream = c.make("lstm_stream", layer, head, 2)
        h, y = self.tensor(1, 2, 4), self.tensor(2, 2)
        self.ok(c.lstm_stream_step(stream[0], self.tensor(2, 3), y))
        self.ok(c.lstm_stream_get_state(stream[0], h, FFI.NULL))
        self.assertNotEqual(c.lstm_tensor_data(h)[7], 0.0)
        self.ok(c.lstm_stream_set_state(stream[0], h, FFI.NULL))
        self.ok(c.lstm_stream_reset(stream[0], FFI.NULL))
        c.destroy("lstm_stream", stream)
        self.ok(c.lstm_layer_set_training(layer, True))

    def files(self, params, adam, rng):
        with tempfile.TemporaryDirectory() as folder:
            path = f"{folder}/model.safetensors".encode()
            self.ok(self.c.lstm_params_save(params, path, FFI.NULL))
            self.ok(self.c.lstm_params_load(params, path, FFI.NULL))
            self.assertNotEqual(self.c.lstm_params_load(params, path + b"x", FFI.NULL), 0)
            self.options(params, path, {"adam": adam, "rng": rng})

    def options(self, params, path, options):
        c = self.c
        self.ok(c.lstm_params_save(params, path, FFI.new("lstm_file_options *", options)))
        self.ok(c.lstm_params_load(params, path, FFI.new("lstm_file_options *", options)))
        layer = c.make("lstm_layer", path, b"lstm", FFI.NULL, verb="load")
        self.assertEqual(c.lstm_layer_get_config(layer[0]).hidden, 4)
        c.destroy("lstm_layer", layer)
        c.destroy("lstm_linear", c.make("lstm_linear", path, b"fc", verb="load"))
        file = c.make("lstm_file", path, verb="open")
        self.file(params, file[0])
        c.destroy("lstm_file", file)
        content = pathlib.Path(path.decode()).read_bytes()
        kept = FFI.from_buffer(content)
        file = c.make("lstm_file", kept, len(content), verb="open_bytes")
        self.file(params, file[0])
        c.destroy("lstm_file", file)

    def file(self, params, file):
        c, info = self.c, FFI.new("lstm_tensor_info *")
        self.assertGreater(c.lstm_file_tensor_count(file), 6)
        self.ok(c.lstm_file_tensor_info(file, 0, info))
        self.assertEqual(FFI.unpack(info.shape, info.rank), [16, 3])
        self.assertEqual(FFI.string(c.lstm_file_metadata_key(file, 0)), b"lstm.adam")
        self.assertRegex(FFI.string(c.lstm_file_metadata(file, b"lstm.checksum")),
                         rb"^[0-9a-f]{8}$")
        self.assertEqual(FFI.string(c.lstm_file_layer_prefix(file, 0)), b"lstm")
        config = FFI.new("lstm_layer_config *")
        self.ok(c.lstm_file_layer_config(file, FFI.NULL, config))
        self.assertEqual(config.hidden, 4)
        self.ok(c.lstm_file_read_tensor(file, info.name, self.tensor(16, 3)))
        self.ok(c.lstm_params_read(params, file, FFI.NULL))
        c.destroy("lstm_layer", c.make("lstm_layer", file, FFI.NULL, FFI.NULL, verb="read"))
        c.destroy("lstm_linear", c.make("lstm_linear", file, b"fc", verb="read"))


class Mnist(unittest.TestCase):
    def setUp(self):
        self.c = Library("mnist")

    def ok(self, status):
        self.assertEqual(status, 0, FFI.string(self.c.mnist_last_error()))

    def test_every_function(self):
        c = self.c
        self.assertRegex(FFI.string(c.mnist_version()).decode(), r"\d+\.\d+\.\d+")
        self.assertEqual(FFI.string(c.mnist_status_name(4)), b"MNIST_BAD_FILE")
        dataset = c.make("mnist_dataset", 10, 1, verb="synthetic")
        self.dataset(dataset[0])
        self.loader(dataset[0])
        self.files()
        fitted = FFI.new("uint8_t[]", 28 * 28)
        image = c.mnist_dataset_image(dataset[0], 0)
        self.ok(c.mnist_image_fit(image, 28, 28, FFI.NULL, fitted))
        count = FFI.new("size_t *")
        self.ok(c.mnist_image_fit_digits(image, 28, 28, FFI.NULL, 1, fitted, FFI.NULL,
                                         count))
        self.assertEqual(count[0], 1)
        self.assertEqual(c.mnist_dataset_paper(dataset[0]), 1)
        c.destroy("mnist_dataset", dataset)
        self.assertEqual(c.called, set(declarations.functions("mnist")))

    def dataset(self, dataset):
        c = self.c
        self.assertEqual((c.mnist_dataset_count(dataset), c.mnist_dataset_rows(dataset),
                          c.mnist_dataset_cols(dataset), c.mnist_dataset_classes(dataset)),
                         (10, 28, 28, 10))
        self.assertTrue(0 <= c.mnist_dataset_label(dataset, 9) < 10)
        self.assertTrue(c.mnist_dataset_is_synthetic(dataset))
        self.assertIn(b"synthetic", FFI.string(c.mnist_dataset_origin(dataset)))
        part = c.make("mnist_dataset", dataset, 8, 2, verb="narrow")
        self.assertEqual(c.mnist_dataset_count(part[0]), 2)
        c.destroy("mnist_dataset", part)

    def loader(self, dataset):
        c = self.c
        config = FFI.new("mnist_loader_config *", {"batch_size": 4, "shuffle": True})
        loader = c.make("mnist_loader", dataset, config)
        pixels, labels = FFI.new("float[]", 4 * 784), FFI.new("int64_t[4]")
        self.assertEqual(c.mnist_loader_batches(loader[0]), 3)
        self.ok(c.mnist_loader_start(loader[0], 5))
        counts = [c.mnist_loader_next(loader[0], pixels, labels) for _ in range(4)]
        self.assertEqual(counts, [4, 4, 2, 0])
        order = FFI.unpack(c.mnist_loader_order(loader[0]), 10)
        self.assertEqual(sorted(order), list(range(10)))
        self.ok(c.mnist_loader_restore(loader[0], order, 8))
        self.assertEqual(c.mnist_loader_position(loader[0]), 8)
        c.destroy("mnist_loader", loader)

    def files(self):
        c = self.c
        with tempfile.TemporaryDirectory() as folder:
            for split in ("train", "t10k"):
                images = pathlib.Path(folder, f"{split}-images-idx3-ubyte")
                labels = pathlib.Path(folder, f"{split}-labels-idx1-ubyte")
                images.write_bytes(struct.pack(">4I", 0x803, 1, 2, 3) + bytes(6))
                labels.write_bytes(struct.pack(">2I", 0x801, 1) + bytes(1))
            pair = str(images).encode(), str(labels).encode()
            c.destroy("mnist_dataset", c.make("mnist_dataset", *pair, 10, verb="read"))
            c.destroy("mnist_dataset",
                      c.make("mnist_dataset", *pair, 10, 1000, verb="read_limited"))
            directory = FFI.new("char[]", folder.encode())
            source = FFI.new("mnist_source *", {"directory": directory})
            c.destroy("mnist_dataset", c.make("mnist_dataset", source, 1, verb="open"))
            self.assertNotEqual(c.mnist_dataset_read(FFI.new("mnist_dataset **"),
                                                     pair[0] + b"x", FFI.NULL, 10), 0)
            self.assertIn(b"idx3-ubytex", FFI.string(c.mnist_last_error()))


if __name__ == "__main__":
    PATHS = dict(zip(("lstm", "mnist"), sys.argv[1:3], strict=True))
    unittest.main(argv=sys.argv[:1], verbosity=2)
