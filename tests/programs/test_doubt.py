"""Tests what mnist-predict says of answers that it does not believe.

Probabilities are compared with the double-precision network of test_predict.py.

usage: test_doubt.py PROGRAM
"""
import sys
import unittest

import test_predict
from test_predict import SIDE, Predict, angle, idx, noise, p5, probabilities, run, safetensors


def moved(image, down, right):
    """The image moved; what enters is 0."""
    return [image[(i // SIDE - down) * SIDE + i % SIDE - right]
            if 0 <= i // SIDE - down < SIDE and 0 <= i % SIDE - right < SIDE else 0
            for i in range(SIDE * SIDE)]


class Doubt(unittest.TestCase):
    setUp = Predict.setUp
    write = Predict.write
    answers = Predict.answers
    assert_answer = Predict.assert_answer
    assert_fails = Predict.assert_fails

    def test_an_answer_that_changes_when_the_digit_moves_is_unsure(self):
        doubts = []
        for scale in (8, 40):
            sharp = {name: (shape, [scale * v for v in values] if name == "fc.weight" else values)
                     for name, (shape, values) in self.tensors.items()}
            model = self.write("sharp.safetensors", safetensors(sharp))
            images = [noise(seed) for seed in range(6)]
            file = self.write("images", idx(images))
            for answer, image in zip(self.answers(file, model=model), images, strict=True):
                self.assert_answer(answer, probabilities(sharp, image))
                places = [probabilities(sharp, moved(image, *place))[answer["class"]]
                          for place in ((0, 0), (2, 0), (-2, 0), (0, 2), (0, -2))]
                doubts.append(sum(places) / 5 < 0.7)
                self.assertEqual("doubt" in answer, doubts[-1], places)
                self.assertEqual(answer["unsure"], doubts[-1] or places[0] < 0.8)
        self.assertEqual(set(doubts), {False, True})

    def doubt_of(self, pixels, cols):
        answer, = self.answers(self.write("page.pgm", p5(pixels, cols)))
        text = run(self.model, self.write("page.pgm", p5(pixels, cols))).stdout.decode()
        self.assertTrue(answer["unsure"])
        self.assertRegex(text, f": {answer['class']} \\(unsure, \\d or \\d(; .+)?\\) ")
        return answer.get("doubt", "")

    def test_a_drawing_that_is_wider_than_a_digit_is_unsure(self):
        page = [min(a, b) for a, b in zip(angle(300, 150, 60, 30, 90), [
            0 if 100 <= i // 300 < 115 and 60 <= i % 300 < 230 else 255
            for i in range(300 * 150)], strict=True)]
        self.assertEqual(self.doubt_of(page, 300), "wider than a digit")

    def test_signs_are_named_and_not_read_as_digits(self):
        def rows(left, top, wide, high):
            return {row * 400 + col for row in range(top, top + high)
                    for col in range(left, left + wide)}
        minus, plus = rows(180, 90, 60, 12), rows(180, 84, 60, 12) | rows(204, 60, 12, 60)
        digits = [angle(400, 200, 40, 30, 130), angle(400, 200, 290, 30, 130)]
        for sign, ink, name in (("-", minus, "a dash"), ("+", plus, "a plus sign")):
            page = [0 if i in ink else min(a, b)
                    for i, (a, b) in enumerate(zip(*digits, strict=True))]
            file = self.write("sum.pgm", p5(page, 400))
            answer, = self.answers("--digits", file)
            self.assertRegex(answer["number"], f"^[0-9][{sign}][0-9]$")
            self.assertEqual(answer["digits"][1]["doubt"], f"{name}, not a digit")
            self.assertTrue(answer["digits"][1]["unsure"])
            alone = [0 if i in ink else 255 for i in range(400 * 200)]
            self.assertEqual(self.doubt_of(alone, 400), f"{name}, not a digit")

    def test_a_digit_at_one_side_of_the_picture_may_be_cut_off(self):
        large = angle(400, 300, 100, 100, 120)
        for left, top in ((0, 20), (60, -20), (180, 30), (60, 80)):
            page = [large[(row + 100 - top) * 400 + col + 100 - left]
                    for row in range(160) for col in range(200)]
            with self.subTest(left=left, top=top):
                self.assertEqual(self.doubt_of(page, 200), "at the border, it may be cut off")
        whole = [0 if i < 800 or abs(i % 80 + i // 160 - 74) < 6 else 255 for i in range(80 * 120)]
        self.assertNotIn("cut", self.doubt_of(whole, 80))

    def test_a_digit_of_a_few_pixels_is_refused(self):
        for size in (6, 8):
            small = self.write("small.pgm", p5(angle(size + 4, size + 4, 2, 2, size), size + 4))
            self.assert_fails(run(self.model, small), "too small",
                              f"{size} by {size * 2 // 3} pixels, expected a side of at least 10")


if __name__ == "__main__":
    test_predict.PROGRAM = sys.argv.pop(1)
    unittest.main(defaultTest=["Doubt"])
