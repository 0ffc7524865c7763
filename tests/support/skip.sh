#!/bin/sh
# Prints why a test cannot run, and exits so that Meson reports it as skipped.
echo "skipped: $*"
exit 77
