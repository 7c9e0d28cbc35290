#!/bin/bash
# Captures a recorded host with a VM on it: every command answers on the capture what it answers on
# the host, nothing planted there as a secret is in it, and no broken file leaves anything behind.
#
# usage: Tests/Recorded/capture.sh BERTH
# shellcheck disable=SC1111 # the quotes are those of Berth's sentences
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
xml=$hosts/gaming.xml
export TMPDIR=$stage/tmp
mkdir "$TMPDIR"

# same NAME ARGUMENT...: berth has to say the same of the host and of its capture.
same() {
  local name=$1 one other
  shift
  one=$("$berth" "$@" --root "$root" 2>&1)
  other=$("$berth" "$@" --root "$stage/host.tar.zst" 2>&1)
  if [ "$one" = "$other" ] && [ -n "$one" ]; then ok "$name on a capture"
  else fail "$name on a capture" "$(diff <(echo "$one") <(echo "$other") | head -20)"; fi
}

# refused NAME WORDS FILE: the file has to be refused in one line, with its name and the words.
refused() {
  local output code
  hear "$berth" topology --root "$3"
  if [ "$code" -eq 2 ] && [[ $output == *"$3"*"$2"* && $output != *$'\n'* ]]; then ok "$1"
  else fail "$1" "status $code: $output"; fi
}

put() {
  mkdir -p "$(dirname "$root/$1")"
  cat >"$root/$1"
}

unpack_workstation
put proc/sys/kernel/hostname <<<"secrethost"
put proc/cmdline <<<"BOOT_IMAGE=/vmlinuz root=UUID=11112222-3333-4444-5555-666677778888 isolcpus=5 ip=198.51.100.7 iommu=pt"
put sys/devices/pci0000:00/0000:00:02.0/0000:02:00.0/net/eno1/address <<<"52:54:00:aa:bb:cc"
put sys/devices/virtual/net/enx525400aabbcc/flags <<<"0x1003"
mkdir -p "$root/sys/class/net"
ln -s ../../devices/virtual/net/enx525400aabbcc "$root/sys/class/net/enx525400aabbcc"
put sys/class/block/dm-0/dm/name <<<"secrethost--vg-images"
put sys/devices/pci0000:40/0000:40:03.0/0000:43:00.0/serial <<<"S3CRETSERIAL"
put etc/berth/berth.toml <<<$'[vm.gaming]\nprofile = "latency"'
sed 's/<devices>/<title>secrettitle<\/title>&<graphics passwd="secretword"\/><interface type="bridge"><mac address="52:54:00:aa:bb:cc"\/><\/interface><disk type="file"><source file="\/srv\/secretimage.qcow2"\/><serial>S3CRETSERIAL<\/serial><\/disk>/' \
  "$xml" | put etc/libvirt/qemu/gaming.xml
put etc/pve/qemu-server/100.conf <<<$'name: web\ncores: 2\nmemory: 2048\nnet0: virtio=52:54:00:aa:bb:cc,bridge=vmbr0\nsmbios1: uuid=11112222-3333-4444-5555-666677778888\ncipassword: secretword\nscsi0: secretpool:vm-100-disk-0,iothread=1\nscsihw: virtio-scsi-single\ndescription: secrettitle'
mkdir -p "$root/etc/libvirt/hooks/qemu.d"
put etc/libvirt/hooks/qemu.d/10-other <<<"#!/bin/sh secretword"
chmod 755 "$root/etc/libvirt/hooks/qemu.d/10-other"
"$berth" replay gaming prepare --xml "$xml" --root "$root" >/dev/null || fail "preparing"
"$berth" recorded enter "$hosts/two-node-workstation.gaming.host" "$root" || fail "entering"
"$berth" replay gaming started --xml "$xml" --root "$root" >/dev/null || fail "starting"
printf -- '-object\0secret,id=s0,data=secretword\0' >>"$root/proc/4242/cmdline"

"$berth" capture --root "$root" "$stage/host.tar.zst" >"$stage/report" || fail "capturing"
check "says what it recorded" grep -q "files.*links.*folders" "$stage/report"
check "is the administrator's alone" [ "$(stat -c %a "$stage/host.tar.zst")" = 600 ]
same "topology" topology
same "topology in JSON" topology --json
same "a picture" topology --svg -
same "status" status
same "status in JSON" status --json
same "a plan" plan gaming --json
same "a plan of a file" plan --xml "$xml"
same "a plan for Proxmox" plan 100 --json
same "metrics" metrics
same "the policy" config explain latency
same "a step" replay gaming started --xml "$xml" --dry-run --json
same "the next step" replay gaming stopped --xml "$xml" --json

for form in tar host; do
  "$berth" capture --root "$root" "$stage/plain.$form" >/dev/null || fail "capturing as $form"
  if found=$(grep -aioE 'secret[a-z]*|S3CRET|52:54:00:aa|525400aabbcc|11112222|198\.51|C6336407' \
    "$stage/plain.$form"); then fail "a $form without secrets" "$found"
  else ok "a $form without secrets"; fi
  one=$("$berth" status --json --root "$stage/host.tar.zst")
  if [ "$one" = "$("$berth" status --json --root "$stage/plain.$form")" ]; then ok "a $form as well"
  else fail "a $form as well"; fi
done
"$berth" capture --root "$root" --with-identities "$stage/whole.host" >/dev/null
if grep -q '52:54:00:aa:bb:cc' "$stage/whole.host" && grep -q secrethost "$stage/whole.host"; then
  ok "identities for whoever asks for them"
else fail "identities for whoever asks for them"; fi
"$berth" capture --root "$stage/host.tar.zst" "$stage/again.tar.zst" >/dev/null
check "a capture of a capture is the same" cmp -s "$stage/host.tar.zst" "$stage/again.tar.zst"
"$berth" recorded unpack "$stage/host.tar.zst" "$stage/unpacked"
check "a program stays one" [ -x "$stage/unpacked/etc/libvirt/hooks/qemu.d/10-other" ]

# What is broken, and what was made to do harm.
cd "$stage" || exit 1
printf 'not a host' >text.host
refused "a text that is no host" "line 1" "$stage/text.host"
head -c 3000 host.tar.zst >cut.tar.zst
refused "a file that was cut off" "cut off" "$stage/cut.tar.zst"
cp host.tar.zst flipped.tar.zst
printf 'x' | dd of=flipped.tar.zst bs=1 seek=4000 conv=notrunc 2>/dev/null
refused "a file that was damaged" "it is damaged" "$stage/flipped.tar.zst"
printf '\x1f\x8b\x08\xff' >other.tar.gz
refused "a file of another kind" "neither a capture" "$stage/other.tar.gz"
head -c 20000 plain.tar >cut.tar
refused "an archive that was cut off" "cut off" "$stage/cut.tar"
head -c -1024 plain.tar >end.tar
refused "an archive without its end" "cut off" "$stage/end.tar"
{ head -c 100 plain.tar; printf 'x'; tail -c +102 plain.tar; } >sum.tar
refused "a header that was changed" "checksum" "$stage/sum.tar"
mkdir -p evil/sys && echo x >evil/sys/x
tar -cf above.tar -C evil --transform 's,^sys/x,../x,' sys/x
refused "a name that leads out" "“../x” is no place" "$stage/above.tar"
tar -cPf absolute.tar --transform 's,^,/,' -C evil sys/x
refused "a name from the root on" "“/sys/x” is no place" "$stage/absolute.tar"
tar -cf twice.tar -C evil sys/x && tar -rf twice.tar -C evil sys/x
refused "a name that is there twice" "“sys/x” is there twice" "$stage/twice.tar"
mkfifo evil/sys/pipe && tar -cf pipe.tar -C evil sys/pipe
refused "a pipe" "a pipe" "$stage/pipe.tar"
rm evil/sys/pipe; ln evil/sys/x evil/sys/y && tar -cf hard.tar -C evil sys
refused "a hard link" "a hard link" "$stage/hard.tar"
ln -s / evil/out && tar -cf link.tar -C evil out && tar -rf link.tar -C evil \
  --transform 's,^sys/x,out/x,' sys/x
refused "a place behind a link" "below a link" "$stage/link.tar"
rm -rf evil/out evil/sys/y
ln -s "$stage/victim" evil/run && tar -cf run.tar -C evil sys run
refused "a link in the place of run/" "it is a link" "$stage/run.tar"
truncate -s 5M evil/sys/huge && tar -cf huge.tar -C evil sys/huge
refused "a file of 5 MiB" "more than 4 MiB" "$stage/huge.tar"
refused "an empty folder" "neither sys/ nor proc/" "$TMPDIR"
ln -s "$stage/nowhere" dangling
check "a link to nowhere" grep -q "there is no folder or capture" \
  <("$berth" topology --root "$stage/dangling" 2>&1)
"$berth" status --root "$stage/host.tar.zst" --watch >/dev/null & watching=$!
for _ in $(seq 100); do compgen -G "$TMPDIR/*" >/dev/null && break; sleep 0.1; done
compgen -G "$TMPDIR/*" >/dev/null || fail "a capture is unpacked where TMPDIR says"
kill -KILL "$watching"; wait "$watching" 2>/dev/null
for _ in $(seq 100); do compgen -G "$TMPDIR/*" >/dev/null || break; sleep 0.1; done
if compgen -G "$TMPDIR/*" >/dev/null; then fail "nothing is left behind" "$(ls "$TMPDIR")"
else ok "nothing is left behind"; fi
