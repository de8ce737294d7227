#!/bin/sh
# Installs the C library, its header and its pkg-config file below a prefix.
#
#   install.sh [prefix] [folder of the built libraries]
#
# The prefix is /usr/local unless another is named. Without a folder the library is built first, for release.
set -eu
here=$(cd "$(dirname "$0")" && pwd)
root=$(cd "$here/../.." && pwd)
prefix=${1:-/usr/local}
built=${2:-}
# The tests link instead: what is built for debugging is half a gigabyte.
copy=${COPY:-cp}
if [ -z "$built" ]; then
    (cd "$root" && cargo build --release -p buildly-c)
    built=${CARGO_TARGET_DIR:-$root/target}/release
fi
mkdir -p "$prefix/include" "$prefix/lib/pkgconfig"
prefix=$(cd "$prefix" && pwd)
version=$(sed -n '/^\[workspace.package\]/,/^\[/s/^version = "\(.*\)"/\1/p' "$root/Cargo.toml")
cp "$here/include/buildly.h" "$prefix/include/"
for library in libbuildly.a libbuildly.so; do
    # In one step: a program that runs with the old one keeps it.
    $copy "$built/$library" "$prefix/lib/$library.new"
    mv -f "$prefix/lib/$library.new" "$prefix/lib/$library"
done
sed -e "s|@prefix@|$prefix|" -e "s|@version@|$version|" "$here/buildly.pc.in" > "$prefix/lib/pkgconfig/buildly.pc"
