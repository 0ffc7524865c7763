"""Tests mnist-predict with files and limits that are rare: a head in int8, a small stack.

usage: test_predict_rare.py PROGRAM
"""
import json
import pathlib
import re
import resource
import struct
import sys
import unittest

import test_predict
from test_predict import SIDE, noise, p5, probabilities, run, safetensors


class Rare(test_predict.Base):
    def test_scales_of_a_head_in_int8_are_used(self):
        shape, values = self.tensors["fc.weight"]
        content = safetensors({name: value for name, value in self.tensors.items()
                               if name != "fc.weight"} |
                              {"fc.weight_scale": ([shape[0]], [1 / 128] * shape[0]),
                               "other_scale": ([2], [0.0, 0.0])})
        size, = struct.unpack("<Q", content[:8])
        header, data = json.loads(content[8:8 + size]), content[8 + size:]
        bytes_ = struct.pack(f"{len(values)}b", *(round(value * 128) for value in values))
        header["fc.weight"] = {"dtype": "I8", "shape": shape,
                               "data_offsets": [len(data), len(data) + len(bytes_)]}
        text = json.dumps(header).encode()
        model = self.write("i8.safetensors", struct.pack("<Q", len(text)) + text + data + bytes_)
        result = run("--json", model, self.write("a.pgm", p5(noise(1), SIDE)))
        self.assertEqual(result.returncode, 0, result.stderr)
        self.assertRegex(result.stderr, rb"not used: other_scale \[2\]\n\Z")
        self.assert_answer(json.loads(result.stdout)[0],
                           probabilities(self.tensors, noise(1)))

    def test_a_small_stack_is_enough(self):
        def limit():
            resource.setrlimit(resource.RLIMIT_STACK, (1 << 16, 1 << 16))
        if re.search(rb"__[atm]san_", pathlib.Path(test_predict.PROGRAM).read_bytes()):
            self.skipTest("a sanitizer needs more")
        image = self.write("a.pgm", p5(noise(1), SIDE))
        for status, *words in ((0, self.model, image), (1, self.model, self.model),
                               (1, "none", image)):
            done = run("--threads", "1", *words, preexec_fn=limit, env={"LANG": "C"})
            self.assertEqual(done.returncode, status, done.stderr)


if __name__ == "__main__":
    test_predict.PROGRAM = sys.argv.pop(1)
    unittest.main(verbosity=2)
