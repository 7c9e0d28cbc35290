#!/bin/bash
# Words for scenarios that play one VM, maker, of many makes.

image=/var/lib/libvirt/images/maker.img
write_boot_sector $image
idle_guest $image

# define ROW: the parts of a domain's XML, of which those left out have what most domains have.
define() {
    local memory=64 vcpu="<vcpu>2</vcpu>" cputune='' numatune='' cpu='' devices='' machine=q35
    local backing="<memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>"
    local -r "$@"
    cat >/run/maker.xml <<XML
<domain type='qemu'>
  <name>maker</name>
  <uuid>3104eaf6-16f9-4178-a684-55ed617e89b9</uuid>
  <memory unit='MiB'>$memory</memory>
  $backing
  $vcpu
  <cputune>$cputune</cputune>
  $numatune
  <os><type arch='x86_64' machine='$machine'>hvm</type></os>
  <features><acpi/><apic/></features>
  $cpu
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw'/>
      <source file='$image'/>
      <target dev='vda' bus='virtio'/>
    </disk>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    $devices
  </devices>
</domain>
XML
    virsh -q define /run/maker.xml
}

# pins CPU CPU [REST]
pins() {
    echo "<vcpupin vcpu='0' cpuset='$1'/><vcpupin vcpu='1' cpuset='$2'/>"
    [[ -z ${3-} ]] || echo "<emulatorpin cpuset='$3'/>"
}

startable() { berth plan maker --json | jq -e 'all(.phases[]; .refusals == [])'; }

# refuses LABEL PATTERN PART=TEXT…: plan and the start say the same, and nothing is left of it.
refuses() {
    local label=$1 pattern=$2
    shift 2
    check "$label: defined" define "$@" || return
    check "$label: plan refuses it" grep -qE "$pattern" <<<"$(berth plan maker 2>&1)"
    check_refused "$label: so does its start" "$pattern" virsh -q start maker
}

# function_at ADDRESS [MANAGED [MORE]]: the hostdev of a PCI function.
function_at() {
    echo "<hostdev mode='subsystem' type='pci' managed='${2:-yes}'>${3-}<source><address domain='0x${1%%:*}' \
bus='0x${1:5:2}' slot='0x${1:8:2}' function='0x${1:11:1}'/></source></hostdev>"
}
