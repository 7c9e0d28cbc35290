#!/bin/bash
# The same VM started and destroyed over and over.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

define_vm deck 256
start_witness
snapshot $results/before
check "Berth is installed" install_berth
for ((i = 1; i <= ${CYCLES:=10}; i++)); do
    began=$SECONDS
    check "cycle $i: start" start_vm deck
    check "cycle $i: stop" stop_vm deck
    echo "     $((SECONDS - began)) s"
done
check_restored "after $CYCLES cycles the host is as before"
