# What the scenarios use, inside the lab's machine. Source it.
# shellcheck shell=bash disable=SC2034 # the scenarios use what is not used here

results=/lab/results
online=$(</sys/devices/system/cpu/online)
huge=hugepages/hugepages-2048kB
nodes=/sys/devices/system/node
nic=0000:41:00.0
mkdir -p $results

# --- what is said -----------------------------------------------------------------------------------------------

ok() { echo "ok $1"; }
fail() {
    echo "FAIL $1: $2"
    return 1
}

# check NAME COMMAND…: the command succeeds. Like all of these it fails where the check does, so that a scenario can end
# where going on would say nothing: check … || exit
check() {
    local name=$1 said
    shift
    if said=$("$@" 2>&1); then ok "$name"; else fail "$name" "${said:-$* failed}"; fi
}

# check_equal NAME EXPECTED ACTUAL
check_equal() {
    if [[ $2 == "$3" ]]; then ok "$1"; else fail "$1" "expected '$2', found '$3'"; fi
}

# check_refused NAME PATTERN COMMAND…: the command fails and says something that matches.
check_refused() {
    local name=$1 pattern=$2 said
    shift 2
    if said=$("$@" 2>&1); then
        fail "$name" "$* succeeded"
    elif [[ $said =~ $pattern ]]; then
        ok "$name"
        echo "     ${said//$'\n'/$'\n'     }"
    else
        fail "$name" "the error is not /$pattern/: $said"
    fi
}

# wait_for SECONDS COMMAND…: until the command succeeds; fails at the deadline.
wait_for() {
    local deadline=$((SECONDS + $1))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < deadline)) || return 1
        sleep 0.2
    done
}

# --- the host as it is ------------------------------------------------------------------------------------------

# snapshot FILE: all that must be the same once the VMs are gone, one "place value" line each. Places that come and
# go by themselves (units, tasks) are listed only where they differ from what an untouched host has.
snapshot() {
    {
        # Pools.
        grep -H . $nodes/node*/hugepages/*/{nr,free,surplus}_hugepages

        # PCI functions.
        stat -c %N /sys/bus/pci/devices/*/driver
        grep -H . /sys/bus/pci/devices/*/driver_override

        # CPUs of every unit and slice, and what systemd means to give them.
        find /sys/fs/cgroup -name 'cpuset.cpus.*' -exec grep -H . {} + |
            grep -vE "effective:$online\$|partition:(member|root)\$"
        systemctl show -p Id -p AllowedCPUs init.scope system.slice user.slice machine.slice | grep -B1 CPUs=.
        find /run/systemd/system.control /run/systemd/transient \
            \( -path '*AllowedCPUs*' -o -name '*berth*' \) -type f -exec grep -H . {} +

        # Tasks with an affinity of their own. The workers of workqueues are left out (PF_WQ_WORKER): they are born and
        # die at any time, and a rescuer keeps the CPU of the pool that it helped last.
        printf '%s\n' /proc/[0-9]*/task/* | sed 's|.*|&/stat\n&/status|' | xargs cat | awk -v online="$online" '
            /^[0-9]+ \(/ { sub(/^.*\) /, ""); worker = int($7 / 32) % 2 }
            $1 == "Name:" { name = $2 }
            $1 == "Cpus_allowed_list:" && $2 != online && !worker && name !~ /^irq\// { print "task", name, $2 }
        ' | sort -u

        # Workqueues, and interrupts by the names of their actions, since numbers are used again.
        grep -H . /sys/devices/virtual/workqueue/{,*/}cpumask*
        find /proc/irq -mindepth 2 -type d -printf '%h %f\n' | while read -r irq action; do
            echo "irq $action $(<"$irq/smp_affinity_list")"
        done | sort
        grep -H . /proc/irq/default_smp_affinity

        sysctl -a -r '^(kernel|vm)\.' |
            grep -vE '^kernel\.(ns_last_pid|random\.|pty\.nr|perf_event_max_sample_rate|core_modes)'
        grep -H . /sys/kernel/mm/transparent_hugepage/enabled /sys/kernel/mm/ksm/run

        # What Berth still holds.
        find /run/berth -type f -size +0 -exec grep -H . {} +
        if [[ -e /usr/sbin/berth ]]; then
            berth status --json | jq -c '.holders[], .settings[]'
        fi
    } >"$1" 2>/dev/null
}

# A stranger's task with an affinity of its own, which nobody may lose: on CPUs of the VM and others. Its AllowedCPUs
# keeps the cpuset controller on, as another VM would: the harder case, for what a unit's CPUs were set to then stays.
start_witness() {
    systemd-run -q --unit=lab-witness -p CPUAffinity=2-5 -p AllowedCPUs="$online" sleep infinity
}

unchanged() {
    snapshot $results/after
    diff $results/before $results/after >$results/difference
}

# check_restored NAME [SECONDS]: the host is as in $results/before. What systemd ends on its own may take it a moment.
check_restored() {
    local started=$SECONDS
    if wait_for "${2:-15}" unchanged; then
        ok "$1"
    else
        fail "$1" "$(wc -l <$results/difference) lines differ after $((SECONDS - started)) s:" ||
            sed 's/^/     /' $results/difference
    fi
}

# --- a VM -------------------------------------------------------------------------------------------------------

# A boot sector that keeps both vCPUs busy without leaving the guest, and powers the machine off at a key press.
write_boot_sector() {
    local byte
    {
        for byte in \
            fa 31 c0 8e d8 `#                           cli; ds = 0` \
            0f 01 16 66 7c 0f 20 c0 0c 01 0f 22 c0 `#   protected mode` \
            bb 08 00 8e e3 24 fe 0f 22 c0 `#            fs = all 4 GiB; real mode again` \
            c7 06 00 80 eb fe `#                        0x8000: jmp $` \
            64 67 66 c7 05 00 03 e0 fe 00 45 0c 00 `#   APIC: INIT to the other vCPU` \
            b9 ff 0f e4 80 e2 fc `#                     a moment` \
            64 67 66 c7 05 00 03 e0 fe 08 46 0c 00 `#   APIC: start it at 0x8000` \
            fb a1 1a 04 3b 06 1c 04 74 f7 `#            sti; loop until the BIOS has a key` \
            ba 04 06 b8 00 20 ef eb fe `#               ACPI: off` \
            00 00 00 00 00 00 00 00 ff ff 00 00 00 92 cf 00 `# descriptors` \
            0f 00 56 7c 00 00; do
            printf %b "\\x$byte"
        done
        head -c 402 /dev/zero
        printf '\x55\xaa'
    } >"$1"
    truncate -s 1M "$1"
}

# define_vm NAME MEMORY_MIB [CPU CPU REST]: two vCPUs pinned to the siblings 4 and 5, the rest of QEMU to 6 and 7, memory
# in 2 MiB pages of node 1, a disk with an iothread, and the NIC, which libvirt is told not to manage. One with CPUs of
# its own has no NIC. REST has a CPU of node 1, 4 to 7, as libvirt 9.0 has QEMU get its memory in threads that are put
# on that node's CPUs (thread-context) within those of the emulator.
define_vm() {
    local name=$1 memory=$2 first=${3:-4} second=${4:-5} rest=${5:-6-7} image=/var/lib/libvirt/images/$1.img hostdev=''
    (($# > 2)) || hostdev="<hostdev mode='subsystem' type='pci' managed='no'>
      <source><address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/></source>
      <rom bar='off'/>
    </hostdev>"
    write_boot_sector "$image"
    cat >"/run/$name.xml" <<XML
<domain type='qemu'>
  <name>$name</name>
  <memory unit='MiB'>$memory</memory>
  <memoryBacking><hugepages><page size='2' unit='MiB'/></hugepages></memoryBacking>
  <vcpu placement='static'>2</vcpu>
  <iothreads>1</iothreads>
  <cputune>
    <vcpupin vcpu='0' cpuset='$first'/>
    <vcpupin vcpu='1' cpuset='$second'/>
    <emulatorpin cpuset='$rest'/>
    <iothreadpin iothread='1' cpuset='${rest%%-*}'/>
  </cputune>
  <numatune><memory mode='strict' nodeset='1'/></numatune>
  <os><type arch='x86_64' machine='q35'>hvm</type></os>
  <features><acpi/><apic/></features>
  <on_poweroff>destroy</on_poweroff>
  <devices>
    <disk type='file' device='disk'>
      <driver name='qemu' type='raw' iothread='1'/>
      <source file='$image'/>
      <target dev='vda' bus='virtio'/>
      <boot order='1'/>
    </disk>
    <controller type='usb' model='none'/>
    <memballoon model='none'/>
    $hostdev
  </devices>
</domain>
XML
    virsh -q define "/run/$name.xml" && virsh dumpxml "$name" >"/run/$name.xml"
}

# pass_nic NAME: the NIC goes to a VM that was defined without it.
pass_nic() {
    sed -i "s|<memballoon.*|&<hostdev mode='subsystem' type='pci' managed='no'><source>\
<address domain='0x0000' bus='0x41' slot='0x00' function='0x0'/></source><rom bar='off'/></hostdev>|" "/run/$1.xml"
    virsh -q define "/run/$1.xml" && virsh dumpxml "$1" >"/run/$1.xml"
}

# install_qm: the stand-in for Proxmox's qm, and the folders of a node of that name.
install_qm() {
    install -m 755 /lab/qm /usr/sbin/qm
    mkdir -p /etc/pve/nodes/{lab,away}/qemu-server /etc/pve/lxc /var/lib/vz/{snippets,images} /run/qemu-server
    ln -sfn nodes/lab/qemu-server /etc/pve/qemu-server
}

# define_guest VMID LINE…: a configuration of Proxmox's with these lines, and a disk for it with the same boot sector.
define_guest() {
    local vmid=$1
    shift
    printf '%s\n' "$@" >"/etc/pve/qemu-server/$vmid.conf"
    mkdir -p "/var/lib/vz/images/$vmid"
    write_boot_sector "/var/lib/vz/images/$vmid/vm-$vmid-disk-0.raw"
}

# idle_guest NAME|DISK: the guest sleeps instead, where it would only be in the way.
idle_guest() {
    local disk=$1
    [[ $disk == /* ]] || disk=/var/lib/libvirt/images/$1.img
    printf '\xfa\xf4\xeb\xfd' | dd of="$disk" conv=notrunc status=none
}

start_vm() { virsh -q start "$1"; }
stop_vm() { virsh -q destroy "$1"; }
vm_is() { [[ $(virsh domstate "$1") == "$2" ]]; }
# The boot sector runs: the second vCPU slept until then.
vm_is_up() { read -r busy _ < <(busy_share 1 "/proc/$(vcpu "$1" 1)") && ((busy > 80)); }
vm_pid() { cat "/run/libvirt/qemu/$1.pid"; }

# thread PID NAME: the id of the thread whose name begins so.
thread() {
    grep -l "^$2" "/proc/$1"/task/*/comm | cut -d/ -f5
}

# vcpu NAME N: the same, as PID/task/TID.
vcpu() {
    local pid
    pid=$(vm_pid "$1")
    echo "$pid/task/$(thread "$pid" "CPU $2/")"
}

allowed_cpus() { awk '$1 == "Cpus_allowed_list:" { print $2 }' "/proc/$1/status"; }
# The CPUs that an ordinary task of the host may run on, however others are kept for VMs.
host_cpus() { allowed_cpus $$; }
cgroup_of() { echo "/sys/fs/cgroup$(cut -d: -f3 "/proc/$1/cgroup")"; }
driver_of() { basename "$(readlink "/sys/bus/pci/devices/$1/driver")"; }

# rebind FUNCTION DRIVER: by hand; without a driver, back to the one that the kernel chooses.
rebind() {
    local function=/sys/bus/pci/devices/$1
    echo "$2" >"$function/driver_override"
    echo "$1" >"$function/driver/unbind"
    echo "$1" >/sys/bus/pci/drivers_probe
}

# hook NAME OPERATION [COMMAND…]: Berth as libvirt would call it, by way of a command that runs it.
hook() {
    local name=$1 operation=$2 moment=begin
    shift 2
    [[ $operation != release ]] || moment=end
    "$@" berth "$name" "$operation" $moment - <"/run/$name.xml"
}

# Berth's units that stand by, one a line, besides what install.sh has put there; and that there are none.
berth_units() { systemctl list-units --all --plain --no-legend 'berth-*' | grep -vE '^berth-(lab|live|metrics|reconcile)\.'; }
no_berth_units() { [[ -z $(berth_units) ]] && ! compgen -G '/run/systemd/transient/berth-*' >/dev/null; }
# A hook that was killed, or had no time left, leaves the timer that stands by for a start: it elapses after 11 minutes, and
# any reconcile takes it away.
only_arrival_timers() { ! berth_units | grep -v '^berth-arrival-'; }
nothing_is_held() { [[ $(berth status --json | jq '.holders + .settings | length') == 0 ]]; }

install_berth() { (cd /lab && ./install.sh --binary /lab/berth); }

# --- how undisturbed a thread is --------------------------------------------------------------------------------

# Sixteen busy processes. Each counts as much as a vCPU: the weight of a slice is shared by what runs in it, and with
# the usual 100 for each slice the two vCPUs would weigh eight times as much as a loop.
make_noise() {
    local i
    noise=()
    for i in {1..16}; do
        (while :; do :; done) &
        noise+=($!)
    done
    echo 800 >/sys/fs/cgroup/system.slice/cpu.weight
}

end_noise() {
    kill "${noise[@]}"
    wait "${noise[@]}" 2>/dev/null
    echo 100 >/sys/fs/cgroup/system.slice/cpu.weight
}

# busy_share SECONDS PID/task/TID…: a line "BUSY WAITING" for each thread, in percent: how much of the time it was on a
# CPU or wanted to be, and how much of that it spent waiting for one.
busy_share() {
    local seconds=$1 files
    shift
    files=(/proc/uptime "${@/%//schedstat}")
    { cat "${files[@]}" && sleep "$seconds" && cat "${files[@]}"; } | awk -v files=${#files[@]} '
        NR <= files { ran[NR] = $1; waited[NR] = $2; next }
        NR == files + 1 { elapsed = ($1 - ran[1]) * 1e9; next }
        {
            run = $1 - ran[NR - files]; wait = $2 - waited[NR - files]
            printf "%.0f %.2f\n", 100 * (run + wait) / elapsed, 100 * wait / (run + wait + 1)
        }'
}

# measure NAME LABEL: how long each vCPU thread waits for its CPU while 16 loops are busy on the host, into $waited.
measure() {
    local vcpu=0 busy
    check "the guest is up $2" wait_for 60 vm_is_up "$1"
    make_noise
    waited=()
    while read -r busy "waited[vcpu]"; do
        echo "figure: $2, vCPU $vcpu wants its CPU $busy % of the time and waits ${waited[vcpu]} % of that"
        ((++vcpu))
    done < <(busy_share 10 "/proc/$(vcpu "$1" 0)" "/proc/$(vcpu "$1" 1)")
    end_noise
}
