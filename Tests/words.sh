# What the scripts of Tests/Recorded begin with: the binary they are given, a folder that goes when they end, and how they
# say what they found. Source it.
# shellcheck shell=bash disable=SC2034 # the scripts use what is not used here

set -u
umask 022
berth=$(readlink -f "$1")
hosts=$(dirname "$(readlink -f "${BASH_SOURCE[0]}")")/Hosts
stage=$(mktemp -d)
trap 'rm -rf "$stage"' EXIT
root=$stage/host

# --- what is said ---------------------------------------------------------------------------------

ok() { echo "ok $1"; }
fail() { echo "FAIL $1${2:+: $2}"; }

# check NAME COMMAND…: the command has to succeed.
check() {
  local name=$1 output
  shift
  if output=$("$@" 2>&1); then ok "$name"; else fail "$name" "$output"; fi
}

# check_equal NAME EXPECTED FOUND
check_equal() {
  if [ "$2" = "$3" ]; then ok "$1"; else fail "$1" "'$3', not '$2'"; fi
}

# said NAME STATUSES WORDS COMMAND…: the command has to end with one of these and say the words.
said() {
  local name=$1 statuses=$2 words=$3 output code
  shift 3
  output=$("$@" 2>&1)
  code=$?
  if [[ " $statuses " == *" $code "* && $output == *"$words"* ]]; then ok "$name"
  else fail "$name" "status $code: $output"; fi
}

# said_in_a_line NAME STATUS WORDS COMMAND…: the same, and nothing else.
said_in_a_line() {
  local name=$1 status=$2 words=$3 output code
  shift 3
  output=$("$@" 2>&1)
  code=$?
  if [[ $code == "$status" && $output == *"$words"* && $output != *$'\n'* ]]; then ok "$name"
  else fail "$name" "status $code: $output"; fi
}

# answer NAME STATUSES WORDS ARGUMENT…: Berth has to.
answer() { said "${@:1:3}" "$berth" "${@:4}"; }

# --- a recorded host ------------------------------------------------------------------------------

unpack_workstation() {
  rm -rf "$root"
  "$berth" recorded unpack "$hosts/two-node-workstation.host" "$root"
}

# remember: what unchanged compares with.
remember() {
  rm -rf "$stage/before"
  cp -a "$root" "$stage/before"
}

fresh() { unpack_workstation && remember; }

# unchanged NAME: the host is as it was; what the recorded kernel keeps for itself is no part of it.
unchanged() {
  rm -rf "$root/run/berth" "$root/recorded" "$stage/before/recorded"
  check "$1" diff -r --no-dereference "$stage/before" "$root"
}
