"""Converts Keras files.

usage: test_convert_keras.py Files|Models (with LIBLSTM in the environment)

Files has files of Keras 2 and of weights only, which the tests write with h5py and compare with
PyTorch; Models has models that Keras saves and computes. Without the packages the tests are
skipped with a message.
"""
import importlib.util
import json
import os
import pathlib
import sys
import tempfile
import unittest
import warnings
from unittest import mock

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
BACKENDS = [name for name in ("tensorflow", "jax", "torch") if importlib.util.find_spec(name)]
os.environ.setdefault("KERAS_BACKEND", (BACKENDS or ["torch"])[0])


def needs(*names):
    missing = [name for name in names if not importlib.util.find_spec(name)]
    return unittest.skipIf(missing, f"{', '.join(missing)} not installed")


if importlib.util.find_spec("numpy"):
    import numpy as np
    import liblstm
    from liblstm import convert


class Folder(unittest.TestCase):
    def setUp(self):
        warnings.simplefilter("ignore")
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name)
        self.target = self.path / "out.safetensors"

    def convert(self, name, lstm_only=False):
        return convert.convert(self.path / name, self.target, lstm_only)

    def refused(self, name, message, lstm_only=False):
        with self.assertRaisesRegex(convert.Unsupported, message):
            self.convert(name, lstm_only)
        self.assertEqual([path for path in self.path.iterdir()
                          if path.name.startswith("out")], [])

    def metadata(self):
        with liblstm.File(self.target) as file:
            return {key[6:]: text for key, text in file.metadata().items()
                    if key.startswith("model.")}

    def layers(self):
        with liblstm.File(self.target) as file:
            return {prefix: file.layer_config(prefix).layers for prefix in file.layers()}


@needs("numpy", "h5py", "torch")
class Files(Folder):
    def setUp(self):
        import torch

        super().setUp()
        torch.manual_seed(3)
        self.lstm, self.fc = torch.nn.LSTM(5, 7, batch_first=True), torch.nn.Linear(7, 3)
        self.w, self.r, b_ih, b_hh = (each.detach().numpy() for each in self.lstm.parameters())
        self.bias = np.concatenate([b_ih, b_hh])
        self.x = torch.rand(2, 6, 5)
        self.expected = self.fc(self.lstm(self.x)[0]).detach().numpy()

    def arrays(self, cudnn):
        """Kernel, recurrent kernel and bias; in cuDNN's, the memory of a gate is PyTorch's."""
        if cudnn:
            return [*(np.hstack([gate.reshape(-1, 7) for gate in np.split(each, 4)])
                      for each in (self.w, self.r)), self.bias]
        return [self.w.T, self.r.T, self.bias.reshape(2, -1).sum(0)]

    def head(self):
        return [each.detach().numpy().T for each in self.fc.parameters()]

    def group(self, parent, name, arrays):
        """A layer of an .h5 file, with the names of its arrays."""
        group = parent.create_group(name)
        group.attrs["weight_names"] = [f"{name}/{key}:0".encode() for key in arrays]
        for key, array in arrays.items():
            group[f"{name}/{key}:0"] = array

    def save_old(self, cudnn, config=True, name="model.h5"):
        import h5py

        kind = "CuDNNLSTM" if cudnn else "LSTM"
        with h5py.File(self.path / name, "w") as file:
            parent = file.create_group("model_weights") if config else file
            names = ["kernel", "recurrent_kernel", "bias"]
            self.group(parent, "rnn", dict(zip(names, self.arrays(cudnn))))
            self.group(parent, "drop", {})
            self.group(parent, "fc", dict(zip(("kernel", "bias"), self.head())))
            parent.attrs["layer_names"] = [b"rnn", b"drop", b"fc"]
            if config:
                layers = [{"class_name": kind, "config": {
                    "name": "rnn", "units": 7, "return_sequences": True, "time_major": False,
                    "batch_input_shape": [None, None, 5]}},
                    {"class_name": "Dropout", "config": {"name": "drop"}},
                    {"class_name": "Dense", "config": {"name": "fc", "units": 3,
                                                       "activation": "sigmoid"}}]
                file.attrs["model_config"] = json.dumps(
                    {"class_name": "Sequential", "config": {"name": "s", "layers": layers}})

    def compare(self, activation=None):
        """The file computes what PyTorch does."""
        self.assertEqual(self.metadata().get("activation"), activation)
        with liblstm.Stream.load(self.target, batch=2) as stream:
            y = np.empty((2, 6, 3), np.float32)
            stream.step(self.x.numpy(), y)
        expected = self.expected
        if activation:
            expected = 1 / (1 + np.exp(-expected))
        np.testing.assert_allclose(y, expected, atol=2e-6)

    def test_files_of_keras_2(self):
        for cudnn in (False, True):
            self.save_old(cudnn)
            self.convert("model.h5")
            self.compare("sigmoid")
            self.save_old(cudnn, config=False)
            self.assertIn("weights only", self.convert("model.h5"))
            self.compare()

    def test_weights_only_of_keras_3(self):
        import h5py

        for container in ("layers", "_layer_checkpoint_dependencies"):
            with h5py.File(self.path / "model.weights.h5", "w") as file:
                for folder, arrays in (("lstm/cell", self.arrays(False)), ("dense", self.head())):
                    for index, array in enumerate(arrays):
                        file[f"{container}/{folder}/vars/{index}"] = array
            self.convert("model.weights.h5")
            self.compare()

    def test_files_that_are_not_valid(self):
        import h5py

        (self.path / "a.keras").write_bytes(b"junk")
        self.refused("a.keras", "not a Keras file")
        self.save_old(False)
        with h5py.File(self.path / "model.h5", "a") as file:
            del file["model_weights/rnn/rnn/bias:0"]
        self.refused("model.h5", "not a Keras file that can be read")
        with self.assertRaisesRegex(FileNotFoundError, "there is no such file"):
            self.convert("none.h5")

    def test_without_keras_numpy_answers(self):
        find = importlib.util.find_spec
        with mock.patch("importlib.util.find_spec",
                        lambda name: None if name == "keras" else find(name)):
            self.save_old(True)
            self.assertIn("NumPy in double precision", self.convert("model.h5"))


@needs("numpy", "keras", "h5py")
@unittest.skipUnless(BACKENDS, "tensorflow, jax or torch not installed")
class Models(Folder):
    def save(self, *layers, names=("model.keras",), shape=(6, 5)):
        import keras

        model = keras.Sequential([keras.layers.Input(shape), *layers])
        return self.fill(model, names)

    def fill(self, model, names=("model.keras",)):
        rng = np.random.default_rng(4)
        model.set_weights([rng.uniform(-1, 1, w.shape) for w in model.get_weights()])
        for name in names:
            if "weights" in name:
                model.save_weights(self.path / name)
            else:
                model.save(self.path / name)
        return model

    def test_two_layers_and_a_head_equal_keras(self):
        from keras import layers

        names = "model.keras", "model.h5", "model.weights.h5"
        model = self.save(layers.LSTM(7, return_sequences=True), layers.LSTM(7),
                          layers.Dense(3), names=names)
        x = np.random.default_rng(5).normal(size=(4, 6, 5)).astype(np.float32)
        for name in names:
            self.convert(name)
            layer, linear = liblstm.Layer.load(self.target), liblstm.Linear.load(self.target, "fc")
            hn, y = np.empty((2, 4, 7), np.float32), np.empty((4, 3), np.float32)
            layer.forward(x, hn=hn)
            linear.forward(hn[1], y)
            np.testing.assert_allclose(y, model.predict(x, verbose=0), atol=1e-5)

    def test_heads_with_activations(self):
        from keras import layers

        for name in ("sigmoid", "tanh", "relu", "softmax", "log_softmax"):
            self.save(layers.LSTM(7, return_sequences=True),
                      layers.TimeDistributed(layers.Dense(3, activation=name)))
            self.assertIn("differs from Keras by", self.convert("model.keras"))
            self.assertEqual(self.metadata(), {"activation": name, "output": "steps"})
        self.save(layers.LSTM(7), layers.Dense(3), layers.Softmax())
        self.convert("model.keras")
        self.assertEqual(self.metadata(), {"activation": "softmax", "output": "last"})

    def test_directions(self):
        from keras import layers

        both = layers.Bidirectional
        names = "model.keras", "model.h5"
        self.save(both(layers.LSTM(7, return_sequences=True)), layers.Dropout(0.5),
                  both(layers.LSTM(7)), layers.Dense(3, activation="softmax"), names=names)
        for name in names:
            self.convert(name)
            self.assertEqual(self.metadata()["output"], "states")
        self.save(layers.LSTM(7, return_sequences=True, go_backwards=True),
                  layers.LSTM(7, return_sequences=True, use_bias=False), names=names)
        for name in names:
            self.convert(name)
            self.assertEqual(self.metadata(), {"output": "reversed", "reverse": "lstm"})
            self.convert(name, lstm_only=True)
            self.assertEqual(self.metadata(), {"reverse": "lstm"})
        self.save(layers.LSTM(7, go_backwards=True), layers.Dense(2))
        self.convert("model.keras")

    def test_an_embedding(self):
        from keras import layers

        names = "model.keras", "model.h5", "model.weights.h5"
        self.save(layers.Embedding(9, 5), layers.LSTM(7, return_sequences=True), layers.Dense(9),
                  names=names, shape=(6,))
        for name in names:
            self.convert(name)
            with liblstm.File(self.target) as file:
                self.assertEqual(file.tensors()["embedding.weight"], ("F32", (9, 5)))

    def test_weights_only_find_the_order_of_layers(self):
        from keras import layers

        self.save(layers.LSTM(3, return_sequences=True),
                  layers.Bidirectional(layers.LSTM(7)), names=("model.weights.h5",))
        self.refused("model.weights.h5", "bidirectional .* has .* both directions, the LSTM "
                                         "before it 1 layer of 3 units.*--lstm-only")
        self.convert("model.weights.h5", lstm_only=True)
        with liblstm.File(self.target) as file:
            self.assertEqual([file.layer_config(f"lstm{i}").hidden for i in (0, 1)], [3, 7])

    def test_functional_models(self):
        import keras
        from keras import layers

        x = keras.Input((6, 5))
        y = layers.LSTM(7, return_sequences=True, name="a")(x)
        self.fill(keras.Model(x, layers.Dense(2)(layers.LSTM(7)(y))),
                  ("model.keras", "model.h5"))
        self.convert("model.keras")
        self.convert("model.h5")
        self.target.unlink()
        self.fill(keras.Model(x, layers.Add(name="sum")([y, layers.LSTM(
            7, return_sequences=True, name="b")(y)])))
        self.refused("model.keras", r"layer sum \(Add\) joins a, b; --lstm-only")
        self.fill(keras.Model(x, [layers.Dense(2)(y), layers.LSTM(7)(y)]))
        self.refused("model.keras", "layer a is read by several layers.*--lstm-only")
        self.convert("model.keras", lstm_only=True)

    def test_what_no_key_can_say_is_named(self):
        from keras import layers

        cases = (
            ([layers.Conv1D(4, 3, name="c"), layers.LSTM(7)], r"layer c \(Conv1D\) is not"),
            ([layers.LSTM(7), layers.Dense(3), layers.Dense(2, name="d")],
             r"layer d \(Dense\) is a second dense layer"),
            ([layers.Dense(3, name="d"), layers.LSTM(7)], r"dense layer in front of the LSTM"),
            ([layers.LSTM(7), layers.Dense(3, activation="elu")], "has activation elu"),
            ([layers.LSTM(7, return_sequences=True), layers.LSTM(8, name="e")],
             r"layer e .* has 1 layer of 8 units, the LSTM before it 1 layer of 7 units"))
        for made, message in cases:
            self.save(*made)
            self.refused("model.keras", message + ".*--lstm-only converts")
            self.convert("model.keras", lstm_only=True)
            self.target.unlink()
        self.save(layers.LSTM(7, return_sequences=True), layers.LSTM(7, go_backwards=True))
        self.refused("model.keras", "goes backwards after another LSTM; --lstm-only")
        self.convert("model.keras", lstm_only=True)
        self.assertEqual(self.metadata(), {"reverse": "lstm1"})
        self.target.unlink()
        self.save(layers.GRU(7, name="g"))
        self.refused("model.keras", r"no LSTM layer, but .*g \(GRU\)")
        self.save(layers.LSTM(7, activation="relu"))
        for only in (False, True):
            self.refused("model.keras", "activation relu, expected tanh", only)


if __name__ == "__main__":
    result = unittest.main(verbosity=2, exit=False, warnings="ignore").result
    if len(result.skipped) == result.testsRun:
        print(f"skipped: {result.skipped[0][1]}")
        sys.exit(77)
    sys.exit(not result.wasSuccessful())
