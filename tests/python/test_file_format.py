"""Files that docs/file-format.md describes: its Python reads and writes what liblstm does,
and its example is right.

usage: test_file_format.py (with LIBLSTM in the environment)
"""
import json
import pathlib
import re
import struct
import sys
import tempfile
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT / "examples/python"))
import liblstm  # noqa: E402

PAGE = (ROOT / "docs/file-format.md").read_text()
FORMAT = {}
exec(re.search(r"```python\n(.*?)```", PAGE, re.DOTALL).group(1), FORMAT)
# The state of a generator of seed 5489, whose words are known: 624 words, none used.
WORDS = [5489]
while len(WORDS) < 624:
    WORDS.append((1812433253 * (WORDS[-1] ^ WORDS[-1] >> 30) + len(WORDS)) & 0xffffffff)
RNG = struct.pack("<626Id", *WORDS, 624, 0, 0).hex()


def network():
    rng = liblstm.Rng(1)
    layer = liblstm.Layer(2, 3, layers=2, rng=rng, dropout=0.25, batch_first=True,
                       precision="bf16")
    params = liblstm.Params(lstm=layer, fc=liblstm.Linear(3, 1, rng))
    return layer, params, liblstm.Adam(params, lr=0.1), rng


class FileFormat(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.path = pathlib.Path(folder.name, "model.safetensors")

    def test_the_page_reads_models_and_checkpoints(self):
        layer, params, adam, rng = network()
        adam.set_parameter(1, 0.5, 0.25)
        adam.step()
        for adam_, rng_ in ((None, None), (adam, rng)):
            params.save(self.path, adam_, rng_, metadata={"note": "\u00e9 \"\n\U0001f600"})
            tensors, metadata = FORMAT["read"](self.path)
            for name in params.names():
                self.assertEqual(tensors[name][1], params.value(name).tolist())
            self.assertEqual(metadata["note"], "\u00e9 \"\n\U0001f600")
            self.assertEqual(json.loads(metadata["lstm.layer.lstm"]), {
                "version": "1.0", "inputs": 2, "hidden": 3, "layers": 2, "proj_size": 0,
                "dropout": 0.25, "bias": True, "batch_first": True, "bidirectional": False,
                "precision": "bfloat16"})
        self.assertEqual(json.loads(metadata["lstm.adam"]),
                         {"version": "1.0", "steps": 1, "lr": 0.1})
        self.assertEqual(json.loads(metadata["lstm.adam.lstm.weight_hh_l0"]),
                         {"steps": 1, "lr_factor": 0.5, "weight_decay": 0.25})
        self.assertIn("__adam__.exp_avg_sq.fc.bias", tensors)

    def test_what_the_page_writes_is_read(self):
        layer, params, adam, rng = network()
        shapes = {name: params.value(name).shape for name in params.names()}
        tensors = {name: (shape, [i / 7 for i in range(values_of(shape))])
                   for name, shape in shapes.items()}
        for name, tensor in list(tensors.items()):
            for kind in ("exp_avg", "exp_avg_sq"):
                tensors[f"__adam__.{kind}.{name}"] = tensor
        FORMAT["write"](self.path, tensors, {
            "lstm.layer.lstm": json.dumps({
                "version": "1.7", "inputs": 2, "hidden": 3, "layers": 2, "proj_size": 0,
                "dropout": 0.25, "bias": True, "batch_first": True, "bidirectional": False,
                "precision": "bfloat16", "unknown": None}),
            "lstm.adam": json.dumps({"version": "1.0", "steps": 12, "lr": 1 / 3}),
            "lstm.rng": RNG, "format": "pt"})
        params.load(self.path, adam, rng)
        for name in params.names():
            self.assertEqual(params.value(name).tolist(), [
                struct.unpack("f", struct.pack("f", x))[0] for x in tensors[name][1]])
        self.assertEqual((adam.steps, adam.lr, rng.next()), (12, 1 / 3, FIRST))
        config = liblstm.Layer.load(self.path, rng=rng).config
        self.assertEqual((config.dropout, config.precision, config.batch_first),
                         (0.25, liblstm.BFLOAT16, True))

    def test_files_from_memory_list_and_read_their_tensors(self):
        FORMAT["write"](self.path, {"a.weight_ih_l0": ([4, 1], [1, 2, 3, 4]),
                                    "a.weight_hh_l0": ([4, 1], [0, 0, 0, 0.5])}, {})
        with liblstm.File(self.path.read_bytes()) as file:
            self.assertEqual(file.layers(), ["a"])
            self.assertEqual(file.tensors(), {"a.weight_ih_l0": ("F32", (4, 1)),
                                              "a.weight_hh_l0": ("F32", (4, 1))})
            self.assertEqual(file.read("a.weight_ih_l0").tolist(), [1, 2, 3, 4])
            self.assertEqual(liblstm.Layer.load(file).config.hidden, 1)
            self.assertEqual(file.layer_config("a").inputs, 1)
            with self.assertRaisesRegex(liblstm.Error, "no LSTM under 'b'"):
                file.layer_config("b")

    def test_another_major_version_is_refused_by_name(self):
        tensors = {name: ([12, n], [0.5] * 12 * n)
                   for name, n in (("weight_ih_l0", 2), ("weight_hh_l0", 3))}
        options = {"inputs": 2, "hidden": 3, "layers": 1, "proj_size": 0, "dropout": 0,
                   "bias": False, "batch_first": True, "bidirectional": False}
        for version, good in (("1.0", 1), ("1.9", 1), ("2.0", 0), ("10.0", 0), ("", 0)):
            text = json.dumps({**options, "version": version})
            FORMAT["write"](self.path, tensors, {"lstm.layer.": text})
            if good:
                self.assertTrue(liblstm.Layer.load(self.path).config.batch_first)
            else:
                with self.assertRaisesRegex(liblstm.Error, f"version {version}, expected 1.x"):
                    liblstm.Layer.load(self.path)
        layer, params, adam, rng = network()
        params.save(self.path, adam)
        tensors, metadata = FORMAT["read"](self.path)
        metadata["lstm.adam"] = metadata["lstm.adam"].replace('"1.0"', '"3.1"')
        FORMAT["write"](self.path, tensors, metadata)
        with self.assertRaisesRegex(liblstm.Error, "lstm.adam has version 3.1, expected 1.x"):
            params.load(self.path, adam)

    def test_the_example_is_right(self):
        header = re.search(r"```json\n(.*?)```", PAGE, re.DOTALL).group(1)
        header = header.replace("\n", "").encode() + b" " * 6
        self.assertEqual(len(header), 240)
        self.path.write_bytes(struct.pack("<Q", len(header)) + header
                              + bytes.fromhex("0000803f 00000040 00004040"))
        tensors, _ = FORMAT["read"](self.path)
        self.assertEqual(tensors, {"fc.weight": ([1, 2], [1, 2]), "fc.bias": ([1], [3])})
        linear = liblstm.Linear.load(self.path, "fc")
        self.assertEqual((linear.config.inputs, linear.config.outputs), (2, 1))
        params = liblstm.Params(fc=linear)
        params.save(self.path)
        self.assertEqual(FORMAT["read"](self.path)[1]["lstm.checksum"], "d1395945")


def values_of(shape):
    count = 1
    for extent in shape:
        count *= extent
    return count


# The first two words of the generator, 3499211612 and 581869302, make 64 bits.
FIRST = 3499211612 << 32 | 581869302

if __name__ == "__main__":
    unittest.main(verbosity=2)
