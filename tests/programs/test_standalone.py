"""Tests lstm-embed --standalone: the source compiles without a warning, and its results have the
bits of the library in the reproducible mode, on this machine and on a Cortex-M4 in QEMU.

usage: test_standalone.py desk PROGRAM REFERENCE CC... -- [CXX...]
       test_standalone.py microcontroller PROGRAM REFERENCE
       test_standalone.py measure PROGRAM    prints the table of docs/microcontrollers.md
       test_standalone.py random PROGRAM REFERENCE COUNT SEED    compares random models
"""
import json
import os
import pathlib
import platform
import random
import re
import shutil
import struct
import subprocess
import sys
import tempfile
import unittest

HERE = pathlib.Path(__file__).parent
EMBED, REFERENCE, CC, CXX = None, None, [], []
WARNINGS = ["-pedantic", "-Wall", "-Wextra", "-Wconversion", "-Werror"]
PAGE = HERE.parents[1] / "docs/microcontrollers.md"
ARM = ["arm-none-eabi-gcc", "-mthumb", "-ffp-contract=off", "-ffreestanding"]
M4 = [*ARM, "-mcpu=cortex-m4", "-mfloat-abi=hard", "-mfpu=fpv4-sp-d16"]
CLANG = ["clang", "--target=arm-none-eabi", *M4[1:]]
M3 = [*ARM, "-mcpu=cortex-m3", "-mfloat-abi=soft"]
# Each instruction takes 2^SHIFT ns on the emulated machine; its clock has ticks of 40 ns.
SHIFT = 6
MACHINE = ["qemu-system-arm", "-nographic", "-monitor", "none", "-serial", "none",
           "-chardev", "stdio,id=out", "-semihosting-config",
           "enable=on,target=native,chardev=out", "-icount", f"shift={SHIFT}", "-kernel"]
STEPS = 6


def run(*command, **options):
    return subprocess.run([str(word) for word in command], capture_output=True, text=True,
                          timeout=500, **options)


def rounded(values):
    return struct.unpack(f"<{len(values)}f", struct.pack(f"<{len(values)}f", *values))


class Model:
    """A model with random values, and the inputs of a sequence."""

    def __init__(self, hidden, inputs, layers=1, head=0, bias=True, proj=0, weights=1.0, x=2.0,
                 step=0.0, special=()):
        self.random = random.Random(repr((hidden, inputs, layers, head, bias, proj, weights)))
        self.weights, self.step = weights, step
        self.tensors, self.metadata = {}, None
        size = proj or hidden
        for layer in range(layers):
            self.add(f"lstm.weight_ih_l{layer}", 4 * hidden, size if layer else inputs)
            self.add(f"lstm.weight_hh_l{layer}", 4 * hidden, size)
            if bias:
                self.add(f"lstm.bias_ih_l{layer}", 4 * hidden)
                self.add(f"lstm.bias_hh_l{layer}", 4 * hidden)
            if proj:
                self.add(f"lstm.weight_hr_l{layer}", proj, hidden)
        if head:
            self.add("fc.weight", head, size)
            if bias:
                self.add("fc.bias", head)
        self.x = [self.draw(x) for _ in range(STEPS * inputs)]
        self.x[inputs + 1:inputs + 1 + len(special)] = special

    def draw(self, limit):
        value = self.random.uniform(-limit, limit)
        return round(value / self.step) * self.step if self.step else value

    def add(self, name, *shape):
        count = shape[0] * (shape[1] if len(shape) > 1 else 1)
        self.tensors[name] = (shape, [self.draw(self.weights) for _ in range(count)])

    def bytes(self):
        header, data = {}, b""
        if self.metadata:
            header["__metadata__"] = self.metadata
        for name, (shape, values) in self.tensors.items():
            header[name] = {"dtype": "F32", "shape": shape,
                            "data_offsets": [len(data), len(data) + 4 * len(values)]}
            data += struct.pack(f"<{len(values)}f", *values)
        text = json.dumps(header).encode()
        return struct.pack("<Q", len(text)) + text + data


def half_way():
    """The first sums in double are half way between two floats, but the exact ones are not."""
    model = Model(8, 1)
    model.tensors["lstm.bias_ih_l0"][1][:] = [1 + (2 * i + 1) * 2**-23 for i in range(32)]
    model.tensors["lstm.bias_hh_l0"][1][:] = [0] * 32
    model.tensors["lstm.weight_ih_l0"][1][:] = [1 - 2**-16] * 32
    model.x = [sign * 2**-24 * (1 + 2**-16) for sign in (1, -1, 1, 1, -1, -1)]
    return model


def negative_zeros():
    """The first sums are -0, which a product with the zeros of h would make +0."""
    model = Model(2, 2)
    model.tensors["lstm.bias_ih_l0"][1][:] = model.tensors["lstm.bias_hh_l0"][1][:] = [-0.0] * 8
    model.tensors["lstm.weight_ih_l0"][1][:] = [-1] * 16
    model.tensors["lstm.weight_hh_l0"][1][:] = [1] * 16
    model.x[:2] = [0.0, 0.0]
    return model


def int8(model):
    """The same model, which the library quantises."""
    tensors = model.tensors
    hidden = tensors["lstm.weight_ih_l0"][0][0] // 4
    proj = tensors.get("lstm.weight_hr_l0", ((0,),))[0][0]
    model.metadata = {"lstm.layer.lstm": json.dumps(
        {"version": "1.0", "inputs": tensors["lstm.weight_ih_l0"][0][1], "hidden": hidden,
         "layers": sum("weight_hh" in name for name in tensors), "proj_size": proj, "dropout": 0,
         "bias": "lstm.bias_ih_l0" in tensors, "batch_first": False, "bidirectional": False,
         "precision": "int8"})}
    return model


# float32 has numbers below 2^-126 = 1.2e-38, and products of 1e-20 are smaller.
TINY = (1e-40, -3e-42, 1e-45, 0.0, -0.0, 1.2e-38, -1.1754943e-38)
HUGE = (3e38, -3e38, 1e30, float("inf"), float("-inf"), 0.0, float("nan"))
MODELS = {
    "1 unit": lambda: Model(1, 1, bias=False),
    "1 unit, 2 layers": lambda: Model(1, 3, layers=2, head=1),
    "3 units": lambda: Model(3, 2, layers=2, head=5),
    "3 units, no bias": lambda: Model(3, 4, bias=False, head=2),
    "16 units": lambda: Model(16, 5, head=3),
    "16 units, 2 layers": lambda: Model(16, 28, layers=2),
    "32 units, projection": lambda: Model(32, 7, layers=2, proj=5, head=3),
    "32 units, 2 layers": lambda: Model(32, 3, layers=2, bias=False),
    "128 units": lambda: Model(128, 28, head=10, weights=0.1),
    "128 units, 2 layers": lambda: Model(128, 2, layers=2, weights=0.1),
    "short numbers": lambda: Model(16, 12, head=4, weights=2, x=4096, step=1 / 256),
    "half way": half_way,
    "negative zeros": negative_zeros,
    "tiny inputs": lambda: Model(16, 20, head=3, x=1e-20, special=TINY),
    "tiny weights": lambda: Model(16, 20, layers=2, head=3, weights=2e-38, special=TINY),
    "tiny products": lambda: Model(3, 20, head=3, weights=1e-20, x=1e-19, special=TINY),
    "large inputs": lambda: Model(16, 20, layers=2, head=3, x=1e30, special=HUGE[:3]),
    "large weights": lambda: Model(3, 20, head=3, weights=1e18, special=HUGE),
    "int8, 1 unit": lambda: int8(Model(1, 1, bias=False)),
    "int8, 16 units, 2 layers": lambda: int8(Model(16, 28, layers=2)),
    "int8, 21 units": lambda: int8(Model(21, 5, head=3)),
    "int8, 32 units, projection": lambda: int8(Model(32, 7, layers=2, proj=5, head=3)),
    "int8, 128 units": lambda: int8(Model(128, 28, head=10, weights=0.1)),
    "int8, tiny inputs": lambda: int8(Model(16, 20, head=3, x=1e-33, special=TINY)),
    "int8, tiny weights": lambda: int8(Model(16, 20, layers=2, head=3, weights=2e-38,
                                             special=TINY)),
    "int8, large inputs": lambda: int8(Model(16, 20, layers=2, head=3, x=1e30, special=HUGE[:3])),
    "int8, large weights": lambda: int8(Model(3, 20, head=3, weights=1e18, special=HUGE)),
}


class Source:
    """The source of a model in a folder, and what runs it."""

    def __init__(self, folder, model):
        self.folder = pathlib.Path(folder)
        self.model = self.folder / "model.safetensors"
        self.source = self.folder / "model.c"
        self.inputs = self.folder / "inputs"
        self.model.write_bytes(model.bytes())
        values = struct.pack(f"<{len(model.x)}f", *model.x)
        self.inputs.write_bytes(values)
        words = ", ".join(f"0x{bits:08x}" for bits, in struct.iter_unpack("<I", values))
        (self.folder / "inputs.h").write_text(
            f"enum {{ STEPS = {STEPS} }};\nstatic const uint32_t bits[] = {{{words}}};\n"
            "static const float *const inputs = (const float *)(const void *)bits;\n")
        done = run(EMBED, "--standalone", "--name", "net", self.model)
        assert (done.returncode, done.stderr) == (0, ""), done.stderr
        self.source.write_text(done.stdout)

    def compile(self, compiler, target, options, more=(), libraries=(), linker=None):
        """Builds the program; returns its path."""
        program = self.folder / "program"
        source = self.folder / "model.o"
        made = run(*compiler, *options, "-c", self.source, "-o", source)
        assert (made.returncode, made.stderr) == (0, ""), made.stderr[:2000]
        made = run(*(linker or compiler), "-std=c99", "-O1", "-I", self.folder, "-I", HERE.parents[1], *more,
                   HERE / "standalone_main.c", HERE / target, source, *libraries, "-o",
                   program)
        assert made.returncode == 0, made.stderr[:2000]
        return program

    def expected(self, cpu=None):
        environment = {**os.environ, "LSTM_REPRODUCIBLE": "1"}
        if cpu:
            environment["LSTM_CPU"] = cpu
        done = run(REFERENCE, self.model, self.inputs, env=environment)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()

    def on_arm(self, options=("-O2",), compiler=M4, board="mps2-an386"):
        """The words that the program prints on an emulated board."""
        program = self.compile(compiler, "standalone_mps2.c", ["-std=c99", *options, *WARNINGS],
                               more=["-nostdlib", "-T", HERE / "standalone_mps2.ld"],
                               libraries=["-lgcc"],
                               linker=M4 if compiler is CLANG else None)
        done = run(*MACHINE, program, "-M", board, stdin=subprocess.DEVNULL)
        assert done.returncode == 0, done.stderr
        return done.stdout.split()


def same_numbers(words):
    """Not-a-numbers have no promised bits."""
    return ["nan" if int(word, 16) & 0x7fffffff > 0x7f800000 else word for word in words]


def has_fma():
    """Whether this is an x86 processor with fused multiply-adds."""
    try:
        return (platform.machine() == "x86_64" and
                " fma " in pathlib.Path("/proc/cpuinfo").read_text())
    except OSError:
        return False


class Standalone(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = folder.name

    def compare(self, words, expected):
        self.assertGreater(len(expected), STEPS)
        self.assertEqual(same_numbers(words[:-2]), same_numbers(expected))


class Desk(Standalone):
    def test_results_are_those_of_the_library_bit_for_bit(self):
        for name, make in MODELS.items():
            with self.subTest(name):
                source = Source(self.folder, make())
                expected = source.expected()
                self.assertEqual(same_numbers(source.expected("generic")),
                                 same_numbers(expected))
                program = source.compile(CC, "standalone_desk.c",
                                         ["-std=c99", "-O2", *WARNINGS])
                self.compare(run(program).stdout.split(), expected)

    def test_other_compilers_and_options_change_nothing(self):
        builds = [("O0", CC, ["-std=c99", "-O0"], "c")]
        if has_fma():
            builds.append(("contracted", CC, ["-std=gnu99", "-O3", "-mfma",
                                              "-ffp-contract=fast"], "c"))
        if shutil.which("clang"):
            builds.append(("clang", ["clang"], ["-std=c99", "-O2"], "c"))
        if CXX:
            builds.append(("C++", CXX, ["-std=c++17", "-O2"], "c++"))
        for model in ("3 units", "32 units, projection", "half way", "tiny products"):
            for name, compiler, options, language in builds:
                with self.subTest(f"{model}: {name}"):
                    source = Source(self.folder, MODELS[model]())
                    if language == "c++":
                        made = run(*compiler, *options, *WARNINGS, "-x", "c++", "-c",
                                   source.source, "-o", os.devnull)
                        self.assertEqual((made.returncode, made.stderr), (0, ""))
                        continue
                    program = source.compile(compiler, "standalone_desk.c",
                                             [*options, *WARNINGS])
                    self.compare(run(program).stdout.split(), source.expected())

    def test_weights_are_read_back_exactly(self):
        values = rounded([1.1, -0.0, 3.4e38, 1e-45, 1.1754944e-38, 1 / 3, -2.5e-41, 7.0])
        model = Model(1, 1, bias=False)
        model.tensors["lstm.weight_ih_l0"] = ((4, 1), values[:4])
        model.tensors["lstm.weight_hh_l0"] = ((4, 1), values[4:])
        text = Source(self.folder, model).source.read_text()
        numbers = re.search(r"net_layer0\[12\] = \{([^}]*)\}", text).group(1)
        read = [float.fromhex(word.strip(" f")) for word in numbers.split(",")[:-1]]
        self.assertEqual(struct.pack("<12d", *read), struct.pack("<12d", 0, 0, 0, 0, *values))

    def test_what_the_source_does_not_compute_is_refused(self):
        def refused(model, message, *words):
            path = pathlib.Path(self.folder) / "m"
            path.write_bytes(model.bytes())
            done = run(EMBED, "--standalone", *words, path)
            self.assertEqual((done.returncode, done.stdout), (1, ""))
            self.assertRegex(done.stderr, f"^lstm-embed: .*{message}[^\n]*\n$")

        for key, value in (("scale", "0 1"), ("model.in_gain", "0"), ("model.skip", "1"),
                           ("model.read", "columns"), ("model.reverse", "lstm")):
            model = Model(2, 1)
            model.metadata = {"model.samplerate": "8000", key: value}
            refused(model, f"metadata {key} is '{value}', expected none")
        for key, value, message in (
                ("model.output", "reversed", "is 'reversed', expected steps, last or states"),
                ("model.new", "", "metadata has the unknown key 'model.new'")):
            model = Model(2, 1)
            model.metadata = {key: value}
            refused(model, message)
        model = Model(2, 1)
        for stem in ("weight_ih", "weight_hh", "bias_ih", "bias_hh"):
            model.tensors[f"lstm.{stem}_l0_reverse"] = model.tensors[f"lstm.{stem}_l0"]
        refused(model, "the LSTM is bidirectional")
        model = Model(2, 1)
        model.metadata = {"lstm.layer.lstm": json.dumps(
            {"version": "1.0", "inputs": 1, "hidden": 2, "layers": 1, "proj_size": 0,
             "dropout": 0, "bias": True, "batch_first": False, "bidirectional": False,
             "precision": "bfloat16"})}
        refused(model, "precision bfloat16, expected float32 or int8")
        refused(int8(Model(1, 1025)), "1025 inputs and 1 hidden units in int8, expected at most 1024")
        for name, shape, message in (("embedding.weight", (5, 1), "embedding.weight"),
                                     ("lstm.h0", (1, 1, 2), "first states, lstm.h0"),
                                     ("fc.weight", (1, 3), "fc has 3 inputs, expected 2")):
            model = Model(2, 1)
            model.tensors[name] = (shape, [0.5] * (5 if shape[0] == 5 else shape[-1]))
            refused(model, message)
        model = Model(2, 1)
        model.tensors["lstm.weight_hh_l0"][1][3] = float("inf")
        refused(model, "weight_hh_l0 has the value inf")
        model = Model(2, 1)
        model.tensors["lstm.bias_ih_l0"][1][3] = model.tensors["lstm.bias_hh_l0"][1][3] = 3e38
        refused(model, "a sum that is not finite")
        refused(Model(2, 1), "other", "--prefix", "other")
        refused(Model(2, 1, head=1), "other", "--head", "other")

    def test_other_tensors_are_named(self):
        model = Model(2, 1, head=1)
        model.tensors["out.weight"] = ((1, 2), [1, 2])
        model.tensors["out.scale"] = ((1,), [1])
        path = pathlib.Path(self.folder) / "m"
        path.write_bytes(model.bytes())
        done = run(EMBED, "--standalone", path)
        self.assertEqual(done.returncode, 0)
        self.assertIn("not used: out.weight and other tensors\n", done.stderr)
        done = run(EMBED, "--standalone", "--prefix", "lstm", "--head", "out", path)
        self.assertIn("0x1p+0f, 0x1p+1f", done.stdout)

    def test_an_lstm_cell_is_a_layer(self):
        model = Model(2, 1, head=1)
        layer = Source(self.folder, model).source.read_text()
        model.tensors = {name.replace("lstm.", "cell.").replace("_l0", ""): value
                         for name, value in model.tensors.items()}
        self.assertEqual(Source(self.folder, model).source.read_text(), layer)

    def test_the_program_of_the_page_runs(self):
        source = Source(self.folder, Model(16, 5, head=3, bias=False))
        page = re.search(r"```c\n(.*?)```", PAGE.read_text(), re.S).group(1)
        (source.folder / "page.c").write_text(page + """
#include <stdint.h>
#include <stdio.h>
#include "inputs.h"

int main(void)
{
    for (int step = 0; step < STEPS; step++)
        printf("%d\\n", classify(inputs + step * model_inputs));
    return 0;
}
""")
        source.source.write_text(run(EMBED, "--standalone", source.model).stdout)
        made = run(*CC, "-std=c99", *WARNINGS, source.folder / "page.c", source.source, "-o",
                   source.folder / "page")
        self.assertEqual((made.returncode, made.stderr), (0, ""))
        outputs = [struct.unpack(">f", bytes.fromhex(word))[0]
                   for word in source.expected()[:3 * STEPS]]
        best = [max(range(3), key=lambda i, step=step: outputs[3 * step + i])
                for step in range(STEPS)]
        self.assertGreater(len(set(best)), 1)
        self.assertEqual(run(source.folder / "page").stdout.split(), [str(i) for i in best])

    def test_options_and_names(self):
        path = pathlib.Path(self.folder) / "m"
        path.write_bytes(Model(1, 1).bytes())
        for name in ("int", "main", "x_t", "_x", "1"):
            done = run(EMBED, "--standalone", "--name", name, path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
        for option in ("--prefix", "--head"):
            done = run(EMBED, option, "lstm", path)
            self.assertEqual((done.returncode, done.stdout), (2, ""))
            self.assertIn("need --standalone", done.stderr)

    @unittest.skipUnless(os.path.exists("/dev/full"), "no /dev/full here")
    def test_a_full_disk_is_reported(self):
        path = pathlib.Path(self.folder) / "m"
        path.write_bytes(Model(16, 16).bytes())
        with open("/dev/full", "wb") as full:
            done = subprocess.run([EMBED, "--standalone", path], stdout=full,
                                  stderr=subprocess.PIPE)
        self.assertEqual(done.returncode, 1)
        self.assertIn(b"No space left", done.stderr)


class Microcontroller(Standalone):
    def test_a_cortex_m4_computes_the_same_bits(self):
        for name, make in MODELS.items():
            with self.subTest(name):
                source = Source(self.folder, make())
                self.compare(source.on_arm(), source.expected())

    def test_so_does_a_cortex_m3_without_a_floating_point_unit(self):
        for name in ("3 units", "32 units, projection", "half way", "negative zeros"):
            with self.subTest(name):
                source = Source(self.folder, MODELS[name]())
                self.compare(source.on_arm(compiler=M3, board="mps2-an385"), source.expected())

    @unittest.skipUnless(shutil.which("clang"), "needs clang")
    def test_so_does_what_clang_compiles(self):
        for name in ("3 units", "32 units, projection", "tiny weights", "negative zeros"):
            with self.subTest(name):
                source = Source(self.folder, MODELS[name]())
                self.compare(source.on_arm(compiler=CLANG), source.expected())

    def test_the_object_calls_nothing(self):
        source = Source(self.folder, MODELS["32 units, projection"]())
        for options in (["-O0"], ["-Os"], ["-O3"]):
            made = run(*M4, "-std=c99", *options, *WARNINGS, "-c", source.source, "-o",
                       pathlib.Path(self.folder) / "model.o")
            self.assertEqual((made.returncode, made.stderr), (0, ""))
            names = run("arm-none-eabi-nm", "-u", pathlib.Path(self.folder) / "model.o").stdout
            self.assertLessEqual(set(names.split()) - {"U"}, {"memcpy", "memset"})


def compare_random(count, seed):
    """Models of random sizes and ranges of values, on the desk and on the Cortex-M4."""
    chance, wrong = random.Random(seed), 0
    for index in range(count):
        hidden = chance.choice([1, 2, 3, 5, 8, 16, 17, 33])
        options = {
            "hidden": hidden, "inputs": chance.randint(1, 30), "layers": chance.randint(1, 3),
            "head": chance.choice([0, 1, 4, 9]), "bias": chance.random() < 0.7,
            "proj": chance.randint(1, hidden - 1) if hidden > 1 and chance.random() < 0.3 else 0,
            "weights": 10 ** chance.choice([-38, -20, -3, -1, 0, 0, 0, 1, 3, 18]),
            "x": 10 ** chance.choice([-38, -20, -3, 0, 0, 0, 1, 3, 18]),
            "step": chance.choice([0, 0, 0, 2.0**-8, 2.0**-20])}
        with tempfile.TemporaryDirectory() as folder:
            source = Source(folder, Model(**options))
            expected = same_numbers(source.expected())
            desk = run(source.compile(["cc"], "standalone_desk.c", ["-O2"])).stdout.split()
            for place, words in (("desk", desk), ("Cortex-M4", source.on_arm())):
                if same_numbers(words[:-2]) != expected:
                    wrong += 1
                    print(f"model {index}, {place}: {options}")
    print(f"{count} models, {wrong} differences")
    sys.exit(wrong > 0)


def measure():
    """Sizes in bytes and instructions of a step, 28 inputs and 10 outputs."""
    print("| H | flash | RAM | stack | instructions per step, -O2 | -Os |\n" + "| --- " * 6 + "|")
    for hidden in (16, 32, 128):
        with tempfile.TemporaryDirectory() as folder:
            source = Source(folder, Model(hidden, 28, head=10, weights=0.1))
            counts = []
            for level in ("-Os", "-O2"):
                words = source.on_arm([level, "-fstack-usage"])
                counts.append(int(words[-1], 16) % (1 << 24) * 40 >> SHIFT)
            flash = run("arm-none-eabi-size", source.folder / "model.o").stdout.split()[6]
            frames = dict(re.findall(r":net_(\w+)\t(\d+)", (source.folder / "model.su")
                                     .read_text()))
            stack = sum(int(size) for name, size in frames.items() if name != "reset")
            print(f"| {hidden} | {int(flash):,} | {int(words[-2], 16):,} | {stack} | "
                  f"{counts[1]:,} | {counts[0]:,} |")


def main():
    global EMBED, REFERENCE, CC, CXX
    what, EMBED, *words = sys.argv[1:]
    if what != "desk" and not (shutil.which(ARM[0]) and shutil.which(MACHINE[0])):
        print("skipped: needs gcc-arm-none-eabi and qemu-system-arm")
        sys.exit(77)
    if what == "measure":
        return measure()
    REFERENCE, *words = words
    if what == "random":
        compare_random(int(words[0]), int(words[1]))
    if what == "desk":
        split = words.index("--")
        CC, CXX = words[:split], words[split + 1:]
    tests = unittest.defaultTestLoader.loadTestsFromTestCase(
        Desk if what == "desk" else Microcontroller)
    sys.exit(not unittest.TextTestRunner(verbosity=2).run(tests).wasSuccessful())


if __name__ == "__main__":
    main()
