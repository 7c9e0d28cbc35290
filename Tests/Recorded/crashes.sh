#!/bin/bash
# Ends hooks by signals, as a fault of Berth's own would, or the kernel without memory: a row for each signal, phase and
# moment. Only those end with another status than 0 that may refuse a start, the journal is told what it was with the digest
# of the input, and somebody looks again.
#
# usage: Tests/Recorded/crashes.sh BERTH        as root, in a mount namespace of its own
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"

# As anybody but root the hook does nothing at all.
[ "$(id -u)" -eq 0 ] || exit 0
if [ "${2:-}" != inside ]; then
  unshare -m true 2>/dev/null || { echo "no mount namespace here: hooks are not ended by signals"; exit 0; }
  exec unshare -m "$0" "$1" inside
fi

# A /run of its own, with a journal that writes down what it hears.
mount -t tmpfs none /run
mkdir -p /run/systemd/journal
mkdir -m 700 /run/berth
heard=$stage/heard
python3 - "$heard" <<'PYTHON' &
import os, socket, sys
listener = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
listener.bind("/run/systemd/journal/socket")
while True:
    entry, fields = listener.recv(1 << 20), []
    while entry:
        name, rest = entry.split(b"\n", 1)
        length = int.from_bytes(rest[:8], "little")
        fields.append(name + b"=" + rest[8:8 + length].replace(b"\n", b" "))
        entry = rest[9 + length:]
    with open(sys.argv[1], "ab") as file:
        file.write(b" | ".join(fields) + b"\n")
PYTHON
journal=$!
trap 'kill "$journal"; rm -rf "$stage"' EXIT
until [ -S /run/systemd/journal/socket ]; do sleep 0.05; done

# waits_for TEST…: a moment at most.
waits_for() {
  for _ in {1..200}; do
    "$@" && return
    sleep 0.02
  done
  return 1
}
reads() { [ "$(readlink "/proc/$hook/exe")" = "$berth" ] && [ "$(cut -d' ' -f1 "/proc/$hook/syscall" 2>/dev/null)" = 0 ]; }
# The hook, or the child that it has made for its work, has the lock's file open; so has the shell that is to become it.
wants_lock() {
  worker=$(pgrep -P "$hook") || worker=$hook
  [ "$(readlink "/proc/$worker/exe")" = "$berth" ] || return
  readlink "/proc/$worker/fd/"* 2>/dev/null | grep -q '^/run/berth/lock$'
}
is_told() { said=$(tail -1 "$heard" 2>/dev/null) && [[ $said == *"$1"*"$2"*"BERTH_DOMAIN=vm"* ]]; }

# ended SIGNAL PHASE MOMENT INPUT VICTIM: one row of the table of crashes: how the hook ends that is held, what the journal
# is told, and whether somebody looks again.
ended() {
  local signal=$1 phase=$2 said code faults=() status=0 result="the VM runs on"
  case $phase in
    prepare) status=1 result="the start is refused in one sentence" ;;
    release) result="what was held goes back later" ;;
  esac
  kill "-$signal" "$5"
  wait "$hook" 2>/dev/null
  code=$?
  [ "$code" = "$status" ] || faults+=("it ends with $code, not $status")
  waits_for is_told "stopped in $phase by SIG$signal" "$4" || faults+=("the journal is told: $said")
  : >"$heard"
  rm /run/berth/crashed 2>/dev/null || faults+=("nobody looks again")
  if [ "$phase" = prepare ]; then
    [ "$(grep -c '^berth: .*the VM does not start' "$stage/said")" = 1 ] || faults+=("it says $(<"$stage/said")")
  fi
  local name="SIG$signal in $phase, $3 → $result, and the journal names the input"
  if [ ${#faults[@]} -eq 0 ]; then ok "$name"; else fail "$name" "${faults[*]}"; fi
}

pipe=$stage/pipe
mkfifo "$pipe"
all=(ILL TRAP SEGV BUS FPE ABRT SYS XCPU TERM HUP INT QUIT)
for phase in prepare started reconnect release; do
  for signal in "${all[@]}"; do
    "$berth" vm $phase begin - <"$pipe" 2>"$stage/said" &
    hook=$!
    exec 9>"$pipe"
    printf '<domain>' >&9
    waits_for reads
    ended "$signal" $phase "while it reads" "read no input" $hook
    exec 9>&-
  done
done

# Those that have read their input and wait for the ledger's lock: a phase that may not refuse does so in a child.
sed 's/<name>gaming/<name>vm/' "$hosts/gaming.xml" >"$stage/vm.xml"
digest=$(sha256sum <"$stage/vm.xml" | cut -d' ' -f1)
exec 8>/run/berth/lock
chmod 600 /run/berth/lock
flock 8
hold_working() {
  "$berth" vm "$1" begin - <"$stage/vm.xml" 2>"$stage/said" 8>&- &
  hook=$!
  waits_for wants_lock
}
for phase in prepare started reconnect; do
  for signal in "${all[@]}"; do
    hold_working $phase
    ended "$signal" $phase "while it works" "SHA-256 $digest" $hook
  done
done
for phase in started reconnect; do
  for signal in "${all[@]}" KILL; do
    hold_working $phase
    ended "$signal" $phase "in the child that works" "SHA-256 $digest" "$worker"
  done
done
exec 8>&-
