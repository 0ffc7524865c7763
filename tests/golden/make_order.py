#!/usr/bin/env python3
"""Writes order.h: the order of torch.sort(descending=True) for lengths with ties.

usage: make_order.py | clang-format > order.h        (made with torch 2.13.0)

pack_padded_sequence() uses this order, and PyTorch draws dropout masks in it. The lengths
equal those of test_order.c: 1 + n * step mod modulus, or, with modulus 0, a sequence that
makes quicksort with a median of three slow, so that it switches to heapsort; its lengths are
divided by step, which makes ties.
"""
import need_torch  # noqa: F401
import torch

CASES = [(1, 1, 1), (2, 1, 2), (16, 1, 1), (16, 7, 5), (17, 1, 1), (17, 7, 5),
         (33, 0, 1), (33, 5, 7), (64, 11, 29), (100, 1, 100), (100, 99, 100),
         (257, 1, 2), (1000, 7, 13), (1000, 601, 97), (200, 1, 0), (1000, 1, 0),
         *[(count, step, 0) for count in (150, 200, 334, 998, 1000) for step in (2, 3, 5)]]


def slow(count):
    """Musser's worst case for a median of three, reversed for a descending order."""
    values = [0] * count
    for i in range(1, count // 2 + 1):
        values[i - 1] = i if i % 2 else count // 2 + i - 1
        values[count // 2 + i - 1] = 2 * i
    return [count + 1 - value for value in values]


def main():
    print("/* Made by make_order.py with PyTorch " + torch.__version__ + ". */\n"
          "#ifndef TESTS_GOLDEN_ORDER_H\n#define TESTS_GOLDEN_ORDER_H\n\n"
          "#include <stddef.h>\n#include <stdint.h>\n\n"
          "/* Hash of the order: 64-bit FNV-1a of its little-endian 32-bit numbers. */\n"
          "static const struct {\nsize_t count, step, modulus;\nuint64_t hash;\n"
          "} orders[] = {")
    for count, step, modulus in CASES:
        lengths = [1 + n * step % modulus for n in range(count)] if modulus \
            else [length // step for length in slow(count)]
        order = torch.sort(torch.tensor(lengths), descending=True)[1]
        value = 0xcbf29ce484222325
        for byte in order.numpy().astype("<u4").tobytes():
            value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
        print(f"{{{count}, {step}, {modulus}, UINT64_C({value:#018x})}},")
    print("};\n\n#endif")


if __name__ == "__main__":
    main()
