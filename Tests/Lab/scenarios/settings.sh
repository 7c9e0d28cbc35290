#!/bin/bash
# What is the whole host's: sysctls, attributes, interrupts and the watchdog, claimed by one VM and by two, refused where
# they do harm, changed by the administrator meanwhile, and given back.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

policy=/etc/berth/berth.toml
thp=/sys/kernel/mm/transparent_hugepage/enabled

selected() { sed 's/.*\[\(.*\)\].*/\1/' "$1"; }

# Interrupts that could be moved and still may go to a CPU of deck's.
interrupts_on_deck() {
    local irq
    for irq in /proc/irq/[0-9]*; do
        [[ $(stat -c %A "$irq/smp_affinity_list") == *w* && -n $(find "$irq" -mindepth 1 -type d) ]] || continue
        cpus_of "$irq/smp_affinity_list" | grep -qxE '4|5' && echo "$irq $(<"$irq/smp_affinity_list")"
    done
    return 0
}
# cpus_of FILE: the CPUs of a list, one a line.
cpus_of() {
    tr , '\n' <"$1" | while IFS=- read -r first last; do seq "$first" "${last:-$first}"; done
}

define_vm deck 128
define_vm skiff 64 2 3 0,7
idle_guest deck
idle_guest skiff
start_witness
snapshot $results/before
check "Berth is installed" install_berth
was_selected=$(selected $thp)
wanted=never
[[ $was_selected != never ]] || wanted=always
cat >>$policy <<TOML

[vm.deck]
cpu.watchdog = false
interrupts.move = "always"

[vm.deck.settings]
"vm.stat_interval" = 10
"kernel.numa_balancing" = 0
"kernel.timer_migration" = 0
"vm.compaction_proactiveness" = 0
"$thp" = "$wanted"
"/sys/kernel/mm/ksm/sleep_millisecs" = 5000
"vm.dirty_bytes" = 268435456
"vm.dirty_background_bytes" = 67108864
"vm.overcommit_kbytes" = 1048576
"kernel.watchdog" = 0

[vm.skiff]
cpu.watchdog = false
interrupts.move = "always"

[vm.skiff.settings]
"vm.stat_interval" = 20
"kernel.timer_migration" = 1
TOML
check "the policy is right" berth config check

declare -A before
for name in vm/stat_interval kernel/numa_balancing kernel/timer_migration vm/compaction_proactiveness; do
    before[$name]=$(</proc/sys/$name)
done
sleeps=$(</sys/kernel/mm/ksm/sleep_millisecs)
coupled() { sysctl vm.dirty_{,background_}{bytes,ratio} vm.overcommit_{kbytes,ratio} kernel.{,soft_}watchdog; }
together=$(coupled)

echo "== one VM"
check "deck starts" start_vm deck || exit
check_equal "vm.stat_interval" 10 "$(</proc/sys/vm/stat_interval)"
check_equal "kernel.numa_balancing" 0 "$(</proc/sys/kernel/numa_balancing)"
check_equal "kernel.timer_migration" 0 "$(</proc/sys/kernel/timer_migration)"
check_equal "transparent huge pages" $wanted "$(selected $thp)"
check_equal "KSM rests longer" 5000 "$(</sys/kernel/mm/ksm/sleep_millisecs)"
check_equal "what waits to be written is bounded in bytes" "268435456 0 67108864 0" \
    "$(cat /proc/sys/vm/dirty_{bytes,ratio,background_bytes,background_ratio} | paste -sd ' ')"
check_equal "what is promised, in KiB" "1048576 0" "$(cat /proc/sys/vm/overcommit_{kbytes,ratio} | paste -sd ' ')"
check_equal "no lockups are looked for" "0 0" "$(cat /proc/sys/kernel/{,soft_}watchdog | paste -sd ' ')"
check_equal "the watchdog is off deck's CPUs" 0-3,6-7 "$(</proc/sys/kernel/watchdog_cpumask)"
check_equal "no interrupt that can be moved is left there" "" "$(interrupts_on_deck)"
check_equal "and none to come will be" cf "$(</proc/irq/default_smp_affinity)"
check_equal "what compacts the whole host is not written" "${before[vm/compaction_proactiveness]}" \
    "$(</proc/sys/vm/compaction_proactiveness)"
check "and the journal says why" grep -q 'compaction_proactiveness is left alone' \
    <<<"$(journalctl -t berth -q --no-pager)"

echo "== two VMs"
check "skiff starts" start_vm skiff || exit
check_equal "the longer pause counts" 20 "$(</proc/sys/vm/stat_interval)"
check_equal "the first value of two that contradict stands" 0 "$(</proc/sys/kernel/timer_migration)"
check "and the journal says whose it is" grep -qE 'timer_migration.*deck|deck.*timer_migration' \
    <<<"$(journalctl -t berth -q --no-pager)"
check_equal "the watchdog is off both" 0-1,6-7 "$(</proc/sys/kernel/watchdog_cpumask)"
check_equal "and interrupts to come" c3 "$(</proc/irq/default_smp_affinity)"
check "deck is destroyed" stop_vm deck
check_equal "what only deck wanted is back" "${before[kernel/numa_balancing]}" \
    "$(</proc/sys/kernel/numa_balancing)"
check_equal "and so is the other one" "${before[kernel/timer_migration]}" "$(</proc/sys/kernel/timer_migration)"
check_equal "what skiff wants stays" 20 "$(</proc/sys/vm/stat_interval)"
check_equal "the watchdog is off skiff" 0-1,4-7 "$(</proc/sys/kernel/watchdog_cpumask)"
check "skiff is destroyed" stop_vm skiff
check_restored "the host is as before"
check_equal "KSM, too" "$sleeps" "$(</sys/kernel/mm/ksm/sleep_millisecs)"
check_equal "and what the kernel changes together" "$together" "$(coupled)"

echo "== an administrator changes what is claimed"
check "deck starts" start_vm deck || exit
sysctl -q vm.stat_interval=7
echo 0-7 >/proc/sys/kernel/watchdog_cpumask
check "the status tells of the one" grep -q 'stat_interval.*outside Berth\|outside Berth.*stat_interval' \
    <<<"$(berth status)"
check "deck is destroyed" stop_vm deck
check_equal "his value stands" 7 "$(</proc/sys/vm/stat_interval)"
check_equal "in both" 0-7 "$(</proc/sys/kernel/watchdog_cpumask)"
sysctl -q "vm.stat_interval=${before[vm/stat_interval]}"
check_restored "once he has taken it back the host is as before"

echo "== a hook killed in the middle"
hook deck prepare strace -f -qq -o /dev/null -e trace=renameat -e inject=renameat:signal=KILL:when=4 >/dev/null 2>&1 || true
check "berth reconcile" berth reconcile
berth release deck >/dev/null 2>&1
check_restored "the host is as before"
