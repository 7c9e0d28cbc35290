#!/bin/bash
# Brings what an attacker would: names that are options, paths or programs, a tenant's wishes for
# what is not his, and links and open files where Berth keeps its state and reads its policy.
#
# usage: Tests/Recorded/hostile.sh BERTH
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
victim=$stage/victim

# replay NAME STEP XML: one step of the VM in that file.
replay() { "$berth" replay --libvirt "$3" --root "$root" -- "$1" "$2"; }

# with_name LABEL NAME XML-SPELLING: its whole life, with nothing left behind.
with_name() {
  local xml=$stage/named.xml text
  text=$(<"$hosts/gaming.xml")
  printf '%s\n' "${text/<name>gaming</"<name>$3<"}" >"$xml"
  fresh
  said "a VM called $1 is made ready" 0 "" replay "$2" prepare "$xml"
  said "a VM called $1 is listed" 0 "7d3c9a52" "$berth" status --root "$root"
  said "a VM called $1 gives back" 0 "" replay "$2" release "$xml"
  unchanged "a VM called $1 leaves nothing"
}

printf 'untouched' >"$victim"
long=$(printf 'x%.0s' {1..10000})
with_name "like an option" --help --help
with_name "with a newline" $'a\nb' 'a&#10;b'
with_name "like a way out" ../../../etc/berth ../../../etc/berth
with_name "with 10,000 letters" "$long" "$long"
# shellcheck disable=SC2016 # it is to stay as it is
with_name "like a program" '$(touch /tmp/x); `id` %s%n' '$(touch /tmp/x); `id` %s%n'
with_name "like the ledger" ledger ledger

# tenant KEY=VALUE...: the XML of another VM, whose metadata asks for that.
tenant() {
  local text wishes="" wish
  for wish; do wishes+="<berth:${wish%%=*}>${wish#*=}</berth:${wish%%=*}>"; done
  text=$(sed -e 's/<name>gaming/<name>tenant/; s/7d3c9a52/00000000/' \
    -e '/<cputune>/,/<\/cputune>/d; /<hostdev /,/<\/hostdev>/d; /<memoryBacking>/,/<\/memoryBacking>/d' \
    "$hosts/gaming.xml")
  wishes="<metadata><berth:domain xmlns:berth=\"urn:berth:domain:1\">$wishes</berth:domain></metadata>"
  printf '%s\n' "${text/<os>/"$wishes<os>"}"
}

fresh
replay gaming prepare "$hosts/gaming.xml" >/dev/null 2>&1
before=$(find "$root" -path "$root/recorded" -prune -o -type f -exec md5sum {} + | sort)
tenant pins.vcpus=5,13,6,14,7,15 isolation=slices >"$stage/tenant.xml"
said "a tenant who wants another VM's CPUs is refused" 1 "gaming" \
  replay tenant prepare "$stage/tenant.xml"
if [ "$before" = "$(find "$root" -path "$root/recorded" -prune -o -type f -exec md5sum {} + | sort)" ]; then
  ok "and nothing was written for him"
else fail "and nothing was written for him"; fi
tenant "on-start.command=touch $stage/owned" pci.bind=0000:41:00.0 >"$stage/tenant.xml"
said "a tenant's command is ignored" 0 "Berth runs none that a VM names" \
  replay tenant prepare "$stage/tenant.xml"
said "a tenant's device is not his to ask for" 0 "is taken from the policy file only" \
  "$berth" plan --libvirt "$stage/tenant.xml" --root "$root"
check "no command was run" [ ! -e "$stage/owned" ]
replay tenant release "$stage/tenant.xml" >/dev/null 2>&1
replay gaming release "$hosts/gaming.xml" >/dev/null 2>&1
unchanged "after the tenant the host is as it was"

# planted LABEL WORDS COMMAND...: what the command puts there is refused in the words, and is neither
# followed nor changed; once it is away, the VM's life goes on as ever.
planted() {
  local label=$1 words=$2
  shift 2
  fresh
  mkdir -m 700 "$root/run/berth"
  "$@"
  said "$label is refused" 1 "$words" replay gaming prepare "$hosts/gaming.xml"
  check_equal "$label is not followed" untouched "$(<"$victim")"
  rm -rf "$root/run/berth"
  unchanged "with $label nothing is taken"
}

ledger=$root/run/berth/ledger
open_ledger() { : >"$ledger"; chmod 666 "$ledger"; }
open_folder() { chmod 1777 "$root/run/berth"; }
linked_folder() { rmdir "$root/run/berth"; ln -s "$stage" "$root/run/berth"; }
planted "a ledger that is a link" "it is a link" ln -s "$victim" "$ledger"
planted "a lock that is a link" "/run/berth/lock" ln -s "$victim" "$root/run/berth/lock"
planted "a ledger that anybody can write to" "its mode is 666" open_ledger
planted "a ledger that is a pipe" "not a regular file" mkfifo "$ledger"
planted "a ledger that is a folder" "not a regular file" mkdir "$ledger"
planted "a state folder that anybody can write to" "its mode is 1777" open_folder
planted "a state folder that is a link" "it is a link" linked_folder

fresh
mkdir -m 700 "$root/run/berth"
ln -s "$victim" "$root/run/berth/.ledger.new"
said "a link where a ledger is begun is replaced" 0 "" replay gaming prepare "$hosts/gaming.xml"
check_equal "and not followed" untouched "$(<"$victim")"
replay gaming release "$hosts/gaming.xml" >/dev/null 2>&1
unchanged "after that link the host is as it was"

fresh
mkdir -m 777 "$root/run/berth"
chmod 777 "$root/run/berth"
tenant >"$stage/tenant.xml"
said "a VM that asks for nothing starts whatever is planted" 0 "its mode is 777" \
  replay tenant prepare "$stage/tenant.xml"
rm -rf "$root/run/berth"
unchanged "and takes nothing"

# hook STATUS OPERATION TEXT: called as libvirt would, with a text that is no domain's.
hook() {
  local output code
  hear "$berth" tenant "$2" begin - < <(printf '%s' "$3")
  if [ "$code" -eq "$1" ]; then ok "the hook ends with $1 in $2"
  else fail "the hook ends with $1 in $2" "status $code: $output"; fi
}

for phase in started reconnect stopped release migrate restore attach tomorrow; do
  hook 0 $phase '<domain'
done
# As anybody but root it does nothing, which is what a user's own session of libvirt needs.
refused=$([ "$(id -u)" -eq 0 ] && echo 1 || echo 0)
for phase in prepare start; do hook "$refused" $phase '<domain'; done
