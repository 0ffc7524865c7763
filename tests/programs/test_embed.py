"""Tests lstm-embed: its header compiles as C and as C++, and contains the bytes of the model.

usage: test_embed.py PROGRAM LIBRARIES INCLUDE CC... -- [CXX...]
"""
import os
import pathlib
import struct
import subprocess
import sys
import tempfile
import unittest

EMBED, LIBRARIES, INCLUDE, COMPILERS = None, None, None, []
PROGRAM = """
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <lstm/lstm.h>
#include "model.h"

int main(int count, char **arguments)
{
    static unsigned char bytes[1 << 16];
    FILE *file = fopen(arguments[count - 1], "rb");
    size_t size = fread(bytes, 1, sizeof(bytes), file);
    fclose(file);
    if (size != digits_size || sizeof(digits) != size || memcmp(digits, bytes, size) != 0)
        return 1;
    if ((uintptr_t)digits % 8 != 0)
        return 2;
    lstm_file *model, *disk;
    lstm_layer *layer, *other;
    const size_t shape[] = {3, 1, 2}, states[] = {1, 1, 3};
    lstm_tensor *x, *a, *b;
    if (lstm_file_open_bytes(&model, digits, digits_size) ||
        lstm_file_open(&disk, arguments[count - 1]) ||
        lstm_layer_read(&layer, model, NULL, NULL) ||
        lstm_layer_read(&other, disk, NULL, NULL) || lstm_tensor_create(&x, 3, shape) ||
        lstm_tensor_create(&a, 3, states) || lstm_tensor_create(&b, 3, states) ||
        lstm_tensor_fill(x, 0.5f) ||
        lstm_layer_forward(layer, NULL, x, NULL, NULL, NULL, NULL, a, NULL) ||
        lstm_layer_forward(other, NULL, x, NULL, NULL, NULL, NULL, b, NULL))
        return printf("%s\\n", lstm_last_error()), 3;
    return memcmp(lstm_tensor_data(a), lstm_tensor_data(b), 12) || *lstm_tensor_data(a) == 0
        ? 4 : 0;
}
"""


def model():
    """A layer of two inputs and three units, every byte value in its metadata or data."""
    values = [(i * 37 % 256 - 128) / 256 for i in range(12 * 2 + 12 * 3)]
    header = (b'{"__metadata__":{"text":"\xc3\xa9"},'
              b'"weight_ih_l0":{"dtype":"F32","shape":[12,2],"data_offsets":[0,96]},'
              b'"weight_hh_l0":{"dtype":"F32","shape":[12,3],"data_offsets":[96,240]}}')
    return struct.pack("<Q", len(header)) + header + struct.pack("<60f", *values)


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=500, **options)


class Embed(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)
        self.path = self.folder / "a *model*.safetensors"
        self.path.write_bytes(model())

    def test_the_header_compiles_and_contains_the_file(self):
        done = run(EMBED, "--name", "digits", self.path)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        (self.folder / "model.h").write_text(done.stdout)
        for language, options, compiler in COMPILERS:
            with self.subTest(language):
                source = self.folder / f"program.{language}"
                source.write_text(PROGRAM)
                made = run(*compiler, *options, "-Wall", "-Wextra", "-Werror", source, "-I",
                           INCLUDE, "-L", LIBRARIES, "-llstm", "-o", self.folder / "program")
                self.assertEqual(made.returncode, 0, made.stderr)
                done = run(self.folder / "program", self.path,
                           env={**os.environ, "LD_LIBRARY_PATH": LIBRARIES})
                self.assertEqual(done.returncode, 0, done.stdout)

    def test_the_name_is_model_unless_it_is_given(self):
        self.assertIn("static const size_t model_size = ", run(EMBED, self.path).stdout)
        for name in ("", "1st", "a-b", "caf\u00e9", "int", "class", "_x", "size_t", "a b",
                     "main", "linux", "NULL", "uint8_t"):
            done = run(EMBED, "--name", name, self.path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("expected a letter", done.stderr)

    def test_other_files_are_refused(self):
        bad = self.folder / "bad"
        bad.write_bytes(b"PK\3\4" + bytes(22) + b"\4\0\0\0" + b"x.py")
        for path, message in ((bad, "not a safetensors file but a ZIP archive"),
                              (self.folder, "Is a directory"),
                              (self.folder / "none", "No such file")):
            done = run(EMBED, path)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertIn(message, done.stderr)
            self.assertIn(str(path), done.stderr)

    @unittest.skipUnless(os.path.exists("/dev/zero"), "needs /dev/zero")
    def test_a_file_without_end_is_refused(self):
        done = run(EMBED, "/dev/zero")
        self.assertEqual((done.returncode, done.stdout), (1, ""))
        self.assertIn("/dev/zero: has more than 268435456 bytes, the limit", done.stderr)

    def test_standard_input_is_read(self):
        with open(self.path, "rb") as file:
            done = subprocess.run([EMBED, "-"], stdin=file, capture_output=True, check=True)
        self.assertEqual(done.stdout.split(b"\n")[2:],
                         run(EMBED, self.path).stdout.encode().split(b"\n")[2:])

    def test_usage(self):
        self.assertEqual(run(EMBED, "--help").returncode, 0)
        for words in ((), ("a", "b"), ("--name",), ("--name", "x"), ("--x",), ("-q", "x")):
            done = run(EMBED, *words)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertRegex(done.stderr, "^lstm-embed: .*(; see --help|value: NAME)$")

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EMBED, self.path], stdout=full, stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)


if __name__ == "__main__":
    EMBED, LIBRARIES, INCLUDE, *words = sys.argv[1:]
    split = words.index("--")
    COMPILERS.append(("c", ["-std=c11"], words[:split]))
    if words[split + 1:]:
        COMPILERS.append(("cc", ["-std=c++17"], words[split + 1:]))
    unittest.main(argv=sys.argv[:1], verbosity=2)
