#!/bin/bash
# Compares the manual pages in docs/man with what the binary says of itself, and looks for anything
# that a formatter of pages or a shell does not like.
#
# usage: Tests/Recorded/manual.sh BERTH
# shellcheck source=Tests/words.sh
source "$(dirname "$0")/../words.sh"
pages=$hosts/../../docs/man

for page in berth.8 berth.toml.5; do
  "$berth" manual $page >"$stage/$page"
  if difference=$(diff "$pages/$page" "$stage/$page"); then ok "$page is up to date"
  else fail "$page is up to date" "write it anew: berth manual $page >docs/man/$page; $difference"; fi
  if command -v groff >/dev/null; then
    warnings=$(groff -man -Kutf8 -Tutf8 -ww -z "$pages/$page" 2>&1)
    if [ -z "$warnings" ]; then ok "$page is well-formed"
    else fail "$page is well-formed" "$warnings"; fi
  fi
done

for shell in bash zsh fish; do
  "$berth" --generate-completion-script $shell >"$stage/$shell"
  if ! command -v $shell >/dev/null; then
    echo "left out: here is no $shell to read its completion"
  elif complaint=$($shell -n "$stage/$shell" 2>&1) && [ -s "$stage/$shell" ]; then
    ok "the completion for $shell is well-formed"
  else fail "the completion for $shell is well-formed" "$complaint"; fi
done
