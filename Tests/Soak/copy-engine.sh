# shellcheck shell=bash
# Sourced by the scripts beside it.

# copy_engine FOLDER: makes a package there of the engine and its tests, as they are now.
copy_engine() {
  local root
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  mkdir -p "$1/Sources" "$1/Tests"
  cp "$root/Tests/Soak/Package.swift" "$1/"
  cp -r "$root/Sources/Bytes" "$root/Sources/HostModel" "$root/Sources/Ledger" "$1/Sources/"
  cp -r "$root/Tests/LedgerTests" "$1/Tests/"
}
