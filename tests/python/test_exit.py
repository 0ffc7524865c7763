"""Threads that compute while the process ends, or while what they use is closed.

usage: test_exit.py [ROUNDS] (with LIBLSTM and LIBMNIST set)

Each program runs in processes of its own, because a crash ends it.
"""
import os
import pathlib
import subprocess
import sys
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
ROUNDS = 10
ENVIRONMENT = os.environ | {"PYTHONPATH": str(ROOT / "examples/python"),
                            "PYTHONFAULTHANDLER": "1", "LSTM_NUM_THREADS": "2"}
START = """
import array, random, sys, threading, time
import liblstm
from liblstm import mnist
random.seed(ROUND)
rng = liblstm.Rng(1)
layer = liblstm.Layer(16, 32, layers=2, dropout=0.5, rng=rng)
head = liblstm.Linear(32, 3, rng)
params = liblstm.Params(lstm=layer, fc=head)
adam, loss = liblstm.Adam(params), liblstm.CrossEntropy()
x, out = liblstm.Tensor(20, 8, 16), liblstm.Tensor(20, 8, 32)
hn, dhn = liblstm.Tensor(2, 8, 32), liblstm.Tensor(2, 8, 32)
logits, dlogits = liblstm.Tensor(8, 3), liblstm.Tensor(8, 3)
data = mnist.Dataset.synthetic(50)
loader = mnist.Loader(data, 20)
pixels = liblstm.Tensor(20, 28, 28)
still = liblstm.Layer(16, 32, layers=2)
still.train(False)
still.pack()

def train():
    layer.forward(x, out=out, hn=hn)
    head.forward(hn.select(0, 1), logits)
    loss.forward(logits, [0] * 8)
    loss.backward(dlogits)
    params.zero_grad()
    head.backward(dlogits, dhn.select(0, 1))
    layer.backward(dhn=dhn)
    adam.step()
    params.values(), params.names(), params.value("fc.bias").tolist()

def stream():
    with liblstm.Stream(still, head, batch=8) as stream:
        stream.step(x.select(0, 0), liblstm.Tensor(8, 3))
    loader.start()
    loader.next(pixels)

def forever(work):
    while True:
        work()
"""
AT_EXIT = """
for work in (train, stream):
    threading.Thread(target=forever, args=[work], daemon=True).start()
time.sleep(random.random() / 50)
"""
CLOSED = """
def until_closed(work):
    try:
        forever(work)
    except (ValueError, liblstm.Error) as error:
        if "closed" not in str(error):
            raise

threads = [threading.Thread(target=until_closed, args=[work]) for work in (train, stream)]
for thread in threads:
    thread.start()
time.sleep(random.random() / 50)
handles = [rng, layer, head, params, adam, loss, x, out, hn, dhn, logits, dlogits, data,
           loader, pixels, still]
random.shuffle(handles)
for handle in handles:
    handle.close()
    filler = bytearray(random.randrange(1 << 16))  # Reuses memory that was freed.
    time.sleep(random.random() / 1000)
for thread in threads:
    thread.join()
"""
# The C function waits until the handle is closed, so each round meets the case.
IN_USE = """
import ctypes
from liblstm import _c, _native

events = []
entered, closed = threading.Event(), threading.Event()
prototype = ctypes.CFUNCTYPE(None, ctypes.c_void_p)

def wait(_):
    entered.set()
    closed.wait()
    events.append("end of the call")

def destroy(_):
    events.append("destroyed")

function = prototype(wait)
tensor = liblstm.Tensor._from(_native.Pointer(1), destroy=destroy)
thread = threading.Thread(target=lambda: function(tensor.pointer))
thread.start()
entered.wait()
tensor.close()
events.append("closed")
closed.set()
thread.join()
assert events == ["closed", "end of the call", "destroyed"], events
"""


class Exit(unittest.TestCase):
    def check(self, program):
        for number in range(ROUNDS):
            done = subprocess.run([sys.executable, "-c",
                                   f"ROUND = {number}\n{START}{program}"],
                                  capture_output=True, text=True, env=ENVIRONMENT)
            self.assertEqual((done.returncode, done.stderr), (0, ""), f"round {number}")

    def test_daemon_threads_compute_at_the_end_of_the_process(self):
        self.check(AT_EXIT)

    def test_handles_are_closed_while_other_threads_use_them(self):
        self.check(CLOSED)

    def test_an_object_in_use_is_destroyed_after_the_call(self):
        self.check(IN_USE)


if __name__ == "__main__":
    if len(sys.argv) > 1:
        ROUNDS = int(sys.argv.pop(1))
    unittest.main(verbosity=2)
