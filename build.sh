#!/bin/sh
# Builds .build/release/berth, the program that install.sh installs.
#
# usage: ./build.sh [SWIFT]     SWIFT is the program swift of the toolchain, if it is not in PATH
set -eu
cd "$(dirname "$0")"

# The C++ library is made part of the program where there is an archive of it: looking its symbols
# up takes longer than most phases do. In a folder without the shared one, the linker takes that.
archives=.build/archives
mkdir -p "$archives"
newest=$(printf '%s\n' /usr/lib/gcc/"$(uname -m)"-linux-gnu/*/libstdc++.a | sort -V | tail -1)
if [ -e "$newest" ]; then ln -sf "$newest" "$archives"; fi

exec "${1:-swift}" build -c release --static-swift-stdlib --disable-local-rpath \
  -Xlinker -s -Xlinker "-L$PWD/$archives" --product berth -q
