"""Libraries of C++ that compare.py compiles from their sources."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path


class RTNeural:
    """RTNeural with one of its engines, compiled for each size (rtneural.cpp)."""

    FLAGS = {
        "Eigen": ["-DRTNEURAL_USE_EIGEN=1", "modules/Eigen"],
        "xsimd": ["-DRTNEURAL_USE_XSIMD=1", "modules/xsimd/include"],
        "STL": ["-DRTNEURAL_USE_STL=1"],
    }

    def __init__(self, folder, engine):
        self.name = f"RTNeural, {engine}"
        self.folder = tempfile.TemporaryDirectory()
        self.program = Path(self.folder.name) / "rtneural"
        define, *include = self.FLAGS[engine]
        # The instructions that liblstm may use.
        vectors = (["-mavx2", "-mfma", "-DRTNEURAL_DEFAULT_ALIGNMENT=32"]
                   if os.environ.get("LSTM_CPU") == "avx2"
                   else ["-march=native", "-DRTNEURAL_DEFAULT_ALIGNMENT=64"])
        self.build = [
            os.environ.get("CXX", "c++"), "-O3", "-std=c++17", "-DNDEBUG",
            "-DRTNEURAL_AVX_ENABLED=1", define, *vectors, f"-I{folder}",
            *(f"-I{folder / name}" for name in include),
            str(Path(__file__).with_name("rtneural.cpp")), "-o", str(self.program)]

    @classmethod
    def all(cls, folder):
        """The engines that compile; prints why others do not."""
        found = []
        for engine in cls.FLAGS if folder else []:
            library = cls(folder.resolve(), engine)
            done = subprocess.run(library.build, capture_output=True, text=True)
            if done.returncode:
                errors = [line for line in done.stderr.splitlines() if "error" in line]
                print(f"{library.name} does not compile: {errors[0] if errors else ''}; "
                      "it is left out", file=sys.stderr)
            else:
                found.append(library)
        return found

    def command(self, work, shape, threads, seconds):
        batch, steps, inputs, hidden, layers = shape
        if (work, batch, inputs, layers, threads) != ("stream", 1, 1, 1, 1):
            return None
        return [self.program, str(hidden), str(steps), str(seconds)]

    def close(self):
        self.folder.cleanup()
