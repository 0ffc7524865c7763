/* Made by make_order.py with PyTorch 2.13.0+cpu. */
#ifndef TESTS_GOLDEN_ORDER_H
#define TESTS_GOLDEN_ORDER_H

#include <stddef.h>
#include <stdint.h>

/* Hash of the order: 64-bit FNV-1a of its little-endian 32-bit numbers. */
static const struct {
    size_t count, step, modulus;
    uint64_t hash;
} orders[] = {
    {1, 1, 1, UINT64_C(0x4d25767f9dce13f5)},
    {2, 1, 2, UINT64_C(0x89cd31291d2aefa4)},
    {16, 1, 1, UINT64_C(0x2135120b48416d25)},
    {16, 7, 5, UINT64_C(0xfa60a76a8a2b05f5)},
    {17, 1, 1, UINT64_C(0xc7cce00022fb5a65)},
    {17, 7, 5, UINT64_C(0x3ce2d87feffaaa35)},
    {33, 0, 1, UINT64_C(0x7054f970aaf76265)},
    {33, 5, 7, UINT64_C(0x88a9416fe60e0305)},
    {64, 11, 29, UINT64_C(0xa6aed8b132ce78b5)},
    {100, 1, 100, UINT64_C(0x48bf0ac710fe80a5)},
    {100, 99, 100, UINT64_C(0x6f4242ed2e786465)},
    {257, 1, 2, UINT64_C(0x3437228ac922a452)},
    {1000, 7, 13, UINT64_C(0xfd45f9014cf9cac1)},
    {1000, 601, 97, UINT64_C(0x57293338ccdd0bf9)},
    {200, 0, 0, UINT64_C(0x6df00a7dc9d88e25)},
    {1000, 0, 0, UINT64_C(0x5ba2f8e7438cd735)},
};

#endif
