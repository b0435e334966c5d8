#!/bin/sh
# usage: bad_plans.sh IREZONE
# Every bad/*.yaml states in its first line the one line that `irezone check` must print, and in a second line that begins
# with "#--set" an override to go with it. Status 2, nothing on the standard output, no file left.
irezone=$1
cases=$(cd "$(dirname "$0")/bad" && pwd)
folder=$(mktemp -d) || exit 1
trap 'rm -rf "$folder"' EXIT
cd "$folder" || exit 1
failed=0
count=0
for case in "$cases"/*.yaml; do
  name=$(basename "$case")
  count=$((count + 1))
  cp "$case" "$name"
  wanted=$(sed -n '1s/^# //p' "$name")
  override=$(sed -n '2s/^#--set //p' "$name")
  if [ -n "$override" ]; then
    "$irezone" check "$name" --set "$override" >out 2>err
  else
    "$irezone" check "$name" >out 2>err
  fi
  status=$?
  if [ "$status" != 2 ] || [ -s out ] || [ "$(cat err)" != "$wanted" ] || [ "$(wc -l <err)" != 1 ]; then
    echo "$name: status $status"
    echo "  wanted: $wanted"
    echo "  got:    $(cat err out)"
    failed=1
  fi
  rm -f "$name" out err
  if [ -n "$(ls)" ]; then
    echo "$name: left behind: $(ls)"
    failed=1
    rm -rf ./*
  fi
done
[ "$count" -ge 35 ] || { echo "only $count cases found"; failed=1; }
exit $failed
