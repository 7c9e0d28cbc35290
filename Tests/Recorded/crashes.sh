#!/bin/bash
# Ends hooks by signals, as a fault of Berth's own would: only those end with another status than 0 that may
# refuse a start, the journal is told what it was with the digest of the input, and somebody looks again.
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

# waits PID CALL: until the process is in that system call.
waits() {
  local number=$1 call=$2
  for _ in {1..200}; do
    [ "$(cut -d' ' -f1 "/proc/$number/syscall" 2>/dev/null)" = "$call" ] && return
    sleep 0.02
  done
  return 1
}

# ended STATUS SIGNAL WORDS PHASE: how the hook ended that was held, and what it left.
ended() {
  local status=$1 signal=$2 words=$3 phase=$4 code said
  kill "-$signal" "$hook"
  wait "$hook" 2>/dev/null
  code=$?
  check_equal "SIG$signal in $phase ends with $status" "$status" "$code"
  # The listener may take a moment to write down what it was sent.
  for _ in {1..200}; do
    said=$(tail -1 "$heard" 2>/dev/null)
    [[ $said == *"stopped in $phase by SIG$signal"*"$words"*"BERTH_DOMAIN=vm"* ]] && break
    sleep 0.02
  done
  if [[ $said == *"stopped in $phase by SIG$signal"*"$words"*"BERTH_DOMAIN=vm"* ]]; then
    ok "the journal is told of SIG$signal in $phase"
  else fail "the journal is told of SIG$signal in $phase" "$said"; fi
  : >"$heard"
  check "somebody looks again after SIG$signal in $phase" rm /run/berth/crashed
}

# hold_reading PHASE: a hook that waits for the rest of its input.
pipe=$stage/pipe
mkfifo "$pipe"
hold_reading() {
  "$berth" vm "$1" begin - <"$pipe" 2>"$stage/said" &
  hook=$!
  exec 9>"$pipe"
  printf '<domain>' >&9
  waits $hook 0
}

all=(ILL TRAP SEGV BUS FPE ABRT SYS XCPU XFSZ TERM HUP INT QUIT)
for phase in started reconnect release; do
  for signal in "${all[@]}"; do
    hold_reading $phase
    ended 0 "$signal" "read no input" $phase
    exec 9>&-
  done
done
for signal in "${all[@]}"; do
  hold_reading prepare
  ended 1 "$signal" "read no input" prepare
  check_equal "SIG$signal in prepare is said in one line" 1 "$(grep -c '^berth: .*the VM does not start' "$stage/said")"
  exec 9>&-
done

# One that has read its input and waits for the ledger's lock.
sed 's/<name>gaming/<name>vm/' "$hosts/gaming.xml" >"$stage/vm.xml"
digest=$(sha256sum <"$stage/vm.xml" | cut -d' ' -f1)
exec 8>/run/berth/lock
chmod 600 /run/berth/lock
flock 8
for phase in prepare started; do
  "$berth" vm $phase begin - <"$stage/vm.xml" 2>"$stage/said" 8>&- &
  hook=$!
  for _ in {1..100}; do [ -s /run/berth/lock ] && break; sleep 0.02; done
  sleep 0.3
  ended "$([ $phase = prepare ] && echo 1 || echo 0)" SEGV "SHA-256 $digest" $phase
done
exec 8>&-
