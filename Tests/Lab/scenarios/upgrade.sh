#!/bin/bash
# Berth is installed over an older one while VMs are in: for each version of the ledger's format, the newest Berth that
# wrote it. The VMs stay as they are, a third one comes and goes, and when all have left the host is as before.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

pool=$nodes/node1/$huge/nr_hugepages
ledger=/run/berth/ledger

holders() { berth status --json | jq -r '.holders[].name' | sort | xargs; }
is_in_place() { berth status --json | jq -e '.settings | length > 0 and all(.actual == .wanted)'; }
kinds() { sort "$1" | cut -d' ' -f1 | uniq -c | xargs; }
# What the VMs have of the host, without what Berth remembers of it and who stands by for them, nor tasks that come and
# go: QEMU's workers, and the snapshot's own, which have the CPUs that the VMs left.
host_alone() {
    snapshot "$1.all"
    grep -vE '^(/run/berth|/run/systemd/transient/berth-|/sys/fs/cgroup/system.slice/berth-|\{)' "$1.all" |
        grep -vE '^task (berth|worker|awk|xargs|cat|sed|sort|printf|bash) ' >"$1"
}
# stands LABEL CPUS PAGES
stands() {
    check_equal "$1 the host has CPUs $2" "$2" "$(host_cpus)"
    check_equal "$1 node 1 has $3 pages" "$3" "$(<$pool)"
    check "$1 all settings are in place" is_in_place
}

define_vm deck 128 4 5 0,7
define_vm skiff 64 2 3 0,7
define_vm sloop 64 1 6 0,7
pass_nic deck
for vm in deck skiff sloop; do idle_guest $vm; done
start_witness
snapshot $results/before

versions=0
for release in /lab/release-*; do
    version=${release##*-}
    label="version $version:"
    ((++versions))
    echo "== from the Berth that wrote version $version of the ledger"
    check "$label it is installed" eval "cd $release && ./install.sh --binary $release/berth" || exit
    cmp /usr/sbin/berth /lab/berth >/dev/null && fail "$label it is an older one" "both are the same"
    for vm in deck skiff; do check "$label $vm starts" start_vm $vm || exit; done
    check_equal "$label its ledger is of version $version" "berth-ledger $version" "$(head -1 $ledger)"
    stands "$label before," 0-1,6-7 96
    cp $ledger "$results/ledger-$version"
    kinds $ledger | sed 's/^/     /'
    host_alone $results/in

    check "$label today's is installed over it" install_berth || exit
    cmp -s /usr/sbin/berth /lab/berth || fail "$label it is today's" "it is another"
    check_equal "$label the status has both VMs" 'deck skiff' "$(holders)"
    stands "$label then," 0-1,6-7 96
    check "$label berth reconcile" berth reconcile
    host_alone $results/reconciled
    check_equal "$label changes nothing" '' "$(diff $results/in $results/reconciled)"
    for vm in deck skiff; do check "$label $vm runs" vm_is $vm running; done

    check "$label sloop starts" start_vm sloop
    stands "$label with sloop," 0,7 128
    check_equal "$label the ledger is of today's version" "$(($(find /lab -maxdepth 1 -name 'release-*' | wc -l) + 1))" \
        "$(sed -n '1s/berth-ledger //p' $ledger)"
    cp $ledger "$results/ledger-$version-today"
    check "$label sloop is destroyed" stop_vm sloop
    stands "$label without it," 0-1,6-7 96
    host_alone $results/reconciled
    check_equal "$label the host is as with the older one" '' "$(diff $results/in $results/reconciled)"

    check "$label deck is destroyed" stop_vm deck
    stands "$label with skiff alone," 0-1,4-7 32
    check_equal "$label the NIC is back" igb "$(driver_of $nic)"
    kill -KILL "$(vm_pid skiff)"
    check "$label skiff's QEMU is killed" wait_for 60 vm_is skiff 'shut off'
    check "$label nothing is held, and nobody stands by" wait_for 60 eval 'nothing_is_held && no_berth_units' || {
        berth status | sed 's/^/     /'
        berth_units | sed 's/^/     /'
    }
    check_restored "$label the host is as before"
    check_equal "$label there is no ledger" '' "$(find /run/berth -name 'ledger*')"
    check_equal "$label Berth has warned of nothing" '' "$(journalctl -t berth -p warning -q --no-pager -o cat)"
done
echo "upgrade: from $versions older versions of the ledger"
check "there are older versions" test $versions -gt 0
