#!/bin/sh
# Says why a test cannot run here, and ends as Meson shows it: skipped.
echo "skipped: $*"
exit 77
