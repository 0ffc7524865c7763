#!/bin/sh
# Makes the page in which one draws a digit, from a model of mnist-train. Installs what is
# missing to compile the library for WebAssembly.
#
#   sh examples/web/page.sh mnist-lstm.safetensors digits.html
set -eu
root=$(dirname "$0")/../..
. "$root/examples/packages.sh"

need_command meson meson
need_command ninja ninja-build
need_command python3 python3
need_web_tools
install_missing
exec python3 "$root/examples/web/page.py" "$@"
