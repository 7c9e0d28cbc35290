#!/bin/bash
# One VM's whole life: it cannot start without Berth, starts with it, is undisturbed, and leaves the host as it was,
# however it ends.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

name=deck
pool() { echo "$(<$nodes/node1/$huge/nr_hugepages) $(<$nodes/node1/$huge/free_hugepages)"; }

# Debian 12's kernel has no remote partitions: there the host's slices are confined.
version=$(uname -r)
if [[ $(printf '6.7\n%s\n' "$version" | sort -V | head -1) == 6.7 ]]; then mode=partition; else mode=slices; fi
echo "host: kernel $version, $(systemctl --version | head -1), libvirt $(virsh --version), isolation by $mode"

define_vm $name 256
start_witness
snapshot $results/before

# --- without Berth ---
check_refused "without Berth the VM does not start" 'hugepages|huge pages|allocate memory|detached|VFIO|vfio' start_vm $name
check_restored "the failed start changed nothing"

modprobe vfio-pci
echo 128 >$nodes/node1/$huge/nr_hugepages
rebind $nic vfio-pci
check "prepared by hand the VM starts" start_vm $name || exit
measure $name "without Berth"
check "it is destroyed" stop_vm $name
rebind $nic ""
echo 0 >$nodes/node1/$huge/nr_hugepages
check_restored "taken back by hand the host is as before"

# --- with Berth ---
check "Berth is installed" install_berth
check_restored "installing changed nothing"
check "with Berth the VM starts" start_vm $name || exit
pid=$(vm_pid $name)
vcpu0=$(vcpu $name 0)
vcpu1=$(vcpu $name 1)
iothread=$pid/task/$(thread "$pid" 'IO iothread1')
check_equal "node 1 has 128 pages, all in use" "128 0" "$(pool)"
check_equal "node 0 has none" 0 "$(<$nodes/node0/$huge/nr_hugepages)"
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check_equal "vCPU 0 may run on CPU 4" 4 "$(allowed_cpus "$vcpu0")"
check_equal "vCPU 1 may run on CPU 5" 5 "$(allowed_cpus "$vcpu1")"
check_equal "the iothread may run on CPU 6" 6 "$(allowed_cpus "$iothread")"
check_equal "the emulator may run on CPUs 6-7" 6-7 "$(allowed_cpus "$pid")"
if [[ $mode == partition ]]; then
    check_equal "vCPU 0's cgroup is an isolated partition" isolated "$(cat "$(cgroup_of "$vcpu0")/cpuset.cpus.partition")"
    check_equal "vCPU 1's cgroup is an isolated partition" isolated "$(cat "$(cgroup_of "$vcpu1")/cpuset.cpus.partition")"
    check_equal "the host is left CPUs 0-3,6-7" 0-3,6-7 "$(</sys/fs/cgroup/cpuset.cpus.effective)"
else
    for unit in system.slice user.slice init.scope; do
        check_equal "$unit is left CPUs 0-3,6-7" 0-3,6-7 "$(</sys/fs/cgroup/$unit/cpuset.cpus.effective)"
    done
fi
check_equal "unbound work of the kernel is left CPUs 0-3,6-7" cf "$(</sys/devices/virtual/workqueue/cpumask)"
check_equal "and so is the maker of its threads" 0-3,6-7 "$(allowed_cpus 2)"
echo "berth status:"
berth status | sed 's/^/     /'
status=$(berth status --json)
check_equal "the status has one holder, the VM" "1 $name $(virsh domuuid $name | head -1)" \
    "$(jq -r '"\(.holders | length) \(.holders[0].name) \(.holders[0].id)"' <<<"$status")"
check "the status has settings, and each is what it is to be" \
    jq -e '.settings | length > 0 and all(.actual == .wanted)' <<<"$status"
measure $name "with Berth"
for vcpu in 0 1; do
    check "vCPU $vcpu waits less than 1 %" awk "BEGIN { exit !(${waited[vcpu]} < 1) }"
done

check "it is destroyed" stop_vm $name
check_restored "after destroy the host is as before"

# --- the other ends ---
check "it starts again" start_vm $name || exit
check "the guest is up again" wait_for 60 vm_is_up $name
virsh -q send-key $name KEY_ENTER
check "the guest powers itself off" wait_for 60 vm_is $name 'shut off'
check_restored "after the guest's poweroff the host is as before"

check "and once more" start_vm $name || exit
kill -KILL "$(vm_pid $name)"
check "libvirt sees that QEMU was killed" wait_for 60 vm_is $name 'shut off'
check_restored "after QEMU was killed the host is as before"

# --- a start that Berth must refuse ---
define_vm glutton 4096
check_refused "more pages than the node has are refused" 'berth.*node 1' start_vm glutton
check "the refused VM is off" vm_is glutton 'shut off'
check_restored "the refused start changed nothing"
