"""Checks examples/python/experiment.ipynb.

usage: test_notebook.py File | Run (Run with LIBLSTM and LIBMNIST in the environment)

File reads it with the standard library: the format, no output, and the packages that it needs.
Run executes it with few digits; skipped without nbclient, ipykernel, matplotlib or tqdm. Where
PyTorch is installed, the losses are compared.
"""
import ast
import importlib.util
import json
import os
import pathlib
import re
import sys
import tempfile
import unittest

FOLDER = pathlib.Path(__file__).resolve().parents[2] / "examples/python"
NOTEBOOK = FOLDER / "experiment.ipynb"
# Names in environment.yml of modules with another name; liblstm is the folder itself.
PACKAGES = {"PIL": "pillow", "liblstm": ".", "matplotlib": "matplotlib-base",
            "torch": "pytorch-cpu"}
SETTINGS = {"EPOCHS": 2, "TRAIN": 1500, "TEST": 200, "HIDDEN": 24, "BATCH": 50, "RATE": 0.01,
         "COMPARE": 20, "OFFLINE": 1, "PICTURE": "own.png"}
# The limit of tests/api/test_losses.c for the first twenty losses.
DIFFERENCE = 2e-5


def code_of(notebook):
    return [cell for cell in notebook["cells"] if cell["cell_type"] == "code"]


class File(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        cls.text = NOTEBOOK.read_text(encoding="utf-8")
        cls.notebook = json.loads(cls.text)

    def test_it_is_a_notebook_of_format_4_with_named_cells(self):
        self.assertEqual((self.notebook["nbformat"], self.notebook["nbformat_minor"]), (4, 5))
        self.assertEqual(self.notebook["metadata"]["kernelspec"]["name"], "python3")
        names = [cell["id"] for cell in self.notebook["cells"]]
        self.assertEqual(len(set(names)), len(names))
        for cell in self.notebook["cells"]:
            keys = {"cell_type", "id", "metadata", "source"}
            if cell["cell_type"] == "code":
                keys |= {"execution_count", "outputs"}
            else:
                self.assertEqual(cell["cell_type"], "markdown")
            self.assertEqual(set(cell), keys, cell["id"])
            self.assertRegex(cell["id"], "^[a-z-]{1,64}$")

    def test_it_is_as_jupyter_writes_it(self):
        self.assertEqual(self.text, json.dumps(
            self.notebook, indent=1, ensure_ascii=False, sort_keys=True) + "\n")
        for cell in self.notebook["cells"]:
            *lines, last = cell["source"]
            for line in lines:
                self.assertTrue(re.fullmatch(r"[^\n]*\n", line), (cell["id"], line))
            self.assertNotIn("\n", last)
            for line in cell["source"]:
                self.assertLessEqual(len(line.rstrip("\n")), 100, (cell["id"], line))

    def test_it_has_no_output(self):
        for cell in code_of(self.notebook):
            self.assertEqual((cell["outputs"], cell["execution_count"]), ([], None), cell["id"])

    def test_its_code_compiles_without_magic(self):
        self.assertGreater(len(code_of(self.notebook)), 10)
        for cell in code_of(self.notebook):
            compile("".join(cell["source"]), cell["id"], "exec")

    def test_text_comes_before_each_cell_of_code_but_imports(self):
        kinds = [cell["cell_type"] for cell in self.notebook["cells"]]
        for before, cell, kind in zip(kinds, self.notebook["cells"][1:], kinds[1:]):
            if kind == "code":
                self.assertEqual(before, "markdown", cell["id"])

    def test_environment_lists_every_package_that_it_imports(self):
        environment = (FOLDER / "environment.yml").read_text(encoding="utf-8")
        listed = set(re.findall(r"^ +- ([\w.-]+)", environment, re.M))
        modules = set()
        for cell in code_of(self.notebook):
            for node in ast.walk(ast.parse("".join(cell["source"]))):
                if isinstance(node, ast.Import):
                    modules |= {name.name.split(".")[0] for name in node.names}
                elif isinstance(node, ast.ImportFrom):
                    modules.add(node.module.split(".")[0])
        modules -= set(sys.stdlib_module_names)
        self.assertIn("tqdm", modules)
        self.assertEqual({PACKAGES.get(name, name) for name in modules} - listed, set())


def draw(path):
    """A picture of a 7 on transparent paper, whose hidden color is black."""
    from PIL import Image, ImageDraw
    picture = Image.new("RGBA", (90, 120), (0, 0, 0, 0))
    ImageDraw.Draw(picture).line([(25, 20), (62, 20), (45, 100)], fill="black", width=8)
    picture.save(path)


def execute(folder):
    """Runs the notebook in a folder; returns the texts and the number of pictures of each
    cell."""
    import nbclient
    import nbformat
    from traitlets.config import Config
    os.environ.update({f"EXPERIMENT_{name}": str(value) for name, value in SETTINGS.items()})
    draw(os.path.join(folder, SETTINGS["PICTURE"]))
    # Nothing is read from or written to the user's folders.
    os.environ.update(HOME=folder, IPYTHONDIR=folder, JUPYTER_CONFIG_DIR=folder,
                      JUPYTER_DATA_DIR=folder, MPLCONFIGDIR=folder, XDG_CACHE_HOME=folder,
                      OMP_NUM_THREADS="1", PYTHONPATH=str(FOLDER))
    os.environ.pop("MNIST_DIR", None)
    notebook = nbformat.read(NOTEBOOK, 4)
    nbformat.validate(notebook)
    # Sockets in the folder instead of ports. Meson has the time limit.
    manager = {"transport": "ipc", "ip": os.path.join(folder, "kernel")}
    nbclient.NotebookClient(notebook, kernel_name="python3", timeout=None, startup_timeout=600,
                            config=Config(KernelManager=manager),
                            resources={"metadata": {"path": folder}}).execute()
    texts, pictures = {}, {}
    for cell in code_of(notebook):
        texts[cell["id"]] = "".join(output.get("text", "") for output in cell["outputs"])
        pictures[cell["id"]] = sum("image/png" in output.get("data", {})
                                   for output in cell["outputs"])
    return texts, pictures


class Run(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        scratch = tempfile.TemporaryDirectory(prefix="notebook-")
        cls.addClassCleanup(scratch.cleanup)
        cls.texts, cls.pictures = execute(scratch.name)
        cls.model = pathlib.Path(scratch.name, "experiment.safetensors").stat().st_size

    def test_every_picture_is_drawn(self):
        drawn = {name for name, count in self.pictures.items() if count}
        expected = {"look", "rows", "curves", "confusion", "worst", "read"}
        if importlib.util.find_spec("torch"):
            expected.add("compare")
        self.assertEqual(drawn, expected)
        self.assertEqual(set(self.pictures.values()), {0, 1})

    def test_the_network_learns(self):
        shares = re.findall(r"epoch \d: ([\d.]+)% of the test", self.texts["training"])
        self.assertEqual(len(shares), SETTINGS["EPOCHS"], self.texts["training"])
        self.assertGreater(float(shares[-1]), 30)
        self.assertIn(f"{SETTINGS['TRAIN'] // SETTINGS['BATCH']}/30", self.texts["training"])

    def test_it_says_that_digits_are_synthetic(self):
        self.assertIn("these are synthetic digits", self.texts["data"])

    def test_it_reads_a_picture_file(self):
        self.assertEqual(self.texts["own"], "own.png: 90 x 120 pixels\n")
        self.assertRegex(self.texts["read"],
                         r"^It reads a \d, with a probability of [\d.]+%\.$")

    def test_recall_and_precision_are_those_of_ten_digits(self):
        table = re.findall(r"^ +\d +[\d.]+% +[\d.]+%$", self.texts["confusion"], re.M)
        self.assertEqual(len(table), 10, self.texts["confusion"])

    def test_losses_are_those_of_pytorch(self):
        if not importlib.util.find_spec("torch"):
            self.assertIn("PyTorch is not installed", self.texts["torch"])
            self.assertIn("PyTorch is not installed", self.texts["compare"])
            return
        found = re.findall(r"first +(\d+) losses: ([\d.e+-]+)", self.texts["torch"])
        self.assertEqual([int(count) for count, _ in found], [1, SETTINGS["COMPARE"]])
        for _, difference in found:
            self.assertLess(float(difference), DIFFERENCE)

    def test_the_model_is_saved(self):
        printed = re.search(r"([\d,]+) bytes, ([\d,]+) parameters", self.texts["save"])
        size, parameters = (int(number.replace(",", "")) for number in printed.groups())
        self.assertEqual(size, self.model)
        self.assertGreater(size, 4 * parameters)


if __name__ == "__main__":
    if sys.argv[1] == "Run":
        for module in ("nbclient", "ipykernel", "matplotlib", "tqdm"):
            if not importlib.util.find_spec(module):
                print(f"skipped: {module} is not installed")
                sys.exit(77)
    unittest.main(argv=[sys.argv[0], sys.argv[1]], verbosity=2)
