#!/bin/bash
# Plays a VM of Proxmox VE on the recorded workstation with the built binary, as far as that goes
# without a QEMU, and compares every file of the host afterwards.
#
# usage: Tests/Recorded/proxmox.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
set -u
berth=$(readlink -f "$1")
folder=$(dirname "$(readlink -f "$0")")
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/host
conf=etc/pve/nodes/one/qemu-server

ok() { echo "ok $1"; }
fail() { echo "FAIL $1${2:+: $2}"; }

# said NAME STATUS WORDS ARGUMENT...: berth has to end with the status and say the words.
said() {
  local name=$1 status=$2 words=$3 output code
  shift 3
  output=$("$berth" "$@" --root "$root" 2>&1)
  code=$?
  if [ $code -eq "$status" ] && [[ $output == *"$words"* ]]; then ok "$name"
  else fail "$name" "status $code: $output"; fi
}

fresh() {
  rm -rf "$stage/host" "$stage/before"
  "$berth" recorded unpack "$folder/../Hosts/two-node-workstation.host" "$root"
  mkdir -p "$root/$conf"
  ln -s nodes/one/qemu-server "$root/etc/pve/qemu-server"
  cp "$folder/../Fuzz/seeds/proxmox/gaming" "$root/$conf/100.conf"
  cp -a "$root" "$stage/before"
}

unchanged() {
  rm -rf "$root/run/berth" "$root/recorded" "$stage/before/recorded"
  local difference
  if difference=$(diff -r --no-dereference "$stage/before" "$root"); then ok "$1"
  else fail "$1" "$difference"; fi
}

fresh
said "a plan has the steps of Proxmox" 0 "post-start" plan 100
said "a plan has the pages that Proxmox looks for" 0 "2 MiB pages on node 1   0 → 8192" plan 100
said "a plan has what Proxmox does with them" 0 "Proxmox sets them back" plan 100
said "a plan divides affinity among the vCPUs" 0 "its share of affinity pins vCPU 7" plan 100
said "a plan makes the scope a partition" 0 "cpuset.cpus.partition of 100.scope" plan 100
said "a plan of a file knows its number" 0 "qemu.slice/100.scope" plan --proxmox "$root/$conf/100.conf"
unchanged "a plan changes nothing"

fresh
said "pre-start reserves the pages" 0 "0 → 8192" replay 100 pre-start
said "pre-start leaves the functions to Proxmox" 0 "stays" replay 100 pre-start --dry-run
said "the VM is in" 0 "gaming  100" status
said "post-stop gives back" 0 "8192 → 0" replay 100 post-stop
unchanged "after a start that failed the host is as it was"

fresh
sed -i 's/hostpci0: .*/hostpci0: 0000:41:00,driver=keep/' "$root/$conf/100.conf"
cp -a "$root/$conf/100.conf" "$stage/before/$conf/100.conf"
said "with driver=keep Berth binds" 0 "nouveau → vfio-pci" replay 100 pre-start
said "it goes back" 0 "vfio-pci → nouveau" replay 100 post-stop
unchanged "with driver=keep the host is as it was"

fresh
printf 'hugepages: 2\nnuma: 1\nmemory: 9999999\ncores: 2\n' >"$root/$conf/102.conf"
cp -a "$root/$conf/102.conf" "$stage/before/$conf/102.conf"
said "a VM larger than its node is refused" 1 "of memory in all" replay 102 pre-start
unchanged "and leaves nothing"
said "a VM that is not there is named" 2 "knows a domain “103”" plan 103
