"""Training and inference in WebAssembly have the bits of this machine, in the reproducible
mode: compares the hashes that both print.

usage: test_bits.py BUILD PROGRAM

BUILD is the folder of the build for WebAssembly, which the test makes; PROGRAM is
test-bits-bits of this machine.
"""
import os
import pathlib
import shutil
import subprocess
import sys

import wasm

HERE = pathlib.Path(__file__).resolve().parent


def hashes(command, **variables):
    environment = {key: text for key, text in os.environ.items()
                   if key not in ("LSTM_CPU", "LSTM_NUM_THREADS")}
    done = subprocess.run(command, env={**environment, **variables}, text=True,
                          capture_output=True, check=True)
    return done.stdout.split(maxsplit=1)


def main():
    folder, native = sys.argv[1:]
    wasm.skip_if(wasm.missing() or
                 (None if shutil.which("node") else "node is not installed"))
    program = wasm.build(folder) / "tests/web/bits.wasm"
    node = ["node", "--no-warnings", HERE / "wasi.mjs", program]
    name, expected = hashes([native, "--hash"], LSTM_REPRODUCIBLE="1")
    _, found = hashes(node, LSTM_REPRODUCIBLE="1")
    _, plain = hashes(node, LSTM_REPRODUCIBLE="0")
    print(f"{name:<12}{expected}WebAssembly {found}without the mode {plain}", end="")
    # Plain C rounds twice without the mode: the test compares what it should.
    return 0 if found == expected != plain else 1


if __name__ == "__main__":
    sys.exit(main())
