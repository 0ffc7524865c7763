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
    {200, 1, 0, UINT64_C(0x6df00a7dc9d88e25)},
    {1000, 1, 0, UINT64_C(0x5ba2f8e7438cd735)},
    {150, 2, 0, UINT64_C(0x8adcaa3a6a38aa34)},
    {150, 3, 0, UINT64_C(0xddf43b67820d7e64)},
    {150, 5, 0, UINT64_C(0xcdf18af35ab7b224)},
    {200, 2, 0, UINT64_C(0x77fd709b8d641a65)},
    {200, 3, 0, UINT64_C(0x6710166d9195c4c5)},
    {200, 5, 0, UINT64_C(0xab62fa4d87e739c5)},
    {334, 2, 0, UINT64_C(0x90497632e5b537c4)},
    {334, 3, 0, UINT64_C(0xa5fd6bc8dc9b7a28)},
    {334, 5, 0, UINT64_C(0xb6f0f1ac1cc31488)},
    {998, 2, 0, UINT64_C(0x7fd6624c8b22f964)},
    {998, 3, 0, UINT64_C(0x34ba18f569342138)},
    {998, 5, 0, UINT64_C(0x211936bb24d4574c)},
    {1000, 2, 0, UINT64_C(0x2250645ec658f4f9)},
    {1000, 3, 0, UINT64_C(0x676e41f2fb6ef4ed)},
    {1000, 5, 0, UINT64_C(0xf90c6d1152bf867d)},
};

#endif
