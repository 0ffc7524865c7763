"""Imported before PyTorch and NumPy: without them a script ends with a line that says what to
install, and status 77.
"""
import importlib.util
import pathlib
import sys

MISSING = [name for name in ("torch", "numpy") if importlib.util.find_spec(name) is None]
if MISSING:
    print(f"{pathlib.Path(sys.argv[0]).name}: not installed: {', '.join(MISSING)}; install "
          "PyTorch 2.13: pip install torch==2.13.0 numpy", file=sys.stderr)
    sys.exit(77)
