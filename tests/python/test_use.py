"""liblstm in programs: threads, Ctrl-C, workspaces, type hints.

Uses the standard library only. usage: test_use.py (with LIBLSTM and LIBMNIST set)
"""
import array
import inspect
import pathlib
import signal
import sys
import threading
import time
import typing
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[2] / "examples/python"))
import liblstm  # noqa: E402
from liblstm import _native, mnist  # noqa: E402

MODULES = [module for name, module in sys.modules.items() if name.startswith("liblstm")]


def floats(*shape, scale=1.0):
    """A float32 array of the standard library with values from -1 to 1."""
    count = 1
    for extent in shape:
        count *= extent
    values = array.array("f", (scale * ((i * 37 % 101) / 50 - 1) for i in range(count)))
    return memoryview(values).cast("B").cast("f", shape)


class Training:
    """A small network and a training step."""

    def __init__(self):
        rng = liblstm.Rng(1)
        self.layer = liblstm.Layer(6, 16, layers=2, batch_first=True, rng=rng)
        self.head = liblstm.Linear(16, 3, rng)
        self.params = liblstm.Params(lstm=self.layer, fc=self.head)
        self.adam, self.loss = liblstm.Adam(self.params, lr=0.01), liblstm.CrossEntropy()
        self.x, self.targets = floats(8, 10, 6), [n % 3 for n in range(8)]
        self.hn, self.dhn = (liblstm.Tensor(2, 8, 16) for _ in range(2))
        self.logits, self.dlogits = (liblstm.Tensor(8, 3) for _ in range(2))

    def step(self):
        self.layer.forward(self.x, hn=self.hn)
        self.head.forward(self.hn.select(0, 1), self.logits)
        value = self.loss.forward(self.logits, self.targets)
        self.loss.backward(self.dlogits)
        self.params.zero_grad()
        self.head.backward(self.dlogits, self.dhn.select(0, 1))
        self.layer.backward(dhn=self.dhn)
        self.adam.step()
        return value

    def values(self):
        return {name: self.params.value(name).tolist() for name in self.params.names()}


class Use(unittest.TestCase):
    def setUp(self):
        # A shell that runs the tests in the background ignores Ctrl-C for them.
        before = signal.signal(signal.SIGINT, signal.default_int_handler)
        self.addCleanup(signal.signal, signal.SIGINT, before)

    def test_streams_of_one_layer_run_in_several_threads(self):
        layer = liblstm.Layer(6, 16, layers=2, batch_first=True, rng=liblstm.Rng(1))
        head = liblstm.Linear(16, 3, liblstm.Rng(2))
        layer.train(False)
        inputs = [floats(1, 40, 6, scale=1 + k / 4) for k in range(6)]

        def run(x, y):
            with liblstm.Stream(layer, head) as stream:
                whole = liblstm.Tensor.wrap(x)
                for step in range(40):
                    stream.step(whole.select(1, step), y.select(1, step))

        expected = [liblstm.Tensor(1, 40, 3) for _ in inputs]
        for x, y in zip(inputs, expected):
            run(x, y)
        results = [liblstm.Tensor(1, 40, 3) for _ in inputs]
        workers = [threading.Thread(target=run, args=pair)
                   for pair in zip(inputs, results)]
        for worker in workers:
            worker.start()
        for worker in workers:
            worker.join()
        self.assertEqual([y.tolist() for y in results], [y.tolist() for y in expected])
        self.assertNotEqual(expected[0].tolist(), expected[1].tolist())

    def test_training_continues_after_ctrl_c(self):
        """Interrupts steps at many points and repeats them. The final weights must equal
        those of an uninterrupted training."""
        training, reference = Training(), Training()
        armed, interrupts, finished = [], 0, False

        def interrupt(*_):
            # At most one interrupt per step, and only inside the try statement.
            if armed:
                armed.clear()
                raise KeyboardInterrupt

        for number in (signal.SIGALRM, signal.SIGINT):
            self.addCleanup(signal.signal, number, signal.signal(number, interrupt))
        self.addCleanup(signal.setitimer, signal.ITIMER_REAL, 0)
        signal.setitimer(signal.ITIMER_REAL, 1e-3, 1e-3)
        while not finished:
            try:
                while training.adam.steps < 3000:
                    armed.append(True)
                    training.step()
                armed.clear()
                finished = True
            except KeyboardInterrupt:
                interrupts += 1
        signal.setitimer(signal.ITIMER_REAL, 0)
        time.sleep(0.1)  # A late signal may still arrive.
        self.assertGreater(interrupts, 5)
        for _ in range(3000):
            reference.step()
        self.assertEqual(training.values(), reference.values())

    def test_ctrl_c_while_a_handle_is_freed_is_not_lost(self):
        def destroy(pointer):
            if not freed:
                freed.append(pointer)
                raise KeyboardInterrupt

        freed = []
        with self.assertRaises(KeyboardInterrupt):
            _native.Handle(_native.Pointer(), destroy)
            self.assertEqual(len(freed), 1)
            time.sleep(5)

    def test_with_statements_close_handles(self):
        with liblstm.Rng(3) as rng, liblstm.Layer(2, 3, rng=rng) as layer:
            with liblstm.Params(a=layer) as params, liblstm.Adam(params) as adam:
                value = params.value("a.bias_ih_l0")
            for handle in (params, adam, value):
                with self.assertRaisesRegex(ValueError, "is closed"):
                    handle.pointer
            self.assertEqual(layer.config.hidden, 3)
        with self.assertRaisesRegex(ValueError, "Layer is closed"):
            layer.train()
        with mnist.Dataset.synthetic(3) as data, mnist.Loader(data, 2) as loader:
            self.assertEqual(loader.batches, 2)
        with self.assertRaisesRegex(ValueError, "Loader is closed"):
            loader.start()

    def test_a_layer_uses_the_workspace_of_the_program(self):
        layer = liblstm.Layer(6, 16, batch_first=True, rng=liblstm.Rng(1))
        own, given = liblstm.Tensor(4, 5, 16), liblstm.Tensor(4, 5, 16)
        layer.forward(floats(4, 5, 6), out=own)
        size = layer.workspace_size(True, 4, 5)
        memory = bytearray(size + 64)
        start = -_native.Memory("memory", memory, "uint8").address % 64
        layer.set_workspace(memoryview(memory)[start:start + size])
        layer.forward(floats(4, 5, 6), out=given)
        self.assertEqual(given.tolist(), own.tolist())
        self.assertTrue(any(memory))
        with self.assertRaises(liblstm.Error):
            layer.forward(floats(5, 5, 6))
        layer.set_workspace(None)
        layer.forward(floats(5, 5, 6))

    def test_every_public_function_has_type_hints_and_a_docstring(self):
        for module in MODULES:
            for owner in (module, *filter(inspect.isclass, vars(module).values())):
                if getattr(owner, "__module__", module.__name__) != module.__name__:
                    continue
                for name, function in list(vars(owner).items()):
                    if isinstance(function, property):
                        function = function.fget
                    function = getattr(function, "__func__", function)
                    if not inspect.isfunction(function) or name.startswith("_") \
                            or function.__module__ != module.__name__:
                        continue
                    where = f"{module.__name__}.{function.__qualname__}"
                    hints = set(function.__annotations__)
                    wanted = {*inspect.signature(function).parameters} - {"self", "cls"}
                    self.assertEqual(wanted | {"return"}, hints, where)
                    self.assertTrue(function.__doc__, where)
        if sys.version_info >= (3, 10):
            self.assertIs(typing.get_type_hints(liblstm.Params.load)["return"], int)


if __name__ == "__main__":
    unittest.main(verbosity=2)
