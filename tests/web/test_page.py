"""Draws digits into the page of examples/web in a headless Chromium, with a mouse, a pen, a
finger and keys, and checks what it says.

usage: test_page.py BUILD TRAIN PREDICT DESK
       test_page.py --measure PAGE.html [COUNT]

BUILD is the folder of the build for WebAssembly, which the test makes; TRAIN, PREDICT and
DESK are mnist-train, mnist-predict and test-web-desk. The test trains a small model of
synthetic digits. --measure draws COUNT digits (default 100) into any such page, and prints how
many it reads, and how long after a stroke the answer is painted.
"""
import contextlib
import functools
import http.server
import importlib.util
import json
import os
import pathlib
import re
import struct
import subprocess
import sys
import tempfile
import threading
import unittest

import browser
import strokes
import wasm

LIMIT = 1_200_000
# The default model of mnist-train as bfloat16 values.
DEFAULT_MODEL = 429_596
WAIT = """const done = arguments[0];
const look = () => document.documentElement.dataset.ready ?
  done(document.documentElement.dataset.ready) : setTimeout(look, 20);
look();"""
# From the event of lifting the pen to the end of the next frame.
CLOCK = """window.times = [];
document.getElementById('canvas').addEventListener('pointerup', (event) => {
  requestAnimationFrame(() => {
    const after = new MessageChannel();
    after.port1.onmessage = () => times.push(performance.now() - event.timeStamp);
    after.port2.postMessage(0);
  });
});"""
READ = """const network = page.network, memory = network.memory;
network.page_reproducible(arguments[2]);
network.page_clear();
for (const line of arguments[0])
  network.page_line(...line);
const result = network.page_read(arguments[1]);
network.page_reproducible(false);
const hex = (bytes) => Array.from(bytes, (b) => b.toString(16).padStart(2, '0')).join('');
const words = new Uint32Array(memory.buffer, network.page_logits(), 280);
return {result, image: hex(new Uint8Array(memory.buffer, network.page_image(), 784)),
  logits: Array.from(words, (w) => w.toString(16).padStart(8, '0')).join(''),
  pixels: hex(new Uint8Array(memory.buffer, network.page_pixels(), 280 * 280)),
  probabilities: Array.from(new Float64Array(memory.buffer, network.page_probabilities(), 280))
};"""

BUILD, TRAIN, PREDICT, DESK = [None] * 4
TOUR = [("mouse", 0), ("pen", 1), ("touch", 2)]


def start(chromium, url):
    chromium.open(url)
    return chromium.wait(WAIT)


def side_of(chromium):
    return chromium.run("return document.getElementById('canvas').clientWidth")


def draw(chromium, name, seed, kind="mouse"):
    """Draws a digit on an empty canvas; returns what the page reads."""
    chromium.run("document.getElementById('clear').click()")
    for stroke in strokes.digit(name, seed, side_of(chromium)):
        chromium.stroke("#canvas", stroke, kind)
    return chromium.text("#digit")


def segments(name, seed):
    """The lines of a digit, in values that float32 has exactly."""
    lines = []
    for stroke in strokes.digit(name, seed, 280):
        points = [(round(4 * x) / 4, round(4 * y) / 4) for x, y in stroke]
        lines += [[*a, *b, 16] for a, b in zip(points, points[1:])]
    return lines


def measure(page, count):
    with browser.Browser() as chromium:
        start(chromium, pathlib.Path(page).resolve().as_uri())
        chromium.run(CLOCK)
        wrong = []
        for i in range(count):
            kind = TOUR[i % 3][0]
            read = draw(chromium, i % 10, f"measure {i}", kind)
            if read != str(i % 10):
                wrong.append(f"{i % 10} as {read}")
        times = sorted(chromium.run("return times"))
    print(f"{count - len(wrong)} of {count} right; wrong: {', '.join(wrong) or 'none'}")
    print(f"milliseconds from the end of a stroke to the painted answer: median "
          f"{times[len(times) // 2]:.1f}, 95% below {times[len(times) * 95 // 100]:.1f}, "
          f"largest {times[-1]:.1f}")


class Page(unittest.TestCase):
    @classmethod
    def setUpClass(cls):
        folder = tempfile.TemporaryDirectory()
        cls.addClassCleanup(folder.cleanup)
        cls.folder = pathlib.Path(folder.name)
        cls.maker = wasm.load_maker()
        cls.wasm = (wasm.build(BUILD) / "examples/web/page.wasm").read_bytes()
        cls.model_path = cls.folder / "model.safetensors"
        subprocess.run([TRAIN, "--synthetic=12000", "--epochs", "4", "--hidden", "64",
                        "--layers", "1", "--lr", "0.004", "--seed", "0", "--eval", "none",
                        "--quiet", "--save", cls.model_path], check=True, timeout=500,
                       stdout=subprocess.DEVNULL)
        cls.model, about = cls.maker.read_model(str(cls.model_path))
        cls.rounded = cls.folder / "rounded.safetensors"
        cls.rounded.write_bytes(cls.model)
        cls.page = cls.folder / "page.html"
        cls.page.write_text(cls.maker.make_page(cls.model, about, cls.wasm))
        cls.chromium = browser.Browser()
        cls.addClassCleanup(cls.chromium.__exit__)

    def setUp(self):
        self.assertEqual(start(self.chromium, self.page.as_uri()), "yes")

    def tearDown(self):
        self.assertEqual(self.chromium.log("browser"), [])

    def verdict(self):
        return self.chromium.text("#verdict")

    def press(self, button):
        self.chromium.click(f"#{button}")

    def stroke(self, *points, kind="mouse"):
        side = side_of(self.chromium)
        self.chromium.stroke("#canvas", [(x * side, y * side) for x, y in points], kind)

    def test_mouse_pen_and_finger_draw_digits(self):
        wrong = []
        for kind, seed in TOUR:
            for name in range(10):
                read = draw(self.chromium, name, seed, kind)
                if read != str(name):
                    wrong.append(f"{name} with {kind} as {read}")
        # The model has seen 12,000 synthetic digits.
        self.assertLessEqual(len(wrong), 4, wrong)

    def test_an_empty_canvas_says_so(self):
        self.assertEqual(self.verdict(), "The drawing area is empty.")
        self.stroke((.5, .2), (.5, .8))
        self.press("clear")
        self.assertEqual(self.verdict(), "The drawing area is empty.")
        self.assertEqual(self.chromium.text(".percent"), "–")

    def test_two_digits_and_specks_say_so(self):
        self.stroke((.2, .3), (.2, .7))
        self.stroke((.8, .3), (.8, .7))
        self.assertEqual(self.verdict(), "I see more than one digit.")
        self.press("undo")
        self.assertRegex(self.verdict(), r"^(I read|Perhaps) \d")
        self.press("clear")
        self.stroke((.5, .5))
        self.assertEqual(self.verdict(), "I see no digit yet.")

    def test_an_answer_of_low_probability_is_unsure(self):
        seen = set()
        shapes = [[(.2, .5), (.8, .5)], [(.3, .2), (.7, .8)], [(.3, .3), (.7, .3), (.7, .7)],
                  [(.3, .7), (.3, .3), (.7, .7)], [(.5, .2), (.3, .8), (.7, .6), (.3, .4)],
                  [(.3, .2), (.5, .5), (.7, .2), (.5, .5), (.5, .8)],
                  [(.3, .3), (.7, .7), (.5, .5), (.3, .7), (.7, .3)]]
        for shape in [*shapes, *(strokes.digit(name, 9, 1)[0] for name in range(10))]:
            self.chromium.run("document.getElementById('clear').click()")
            self.stroke(*shape)
            rows = self.chromium.run("return page.answer && Array.from(page.answer.rows[27])")
            if rows is None:
                continue
            best = max(rows)
            unsure = best < .8
            seen.add(unsure)
            text = f"Perhaps {rows.index(best)}, but I am not sure." if unsure else (
                f"I read {rows.index(best)}.")
            self.assertEqual(self.verdict(), text)
        self.assertEqual(seen, {True, False})

    def test_undo_takes_back_strokes_clear_and_examples(self):
        self.assertTrue(self.chromium.run("return document.getElementById('undo').disabled"))
        self.stroke((.5, .15), (.5, .85))
        one = self.verdict()
        self.press("clear")
        self.chromium.click(".examples button:nth-child(9)")
        self.assertEqual(self.chromium.text("#digit"), "8")
        self.press("undo")
        self.assertEqual(self.verdict(), "The drawing area is empty.")
        self.press("undo")
        self.assertEqual(self.verdict(), one)
        self.press("undo")
        self.assertEqual(self.verdict(), "The drawing area is empty.")

    def test_inverted_drawings_are_read_alike(self):
        draw(self.chromium, 3, 1)
        script = ("return [document.getElementById('digit').textContent, "
                  "Array.from(page.answer.image), page.network.page_pixels() && "
                  "new Uint8Array(page.network.memory.buffer)[page.network.page_pixels()]]")
        before = self.chromium.run(script)
        self.press("invert")
        after = self.chromium.run(script)
        self.assertEqual(before[:2], after[:2])
        self.assertEqual((before[2], after[2]), (255, 0))

    def test_examples_of_all_digits_are_read(self):
        read = []
        for name in range(10):
            self.chromium.click(f".examples button:nth-child({name + 1})")
            read.append(self.chromium.text("#digit"))
        self.assertGreaterEqual(sum(a == b for a, b in zip(read, "0123456789")), 9, read)

    def test_probabilities_move_row_by_row(self):
        self.chromium.run("""window.counts = [];
            new MutationObserver(() => counts.push(+document.getElementById('count').textContent))
              .observe(document.getElementById('count'), {childList: true});""")
        self.chromium.click(".examples button:nth-child(5)")
        counts = self.chromium.wait(
            "const done = arguments[0]; const look = () => counts.includes(28) ? done(counts) :"
            " setTimeout(look, 20); look();")
        rising = counts[counts.index(1):]
        self.assertEqual(rising, sorted(rising))
        self.assertEqual(rising[0], 1)
        rows = self.chromium.run("return page.answer.rows.map((row) => Array.from(row))")
        self.assertEqual(len(rows), 28)
        for row in rows:
            self.assertAlmostEqual(sum(row), 1, places=12)
        self.assertNotEqual(rows[3], rows[27])
        # The slider shows any row: here the 27th, with a key.
        self.chromium.run("document.getElementById('rows').focus()")
        self.chromium.keys("\ue012")
        self.assertEqual(self.chromium.text("#count"), "27")
        shown = self.chromium.run("return [...document.querySelectorAll('.fill')]"
                                  ".map((fill) => parseFloat(fill.style.width))")
        for width, value in zip(shown, rows[26]):
            self.assertAlmostEqual(width, 100 * value, places=2)

    def test_keys_draw(self):
        self.chromium.keys("\ue004")
        self.assertEqual(self.chromium.run("return document.activeElement.id"), "canvas")
        up, down = "\ue013", "\ue015"
        self.chromium.keys(up * 7 + " ")
        self.assertRegex(self.chromium.text("#pen"), "^Pen down, 50% from the left, 15%")
        self.chromium.keys(down * 13 + " ")
        self.assertEqual(self.chromium.text("#digit"), "1")
        self.chromium.keys("\ue017")
        self.assertEqual(self.verdict(), "The drawing area is empty.")

    def test_the_focus_visits_every_control_in_order(self):
        self.chromium.click(".examples button")
        self.chromium.run("document.activeElement.blur(); document.body.tabIndex = -1; "
                          "document.body.focus(); document.body.removeAttribute('tabindex')")
        seen = []
        for _ in range(17):
            self.chromium.keys("\ue004")
            seen.append(self.chromium.run(
                "const e = document.activeElement; return e.id || e.textContent"))
        self.assertEqual(seen, ["canvas", "undo", "clear", "invert", *"0123456789", "rows",
                                "replay", seen[-1]])
        self.chromium.run("document.getElementById('replay').focus()")
        self.chromium.keys("\ue007")

    def test_controls_have_names_and_the_answer_is_announced(self):
        nodes = self.chromium.devtools("Accessibility.getFullAXTree")["nodes"]
        nameless = [node["role"]["value"] for node in nodes if not node["ignored"] and
                    any(p["name"] == "focusable" and p["value"].get("value")
                        for p in node.get("properties", [])) and
                    not node.get("name", {}).get("value")]
        self.assertEqual(nameless, [])
        roles = [node.get("role", {}).get("value") for node in nodes if not node["ignored"]]
        for role in ("main", "heading", "table", "status", "slider", "button", "application"):
            self.assertIn(role, roles)
        self.assertEqual(self.chromium.run("return document.documentElement.lang"), "en")

    def axe(self):
        found = importlib.util.find_spec("axe_core_python")
        if not found:
            self.skipTest("the Python package axe-core-python is not installed")
        return (pathlib.Path(found.origin).parent / "axe.min.js").read_text()

    def test_axe_finds_nothing(self):
        source = self.axe()
        phone = {"width": 360, "height": 740, "deviceScaleFactor": 2, "mobile": True}
        for scheme in ("light", "dark"):
            for metrics in (None, phone):
                self.chromium.devtools("Emulation.setEmulatedMedia", features=[
                    {"name": "prefers-color-scheme", "value": scheme}])
                if metrics:
                    self.chromium.devtools("Emulation.setDeviceMetricsOverride", **metrics)
                for example in (False, True):
                    start(self.chromium, self.page.as_uri())
                    if example:
                        self.chromium.click(".examples button")
                    self.chromium.run(source)
                    found = self.chromium.wait(
                        "const done = arguments[0]; axe.run().then(done);")
                    self.assertEqual([(v["id"], [n["html"] for n in v["nodes"]])
                                      for v in found["violations"]], [])
                    self.assertGreater(len(found["passes"]), 20)
                self.chromium.devtools("Emulation.clearDeviceMetricsOverride")
        self.chromium.devtools("Emulation.setEmulatedMedia", features=[])

    def test_a_phone_needs_no_horizontal_scroll(self):
        for width in (320, 390):
            self.chromium.devtools("Emulation.setDeviceMetricsOverride", width=width,
                                   height=740, deviceScaleFactor=2, mobile=True)
            start(self.chromium, self.page.as_uri())
            self.assertLessEqual(
                self.chromium.run("return document.documentElement.scrollWidth"), width)
        self.chromium.devtools("Emulation.clearDeviceMetricsOverride")

    def test_no_request_leaves_the_page(self):
        asked = []

        class Handler(http.server.SimpleHTTPRequestHandler):
            def do_GET(self):
                asked.append(self.path)
                super().do_GET()

            def log_message(self, *_):
                pass

        server = http.server.ThreadingHTTPServer(
            ("127.0.0.1", 0), functools.partial(Handler, directory=str(self.folder)))
        threading.Thread(target=server.serve_forever, daemon=True).start()
        url = f"http://127.0.0.1:{server.server_port}/page.html"
        with contextlib.closing(server.socket):
            self.chromium.log("performance")
            self.assertEqual(start(self.chromium, url), "yes")
            self.chromium.click(".examples button")
            self.stroke((.5, .2), (.5, .8))
            messages = [json.loads(entry["message"])["message"]
                        for entry in self.chromium.log("performance")]
            sent = [message["params"]["request"]["url"] for message in messages
                    if message["method"] == "Network.requestWillBeSent"]
            self.assertEqual([u for u in sent if not u.startswith("data:")], [url])
            refused = self.chromium.wait(
                "const done = arguments[0]; fetch('/other').then(() => done('sent'), "
                "() => done('refused'));")
            self.assertEqual(refused, "refused")
            server.shutdown()
        self.assertEqual(asked, ["/page.html"])
        self.assertIn("Content Security Policy", json.dumps(self.chromium.log("browser")))

    def test_the_page_is_one_small_file(self):
        text = self.page.read_text()
        largest = len(text) + (DEFAULT_MODEL - len(self.model)) * 4 / 3
        self.assertLess(largest, LIMIT)
        self.assertEqual(re.findall(r"https?://|@import|url\(", text), [])
        self.assertEqual(set(re.findall(r'(?:src|href)="([^"]*)"', text)), {"data:,"})

    def test_bits_are_those_of_this_machine(self):
        names = [(name, seed, inverted) for name in range(10)
                 for seed, inverted in ((5, False), (6, True))]
        drawings = "".join(
            "".join(" ".join(map(str, line)) + "\n" for line in segments(name, seed)) +
            ("read inverted\n" if inverted else "read\n") for name, seed, inverted in names)
        environment = {**os.environ, "LSTM_REPRODUCIBLE": "1"}
        desk = subprocess.run([DESK, self.rounded], input=drawings, text=True, check=True,
                              capture_output=True, env=environment).stdout.splitlines()
        plain = 0
        for (name, seed, inverted), line in zip(names, desk, strict=True):
            found = self.chromium.run(READ, segments(name, seed), inverted, True)
            self.assertEqual(f"0 {found['image']} {found['logits']}", line, name)
            fast = self.chromium.run(READ, segments(name, seed), inverted, False)
            plain += fast["logits"] != found["logits"]
            for one, other in zip(fast["probabilities"], found["probabilities"]):
                self.assertAlmostEqual(one, other, places=4)
        # Plain C rounds otherwise without the mode.
        self.assertGreater(plain, 0)

    def test_answers_are_those_of_mnist_predict(self):
        for name in range(10):
            found = self.chromium.run(READ, segments(name, 7), False, False)
            picture = self.folder / f"{name}.pgm"
            picture.write_bytes(b"P5 280 280 255\n" + bytes.fromhex(found["pixels"]))
            done = subprocess.run([PREDICT, "--json", self.rounded, picture], check=True,
                                  capture_output=True, text=True)
            answer, = json.loads(done.stdout)
            for one, other in zip(answer["probabilities"], found["probabilities"][-10:]):
                self.assertAlmostEqual(one, other, places=4)

    def test_a_model_that_does_not_load_is_an_error(self):
        page = self.folder / "broken.html"
        page.write_text(self.maker.make_page(self.model[:-2], "broken", self.wasm))
        self.assertEqual(start(self.chromium, page.as_uri()), "no")
        self.assertEqual(self.verdict(), "The network did not start.")
        self.assertRegex(self.chromium.text("#detail"), "tensor|file")

    def make(self, *arguments):
        done = subprocess.run(
            [sys.executable, wasm.ROOT / "examples/web/page.py", "--build", BUILD, *arguments],
            text=True, capture_output=True)
        return done.returncode, done.stdout + done.stderr

    def test_the_maker_refuses_what_the_page_cannot_read(self):
        size, = struct.unpack("<Q", self.model[:8])
        header, data = self.model[8:8 + size].decode(), self.model[8 + size:]
        ih = "lstm.weight_ih_l0"
        cases = {
            "is not a safetensors file": b"P5 1 1 255\n0",
            "expected 1": self.join(header.replace(ih, "lstm.other"), data),
            "has 56 inputs": self.join(header.replace("[256,28]", "[128,56]"), data),
            "both directions": self.join(header.replace("bias_hh_l0", "bias_l0_reverse"), data),
            "10 outputs": self.join(header.replace("[10,64]", "[5,128]"), data),
            "not finite": self.join(header, b"\xc0\x7f" + data[2:]),
            "data type I32": self.join(header.replace("BF16", "I32", 1), data),
        }
        for message, content in cases.items():
            path = self.folder / "case.safetensors"
            path.write_bytes(content)
            with self.subTest(message):
                status, text = self.make(path, self.folder / "case.html")
                self.assertEqual(status, 1, text)
                self.assertIn(message, text)
                self.assertFalse((self.folder / "case.html").exists())
        damaged = bytearray(self.model_path.read_bytes())
        damaged[-1] ^= 1
        path.write_bytes(damaged)
        self.assertIn("checksum", self.make(path, self.folder / "case.html")[1])

    @staticmethod
    def join(header, data):
        text = header.encode()
        return struct.pack("<Q", len(text)) + text + data

    def test_the_maker_writes_this_page_and_no_other_file(self):
        out = self.folder / "made.html"
        status, text = self.make(self.model_path, out)
        self.assertEqual(status, 0, text)
        self.assertIn(f"{out.stat().st_size:,} bytes", text)
        self.assertEqual(self.make(self.model_path, out)[0], 0)
        before = self.model_path.read_bytes()
        status, text = self.make(self.model_path, self.model_path)
        self.assertEqual(status, 1)
        self.assertTrue(self.model_path.read_bytes() == before)
        self.assertIn("is something else", text)


if __name__ == "__main__":
    if sys.argv[1] == "--measure":
        measure(sys.argv[2], int(sys.argv[3]) if len(sys.argv) > 3 else 100)
    else:
        BUILD, TRAIN, PREDICT, DESK = sys.argv[1:5]
        wasm.skip_if(wasm.missing() or browser.missing())
        unittest.main(argv=[sys.argv[0], *sys.argv[5:]], verbosity=2)
