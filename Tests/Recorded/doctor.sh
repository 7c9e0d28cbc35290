#!/bin/bash
# Has berth look over recorded hosts: a sound one, and ones that something is wrong with.
#
# usage: Tests/Recorded/doctor.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# found NAME STATUS WORDS ARGUMENT…: doctor has to end with the status and say the words.
found() { answer "${@:1:3}" doctor "${@:4}" --root "$root"; }

# A workstation that libvirt and its hook are installed on, and that knows the gaming VM.
fresh() {
  unpack_workstation
  mkdir -p "$root/etc/libvirt/hooks" "$root/etc/libvirt/qemu" "$root/usr/sbin"
  touch "$root/etc/libvirt/qemu.conf" "$root/usr/sbin/berth"
  chmod 755 "$root/usr/sbin/berth"
  ln -s /usr/sbin/berth "$root/etc/libvirt/hooks/qemu"
  cp "$hosts/gaming.xml" "$root/etc/libvirt/qemu/gaming.xml"
  place_units
}

# What repairs, enabled, as install.sh places it.
place_units() {
  local units=usr/lib/systemd/system wanting=etc/systemd/system
  mkdir -p "$root/$units" "$root/usr/lib/udev/rules.d" "$root/$wanting"/{suspend,paths,multi-user}.target.wants
  touch "$root/$units"/berth-{reconcile,live}.{service,path} "$root/usr/lib/udev/rules.d/90-berth.rules"
  ln -s "/$units/berth-reconcile.service" "$root/$wanting/suspend.target.wants"
  ln -s "/$units/berth-reconcile.path" "$root/$wanting/paths.target.wants"
  ln -s "/$units/berth-live.path" "$root/$wanting/multi-user.target.wants"
}

fresh
before=$(find "$root" | sort | sha256sum)
found "a sound host" 0 "looked at the host, and at gaming: nothing found"
found "a sound domain" 0 "nothing found" gaming
check_equal "doctor makes no file" "$before" "$(find "$root" | sort | sha256sum)"
found "a domain that is not there" 2 "the nearest is “gaming”" gamin
found "a domain's XML that is none" 2 "not <domain>" --libvirt <(echo '<network/>')

rm "$root/etc/libvirt/hooks/qemu"
found "no hook" 1 "libvirt does not run Berth"
ln -s /usr/local/sbin/berth "$root/etc/libvirt/hooks/qemu"
found "a hook that leads nowhere" 2 "is not run: it is not there"

fresh
rm "$root/etc/systemd/system/suspend.target.wants/berth-reconcile.service"
found "a unit that is not enabled" 1 "systemctl enable --now berth-reconcile.service"
rm "$root/usr/lib/systemd/system/berth-reconcile.service"
found "a unit that is missing" 1 "nothing repairs what the kernel changes by itself"

fresh
rm -r "$root/sys/kernel/iommu_groups"
found "no IOMMU" 2 "gaming cannot start with a PCI function of the host"

fresh
sed -i "s/<emulatorpin cpuset='4,12'/<emulatorpin cpuset='5'/; s/nodeset='1'/nodeset='0'/" \
  "$root/etc/libvirt/qemu/gaming.xml"
found "an emulator on a vCPU's CPU" 1 "<emulatorpin cpuset='0-4,8-12'/>"
found "memory on another node" 1 "gaming has memory on node 0 and vCPUs on node 1"
found "JSON has the same" 1 '"check" : "memory-node"' --json

fresh
echo '<domain>' >"$root/etc/libvirt/qemu/broken.xml"
found "another domain's broken XML" 0 "broken.xml: line"
found "another domain's broken XML is passed over" 0 "nothing found" gaming

fresh
rm "$root/etc/libvirt/qemu/gaming.xml"
mkdir -p "$root/etc/pve/qemu-server"
printf 'cores: 4\nmemory: 4096\nhugepages: 2\n' >"$root/etc/pve/qemu-server/100.conf"
found "huge pages without NUMA" 2 "qm set 100 --numa 1" 100
printf 'cores: 4\nmemory: 4096\naffinity: 4-7\n' >"$root/etc/pve/qemu-server/100.conf"
found "no hookscript" 1 "qm set 100 --hookscript local:snippets/berth"
printf 'cores: 4\nmemory: 4096\naffinity: 4-7\nhookscript: local:snippets/berth\n' \
  >"$root/etc/pve/qemu-server/100.conf"
found "a hookscript that is not there" 2 "the hookscript of vm100 cannot be run: it is not there"

# --- a policy that is broken, or for no VM -----------------------------------------------------------

fresh
mkdir -p "$root/etc/berth"
echo 'isolation = = "none"' >"$root/etc/berth/berth.toml"
said "a policy that is no TOML is a finding with its line" 2 "berth.toml:1:13" "$berth" doctor --root "$root"
said "and the other checks go on" 2 "looked at the host" "$berth" doctor --root "$root"
printf '[vm.nosuch]\nprofile = "latency"\n' >"$root/etc/berth/berth.toml"
said "a section for no VM is a finding" 1 'is for no VM of this host' "$berth" doctor --root "$root"
rm "$root/etc/berth/berth.toml"
