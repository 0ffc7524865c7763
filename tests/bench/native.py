"""Libraries of C++ for which compare.py compiles a program."""
import os
import subprocess
import sys
import tempfile
from pathlib import Path

ONLY_AVX2 = os.environ.get("LSTM_CPU") == "avx2"


class Program:
    """A program that measures a library."""

    def __init__(self, name, source, *flags):
        self.name, self.environment = name, {}
        self.folder = tempfile.TemporaryDirectory()
        self.program = Path(self.folder.name) / "measure"
        self.build = [os.environ.get("CXX", "c++"), "-O3", "-std=c++17", "-DNDEBUG",
                      str(Path(__file__).with_name(source)), "-o", str(self.program),
                      *flags]

    def compiles(self):
        """Whether it compiles; prints why not."""
        done = subprocess.run(self.build, capture_output=True, text=True)
        if done.returncode:
            errors = [line for line in done.stderr.splitlines() if "error" in line]
            print(f"{self.name} does not compile: {errors[0] if errors else ''}; "
                  "it is left out", file=sys.stderr)
        return done.returncode == 0

    def close(self):
        self.folder.cleanup()


class RTNeural(Program):
    """RTNeural with one of its engines, compiled for each size (rtneural.cpp)."""

    FLAGS = {
        "Eigen": ["-DRTNEURAL_USE_EIGEN=1", "modules/Eigen"],
        "xsimd": ["-DRTNEURAL_USE_XSIMD=1", "modules/xsimd/include"],
        "STL": ["-DRTNEURAL_USE_STL=1"],
    }

    def __init__(self, folder, engine):
        define, *include = self.FLAGS[engine]
        # The instructions that liblstm may use.
        vectors = (["-mavx2", "-mfma", "-DRTNEURAL_DEFAULT_ALIGNMENT=32"] if ONLY_AVX2
                   else ["-march=native", "-DRTNEURAL_DEFAULT_ALIGNMENT=64"])
        super().__init__(
            f"RTNeural, {engine}", "rtneural.cpp", "-DRTNEURAL_AVX_ENABLED=1", define,
            *vectors, f"-I{folder}", *(f"-I{folder / name}" for name in include))

    @classmethod
    def all(cls, folder):
        """The engines that compile."""
        engines = [cls(folder.resolve(), engine) for engine in cls.FLAGS] if folder else []
        return [engine for engine in engines if engine.compiles()]

    def command(self, work, shape, threads, seconds):
        batch, steps, inputs, hidden, layers = shape
        if (work, batch, inputs, layers, threads) != ("stream", 1, 1, 1, 1):
            return None
        return [self.program, str(hidden), str(steps), str(seconds)]


class OneDNN(Program):
    """oneDNN through its own interface (onednn.cpp)."""

    def __init__(self, folder):
        library = folder / "lib"
        super().__init__("oneDNN, without head and Adam", "onednn.cpp",
                         f"-I{folder / 'include'}", f"-L{library}", "-ldnnl",
                         f"-Wl,-rpath,{library}")
        if ONLY_AVX2:
            self.environment["ONEDNN_MAX_CPU_ISA"] = "AVX2"

    @classmethod
    def all(cls, folder):
        """It, if it compiles."""
        library = folder and cls(folder.resolve())
        return [library] if library and library.compiles() else []

    def command(self, work, shape, threads, seconds):
        if work not in ("train", "infer", "stream"):
            return None
        self.environment["OMP_NUM_THREADS"] = str(threads)
        return [self.program, work, *map(str, shape), str(seconds)]
