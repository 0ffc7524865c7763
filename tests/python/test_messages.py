"""Messages of both libraries about names with all characters of Unicode, and with bytes
that are not UTF-8. What must not reach a terminal comes from Python's tables.

usage: LIBLSTM=... LIBMNIST=... test_messages.py
"""
import ctypes
import os
import random
import unicodedata
import unittest

DIRECTIONS = {"LRE", "RLE", "LRO", "RLO", "PDF", "LRI", "RLI", "FSI", "PDI"}
MARKS = "\u061c\u200e\u200f"


def controls(character):
    return (unicodedata.category(character) in ("Cc", "Zl", "Zp") or
            unicodedata.bidirectional(character) in DIRECTIONS or character in MARKS)


def library(variable, prefix):
    loaded = ctypes.CDLL(os.environ[variable])
    getattr(loaded, f"{prefix}_last_error").restype = ctypes.c_char_p
    return loaded


LSTM, MNIST = library("LIBLSTM", "lstm"), library("LIBMNIST", "mnist")


def message_of_lstm(name):
    assert LSTM.lstm_file_open(ctypes.byref(ctypes.c_void_p()), name) != 0
    return LSTM.lstm_last_error()


def message_of_mnist(name):
    assert MNIST.mnist_dataset_read(ctypes.byref(ctypes.c_void_p()), name, None,
                                    ctypes.c_size_t(10)) != 0
    return MNIST.mnist_last_error()


class Messages(unittest.TestCase):
    def test_characters_that_control_a_terminal_are_replaced(self):
        step = 512
        for message_of in message_of_lstm, message_of_mnist:
            for first in range(0, 0x110000, step):
                characters = [chr(code) for code in range(first, first + step)
                              if code and not 0xd800 <= code < 0xe000 and code != ord("/")]
                for start in range(0, len(characters), 32):
                    name = "/absent/" + "".join(characters[start:start + 32])
                    expected = "".join("?" if controls(c) else c for c in name)
                    found = message_of(name.encode()).decode()
                    self.assertIn(expected, found)

    def test_bytes_that_are_not_utf_8_are_replaced(self):
        numbers = random.Random(1)
        for message_of in message_of_lstm, message_of_mnist:
            for _ in range(20000):
                name = bytes(numbers.choice(
                    (numbers.randrange(1, 256), numbers.choice(b"\x80\xbf\xc2\xe0\xed\xf0\xf4")))
                    for _ in range(12)).replace(b"/", b"-")
                found = message_of(b"/absent/" + name).decode()
                self.assertTrue(found.isprintable() or "?" in found)
                self.assertFalse(any(map(controls, found)))
            self.assertIn("/absent/a?b?(?c", message_of(b"/absent/a\xffb\xc3(\x9bc").decode())

    def test_a_cut_message_ends_with_a_whole_character(self):
        for message_of in message_of_lstm, message_of_mnist:
            for character in "\u00e9", "\u4e00", "\U0001f600":
                for length in range(4):
                    found = message_of(b"/" + b"x" * length + character.encode() * 600)
                    self.assertNotIn("?", found.decode())


if __name__ == "__main__":
    unittest.main(verbosity=2)
