"""Plays a sound through a .nam file with the reader of Neural Amp Modeler.

usage: nam_reader.py MODEL.nam IN.wav OUT.wav

Only its module of LSTMs runs. Modules that are not installed, for other kinds of sound files
and progress bars, are replaced by empty ones. The exit status is 77 without the package.
"""
import importlib
import importlib.util
import json
import pathlib
import sys
import types

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
import sounds  # noqa: E402


def empty(name):
    """A module that has a class of any name."""
    module = types.ModuleType(name)
    module.__getattr__ = lambda each: type(each, (), {})
    return module


def reader(folder):
    """The class that reads LSTMs, without what the packages import at their start."""
    for name, path in (("nam", folder), ("nam.models", folder / "models")):
        package = types.ModuleType(name)
        package.__path__ = [str(path)]
        sys.modules[name] = package
    while True:
        try:
            return importlib.import_module("nam.models.recurrent").LSTM
        except ModuleNotFoundError as error:
            if error.name in sys.modules:
                raise
            sys.modules[error.name] = empty(error.name)


def main():
    found = importlib.util.find_spec("nam")
    if not found or not importlib.util.find_spec("torch"):
        print("neural-amp-modeler or torch not installed")
        sys.exit(77)
    import torch

    model, source, target = map(pathlib.Path, sys.argv[1:])
    tree = json.loads(model.read_text())
    net = reader(pathlib.Path(found.origin).parent)(sample_rate=tree["sample_rate"],
                                                    **tree["config"])
    net.import_weights(torch.Tensor(tree["weights"]))
    net.eval()
    with torch.no_grad():
        y = net._forward(torch.tensor(sounds.read(source))[None])[0]
    sounds.write(target, y.tolist(), int(tree["sample_rate"]))


if __name__ == "__main__":
    main()
