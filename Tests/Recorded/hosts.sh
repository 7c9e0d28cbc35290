#!/bin/bash
# Asks everything that can be asked of each recorded host, and of what must not be taken for one.
#
# usage: Tests/Recorded/hosts.sh BERTH
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

for file in "$hosts"/*.host; do
  name=$(basename "$file" .host)
  # What comes and goes with one domain is no host.
  case $name in *.gaming) continue ;; esac
  root=$stage/$name
  "$berth" recorded unpack "$file" "$root"
  answer "$name has a topology" 0 "node " topology --root "$root"
  answer "$name has one in JSON" 0 '"distances"' topology --json --root "$root"
  answer "$name has a picture" 0 "</svg>" topology --svg - --root "$root"
  wide=$("$berth" topology --root "$root" | awk 'length($0) > 80' | head -1)
  check_equal "$name fits into 80 columns" "" "$wide"
  answer "$name is looked over" "0 1 2" "looked at the host" doctor --root "$root"
  answer "$name has a status" 0 "" status --json --root "$root"
  answer "$name has metrics" 0 "berth_domains" metrics --root "$root"
  answer "$name has room for a VM" 0 "host keeps" \
    advise --vcpus 2 --memory 256M --root "$root"
  answer "$name answers from its file as from its folder" 0 \
    "$("$berth" topology --json --root "$root")" topology --json --root "$file"
done

mkdir "$stage/empty"
answer "an empty folder is no host" 2 "$stage/empty" topology --root "$stage/empty"
mkdir -p "$stage/odd/sys/devices/system/cpu"
echo "all of them" >"$stage/odd/sys/devices/system/cpu/online"
answer "what makes no sense is named with its file" 2 "/sys/devices/system/cpu/online" \
  topology --root "$stage/odd"
echo "no host" >"$stage/text.host"
answer "a text that is no host" 2 "$stage/text.host" topology --root "$stage/text.host"
