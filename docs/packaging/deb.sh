#!/bin/sh
# Builds Debian's packages of this tree, as it is committed, into a folder.
#
# usage: deb.sh FOLDER [OPTION OF dpkg-buildpackage]...
set -eu
[ $# -ge 1 ] || { echo "usage: deb.sh FOLDER [OPTION]..." >&2; exit 2; }
root=$(cd "$(dirname "$0")/../.." && pwd)
mkdir -p "$1"
folder=$(cd "$1" && pwd)
shift
version=$(dpkg-parsechangelog -l "$root/docs/packaging/debian/changelog" -S Version)
upstream=${version%-*}
source=$folder/liblstm-$upstream
[ ! -e "$source" ] || { echo "deb.sh: $source exists" >&2; exit 1; }
git -C "$root" archive --prefix="liblstm-$upstream/" HEAD |
    gzip -n >"$folder/liblstm_$upstream.orig.tar.gz"
tar -C "$folder" -xzf "$folder/liblstm_$upstream.orig.tar.gz"
cp -r "$source/docs/packaging/debian" "$source/debian"
cd "$source"
exec dpkg-buildpackage -us -uc "$@"
