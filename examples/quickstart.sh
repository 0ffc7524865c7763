#!/bin/sh
# Installs what is missing, builds the libraries and programs, and runs the whole
# experiment. Arguments go to mnist-train: sh examples/quickstart.sh --epochs 1
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh

need_build_tools
install_missing

# CMocka is needed by the tests alone, so the quick start does without both.
[ -f build/build.ninja ] ||
    meson setup build --buildtype=release -Dexamples=true -Dtests=false >&2
ninja -C build >&2
build/examples/mnist-train "$@"

say
say 'That was the experiment. What to try next:'
say '  build/examples/mnist-train --help                all options'
say '  build/examples/mnist-train --hidden 256 --epochs 3'
say '  build/examples/mnist-train --load mnist-lstm.safetensors --epochs 0'
say '                                                   tests the saved model'
say '  build/examples/mnist-predict --show mnist-lstm.safetensors FILE.pgm'
say '                                                   reads a digit of your own'
say '  python3 examples/python/mnist_train.py           the same from Python'
say '  sh tests/run.sh                                  the tests'
say '  README.md, docs/guide.md                         your own program'
