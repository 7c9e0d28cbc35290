#!/bin/bash
# Runs each command that README.md and docs show with its output, on the recorded host that they name, and compares the
# output line by line; looks at the commands that are shown without output as well.
#
# usage: Tests/Recorded/documents.sh BERTH [--write]     --write renews the listings
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# What is not in a record and belongs to the host that the documents tell of.
unpack() { "$berth" recorded unpack "$hosts/$1.host" "$stage/hosts/$1"; }
mkdir -p "$stage/hosts" "$stage/bin" "$stage/work"
for name in lab-debian13 two-node-workstation proxmox-node; do unpack $name; done
workstation=$stage/hosts/two-node-workstation
mkdir -p "$workstation/etc/libvirt/qemu"
cp "$hosts/gaming.xml" "$workstation/etc/libvirt/qemu/"
node=$stage/hosts/proxmox-node
mkdir -p "$node/var/lib/vz/snippets"
install -m 755 "$hosts/../../hooks/berth-hookscript" "$node/var/lib/vz/snippets/berth"
printf 'dir: local\n\tpath /var/lib/vz\n\tcontent iso,vztmpl,backup,snippets\n' >"$node/etc/pve/storage.cfg"

# Two measurements of the lab's VM, by its scenario “see”.
cp "$hosts"/lab-debian13.{before,after}.json "$stage/work/"
(cd "$stage/work" && mv lab-debian13.before.json before.json && mv lab-debian13.after.json after.json)

"$(dirname "$0")/../listings" "$berth" "$stage" "${@:2}"

# picture NAME ARGUMENT…: the picture in docs has to be the one that the program makes.
picture() {
  local picture=$hosts/../../docs/pictures/$1.svg
  (cd "$stage/work" && "$berth" "${@:2}" --svg "$stage/$1.svg" >"$stage/said") || fail "docs/pictures/$1.svg is made"
  if [ "$write" = --write ]; then cp "$stage/$1.svg" "$picture"; fi
  if cmp -s "$stage/$1.svg" "$picture"; then ok "docs/pictures/$1.svg is up to date"
  else fail "docs/pictures/$1.svg is up to date" "renew it by --write"; fi
}
write=${2:-}
picture topology topology --root "$stage/hosts/lab-debian13"
picture topology-epyc topology --root "$hosts/epyc-server.host"
picture comparison observe --compare before.json after.json
