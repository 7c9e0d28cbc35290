#!/bin/bash
# What stands in the way of a function: its driver's module, how it is reset and how it sleeps. All of it is changed for a
# VM, and as it was afterwards.
# shellcheck source=Tests/Lab/guest.sh
source /lab/guest.sh

name=deck
function=/sys/bus/pci/devices/$nic
modules() { grep -cE '^(dummy|igb) ' /proc/modules; }
sleeps() { echo "$(<$function/power/control) $(<$function/d3cold_allowed) $(<$function/reset_method)"; }

modprobe dummy
define_vm $name 256
idle_guest $name
check "Berth is installed" install_berth

read -ra ways <$function/reset_method
way=${ways[-1]}
cat >>/etc/berth/berth.toml <<TOML

[vm.$name]
pci.unload = ["dummy", "igb", "ext4"]
pci.reset-method = "$way"
pci.d3cold = false
TOML
check "the policy is right" berth config check

# The NIC slept by itself before, which its drivers forget each time that they come and go.
echo auto >$function/power/control
before=$(sleeps)
echo "figure: the NIC had \"$before\""
snapshot $results/before

check "the VM starts" start_vm $name || exit
check_equal "the NIC is on vfio-pci" vfio-pci "$(driver_of $nic)"
check_equal "both modules are unloaded" 0 "$(modules)"
check_equal "the NIC is reset by one way only" "$way" "$(<$function/reset_method)"
check_equal "the NIC keeps its power" 0 "$(<$function/d3cold_allowed)"
check "a module in use stays, and is told of" sh -c 'journalctl -b | grep -q "module ext4"'
check "it is destroyed" stop_vm $name
check_restored "afterwards the host is as before"
check_equal "both modules are back" 2 "$(modules)"
check_equal "the NIC is on igb" igb "$(driver_of $nic)"
check_equal "it sleeps and is reset as before" "$before" "$(sleeps)"

# --- prepared and never started ---
check "it is prepared" hook $name prepare
check_equal "the NIC is on vfio-pci again" vfio-pci "$(driver_of $nic)"
check "and released" hook $name release
check_restored "nothing is left of it"
check_equal "not of how it sleeps, either" "$before" "$(sleeps)"
