#!/bin/bash
# What an administrator is shown is what is there: topology, plan, doctor, advise, status, observe, metrics and capture,
# each held against the host itself, against libvirt, or against what happens when it is believed.
# shellcheck source=Tests/Lab/guest.sh disable=SC2016 # what jq and awk expand
source /lab/guest.sh

name=deck
hooks=/etc/libvirt/hooks
shown=$results/shown
mkdir -p $shown

# show FILE ARGUMENT…: what berth says, kept for whoever wants to see it; its status is the function's.
show() {
    local file=$shown/$1
    shift
    berth "$@" >"$file" 2>&1
}

# found CHECK [DOMAIN]: whether doctor tells of it.
found() {
    berth doctor ${2:+"$2"} --json | jq -e --arg check "$1" 'any(.findings[]; .check == $check)'
}

not_found() { ! found "$@"; }

# change_xml NAME SED…: the domain, defined anew.
change_xml() {
    local domain=$1
    shift
    virsh dumpxml --inactive "$domain" | sed "$@" >/run/changed.xml && virsh -q define /run/changed.xml
}

define_vm $name 256
check "Berth is installed" install_berth

# --- the host ---
show topology.txt topology
show topology.svg topology --svg -
berth topology --json >$shown/topology.json
for query in \
    '[.cpus[] | select(.node == 1) | .id] == [4,5,6,7]' \
    '[.cpus[].siblings] == ["0-1","0-1","2-3","2-3","4-5","4-5","6-7","6-7"]' \
    '[.cpus[].l3] | unique == ["0-3","4-7"]' \
    '[.nodes[].distances] == [[10,20],[20,10]]' \
    '.pci[] | select(.address == "0000:41:00.0") | .node == 1 and .driver == "igb" and .class == "0x020000"'; do
    check "topology: $query" jq -e "$query" $shown/topology.json
done
check_equal "each function of the host is there" "$(find /sys/bus/pci/devices -mindepth 1 | wc -l)" \
    "$(jq '.pci | length' $shown/topology.json)"
check "80 columns are enough" awk 'length($0) > 80 { exit 1 }' $shown/topology.txt

# --- doctor: what it finds is so, and is gone once it is mended ---
show doctor.txt doctor $name
check "it finds that two threads are taken for two cores" found guest-topology $name
change_xml $name "/<cpu /,/<\/cpu>/d; s|</os>|</os><cpu mode='maximum' check='none'><topology sockets='1' cores='1' threads='2'/><feature policy='require' name='topoext'/></cpu>|"
check "and no more once the topology fits" not_found guest-topology $name

mv $hooks/qemu /root/hook
check "it finds that there is no hook" found hook
install -m 755 /usr/sbin/berth /usr/local/sbin/berth
ln -s /usr/local/sbin/berth $hooks/qemu
check "it finds what AppArmor forbids" found hook
check_refused "and no VM starts then" 'Permission denied|hook' start_vm $name
rm $hooks/qemu /usr/local/sbin/berth
mv /root/hook $hooks/qemu
check "it finds nothing of the kind afterwards" not_found hook

change_xml $name "s|<page size='[0-9]*' unit='KiB'/>|<page size='1048576' unit='KiB'/>|"
check "it finds that hugetlbfs is not mounted for 1 GiB" found hugetlbfs $name
check_refused "and the VM does not start then" 'hugetlbfs|1048576|1 GiB' start_vm $name
change_xml $name "s|<page size='[0-9]*' unit='KiB'/>|<page size='2048' unit='KiB'/>|"
check "nor afterwards" not_found hugetlbfs $name

change_xml $name "s|nodeset='1'|nodeset='0'|"
check "it finds memory on another node" found memory-node $name
check "and a device on another one than the memory" found device-node $name
change_xml $name "s|nodeset='0'|nodeset='1'|"
check_equal "a sound VM ends with 0" 0 "$(berth doctor $name >/dev/null 2>&1; echo $?)"

# --- plan: what it says is what happens ---
show plan.txt plan $name
berth plan $name --json >$shown/plan.json
check "the VM starts" start_vm $name || exit
check "the guest is up" wait_for 60 vm_is_up $name
berth status --json >$shown/status.json
show status.txt status
check "each planned change of prepare is held now" jq -en \
    --slurpfile plan $shown/plan.json --slurpfile status $shown/status.json '
    [$plan[0].phases[] | select(.phase == "prepare") | .changes[] | {setting, to}] as $planned
    | [$status[0].settings[] | {setting, to: .actual}] as $held
    | ($planned | length) > 0 and all($planned[]; . as $one | any($held[]; .setting == $one.setting))'
check "and everything is as it is to be" jq -e 'all(.settings[]; .actual == .wanted)' $shown/status.json
show topology-vm.txt topology
show topology-vm.svg topology --svg -
check "the VM is drawn where it runs" grep -q '4A *5A' $shown/topology-vm.txt
check_equal "doctor finds nothing that is wrong with it" 0 "$(berth doctor $name >/dev/null 2>&1; echo $?)"
check "a second plan for its CPUs tells who has them" bash -c "
    sed 's|<name>.*|<name>rival</name>|; /<uuid>/d' /run/$name.xml >/run/rival.xml
    berth plan --libvirt /run/rival.xml 2>&1 | grep -q 'pinned to CPU 4, which $name has to itself'"

# --- observe: the same as the kernel's own figures ---
make_noise
check "with Berth it is observed" show observe.txt observe $name --seconds 10 --record /run/after.json
read -r _ kernel < <(busy_share 10 "/proc/$(vcpu $name 0)")
end_noise
check "its vCPUs wait less than 1 %" jq -e '[.threads[] | select(.isVCPU) | .waiting] | max < 1' /run/after.json
check "as the kernel says, too ($kernel %)" awk "BEGIN { exit !($kernel < 1) }"
check "its memory is on node 1, in pages of 2 MiB" jq -e \
    '[.memory[] | select(.pageKiB == 2048)] | length == 1 and .[0].node == 1 and .[0].kiB == 262144' /run/after.json
show metrics.prom metrics
check "metrics name the VM" grep -q 'berth_domain_info{domain="deck"' $shown/metrics.prom

# --- capture: a record answers as the host does ---
check "the host is captured" show capture.txt capture /run/lab.tar.zst
cp /run/lab.tar.zst $shown/
berth topology --json | jq 'del(.nodes[].freeKiB, .kernel)' >/run/live.json
berth topology --json --root /run/lab.tar.zst | jq 'del(.nodes[].freeKiB, .kernel)' >/run/recorded.json
check_equal "its topology is the same" "" "$(diff /run/live.json /run/recorded.json)"
check_equal "and its status" "" \
    "$(diff <(berth status --json | jq '.settings') <(berth status --json --root /run/lab.tar.zst | jq '.settings'))"
check "no MAC address is in it" bash -c '! zstd -dc /run/lab.tar.zst | grep -aqiE "52:54:00(:[0-9a-f]{2}){3}"'
stop_vm $name

# --- without Berth, to compare ---
mv $hooks/qemu /root/hook
modprobe vfio-pci
echo 128 >$nodes/node1/$huge/nr_hugepages
rebind $nic vfio-pci
check "prepared by hand the VM starts" start_vm $name || exit
check "the guest is up" wait_for 60 vm_is_up $name
check "doctor finds that Berth was not told" bash -c "mv /root/hook $hooks/qemu; berth doctor --json |
    jq -e 'any(.findings[]; .check == \"unseen-start\")'"
make_noise
check "without Berth it is observed" show observe-without.txt observe $name --seconds 10 --record /run/before.json
end_noise
check "its vCPUs wait more than 20 %" jq -e '[.threads[] | select(.isVCPU) | .waiting] | min > 20' /run/before.json
show compare.txt observe --compare /run/before.json /run/after.json \
    --html $shown/compare.html --svg $shown/compare.svg
cp /run/before.json /run/after.json $shown/
check "the comparison says that it helped" grep -qiE 'helped|times less|gone' $shown/compare.txt
stop_vm $name
rebind $nic ""
echo 0 >$nodes/node1/$huge/nr_hugepages

# --- advise: believed, the VM starts, runs there, and doctor has nothing against it ---
show advise.txt advise --vcpus 2 --memory 256M --pci $nic
berth advise --vcpus 2 --memory 256M --pci $nic --json >$shown/advise.json
check "it advises node 1, where the card is" jq -e '.candidates[0].nodes == [1]' $shown/advise.json
jq -r '.candidates[0].libvirt.configuration[]' $shown/advise.json >/run/advised
{
    echo "<domain type='qemu'><name>advised</name>"
    # Without hardware virtualisation there is no host CPU to hand through.
    sed "s/mode='host-passthrough'/mode='maximum'/" /run/advised
    sed -n "/<os>/,/<\/os>/p; /<devices>/,/<\/devices>/p" /run/$name.xml |
        sed "s/ iothread='1'//; /<alias/d; /<address type='pci' domain/d"
    echo "</domain>"
} >/run/advised.xml
check "the advised XML is one" virsh -q define /run/advised.xml
check "and starts" start_vm advised
check "each vCPU is where it was advised to be" bash -c "
    source /lab/guest.sh
    for vcpu in 0 1; do
        [[ \$(jq -r \".candidates[0].vcpus[\$vcpu]\" $shown/advise.json) == \$(allowed_cpus \$(vcpu advised \$vcpu)) ]] || exit 1
    done"
check_equal "doctor has nothing against it" 0 "$(berth doctor advised >/dev/null 2>&1; echo $?)"
check "a second one is advised other CPUs" bash -c "
    berth advise --vcpus 2 --memory 256M --json |
        jq -e --slurpfile first $shown/advise.json '.candidates[0].vcpus as \$second
            | \$first[0].candidates[0].vcpus | all(. as \$cpu | \$second | index(\$cpu) == null)'"
stop_vm advised
