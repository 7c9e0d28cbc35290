#!/bin/bash
# Hands devices of a recorded host to VMs of libvirt's, and compares the verdicts: what holds a disk, what is
# behind a controller, which driver a function gets, and what became of one that left. Each line is an input and
# its verdict.
#
# usage: Tests/Recorded/devices.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

data=0000:43:00.0 # an NVMe disk with one partition
nic=0000:42:00.0
usb=0000:44:00.0
xml=$stage/vm.xml
id=11111111-0000-4000-8000-0000000000

# --- VMs ------------------------------------------------------------------------------------------

# vm DEVICES [REST]: a VM with these elements below <devices>, and the rest below <domain>.
vm() {
  cat >"$xml" <<XML
<domain type='kvm'><name>deck</name><uuid>${id}01</uuid><memory unit='MiB'>512</memory><vcpu>1</vcpu>
<os><type machine='pc-q35-9.2'>hvm</type></os><devices>$1</devices>${2:-}</domain>
XML
}

# hostdev ADDRESS MANAGED [CHILD]
hostdev() {
  local bus=${1:5:2} slot=${1:8:2} function=${1:11}
  echo "<hostdev mode='subsystem' type='pci' managed='$2'>${3:-}<source><address domain='0x0000' bus='0x$bus'" \
    "slot='0x$slot' function='0x$function'/></source></hostdev>"
}

# --- hosts ----------------------------------------------------------------------------------------

# put PATH TEXT…: a file of the host; its folders are made.
put() {
  mkdir -p "$(dirname "$root$1")"
  printf '%s\n' "${@:2}" >"$root$1"
}

folder() { mkdir -p "$root$1"; }

pointer() {
  mkdir -p "$(dirname "$root$1")"
  ln -sfn "$2" "$root$1"
}

# The workstation, whose second disk nothing stands on, with a USB controller and a driver of VFIO's besides.
fresh() {
  unpack_workstation
  rm -r "$root/sys/class/block/nvme1n1p1/holders"
  add_function 44 0x0c0330 xhci_hcd
  folder /sys/bus/pci/drivers/igb_vfio_pci
}

# add_function BUS CLASS DRIVER: a function in a group of its own, as 0000:BUS:00.0.
add_function() {
  local address=0000:$1:00.0
  local place=/sys/devices/pci0000:40/0000:40:03.0/$address
  put "$place/class" "$2"
  put "$place/vendor" 0x1b21
  put "$place/device" 0x2142
  put "$place/driver_override" "(null)"
  put "$place/numa_node" 1
  pointer "$place/driver" "../../../../bus/pci/drivers/$3"
  pointer "$place/iommu_group" "../../../../kernel/iommu_groups/9$1"
  folder "/sys/kernel/iommu_groups/9$1/devices"
  pointer "/sys/kernel/iommu_groups/9$1/devices/$address" "../../../../devices/pci0000:40/0000:40:03.0/$address"
  folder "/sys/bus/pci/drivers/$3"
  pointer "/sys/bus/pci/devices/$address" "../../../devices/pci0000:40/0000:40:03.0/$address"
}

# disk NAME NUMBER PLACE: a disk, or a part of one, of which PLACE ends the path of the device.
disk() {
  put "/sys/devices/$3/dev" "$2"
  pointer "/sys/class/block/$1" "../../devices/$3"
}

content() { put "/run/udev/data/b$1" "S:disk/by-id/x" "E:ID_FS_TYPE=$2"; }

# holder NAME DISK: a device that stands on a disk.
holder() {
  folder "/sys/devices/virtual/block/$1"
  pointer "/sys/class/block/$1" "../../devices/virtual/block/$1"
  pointer "/sys/class/block/$2/holders/$1" "../../$1"
}

# input NAME HANDLERS KEYS: an input device behind the USB controller.
input() {
  mkdir -p "$root/proc/bus/input"
  printf 'I: Bus=0003 Vendor=413c Product=2113 Version=0110\nN: Name="%s"\nP: Phys=usb-x/input0\nS: Sysfs=%s\nU: Uniq=\nH: Handlers=%s\nB: KEY=%s\n\n' \
    "$1" "/devices/pci0000:40/0000:40:03.0/$usb/usb3/3-1/3-1:1.0/input/input5" "$2" "$3" >>"$root/proc/bus/input/devices"
}

answers() { echo "/dev/$1 taken $2" >>"$root/recorded/limits"; }

# --- verdicts -------------------------------------------------------------------------------------

# verdict INPUT STATUS WORDS: plan ends with the status and says the words, or, for words that begin with !, does not.
verdict() {
  local output code words=${3#!}
  hear "$berth" plan --libvirt "$xml" --root "$root"
  if [ "$3" != "$words" ]; then
    if [ "$code" = "$2" ] && [[ $output != *"$words"* ]]; then ok "$1 | not $words"
    else fail "$1 | not $words" "status $code: $output"; fi
  elif [ "$code" = "$2" ] && [[ $output == *"$words"* ]]; then ok "$1 | $words"
  else fail "$1 | $words" "status $code: $output"; fi
}

# judged INPUT STATUS WORDS: the same of doctor, whose lines are folded.
judged() {
  local output code
  hear "$berth" doctor --libvirt "$xml" --root "$root"
  output=$(tr -s ' \n' ' ' <<<"$output")
  if [ "$code" = "$2" ] && [[ $output == *"$3"* ]]; then ok "$1 | $3"
  else fail "$1 | $3" "status $code: $output"; fi
}

# held INPUT WORDS: the data disk is refused with the words, whoever binds it, and doctor says so.
held() {
  local managed
  for managed in yes no; do
    vm "$(hostdev $data $managed)"
    verdict "$1, managed='$managed'" 1 "but the host uses it: $2"
  done
  judged "$1, doctor" 2 "$2"
}

# free INPUT: it may go.
free() {
  vm "$(hostdev $data no)"
  verdict "$1" 0 "driver of $data  nvme → vfio-pci"
}

fresh
free "a disk that nothing stands on"

content 259:5 zfs_member
held "a member of a pool of ZFS" "a member of a ZFS pool (nvme1n1p1)"
answers nvme1n1 no
free "one of an exported pool, by the kernel"
sed -i '$d' "$root/recorded/limits"
answers nvme1n1 yes
answers nvme1n1p1 yes
held "one of an imported pool, by the kernel" "a member of a ZFS pool (nvme1n1p1)"

fresh
for kind in crypto_LUKS LVM2_member linux_raid_member ext4; do
  content 259:5 $kind
  free "$kind that nobody has opened"
done

fresh
holder md127 nvme1n1p1
folder /sys/class/block/md127/md
held "a member of an array" "part of the array md127 (nvme1n1p1)"

fresh
put /proc/mdstat "Personalities : [raid1]" "md9 : inactive nvme1n1p1[1](S) sdz[0](S)" "unused devices: <none>"
held "one of an array that does not run" "part of the array md9 (nvme1n1p1)"

for row in "CRYPT-LUKS2-0123-secret secret encrypted" "LVM-0123 vg-images LVM's" "mpath-0123 mpatha multipath's"; do
  read -r uuid name word <<<"$row"
  fresh
  holder dm-7 nvme1n1p1
  put /sys/class/block/dm-7/dm/name "$name"
  put /sys/class/block/dm-7/dm/uuid "$uuid"
  held "below ${word%\'s}" "part of $([ "$word" = encrypted ] && echo "the ")$word $name (nvme1n1p1)"
done

fresh
folder /sys/class/block/nvme1n1/bcache
held "a cache of bcache" "part of bcache (nvme1n1)"

fresh
printf '/dev/nvme1n1p1 partition 1000 0 -2\n' >>"$root/proc/swaps"
held "raw swap" "swap (nvme1n1p1)"

fresh
put /sys/devices/virtual/block/loop3/loop/backing_file /dev/nvme1n1
pointer /sys/class/block/loop3 ../../devices/virtual/block/loop3
held "below a loop device" "below loop3 (nvme1n1)"

fresh
put /sys/kernel/config/target/core/iblock_0/images/udev_path /dev/disk/by-id/nvme-x
pointer /dev/disk/by-id/nvme-x ../../nvme1n1
held "exported by iSCSI" "exported by LIO as images (nvme1n1)"

fresh
put /sys/kernel/config/nvmet/subsystems/one/namespaces/1/device_path /dev/nvme1n1p1
held "exported by NVMe over fabrics" "exported by NVMe as one (nvme1n1p1)"

fresh
answers nvme1n1 yes
held "a disk that the kernel gives to nobody else" "in use by the kernel or a program (nvme1n1)"

fresh
folder /sys/class/nvme-subsystem/nvme-subsys1/nvme1
folder /sys/class/nvme-subsystem/nvme-subsys1/nvme1n7
disk nvme1n7 259:70 virtual/nvme-subsystem/nvme-subsys1/nvme1n7
disk nvme1n7p1 259:71 virtual/nvme-subsystem/nvme-subsys1/nvme1n7/nvme1n7p1
content 259:71 zfs_member
held "a disk of several paths" "a member of a ZFS pool (nvme1n7p1)"

# What is behind a controller.
fresh
for managed in yes no; do
  vm "$(hostdev $usb $managed)"
  verdict "a USB controller with nothing behind it, managed='$managed'" 0 "!uses it"
done
input "Dell KB216" "sysrq kbd event3 leds " "10000 7 ff9f207ac14057ff febeffdfffefffff fffffffffffffffe"
input "Dell MS116" "event4 mouse0 " "1f0000 0 0 0 0"
input "Headset" "kbd event5 " "1000000000 0 0 c000000000000 0"
for managed in yes no; do
  vm "$(hostdev $usb $managed)"
  verdict "one with a keyboard, managed='$managed'" 0 "which uses it: the host's keyboard “Dell KB216”"
  verdict "and a mouse, managed='$managed'" 0 "the host's mouse “Dell MS116”"
  verdict "a headset is neither, managed='$managed'" 0 "!Headset"
done
judged "one with a keyboard, doctor" 1 "which uses it: the host's keyboard “Dell KB216”"
disk sda 8:0 "pci0000:40/0000:40:03.0/$usb/usb3/3-2/3-2:1.0/host9/target9:0:0/9:0:0:0/block/sda"
disk sda1 8:1 "pci0000:40/0000:40:03.0/$usb/usb3/3-2/3-2:1.0/host9/target9:0:0/9:0:0:0/block/sda/sda1"
sed -i 's|259:[0-9]* / / |8:1 / / |; s| / / rw\(.*\)/dev/nvme0n1p2| / / rw\1/dev/sda1|' "$root/proc/1/mountinfo"
for managed in yes no; do
  vm "$(hostdev $usb $managed)"
  verdict "one with the root disk, managed='$managed'" 1 "but the host uses it: mounted at / (sda1)"
done

# Bridges, whoever binds them and whatever policy can do without.
fresh
add_function 45 0x068000 pcieport
add_function 46 0x068000 nvswitch
put "/sys/devices/pci0000:40/0000:40:03.0/0000:45:00.0/secondary_bus_number" 70
mkdir -p "$root/etc/berth"
printf '[defaults]\npci.required = false\n' >"$root/etc/berth/berth.toml"
for managed in yes no; do
  [ "$managed" = yes ] && status=1 || status=0
  vm "$(hostdev 0000:40:03.0 $managed)"
  verdict "a PCI bridge, managed='$managed', pci.required = false" "$status" "which is a bridge of the host"
  verdict "and it stays, managed='$managed'" "$status" "!driver of"
  vm "$(hostdev 0000:45:00.0 $managed)"
  verdict "a bridge by its registers, managed='$managed'" "$status" "which is a bridge of the host"
  vm "$(hostdev 0000:46:00.0 $managed)"
  verdict "a switch that is none, managed='$managed'" 0 "!bridge"
  vm "$(hostdev 0000:01:00.0 $managed)"
  verdict "the root disk, managed='$managed', pci.required = false" "$status" "mounted at /"
done

# Drivers.
fresh
for row in "<driver model='igb_vfio_pci'/>|igb → igb_vfio_pci" "<driver name='vfio'/>|igb → vfio-pci" \
  "<driver iommufd='yes'/>|igb → vfio-pci" "<driver name='vfio' model='vfio-pci'/>|igb → vfio-pci"; do
  vm "$(hostdev $nic no "${row%|*}")"
  verdict "${row%|*}" 0 "driver of $nic  ${row#*|}"
done
vm "$(hostdev $nic no "<driver model='nouveau'/>")"
verdict "<driver model='nouveau'/>" 1 "with the driver nouveau, which is no VFIO driver"
vm "$(hostdev $nic no "<driver model='../x_vfio_pci'/>")"
verdict "a model that is no name" 1 "which is no VFIO driver"
vm "$(hostdev $nic yes "<driver model='igb_vfio_pci'/>")"
verdict "a model with managed='yes' is libvirt's" 0 "changes nothing"

# Functions on a driver of VFIO's that somebody has.
for file in /dev/vfio/21 /dev/vfio/devices/vfio3; do
  fresh
  pointer "/sys/bus/pci/devices/$nic/driver" ../../../../bus/pci/drivers/vfio-pci
  folder "/sys/bus/pci/devices/$nic/vfio-dev/vfio3"
  put /proc/77/comm qemu
  pointer /proc/77/fd/9 "$file"
  vm "$(hostdev $nic no)"
  verdict "another VM has $file" 1 "$file is open in qemu (process 77)"
  vm "$(hostdev $nic yes "<driver iommufd='yes'/>")"
  verdict "the same with managed='yes'" 0 "$nic is not free for deck: $file is open in qemu (process 77)"
done

# QEMU's own arguments.
fresh
qemu="xmlns:q='http://libvirt.org/schemas/domain/qemu/1.0'"
arguments() {
  vm "" "<q:commandline $qemu>$(printf "<q:arg value='%s'/>" "$@")</q:commandline>"
}
for value in "vfio-pci,host=42:00.0,id=x" "driver=vfio-pci,host=0000:42:00.0" "vfio-pci,sysfsdev=/sys/bus/pci/devices/$nic" \
  "{\"driver\":\"vfio-pci\",\"host\":\"0000:42:00.0\",\"id\":\"x\"}"; do
  arguments -global x.y=1 -device "$value"
  verdict "-device $value" 0 "driver of $nic  igb → vfio-pci"
  verdict "and what libvirt does not do for it" 0 "which libvirt does not see"
done
arguments -device "virtio-rng-pci,host=42:00.0" -name "vfio-pci,host=42:00.0"
verdict "arguments of something else" 0 "changes nothing"
arguments -device "vfio-pci,host=01:00.0"
verdict "the root disk by an argument" 1 "mounted at /"

# Mediated devices.
mdev() { echo "<hostdev mode='subsystem' type='mdev' model='vfio-pci'><source><address uuid='$1'/></source></hostdev>"; }
vm "$(mdev "${id}AA")"
verdict "a mediated device that is not there" 0 "wants the mediated device ${id}aa, which does not exist"
judged "the same, doctor" 1 "mdevctl start --uuid ${id}aa"
folder "/sys/bus/mdev/devices/${id}aa"
verdict "one that is there" 0 "!mediated"

# What became of a function that left a VM which runs.
gpu=0000:41:00.0
place=$root/sys/bus/pci/devices/$gpu
live=$root/run/libvirt/qemu/gaming.xml

started() {
  unpack_workstation
  "$berth" replay gaming prepare --libvirt "$hosts/gaming.xml" --root "$root" >"$stage/log" 2>&1
  "$berth" recorded enter "$hosts/two-node-workstation.gaming.host" "$root" >>"$stage/log" 2>&1
  "$berth" replay gaming started --libvirt "$hosts/gaming.xml" --root "$root" >>"$stage/log" 2>&1
  check_equal "a VM has its card" vfio-pci "$(basename "$(readlink "$place/driver")")"
}

# live_xml: what libvirt writes of the VM once both functions of the card have left it.
live_xml() {
  {
    echo "<domstatus state='running'>"
    sed '/<hostdev/,/<\/hostdev>/d; /<?xml/d' "$hosts/gaming.xml"
    echo "</domstatus>"
  } >"$live"
}

# given_back: what virsh nodedev-reattach leaves.
given_back() {
  echo "(null)" >"$place/driver_override"
  ln -sfn ../../../../bus/pci/drivers/nouveau "$place/driver"
}

started
live_xml
answer "virsh detach-device | it waits for the VM's end, and status says so" 0 "$gpu was removed from gaming, which still runs: it stays on vfio-pci" \
  status --root "$root"
answer "and how to have it now" 0 "virsh nodedev-reattach pci_0000_41_00_0" status --root "$root"
"$berth" reconcile --root "$root" >"$stage/log" 2>&1
check_equal "and nobody takes it away meanwhile" vfio-pci "$(basename "$(readlink "$place/driver")")"
given_back
"$berth" reconcile --root "$root" >"$stage/log" 2>&1
check_equal "virsh nodedev-reattach | it stays with the host" nouveau "$(basename "$(readlink "$place/driver")")"
answer "and status says so" 1 "restored outside Berth" status --root "$root"

started
rm -r "$(readlink -f "$place")" "$place"
said "pulled out of the host | said once" "0 1" "$gpu has left the host: nothing of it is left to restore" \
  "$berth" reconcile --root "$root"
check_equal "and no more" "" "$("$berth" reconcile --root "$root" 2>&1 | grep "$gpu")"
check_equal "and nothing waits for it" "" "$("$berth" status --root "$root" | grep "driver of $gpu")"
