#!/bin/bash
# What the policy of a recorded host comes to for its VM, and what each key takes.
#
# usage: Tests/Recorded/config.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

asked() { answer "$@" --root "$root"; }
shown() { asked "$1" 0 "$2" config show gaming --libvirt "$hosts/gaming.xml" "${@:3}"; }

fresh
mkdir -p "$root/etc/berth/berth.toml.d"
rm -f "$root/etc/berth/berth.toml"
shown "without a file all keys have their defaults" "keys have their defaults; -v shows them"
shown "they are shown" 'isolation = "auto"' -v
printf '[defaults]\nisolation = "slices"\n[vm.gaming]\nprofile = "latency"\n' >"$root/etc/berth/berth.toml"
printf '[vm.gaming]\ncpu.max-wakeup-latency = 20\n' >"$root/etc/berth/berth.toml.d/10-wake.toml"
shown "a key has its file, line and section" "/etc/berth/berth.toml:2 [defaults]"
shown "a drop-in counts" "berth.toml.d/10-wake.toml:2 [vm.\"gaming\"]"
shown "a profile has what names it" 'profile latency by'
shown "a number is a number to programs" '"value" : 20' --json
shown "programs are told of the form" '"schema" : 1' --json
printf '[vm.gaming]\nisolation = "slice"\n' >"$root/etc/berth/berth.toml"
asked "a policy that cannot be read is an error" 2 "berth.toml:2" config show gaming --libvirt "$hosts/gaming.xml"
asked "a VM that is not there" 2 "knows a VM “nosuch”" config show nosuch
rm "$root/etc/berth/berth.toml"

asked "a key is explained with its type" 0 "type     boolean or text" config explain cpu.boost
asked "with its values" 0 "values   auto, partition, slices or none" config explain isolation
asked "with an example" 0 'example  isolation = "slices"' config explain isolation
asked "without a name each key is explained" 0 "pci.rescan = [\"0000:0b:00\"]" config explain
asked "programs are told of types" 0 '"type" : "boolean"' config explain --json
