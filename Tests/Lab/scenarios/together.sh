#!/bin/bash
# VMs that start and stop at the same moment, all with huge pages of one node that has plenty: none is refused, each
# gets its own, and the host is afterwards as before.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

rounds=${ROUNDS:-3}
pool=$nodes/node1/$huge/nr_hugepages

# all_are STATE VM…: each of the VMs is in that state.
all_are() {
    local state=$1 vm
    for vm in "${@:2}"; do vm_is "$vm" "$state" || return; done
}

define_vm deck 128
define_vm skiff 128 2 3 0,7
idle_guest deck
idle_guest skiff
start_witness
snapshot $results/before
check "Berth is installed" install_berth

for ((round = 1; round <= rounds; round++)); do
    start_vm deck & first=$!
    start_vm skiff & second=$!
    wait $first
    check_equal "together $round: deck starts" 0 $?
    wait $second
    check_equal "together $round: skiff starts" 0 $?
    check "together $round: both run" all_are running deck skiff
    check_equal "together $round: node 1 has the pages of both" 128 "$(<$pool)"
    stop_vm deck & first=$!
    stop_vm skiff & second=$!
    wait $first $second
    check "together $round: both are off" all_are 'shut off' deck skiff
    check_restored "together $round: the host is as before"
done

for ((round = 1; round <= rounds; round++)); do
    check "change $round: deck is in" start_vm deck
    stop_vm deck & leaving=$!
    start_vm skiff
    check_equal "change $round: skiff starts while deck leaves" 0 $?
    wait $leaving
    check "change $round: skiff alone runs" all_are running skiff
    check_equal "change $round: node 1 has skiff's pages" 64 "$(<$pool)"
    check "change $round: skiff stops" stop_vm skiff
    check_restored "change $round: the host is as before"
done
