"""Tests mnist-predict --explain: the drawing with Python's XML reader, its probabilities and
states with the double-precision network of test_predict.py, its gates with PyTorch, if it is
there. Chromium, if it is there, draws it in light and dark: nothing is cut off, all is legible.

usage: test_explain.py PROGRAM
"""
import importlib.util
import json
import math
import os
import pathlib
import re
import shutil
import struct
import sys
import tempfile
import unittest
import xml.etree.ElementTree

sys.path.append(str(pathlib.Path(__file__).resolve().parents[1] / "web"))
import browser  # noqa: E402
import test_predict  # noqa: E402
from test_predict import (SIDE, network, noise, p5, probabilities, run,  # noqa: E402
                          safetensors)

SVG = "{http://www.w3.org/2000/svg}"
MAPS = ["i", "f", "g", "o", "c", "h"]
UNITS = 8
MISSING = None if importlib.util.find_spec("torch") else "torch is not installed"
# Hidden units, layers, classes, directions, projection.
KINDS = [(9, 2, 10, 1, 0), (3, 1, 47, 1, 0), (10, 2, 10, 2, 0), (9, 2, 11, 1, 4),
         (8, 1, 1, 2, 3)]


def values(element):
    return [float(word) for word in element.get("data-values").split()]


def words(element):
    return "".join(element.itertext())


class Drawing:
    """What a reader of the XML finds."""

    def __init__(self, path):
        self.root = xml.etree.ElementTree.parse(path).getroot()
        self.title = self.root.find(SVG + "title").text
        self.description = words(self.root.find(SVG + "desc"))
        groups = {group.get("id"): group for group in self.root.iter(SVG + "g")}
        self.digit = groups["digit"].findall(SVG + "rect")
        self.best = [int(text.text) for text in groups["best"]]
        self.curves = {int(curve.get("data-class")): curve for curve in groups["curves"]}
        self.panels = [group for group in self.root.iter(SVG + "g")
                       if group.get("class") == "panel"]

    def probabilities(self, row):
        return [values(self.curves[i])[row] for i in range(len(self.curves))]

    @staticmethod
    def maps(panel):
        """Of each map: the values of each unit by its number, in the order of the drawing."""
        return {group.get("data-map"): {int(unit.get("data-unit")): values(unit)
                                        for unit in group.findall(SVG + "g")}
                for group in panel.findall(SVG + "g")}


def inputs(image):
    return [[(v / 255 - 0.1307) / 0.3081 for v in image[i * SIDE:(i + 1) * SIDE]]
            for i in range(SIDE)]


def directions(tensors):
    """Names of the directions of all layers, such as l0_reverse."""
    return [name.removeprefix("lstm.weight_ih_") for name in tensors if "weight_ih" in name]


# What Chromium shows: the colour of the page, where texts and the page end, and the colours of
# texts and of curves with a name.
LOOK = """
const all = [...document.querySelectorAll('text')];
const boxes = all.map(text => text.getBoundingClientRect());
const style = element => getComputedStyle(element);
const curves = [...document.querySelectorAll('.curve')].filter(
    curve => !curve.classList.contains('k8'));
return {
    page: style(document.documentElement).backgroundColor,
    ends: [Math.min(...boxes.map(box => box.left)), Math.min(...boxes.map(box => box.top)),
           Math.max(...boxes.map(box => box.right)), Math.max(...boxes.map(box => box.bottom))],
    texts: [...new Set(all.map(text => style(text).fill))],
    curves: [...new Set(curves.map(curve => style(curve).stroke))],
};
"""


def contrast(one, other):
    """The contrast of two colours as WCAG 2 defines it, 1 to 21."""
    light = []
    for colour in (one, other):
        parts = [int(part) / 255 for part in re.fullmatch(
            r"rgb\((\d+), (\d+), (\d+)\)", colour).groups()]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4
                            for part in parts)
        light.append(0.2126 * red + 0.7152 * green + 0.0722 * blue)
    return (max(light) + 0.05) / (min(light) + 0.05)


class Explain(unittest.TestCase):
    def setUp(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="explain-"))
        self.addCleanup(shutil.rmtree, self.folder)
        self.image = self.write("a.pgm", p5(noise(1), SIDE))
        self.model = self.write("model", safetensors(network(6, 2)))
        self.out = self.folder / "out.svg"

    def write(self, name, content):
        path = os.path.join(os.fsencode(self.folder), os.fsencode(name))
        with open(path, "wb") as file:
            file.write(content)
        return path

    def explain(self, tensors, image=None, *more):
        """The drawing, and the probabilities of --json."""
        model = self.write("other", safetensors(tensors))
        result = run("--json", "--force", "--explain", self.out, *more, model,
                     image or self.image)
        self.assertEqual((result.returncode, result.stderr), (0, b""))
        return Drawing(self.out), json.loads(result.stdout)[0]["probabilities"]

    def refuse(self, why, *arguments, status=1):
        result = run(*arguments)
        self.assertEqual(result.returncode, status, result.stderr)
        self.assertIn(why, result.stderr.decode().split("\n")[0])

    def test_the_drawing_has_each_pixel_curve_panel_and_cell(self):
        for hidden, layers, classes, ways, proj in KINDS:
            with self.subTest(hidden=hidden, classes=classes, ways=ways, proj=proj):
                drawing, _ = self.explain(network(hidden, layers, classes, directions=ways,
                                                  proj=proj))
                inks = [float(rect.get("fill-opacity")) for rect in drawing.digit]
                self.assertEqual(len(inks), SIDE * SIDE)
                for ink, pixel in zip(inks, noise(1)):
                    self.assertAlmostEqual(ink, pixel / 255, delta=5e-4)
                self.assertEqual(sorted(drawing.curves), list(range(classes)))
                self.assertEqual(len(drawing.panels), layers * ways)
                for panel in drawing.panels:
                    self.assertEqual(list(drawing.maps(panel)), MAPS)
                    cells = [rect for rect in panel.iter(SVG + "rect")
                             if rect.get("fill-opacity")]
                    self.assertEqual(len(cells), len(MAPS) * min(hidden, UNITS) * SIDE)

    def test_curves_and_cells_show_their_values(self):
        drawing, _ = self.explain(network(9, 1))
        for curve in drawing.curves.values():
            points = [point.split(",") for point in curve.get("points").split()]
            left, width = 458, 310
            for (x, _), value in zip(points, values(curve), strict=True):
                self.assertAlmostEqual((float(x) - left) / width, value, delta=5e-5)
        for group in drawing.panels[0].findall(SVG + "g"):
            units = group.findall(SVG + "g")
            most = max(abs(v) for unit in units for v in values(unit))
            scale = max(1, most) if group.get("data-map") == "c" else 1
            for unit in units:
                for rect, value in zip(unit.findall(SVG + "rect"), values(unit), strict=True):
                    self.assertAlmostEqual(float(rect.get("fill-opacity")),
                                           abs(value) / scale, delta=6e-3)
                    self.assertEqual(rect.get("class"), "down" if value < 0 else "up")

    def test_probabilities_after_each_row_are_those_of_the_rows_so_far(self):
        for hidden, layers, classes, ways, proj in KINDS:
            with self.subTest(hidden=hidden, classes=classes, ways=ways, proj=proj):
                tensors = network(hidden, layers, classes, directions=ways, proj=proj)
                drawing, answer = self.explain(tensors)
                self.assertEqual(drawing.probabilities(SIDE - 1), answer)
                for row in range(SIDE):
                    wanted = probabilities(tensors, noise(1), row + 1)
                    got = drawing.probabilities(row)
                    for a, b in zip(got, wanted, strict=True):
                        self.assertAlmostEqual(a, b, delta=2e-6)
                    self.assertEqual(drawing.best[row], got.index(max(got)))
                self.assertIn(f"Answer {answer.index(max(answer))} with ",
                              drawing.description)

    def states(self, tensors):
        """Hidden states of all units for each row, for each direction of each layer."""
        steps, found, layer = inputs(noise(1)), {}, 0
        while f"lstm.weight_ih_l{layer}" in tensors:
            found[f"l{layer}"] = out = test_predict.direction(tensors, f"l{layer}", steps)
            if f"lstm.weight_ih_l{layer}_reverse" in tensors:
                back = test_predict.direction(tensors, f"l{layer}_reverse", steps[::-1])[::-1]
                found[f"l{layer}_reverse"] = back
                out = [a + b for a, b in zip(out, back)]
            steps = out
            layer += 1
        return found

    def test_states_follow_from_the_gates_and_units_are_the_most_active(self):
        for ways in (1, 2):
            tensors = network(20, 2, directions=ways, seed=ways)
            drawing, _ = self.explain(tensors)
            for panel, (name, states) in zip(drawing.panels, self.states(tensors).items(),
                                             strict=True):
                with self.subTest(name=name, ways=ways):
                    order = slice(None, None, -1 if "reverse" in name else 1)
                    columns = [list(column)[order] for column in zip(*states)]
                    active = [sum(abs(a - b) for a, b in zip([0, *column], column))
                              for column in columns]
                    ranked = sorted(range(20), key=lambda unit: -active[unit])[:UNITS]
                    maps = drawing.maps(panel)
                    for gate in MAPS:
                        self.assertEqual(list(maps[gate]), ranked)
                    for unit in ranked:
                        c = 0
                        i, f, g, o, cells, hidden = (maps[k][unit][order] for k in MAPS)
                        for t in range(SIDE):
                            c = f[t] * c + i[t] * g[t]
                            self.assertAlmostEqual(cells[t], c, delta=2e-4)
                            self.assertAlmostEqual(hidden[t], o[t] * math.tanh(c), delta=2e-4)
                            self.assertAlmostEqual(hidden[t], columns[unit][t], delta=2e-5)

    @unittest.skipIf(MISSING, MISSING)
    def test_gates_and_probabilities_equal_those_of_pytorch(self):
        import torch
        for hidden, layers, classes, ways, proj in KINDS:
            with self.subTest(hidden=hidden, classes=classes, ways=ways, proj=proj):
                tensors = network(hidden, layers, classes, directions=ways, proj=proj)
                drawing, _ = self.explain(tensors)
                state = {name: torch.tensor(v, dtype=torch.float64).reshape(shape)
                         for name, (shape, v) in tensors.items()}
                net = torch.nn.LSTM(SIDE, hidden, layers, bidirectional=ways == 2,
                                    proj_size=proj, dtype=torch.float64)
                net.load_state_dict({name[5:]: v for name, v in state.items()
                                     if name.startswith("lstm.")})
                x = torch.tensor(inputs(noise(1)), dtype=torch.float64)
                with torch.no_grad():
                    for row in range(SIDE):
                        out = net(x[:row + 1])[0][-1]
                        scores = state["fc.weight"] @ out + state["fc.bias"]
                        wanted = torch.softmax(scores, 0).tolist()
                        for a, b in zip(drawing.probabilities(row), wanted, strict=True):
                            self.assertAlmostEqual(a, b, delta=2e-6)
                    self.compare_gates(torch, drawing, state, x, hidden, layers, ways, proj)

    def compare_gates(self, torch, drawing, state, x, hidden, layers, ways, proj):
        """Each direction of each layer is a network of its own, whose h and c after each row
        PyTorch computes; the gates are the formula in its manual."""
        panels = iter(drawing.panels)
        for layer in range(layers):
            outs = []
            for reverse in range(ways):
                suffix = "_reverse" if reverse else ""
                own = {name: state.get(f"lstm.{name}{layer}{suffix}") for name in
                       ("weight_ih_l", "weight_hh_l", "bias_ih_l", "bias_hh_l", "weight_hr_l")}
                net = torch.nn.LSTM(x.shape[1], hidden, proj_size=proj, dtype=torch.float64)
                net.load_state_dict({name + "0": v for name, v in own.items() if v is not None})
                steps = x.flip(0) if reverse else x
                out = net(steps)[0]
                before = torch.cat([torch.zeros_like(out[:1]), out[:-1]])
                sums = (steps @ own["weight_ih_l"].T + own["bias_ih_l"] +
                        before @ own["weight_hh_l"].T + own["bias_hh_l"])
                i, f, g, o = sums.chunk(4, 1)
                c = torch.cat([net(steps[:t + 1])[1][1] for t in range(SIDE)])
                found = dict(zip(MAPS, (i.sigmoid(), f.sigmoid(), g.tanh(), o.sigmoid(), c,
                                        o.sigmoid() * c.tanh())))
                panel = next(panels)
                self.assertEqual((panel.get("data-layer"), panel.get("data-reverse")),
                                 (str(layer), str(reverse)))
                for name, units in drawing.maps(panel).items():
                    wanted = found[name].flip(0) if reverse else found[name]
                    for unit, got in units.items():
                        for a, b in zip(got, wanted[:, unit].tolist(), strict=True):
                            self.assertAlmostEqual(a, b, delta=2e-5 * max(1, abs(b)))
                outs.append(out.flip(0) if reverse else out)
            x = torch.cat(outs, 1)

    def test_any_name_is_valid_xml(self):
        for name in (b"<&>'\".pgm", b"]]>\x01\x1b.pgm", b"\xff\xfe\xc0.pgm",
                     b"\xef\xbf\xbf \xef\xbf\xbe.pgm", "ä\u202e-字.pgm".encode(), b"n" * 200,
                     "字".encode() * 80):
            with self.subTest(name=name):
                image = self.write(name, p5(noise(1), SIDE))
                drawing, _ = self.explain(network(4, 1), image)
                self.assertTrue(drawing.title.startswith("How the network reads "))
                if name[:1] == b"<":
                    self.assertTrue(drawing.title.endswith(os.fsdecode(name)))

    @unittest.skipIf(browser.missing(), browser.missing())
    def test_chromium_draws_all_of_it_legibly_in_light_and_dark(self):
        drawings = []
        for length, (hidden, layers, classes, ways, proj) in zip((200, 35, 36), KINDS):
            image = self.write("W" * length, p5(noise(1), SIDE))
            drawing, _ = self.explain(network(hidden, layers, classes, directions=ways,
                                              proj=proj), image)
            drawings.append((self.out.rename(self.folder / f"{classes}-{ways}.svg"), drawing))
        for dark in (False, True):
            with browser.Browser(dark=dark) as chromium:
                for path, drawing in drawings:
                    chromium.open(path.as_uri())
                    found = chromium.run(LOOK)
                    with self.subTest(dark=dark, path=path.name, found=found):
                        self.check_look(found, drawing, dark)

    def check_look(self, found, drawing, dark):
        left, top, right, bottom = found["ends"]
        self.assertGreaterEqual(min(left, top), 0)
        self.assertLessEqual(right, float(drawing.root.get("width")))
        self.assertLessEqual(bottom, float(drawing.root.get("height")))
        self.assertEqual(contrast(found["page"], "rgb(255, 255, 255)") > 4.5, dark)
        for colour in found["texts"]:
            self.assertGreaterEqual(contrast(colour, found["page"]), 4.5, colour)
        self.assertEqual(len(found["curves"]), 8)
        for colour in found["curves"]:
            self.assertGreaterEqual(contrast(colour, found["page"]), 3, colour)

    def test_what_cannot_be_drawn_is_refused_by_name(self):
        two = self.write("two", struct.pack(">4I", 0x803, 2, SIDE, SIDE) + bytes(noise(1) * 2))
        deep = self.write("deep", safetensors(network(1, 33)))
        wide = self.write("wide", safetensors(network(1, 1, 1001)))
        explain = ["--explain", self.out]
        self.refuse("--explain and --digits exclude", *explain, "--digits", self.model,
                    self.image, status=2)
        self.refuse("exactly one FILE", *explain, self.model, self.image, self.image, status=2)
        self.refuse("--force is for --explain", "--force", self.model, self.image, status=2)
        self.refuse("'-'", "--explain", "-", self.model, self.image, status=2)
        self.refuse("has 2 images", *explain, self.model, two)
        self.refuse("has 33 layers", *explain, deep, self.image)
        self.refuse("has 1001 classes", *explain, wide, self.image)
        self.refuse("none.pgm", *explain, self.model, "none.pgm")
        self.assertFalse(self.out.exists())
        self.assertEqual(len(list(self.folder.iterdir())), 5)

    def test_only_a_drawing_is_replaced_without_force(self):
        done = run("--explain", self.out, self.model, self.image)
        self.assertEqual(done.returncode, 0)
        first = self.out.read_bytes()
        self.out.write_bytes(first[:len(first) // 2])
        self.assertEqual(run("--explain", self.out, self.model, self.image).returncode, 0)
        self.assertEqual(self.out.read_bytes(), first)
        for content in (b"text", b"<svg xmlns='x'><title>Forecast of x</title></svg>"):
            self.out.write_bytes(content)
            self.refuse("--force replaces it", "--explain", self.out, self.model, self.image)
            self.assertEqual(self.out.read_bytes(), content)
        done = run("--force", "--explain", self.out, self.model, self.image)
        self.assertEqual(done.returncode, 0)
        self.assertEqual(self.out.read_bytes(), first)

    def test_files_that_are_read_are_never_replaced(self):
        for path, what in ((self.model, "is the model"), (self.image, "is the picture")):
            content = pathlib.Path(os.fsdecode(path)).read_bytes()
            self.refuse(what, "--force", "--explain", path, self.model, self.image)
            self.assertEqual(pathlib.Path(os.fsdecode(path)).read_bytes(), content)

    def test_labels_beside_the_picture_are_not_replaced(self):
        images, labels = (self.folder / f"one-{name}-ubyte"
                          for name in ("images-idx3", "labels-idx1"))
        images.write_bytes(struct.pack(">4I", 0x803, 1, SIDE, SIDE) +
                           bytes(28 * 4) + (bytes(12) + b"\xff" * 4 + bytes(12)) * 20 +
                           bytes(28 * 4))
        labels.write_bytes(struct.pack(">2I", 0x801, 1) + b"\3")
        before = labels.read_bytes()
        self.refuse("has the labels of the picture, which --explain would replace", "--force",
                    "--explain", labels, self.model, images)
        self.assertEqual(labels.read_bytes(), before)
        done = run("--explain", self.out, self.model, images)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_a_drawing_that_cannot_be_written_is_an_error(self):
        for path in (self.folder, self.folder / "none" / "a.svg"):
            self.refuse(str(path), "--explain", path, self.model, self.image)
        if os.path.exists("/dev/full"):
            self.refuse("/dev/full: No space left", "--explain", "/dev/full", self.model,
                        self.image)


if __name__ == "__main__":
    test_predict.PROGRAM = sys.argv.pop(1)
    unittest.main()
