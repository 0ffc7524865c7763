#!/usr/bin/env python3
"""Trains an LSTM on MNIST: the experiment of mnist-train in Python, bit for bit."""
import argparse
import ctypes
import os
import random
import sys
import liblstm
from liblstm import mnist
BATCH, TEST_BATCH, HIDDEN, LAYERS = 64, 500, 128, 2


def batches(data, size):
    """Allocates pixels and labels of a batch. Also returns, for each possible size of a
    batch, views: x, hn, last, logits, dhn, dlast, dlogits, labels."""
    x, labels = liblstm.Tensor(size, data.rows, data.cols), (ctypes.c_int64 * size)()
    hn, dhn = (liblstm.Tensor(LAYERS, size, HIDDEN) for _ in range(2))
    logits, dlogits = (liblstm.Tensor(size, data.classes) for _ in range(2))
    views = {}
    for count in {size, len(data) % size or size}:
        h, dh = hn.narrow(1, 0, count), dhn.narrow(1, 0, count)
        views[count] = (x.narrow(0, 0, count), h, h.select(0, LAYERS - 1),
                        logits.narrow(0, 0, count), dh, dh.select(0, LAYERS - 1),
                        dlogits.narrow(0, 0, count),
                        (ctypes.c_int64 * count).from_buffer(labels))
    return x, labels, views


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--data", help="folder with the four files of MNIST")
    parser.add_argument("--seed", type=int, default=random.getrandbits(32),
                        help="seed of weights and sample order (default random)")
    parser.add_argument("--epochs", type=int, default=10, help="epochs (default 10)")
    parser.add_argument("--log", help="new CSV file for the loss of every step")
    args = parser.parse_args()
    try:  # "x": a log of another run is not replaced.
        log = open(args.log, "x") if args.log else open(os.devnull, "w")
    except OSError as error:
        sys.exit(f"{args.log}: {error.strerror}, expected a name that is free")
    train = mnist.Dataset.open("train", args.data, synthetic=True)
    if train.is_synthetic:
        print(f"WARNING: MNIST was not found; using synthetic digits: {train.reason}",
              file=sys.stderr)
        test = mnist.Dataset.synthetic(10000, seed=2)
    else:
        test = mnist.Dataset.open("test", args.data)
    print(f"{train.origin}; seed of the training {args.seed}", file=sys.stderr)
    rng = liblstm.Rng(args.seed)
    net = liblstm.Layer(train.cols, HIDDEN, LAYERS, batch_first=True, rng=rng)
    fc = liblstm.Linear(HIDDEN, train.classes, rng)
    params, loss = liblstm.Params(lstm=net, fc=fc), liblstm.CrossEntropy()
    adam = liblstm.Adam(params, lr=0.001)
    loader, tester = mnist.Loader(train, BATCH, shuffle=True), mnist.Loader(test, TEST_BATCH)
    pixels, targets, views = batches(train, BATCH)
    test_pixels, test_targets, test_views = batches(test, TEST_BATCH)
    print("epoch,step,loss", file=log)
    for epoch in range(1, args.epochs + 1):
        rng.next()  # PyTorch's DataLoader first draws a seed for its workers.
        loader.start(rng.next())
        for step in range(1, loader.batches + 1):
            count = loader.next(pixels, targets)
            x, hn, last, logits, dhn, dlast, dlogits, labels = views[count]
            net.forward(x, hn=hn)  # The head uses the last step only: hn, not out.
            fc.forward(last, logits)
            value = loss.forward(logits, labels)
            loss.backward(dlogits)
            params.zero_grad()
            fc.backward(dlogits, dlast)
            net.backward(dhn=dhn)
            adam.step()
            print(f"{epoch},{step},{value:.9g}", file=log, flush=True)
            if step % 100 == 0:
                print(f"Epoch [{epoch}/{args.epochs}], Step [{step}/{loader.batches}], "
                      f"Loss: {value:.4f}", flush=True)
        net.train(False)
        tester.start()
        correct = 0
        while count := tester.next(test_pixels, test_targets):
            x, hn, last, logits, *_, labels = test_views[count]
            net.forward(x, hn=hn)
            fc.forward(last, logits)
            correct += sum(best == label for best, label in zip(logits.argmax(), labels))
        net.train()
        print(f"Epoch [{epoch}/{args.epochs}], Test accuracy: "
              f"{100 * correct / len(test):.2f}% ({correct}/{len(test)})", flush=True)


if __name__ == "__main__":
    main()
