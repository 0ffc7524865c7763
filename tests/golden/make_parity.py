#!/usr/bin/env python3
"""Prints the golden values of api/test_parity.c (made with torch 2.13.0).

usage: make_parity.py
"""
import need_torch  # noqa: F401
import torch
from torch import nn
from torch.utils.data import DataLoader


def fnv(data):
    """64-bit FNV-1a."""
    value = 0xcbf29ce484222325
    for byte in data:
        value = (value ^ byte) * 0x100000001b3 & (1 << 64) - 1
    return value


def main():
    for seed in (0, 42):
        torch.manual_seed(seed)
        modules = nn.LSTM(28, 128, 2), nn.Linear(128, 10)
        parameters = [p for module in modules for p in module.parameters()]
        data = b"".join(p.detach().numpy().astype("<f4").tobytes() for p in parameters)
        print(f"seed {seed}: {len(data) // 4} values, hash {fnv(data):#x}")
        words = parameters[0].flatten()[:4].detach().numpy().view("<u4")
        print("  first", *(f"{word:08x}" for word in words))
    torch.manual_seed(1234)
    loader = DataLoader(range(20), shuffle=True)
    for _ in range(3):
        print("order", *(int(i) for i in loader))


if __name__ == "__main__":
    main()
