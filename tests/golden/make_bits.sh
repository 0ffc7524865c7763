#!/bin/sh
# Writes bits.h: the bits that training and inference have on every processor. They change
# only with the operations of a kernel or of the test; say which in the commit.
#
# usage: make_bits.sh BUILD-FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ninja -C "$1" tests/test-bits-bits >/dev/null
"$1/tests/test-bits-bits" --print >"$here/bits.h.new"
mv "$here/bits.h.new" "$here/bits.h"
ninja -C "$1" tests/test-bits-bits >/dev/null
