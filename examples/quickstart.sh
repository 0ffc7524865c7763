#!/bin/sh
# Installs missing packages, builds the libraries and programs, and runs the experiment.
# Passes its arguments to mnist-train: sh examples/quickstart.sh --epochs 1
# Replaces the model that an earlier start of this script saved; to keep that one, choose
# another name: sh examples/quickstart.sh --save other.safetensors
set -eu
cd "$(dirname "$0")/.."
. examples/packages.sh

need_build_tools
install_missing
need_picture_tools
install_optional

# Builds without the tests, which would require CMocka.
[ -f build/build.ninja ] ||
    meson setup build --buildtype=release -Dexamples=true -Dtests=false >&2
ninja -C build >&2
build/examples/mnist-train --force "$@"

say
say 'The experiment is complete. Next steps:'
say '  build/examples/mnist-train --help                list all options'
say '  build/examples/mnist-train --hidden 256 --epochs 3 --save other.safetensors'
say '                                                   train another network'
say '  build/examples/mnist-train --load mnist-lstm.safetensors --epochs 0'
say '                                                   test the saved model'
say '  build/examples/mnist-predict --show mnist-lstm.safetensors PICTURE'
say '                                                   classify your own digit'
say '  python3 examples/python/mnist_train.py           run the experiment in Python'
say '  sh tests/run.sh                                  run the tests'
say '  README.md, docs/guide.md                         write your own program'
