#!/bin/sh
# Writes bits.h: hashes of training and inference, which are the same on every processor.
# They change only if the operations of a kernel or of the test change; the commit must
# explain why.
#
# usage: make_bits.sh BUILD-FOLDER
set -eu
here=$(cd "$(dirname "$0")" && pwd)
ninja -C "$1" tests/test-bits-bits >/dev/null
"$1/tests/test-bits-bits" --print >"$here/bits.h.new"
mv "$here/bits.h.new" "$here/bits.h"
ninja -C "$1" tests/test-bits-bits >/dev/null
