"""The library compiled for WebAssembly, for tests."""
import fcntl
import importlib.util
import pathlib
import shutil
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parents[2]


def load_maker():
    """examples/web/page.py."""
    spec = importlib.util.spec_from_file_location("page", ROOT / "examples/web/page.py")
    maker = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(maker)
    return maker


def missing():
    """What is not installed, or None."""
    for program in ("clang", "llvm-ar", "wasm-ld", "meson", "ninja"):
        if not shutil.which(program):
            return f"{program} is not installed"
    if not pathlib.Path("/usr/include/wasm32-wasi/stdio.h").exists():
        return "wasi-libc is not installed"
    runtime = subprocess.run(["clang", "--target=wasm32-wasi", "-print-libgcc-file-name"],
                             capture_output=True, text=True, check=True).stdout.strip()
    if not pathlib.Path(runtime).exists():
        return "libclang-rt for wasm32 is not installed"
    return None


def skip_if(reason):
    """Ends the test, which Meson reports as skipped."""
    if reason:
        print(f"skipped: {reason}")
        sys.exit(77)


def build(folder):
    """Compiles the page and the test programs; one test at a time. Returns the folder."""
    maker = load_maker()
    pathlib.Path(folder).mkdir(parents=True, exist_ok=True)
    with open(pathlib.Path(folder) / "lock", "w", encoding="utf-8") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        try:
            return maker.build(folder, ["-Dtests=true", "-Dwerror=true"])
        except maker.Refused as refusal:
            sys.exit(str(refusal))
