#!/bin/bash
# VMs' lives under Proxmox, by the stand-in for its qm: with all that it calls its hook for, and the ends of which it
# tells nobody.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

vm_pid() { cat "/run/qemu-server/$1.pid"; }
is_stopped() { [[ $(qm status "$1") == 'status: stopped' ]]; }
is_running() { [[ $(qm status "$1") == 'status: running' ]]; }
pool() { echo "$(<$nodes/node1/$huge/nr_hugepages) $(<$nodes/node1/$huge/free_hugepages)"; }
has_hold() { [[ -e /run/qm-held-$1 ]]; }
is_held() { berth status --json | jq -e --arg id "$1" '.holders[] | select(.id == $id)'; }

# hooks VMID: the phases that its hook was called for since this was last asked.
hooks() {
    [[ ! -e /run/hooks-$1 ]] || paste -sd' ' "/run/hooks-$1"
    rm -f "/run/hooks-$1"
}

# The scope as a whole is a partition where the kernel has remote ones that outlive a reload; else the slices of the
# host are confined, to all but the vCPUs' CPUs.
version=$(uname -r)
if [[ $(printf '6.11\n%s\n' "$version" | sort -V | head -1) == 6.11 ]]; then mode=partition; else mode=slices; fi
echo "host: kernel $version, $(systemctl --version | head -1), isolation by $mode"

deck=(
    'name: deck' 'cores: 2' 'memory: 128' 'kvm: 0' 'affinity: 4-7'
    'hugepages: 2' 'numa: 1' 'numa0: cpus=0-1,hostnodes=1,memory=128,policy=bind'
    'scsihw: virtio-scsi-single' 'scsi0: local:100/vm-100-disk-0.raw,iothread=1'
)
nic_line="hostpci0: $nic,rombar=0"
hook_line='hookscript: local:snippets/noted'
skiff=(
    'name: skiff' 'cores: 1' 'memory: 64' 'kvm: 0' 'affinity: 2-3'
    'hugepages: 2' 'numa: 1' 'numa0: cpus=0,hostnodes=1,memory=64,policy=bind'
    'scsihw: virtio-scsi-single' 'scsi0: local:101/vm-101-disk-0.raw,iothread=1'
)

# stands LABEL VMID…: the host is what it is to be with just these in.
stands() {
    local label=$1 cpus pages vmid
    shift
    case $mode/$* in
        partition/100) cpus=0-3 pages=64 ;;
        partition/101) cpus=0-1,4-7 pages=32 ;;
        partition/'100 101') cpus=0-1 pages=96 ;;
        slices/100) cpus=0-3,6-7 pages=64 ;;
        slices/101) cpus=0-1,3-7 pages=32 ;;
        slices/'100 101') cpus=0-1,3,6-7 pages=96 ;;
    esac
    check_equal "$label the host has CPUs $cpus" $cpus "$(host_cpus)"
    check_equal "$label node 1 has $pages pages, all in use" "$pages 0" "$(pool)"
    for vmid; do
        check "$label $vmid runs" is_running "$vmid"
        case $vmid in
            100)
                check_equal "$label vCPU 0 of 100 may run on CPU 4" 4 "$(allowed_cpus "$(vcpu 100 0)")"
                check_equal "$label vCPU 1 of 100 may run on CPU 5" 5 "$(allowed_cpus "$(vcpu 100 1)")"
                ;;
            101) check_equal "$label the vCPU of 101 may run on CPU 2" 2 "$(allowed_cpus "$(vcpu 101 0)")" ;;
        esac
    done
}

# start_held_up VMID: its start waits after pre-start, until go_on.
start_held_up() {
    touch "/run/qm-hold-$1"
    qm start "$1" >"/run/start-$1" 2>&1 &
    check "the start of $1 is past pre-start" wait_for 60 has_hold "$1"
}
# go_on NAME VMID: the check of that name, that the start goes on and succeeds.
go_on() {
    rm -f "/run/qm-hold-$2"
    if wait $!; then ok "$1"; else fail "$1" "$(<"/run/start-$2")"; fi
}

install_qm
define_guest 100 "${deck[@]}" "$nic_line"
define_guest 101 "${skiff[@]}"
idle_guest /var/lib/vz/images/101/vm-101-disk-0.raw
start_witness
snapshot $results/before

echo "== without Berth"
check "without a hook the VM starts" qm start 100 || exit
check_equal "node 1 has 64 pages, all in use" "64 0" "$(pool)"
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check_equal "the VM is in a scope of its own" /sys/fs/cgroup/qemu.slice/100.scope "$(cgroup_of "$(vm_pid 100)")"
check_equal "its vCPUs may run on all of its CPUs" 4-7 "$(allowed_cpus "$(vcpu 100 0)")"
measure 100 "without Berth"
check_refused "it does not start twice" 'already running' qm start 100
check_refused "its shutdown times out" 'got timeout' qm shutdown 100 --timeout 2
check "it is stopped" qm stop 100
check "and is not there any more" is_stopped 100
check_equal "its pages are gone" "0 0" "$(pool)"
check_equal "the NIC stays on vfio-pci" vfio-pci "$(driver_of $nic)"
read -r vendor device < <(cat /sys/bus/pci/devices/$nic/{vendor,device} | paste -s)
echo "${vendor#0x} ${device#0x}" >/sys/bus/pci/drivers/vfio-pci/remove_id
rebind $nic ""
check_restored "once that is taken back by hand the host is as before"
[[ -z ${STAND_IN_ONLY:-} ]] || exit

echo "== with Berth"
check "Berth is installed" install_berth
cat >>/etc/berth/berth.toml <<'POLICY'

[vm."100"]
pins.vcpus = ["4", "5"]
pins.iothreads = ["6"]
pins.emulator = "6-7"
POLICY
check "the policy is sound" berth config check
install -m 755 /lab/hooks/berth-hookscript /var/lib/vz/snippets/berth
cat >/var/lib/vz/snippets/noted <<'HOOK'
#!/bin/sh
echo "$2" >>"/run/hooks-$1"
exec /var/lib/vz/snippets/berth "$@"
HOOK
chmod +x /var/lib/vz/snippets/noted
check_restored "installing changed nothing"

define_guest 100 "${deck[@]}" "$nic_line" 'hookscript: local:snippets/berth'
start_held_up 100
check_equal "node 1 has 64 pages before QEMU is there, all free" "64 64" "$(pool)"
go_on "the VM starts" 100 || exit
pid=$(vm_pid 100)
stands "with it" 100
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
# Its name is too long for a thread's, which is then called as QEMU is.
iothread=$(qm monitor 100 <<<'info iothreads' | sed -n 's/.*thread_id=\([0-9]*\).*/\1/p')
check_equal "the iothread may run on CPU 6" 6 "$(allowed_cpus "$pid/task/$iothread")"
check_equal "the emulator may run on CPUs 6-7" 6-7 "$(allowed_cpus "$pid")"
echo "berth status:"
berth status | sed 's/^/     /'
status=$(berth status --json)
check_equal "the status has one holder, the VM" "1 deck 100" \
    "$(jq -r '"\(.holders | length) \(.holders[0].name) \(.holders[0].id)"' <<<"$status")"
check "the status has settings, and each is what it is to be" \
    jq -e '.settings | length > 0 and all(.actual == .wanted)' <<<"$status"
measure 100 "with Berth"
for vcpu in 0 1; do
    check "vCPU $vcpu waits less than 1 %" awk "BEGIN { exit !(${waited[vcpu]:-100} < 1) }"
done

check "somebody sets a property of the scope" systemctl set-property --runtime 100.scope CPUWeight=50
stands "after that" 100
check "qm sets its cpuunits" qm set 100 --cpuunits 200
check_equal "which the scope has" 200 "$(<"$(cgroup_of "$pid")/cpu.weight")"
stands "after that" 100
systemctl daemon-reload
stands "after daemon-reload" 100
if [[ $mode == partition ]]; then
    check_equal "the scope is a partition" root "$(<"$(cgroup_of "$pid")/cpuset.cpus.partition")"
fi
check "it is stopped" qm stop 100
check_restored "after stop the host is as before"
check_equal "the NIC is on igb" igb "$(driver_of $nic)"
check_equal "and has no override" '(null)' "$(<"/sys/bus/pci/devices/$nic/driver_override")"

echo "== the other ends"
define_guest 100 "${deck[@]}" "$nic_line" "$hook_line"
define_guest 101 "${skiff[@]}" "$hook_line"
idle_guest /var/lib/vz/images/101/vm-101-disk-0.raw

echo "args: -device nonsense" >>/etc/pve/qemu-server/100.conf
check_refused "a start fails in QEMU" 'nonsense' qm start 100
check_equal "and no hook is told but pre-start" pre-start "$(hooks 100)"
check_restored "all is given back without" 60
check_refused "a start that fails twice is no worse" 'nonsense' qm start 100
sed -i /^args:/d /etc/pve/qemu-server/100.conf
check "and the next succeeds at once" qm start 100
stands "then" 100
hooks 100 >/dev/null

check_refused "a shutdown times out" 'got timeout' qm shutdown 100 --timeout 2
check_equal "of which only pre-stop is told" pre-stop "$(hooks 100)"
stands "after that" 100
check "the guest is up" wait_for 60 vm_is_up 100
check "a key is pressed" qm sendkey 100 ret
check "the guest powers itself off" wait_for 60 is_stopped 100
check "qmeventd has it cleaned up" qm cleanup 100
check_equal "with post-stop alone" post-stop "$(hooks 100)"
check_restored "after the guest's poweroff the host is as before"

check "it starts again" qm start 100 || exit
kill -KILL "$(vm_pid 100)"
check "QEMU was killed" wait_for 15 is_stopped 100
check "qmeventd has it cleaned up" qm cleanup 100
check_equal "with post-stop" "pre-start post-start post-stop" "$(hooks 100)"
check_restored "after QEMU was killed the host is as before"

check "and once more" qm start 100 || exit
kill -KILL "$(vm_pid 100)"
check "QEMU was killed" wait_for 15 is_stopped 100
check_restored "after QEMU was killed with no qmeventd there the host is as before" 30
check_equal "though no hook was told" "pre-start post-start" "$(hooks 100)"

define_guest 100 "${deck[@]}" "$nic_line,driver=keep" "$hook_line"
check "with driver=keep it starts, too" qm start 100
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check "it is stopped" qm stop 100
check_equal "with all four phases" "pre-start post-start pre-stop post-stop" "$(hooks 100)"
check_restored "after driver=keep the host is as before"

echo "== migrations"
check "101 starts" qm start 101
stands "with it" 101
check "it migrates away" qm migrate-away 101
check_equal "of which no hook is told" "pre-start post-start" "$(hooks 101)"
check_restored "after it is gone the host is as before" 30

check "it arrives: its configuration is still the source's" qm start 101 --migratedfrom away
stands "with it" 101
check "the migration fails" qm stop 101 --migratedfrom away
check_equal "of which post-stop is told" "pre-start post-start post-stop" "$(hooks 101)"
check "QEMU ends" wait_for 30 is_stopped 101
check_restored "after the failed migration the host is as before" 30

check "it arrives again" qm start 101 --migratedfrom away
mv /etc/pve/nodes/away/qemu-server/101.conf /etc/pve/qemu-server/
stands "its configuration is here" 101
check "it is stopped" qm stop 101
check_equal "with all four phases" "pre-start post-start pre-stop post-stop" "$(hooks 101)"
check_restored "after it has arrived and gone the host is as before"

echo "== backups"
status_of() { qm monitor "$1" <<<'info status' | tr -d '\r' | sed -n 's/^VM status: //p'; }
is_frozen() { [[ $(status_of "$1") == *prelaunch* ]]; }
vcpus_of_100() { echo "$(allowed_cpus "$(vcpu 100 0)") $(allowed_cpus "$(vcpu 100 1)")"; }
has_its_pins() { [[ $(vcpus_of_100) == '4 5' ]]; }
back_up() {
    touch "/run/qm-backup-$1"
    qm backup "$1" "$2" >"/run/backup-$1" 2>&1 &
}
end_backup() {
    rm -f "/run/qm-backup-$1"
    if wait $!; then ok "the backup ends"; else fail "the backup ends" "$(<"/run/backup-$1")"; fi
}

hooks 100 >/dev/null
back_up 100 snapshot
check "100, which is off, is on for its backup" wait_for 60 is_frozen 100
check "post-start has begun" wait_for 60 grep -q post-start /run/hooks-100
check "Berth knows of it" wait_for 60 is_held 100
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check_equal "no vCPU of a frozen guest is pinned" "4-7 4-7" "$(vcpus_of_100)"
check_equal "and the host has all of its CPUs" 0-7 "$(host_cpus)"
end_backup 100
check "it is off again" is_stopped 100
check_equal "with all four phases" "pre-start post-start pre-stop post-stop" "$(hooks 100)"
check_restored "after the backup of a VM that was off the host is as before"

back_up 100 snapshot
check "it is on for its backup again" wait_for 60 is_frozen 100
check "and somebody starts it meanwhile" qm start 100
check_equal "of which no hook is told" "pre-start post-start" "$(hooks 100)"
check "its vCPUs have their CPUs soon" wait_for 60 has_its_pins
end_backup 100
check "it stays on" is_running 100
stands "after that backup" 100

check "the guest is up" wait_for 60 vm_is_up 100
back_up 100 stop
check "a backup in stop mode shuts it down" wait_for 60 grep -q pre-stop /run/hooks-100
check "a key is pressed, for which the guest powers itself off" qm sendkey 100 ret
check "and it is on again" wait_for 120 grep -q post-start /run/hooks-100
check "its vCPUs have their CPUs before the backup ends" wait_for 60 has_its_pins
end_backup 100
check_equal "with all four phases" "pre-stop post-stop pre-start post-start" "$(hooks 100)"
stands "after the backup in stop mode" 100
check "100 is stopped" qm stop 100
check_restored "after backups the host is as before" 30

echo "== two at once"
start_held_up 100
check_equal "node 1 has 64 pages, all free" "64 64" "$(pool)"
check "101 starts" qm start 101
check_equal "after which the 64 pages of 100, which that took, are there anew" "96 64" "$(pool)"
go_on "and 100 goes on" 100
stands "with both" 100 101
check "100 is stopped" qm stop 100
stands "without 100" 101
check "100 starts again" qm start 100
stands "with both again" 100 101
check "101 is stopped" qm stop 101
stands "without 101" 100
check "100 is stopped" qm stop 100
check_restored "after both the host is as before"

define_guest 101 "${skiff[@]}" "$hook_line" 'keephugepages: 1'
idle_guest /var/lib/vz/images/101/vm-101-disk-0.raw
check "with keephugepages 101 starts" qm start 101
stands "with it" 101
check "101 is stopped" qm stop 101
check_equal "Proxmox's pages stay, as it wants them" "32 32" "$(pool)"
echo 0 >$nodes/node1/$huge/nr_hugepages
check_restored "without them the host is as before"

echo "== not for Berth"
echo 'hostname: box' >/etc/pve/lxc/200.conf
for vmid in 200 999; do
    for phase in pre-start post-start pre-stop post-stop; do
        check "$phase of $vmid, which is no VM, exits 0" /var/lib/vz/snippets/berth $vmid $phase
    done
done
check_restored "and changed nothing"
journalctl -t berth -q --no-pager -p warning | sed 's/^/     /'
