#!/bin/bash
# Devices of different make: each VM that `plan` calls startable starts with them, whoever binds them; what the host itself
# uses is refused by both.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh
# shellcheck source=Tests/Lab/maker.sh
source /lab/maker.sh

# disk SERIAL: the PCI function of an NVMe disk, and its block device while the host has it.
disk() { grep -l "^$1 *\$" /sys/bus/pci/devices/*/nvme/nvme*/serial | cut -d/ -f6; }
block() { basename "$(echo "/sys/bus/pci/devices/$1"/nvme/nvme*/nvme*n*)"; }
first=$(disk disk1) second=$(disk disk2)
echo "disks: $first $(block "$first"), $second $(block "$second"); NIC $nic"

# starts LABEL FUNCTIONS PART=TEXT…: plan has nothing against it, it starts, QEMU has its functions, and they come back.
starts() {
    local label=$1 functions=$2 function
    shift 2
    check "$label: defined" define backing='' cputune="$(pins 4 5 6)" "$@" || return
    check "$label: plan calls it startable" startable || return
    check "$label: it starts" start_vm maker || return
    for function in $functions; do
        check_equal "$label: $function is on vfio-pci" vfio-pci "$(driver_of "$function")"
    done
    check "$label: it stops" stop_vm maker
    check_restored "$label: the host is as before"
}
# refused_while LABEL PATTERN: while the host uses the first disk, a VM with it is refused in such words.
refused_while() {
    local label=$1 pattern=$2
    for managed in yes no; do
        refuses "$label, managed='$managed'" "$pattern" backing='' devices="$(function_at "$first" $managed)"
    done
}

start_witness
modprobe vfio-pci
check "both disks are there" test -n "$first" -a -n "$second" || exit
snapshot $results/before
check "Berth is installed" install_berth

echo "== whoever binds"
without_rom="<rom bar='off'/>"
# A function that was not managed once is none of libvirt's for as long as its daemon runs, whatever the next XML says.
starts "libvirt binds a disk" "$first" devices="$(function_at "$first" yes)"
starts "Berth binds a disk" "$second" devices="$(function_at "$second" no)"
starts "two disks, one by each" "$first $second" devices="$(function_at "$first" yes)$(function_at "$second" no)"
starts "a NIC and a disk" "$nic $first" \
    devices="$(function_at $nic no | sed "s|</source>|&$without_rom|")$(function_at "$first" yes)"
starts "the driver by name" "$first" devices="$(function_at "$first" yes "<driver name='vfio'/>")"
starts "an older machine" "$second" machine=pc devices="$(function_at "$second" no)"

echo "== what the host uses"
disk=/dev/$(block "$first")
mkdir /srv/data
check "the first disk is mounted" mount "$disk" /srv/data
refused_while "a mounted disk" 'mounted at /srv/data'
umount /srv/data
rmdir /srv/data
check "swap is made" mkswap -q "$disk"
swapon "$disk"
refused_while "a disk with swap" 'swap'
swapoff "$disk"
loop=$(losetup --find --show "$disk")
refused_while "a disk under a loop device" 'loop'
losetup -d "$loop"
# ZFS and LVM open a disk for themselves alone, of which sysfs tells no holder.
perl -MFcntl -e 'sysopen(my $disk, $ARGV[0], O_RDWR | O_EXCL) or die $!; print "open\n"; $| = 1; sleep 600' "$disk" \
    >/run/holder.log &
holder=$!
has_it() { readlink /proc/$holder/fd/* | grep -qx "$disk"; }
check "somebody has the disk for himself" wait_for 10 has_it
refused_while "a disk that somebody has for himself" "$(block "$first")"
kill $holder
wait $holder 2>/dev/null
starts "the same disk, once nobody uses it" "$first" devices="$(function_at "$first" yes)"
virsh -q undefine maker
