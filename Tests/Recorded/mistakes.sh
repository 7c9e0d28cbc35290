#!/bin/bash
# Makes the mistakes that administrators make, and looks for an answer that helps: one sentence, the
# place, and status 2 for wrong input or 1 for what could not be done.
#
# usage: Tests/Recorded/mistakes.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
policy=$root/etc/berth/berth.toml

# with XML NAME WORDS: the text has to be refused in one line with the words.
with() {
  local output code
  hear "$berth" inspect --libvirt - < <(printf '%s' "$1")
  if [ "$code" -eq 2 ] && [[ $output == *"$3"* && $output != *$'\n'* ]]; then ok "$2"
  else fail "$2" "status $code: $output"; fi
}

unpack_workstation
plan=(plan --libvirt "$hosts/gaming.xml" --root "$root")

answer "help is no mistake" 0 "USAGE: berth" --help
for command in topology observe metrics plan status reconcile release replay inspect config "config check" "config show" "config explain" list enable disable capture recorded; do
  # shellcheck disable=SC2086 # a word for each argument
  answer "$command has help" 0 "USAGE: berth $command" $command --help
done
answer "advise has help" 0 "USAGE: berth advise" advise --help
answer "advice for nothing" 2 "name a VM, or give --vcpus and --memory" advise --root "$root"
answer "memory in a unit that is read in two ways" 2 "“4GB” is no amount of memory" \
  advise --vcpus 2 --memory 4GB --root "$root"
answer "a function that the host does not have" 2 "the nearest one is 0000:41:00.1" \
  advise --vcpus 2 --memory 4G --pci 41:00.2 --root "$root"
answer "a candidate that is not there" 2 "and no 9" \
  advise --vcpus 2 --memory 4G --candidate 9 --root "$root"
answer "more than the host has" 1 "20 vCPUs want 20 free CPUs, and the host has 14" \
  advise --vcpus 20 --memory 4G --root "$root"
answer "a command that does not exist" 2 "“bogus” is no command; “berth --help” lists them" bogus
answer "a command that is mistyped" 2 "the nearest is “berth status”" stauts
answer "a command of a command that is mistyped" 2 "the nearest is “berth config check”" config chek
answer "memory without a unit" 2 "“16” has no unit; write 16G" advise --vcpus 2 --memory 16 --root "$root"
answer "a plan of nothing" 2 "name a VM" plan
answer "a domain that does not exist" 2 "knows a VM “nobody”" plan nobody --root "$root"
mkdir -p "$root/etc/libvirt/qemu" "$root/etc/pve/qemu-server"
cp "$hosts/gaming.xml" "$root/etc/libvirt/qemu/gaming.xml"
touch "$root/etc/pve/qemu-server/1234.conf"
answer "a domain's name with a slip" 2 "the nearest is “gaming”" plan gamnig --root "$root"
answer "a vmid with a slip" 2 "the nearest is “1234”" plan 1235 --root "$root"
rm -r "$root/etc/libvirt" "$root/etc/pve"
answer "a domain from two files" 2 "give --libvirt or --proxmox" \
  plan --libvirt "$hosts/gaming.xml" --proxmox 100.conf
answer "an XML by the option's older name" 0 "vfio-pci" \
  plan --xml "$hosts/gaming.xml" --root "$root"
answer "a domain's name with a slash" 2 "is not the name of a VM" plan ../x --root "$root"
answer "a domain that is not in" 2 "Berth holds nothing for “nobody”" release nobody --root "$root"
answer "a recorded host that does not exist" 2 "there is no folder or capture “$stage/nohost”" \
  status --root "$stage/nohost"
answer "a file that does not exist" 2 "$stage/no.xml: ENOENT" inspect --libvirt "$stage/no.xml"

with '' "an empty XML" "line 1, column 1: "
with '<domain><name>x</name>' "an XML without its end" "line 1, column 23: "
with $'<domain>\n<name>x</nam></domain>' "a tag that does not match" "line 2, column 10: "
with '<network/>' "an XML of something else" "“network”, not <domain>"

answer "no policy is fine" 0 "none is needed" config check --root "$root"
answer "a profile is explained" 0 "cost     power and heat" config explain latency --root "$root"
answer "a profile that is not there" 2 "the nearest is latency" \
  config explain latncy --root "$root"
mkdir -p "$root/etc/berth"
printf '[defaults]\nisolatoin = "auto"\n' >"$policy"
answer "a typo in the policy" 2 "berth.toml:2:1: there is no key “isolatoin”; the nearest is “isol" \
  config check --root "$root"
answer "a plan with that policy" 2 "berth.toml:2:1: " "${plan[@]}"
answer "programs get the place" 2 '"column" : 1' config check --json --root "$root"
printf '[vm.nobody]\nservices.stop = ["nosuch.service", "libvirtd.service"]\nisolation = "none"\ncpu.whole-cores = true\n' >"$policy"
answer "a section for no VM" 0 "[vm.\"nobody\"] is for no VM of this host" config check --root "$root"
answer "a service that is not there" 0 "nosuch.service is not stopped: there is no such unit" config check --root "$root"
answer "a key that another one leaves idle" 0 "cpu.whole-cores of [vm.\"nobody\"] does nothing" config check --root "$root"
printf '[defaults]\nisolation = auto\n' >"$policy"
answer "text without quotes" 2 "berth.toml:2:13: “auto” is not a value; text needs quotes" config check --root "$root"
printf '[defaults\n' >"$policy"
answer "a policy that is not TOML" 2 "berth.toml:1:10: expected “]”" config check --root "$root"
printf '[defaults]\n' >"$policy"
chmod 666 "$policy"
answer "a policy that anybody can write to" 2 "its mode is 666" config check --root "$root"
answer "a plan with that policy" 2 "its mode is 666" "${plan[@]}"
rm "$policy"
ln -s "$stage/elsewhere" "$policy"
answer "a policy that is a link" 2 "it is a link" config check --root "$root"
rm "$policy"

mkdir -m 777 "$root/run/berth"
chmod 777 "$root/run/berth"
# What cannot be told is no warning, no drift and no refusal; what a phase could not do has failed.
for command in "2 status" "2 doctor" "2 metrics" "1 reconcile" "2 release --all"; do
  # shellcheck disable=SC2086
  answer "${command#* } with a ledger that anybody can write to" "${command%% *}" \
    "/run/berth: EACCES (its mode is 777" ${command#* } --root "$root"
done
answer "a plan with that ledger" 2 "its mode is 777" "${plan[@]}"
rmdir "$root/run/berth"
mkdir "$stage/elsewhere"
ln -s "$stage/elsewhere" "$root/run/berth"
for command in "2 status" "1 reconcile" "2 release --all" "1 replay gaming prepare --libvirt $hosts/gaming.xml"; do
  # shellcheck disable=SC2086
  answer "${command%% --libvirt*} with a link in the ledger's place" "${command%% *}" "/run/berth: ENOTDIR" \
    ${command#* } --root "$root"
done
check_equal "nothing follows that link" "" "$(ls -A "$stage/elsewhere")"

answer "its version" 0 "0." version
answer "its version, in short" 0 "0." -V

fresh
mkdir -p "$root"/{etc,usr/lib}/berth/berth.toml.d
printf '[vm.gaming]\nisolation = "none"\n' >"$root/etc/berth/berth.toml"
printf '[vm.gaming]\nisolation = "slices"\n' >"$root/usr/lib/berth/berth.toml.d/10-a.toml"
answer "a drop-in counts before the file" 0 "reserves CPUs 5-7,13-15 for the vCPUs of gaming" plan --libvirt "$hosts/gaming.xml" --root "$root"
printf '[vm.gaming]\nisolation = "none"\n' >"$root/etc/berth/berth.toml.d/10-a.toml"
hear "$berth" plan --libvirt "$hosts/gaming.xml" --root "$root"
if [[ $output == *reserves* ]]; then fail "that in /etc replaces that in /usr/lib" "$output"
else ok "that in /etc replaces that in /usr/lib"; fi
echo 'isolation = 7' >"$root/etc/berth/berth.toml.d/20-b.toml"
answer "an error in a drop-in has its place" 2 "berth.toml.d/20-b.toml:1" config check --root "$root"
chmod 666 "$root/etc/berth/berth.toml.d/20-b.toml"
answer "a drop-in that others can write is not read" 2 "20-b.toml" config check --root "$root"
