"""Sounds for tests: plucked notes, a device that they go through, and WAV files."""
import math
import random
import struct


def notes(seconds, rate, seed=1):
    """Notes of a few decaying harmonics, within -1 to 1."""
    rng, count, at = random.Random(seed), int(seconds * rate), 0
    samples = [0.0] * count
    while at < count:
        pitch = rng.choice([82.4, 110, 146.8, 196, 246.9, 329.6]) * 2**(rng.randrange(12) / 12)
        loud, length = rng.uniform(0.1, 0.5), int(rate * rng.uniform(0.1, 0.5))
        phases = [rng.uniform(0, 2 * math.pi) for _ in range(4)]
        for i in range(min(count - at, 2 * length)):
            t = i / rate
            samples[at + i] += loud * math.exp(-4 * t) * sum(
                math.sin(2 * math.pi * pitch * (k + 1) * t + phase) / (k + 1)
                for k, phase in enumerate(phases))
        at += length
    return [max(-1.0, min(1.0, each)) for each in samples]


def device(samples, drive=4.0):
    """tanh with memory: a high-pass, a bias that follows the loudness, a low-pass."""
    out, slow, loud, low = [], 0.0, 0.0, 0.0
    for each in samples:
        slow += 0.01 * (each - slow)
        loud += 0.002 * (abs(each - slow) - loud)
        bent = math.tanh(drive * (each - slow) + 1.5 * loud) - math.tanh(1.5 * loud)
        low += 0.5 * (bent - low)
        out.append(0.7 * low)
    return out


def write(path, samples, rate, channels=1):
    """Writes floating-point samples; those of several channels are interleaved."""
    data = struct.pack(f"<{len(samples)}f", *samples)
    path.write_bytes(b"RIFF" + struct.pack("<I", 36 + len(data)) + b"WAVEfmt " +
                     struct.pack("<IHHIIHH", 16, 3, channels, rate, 4 * channels * rate,
                                 4 * channels, 32) + b"data" +
                     struct.pack("<I", len(data)) + data)


def read(path):
    """The samples of a file of 32-bit floating-point numbers that lstm-amp has written."""
    data = path.read_bytes()
    assert data[20:22] == b"\3\0" and data[34:36] == b"\x20\0", data[:48]
    at = data.index(b"data") + 8
    return [*struct.unpack(f"<{(len(data) - at) // 4}f", data[at:])]
