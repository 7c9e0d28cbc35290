#!/bin/bash
# Virtual functions: made when the first VM needs them, told their VLAN and address, handed over one each, and gone again
# with the last VM; then a device that is taken off the bus and found again.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

count() { cat "/sys/bus/pci/devices/$nic/sriov_numvfs"; }
function_of() { basename "$(readlink "/sys/bus/pci/devices/$nic/virtfn$1")"; }
# What the driver tells of VF N: vlan, MAC, trust, spoof check.
told() {
    ip -json -details link show "$physical" |
        jq -r --argjson n "$1" '.[0].vfinfo_list[$n] | "\(.vlan_list[0].vlan // 0) \(.address) \(.trust) \(.spoofchk)"'
}
count_is() { [[ $(count) == "$1" ]]; }

# take NAME FUNCTION CPU CPU REST: a VM that has this function, which libvirt does not manage.
take() {
    local name=$1 function=$2
    define_vm "$name" 64 "$3" "$4" "$5"
    idle_guest "$name"
    sed -i "s|</devices>|<hostdev mode='subsystem' type='pci' managed='no'><source>$(address "$function")</source></hostdev></devices>|" \
        "/run/$name.xml"
    virsh -q define "/run/$name.xml" && virsh dumpxml "$name" >"/run/$name.xml"
}

address() {
    local bus=${1:5:2} slot=${1:8:2} number=${1:11}
    echo "<address domain='0x0000' bus='0x$bus' slot='0x$slot' function='0x$number'/>"
}

physical=$(basename "/sys/bus/pci/devices/$nic/net/"*)
echo "host: $(uname -r), $physical has at most $(<"/sys/bus/pci/devices/$nic/sriov_totalvfs") VFs"
check "Berth is installed" install_berth
modprobe vfio-pci

# The address of a function that is not there yet is in its physical one's capability.
offset=$(<"/sys/bus/pci/devices/$nic/sriov_offset")
stride=$(<"/sys/bus/pci/devices/$nic/sriov_stride")
predicted() {
    local routing=$((0x${nic:5:2} * 256 + offset + stride * $1))
    printf '0000:%02x:%02x.%x' $((routing >> 8)) $((routing >> 3 & 31)) $((routing & 7))
}
first=$(predicted 0)
second=$(predicted 1)
take deck "$first" 4 5 6-7
take mate "$second" 2 3 0-1
mkdir -p /etc/berth
cat >/etc/berth/berth.toml <<TOML
[vm.deck]
isolation = "none"
sriov.vfs = { "$nic" = 2 }
sriov.functions = { "$physical/0" = { vlan = 69, mac = "52:54:00:aa:00:01", trust = true, spoof-check = false } }

[vm.mate]
isolation = "none"
sriov.vfs = { "$physical" = 1 }
sriov.functions = { "$second" = { vlan = 70 } }

[vm.glutton]
sriov.vfs = { "$nic" = 4 }

[vm.crowd]
sriov.vfs = { "$nic" = 100 }

[vm.anew]
pci.rescan = ["${nic%.*}"]
TOML
check "the policy is one" berth config check
start_witness
snapshot $results/before

# --- two VMs, one physical function ---
check "the first VM starts" start_vm deck || exit
check_equal "two VFs are there" 2 "$(count)"
check_equal "the first is where it was to be" "$first" "$(function_of 0)"
check_equal "it is on vfio-pci" vfio-pci "$(driver_of "$first")"
check_equal "it has what policy says" "69 52:54:00:aa:00:01 on false" "$(told 0 | sed 's/true/on/')"
check "the second VM starts" start_vm mate
check_equal "the second is on vfio-pci" vfio-pci "$(driver_of "$second")"
check_equal "it has its VLAN" 70 "$(told 1 | cut -d' ' -f1)"

define_vm glutton 64 1 1 0,7
idle_guest glutton
check_refused "more VFs than there are is refused while some are used" 'lose them first' start_vm glutton
define_vm crowd 64 1 1 0,7
check_refused "more than the card can have are refused" 'at most' start_vm crowd
check_equal "two VFs are there still" 2 "$(count)"

check "the first VM ends" stop_vm deck
check_equal "the number stays for the second" 2 "$(count)"
check_equal "the first VF is told nothing any more" "0 00:00:00:00:00:00" "$(told 0 | cut -d' ' -f1,2)"
check_equal "the second keeps its VLAN" 70 "$(told 1 | cut -d' ' -f1)"
check "the second VM ends" stop_vm mate
check "no VF is left" wait_for 20 count_is 0
check_restored "the host is as before"

# --- a VF that the host uses keeps the number ---
check "the first VM starts again" start_vm deck || exit
used=$(find "/sys/bus/pci/devices/$second/net/" -mindepth 1 -maxdepth 1 -printf %f 2>/dev/null)
if [[ $used ]]; then
    ip link set "$used" up
    check "the VM ends" stop_vm deck
    check_equal "the number stays while the host uses a VF" 2 "$(count)"
    check "status says what is not given back" bash -c "berth status | grep -q 'VFs of $nic'"
    ip link set "$used" down
    berth reconcile >/dev/null
else
    fail "the second VF has an interface of the host" "there is none"
    stop_vm deck
fi
check "then it goes" wait_for 20 count_is 0
check_restored "the host is as before again"

# --- off the bus and on it again ---
define_vm anew 64 4 5 6-7
idle_guest anew
echo on >"/sys/bus/pci/devices/$nic/power/control"
echo 0 >"/sys/bus/pci/devices/$nic/d3cold_allowed"
snapshot $results/before
inode=$(stat -c %i "/sys/bus/pci/devices/$nic/")
check "a VM whose policy has the card rescanned starts" start_vm anew
check "the card was taken off the bus and found again" test "$inode" != "$(stat -c %i "/sys/bus/pci/devices/$nic/")"
check_equal "it is on its driver" igb "$(driver_of $nic)"
check_equal "what was set of it is set" "on 0" \
    "$(cat "/sys/bus/pci/devices/$nic/"{power/control,d3cold_allowed} | xargs)"
check "the VM ends" stop_vm anew
check_restored "nothing is left of it"

# --- killed in between ---
gone() { [[ ! -e /sys/bus/pci/devices/$nic ]]; }
for ((n = 1; n < 40; n++)); do
    (hook anew prepare timeout 60 strace -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=$n) >/run/said 2>&1
    ! gone || break
    berth release anew >/dev/null 2>&1
done
check "a hook dies between removing and rescanning, at its save $n" gone
berth release anew >/dev/null
check_equal "releasing brings the card back on its driver" igb "$(driver_of $nic)"
check_restored "with all that was set"
