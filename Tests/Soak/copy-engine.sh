# shellcheck shell=bash
# Sourced by the scripts beside it.

# copy_engine FOLDER: makes a package there of the engine, of what plays whole lives on a recorded host,
# and of the tests of both, as they are now.
copy_engine() {
  local root target
  root=$(cd "$(dirname "${BASH_SOURCE[0]}")/../.." && pwd)
  mkdir -p "$1/Sources" "$1/Tests"
  cp "$root/Tests/Soak/Package.swift" "$1/"
  for target in CExpat CLinux CZstd Bytes HostModel Tunings Ledger SystemCalls Formats Port Recorded \
    Facts Places Lifecycle; do
    cp -r "$root/Sources/$target" "$1/Sources/"
  done
  cp -r "$root/Tests/LedgerTests" "$root/Tests/MeanTests" "$1/Tests/"
}
