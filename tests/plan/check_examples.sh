#!/bin/sh
# usage: check_examples.sh IREZONE FOLDER
# Every example in a folder is a plan that nothing is to be said about, and takes `heat: {}`.
irezone=$1
failed=0
for plan in "$2"/*.yaml; do
  if [ "$(basename "$plan")" = real_liver.yaml ] && [ ! -e "$2/../../shared/real/anatomy/liver_labels.nii.gz" ]; then
    echo "$plan: left out, its label map is not there"
    continue
  fi
  said=$("$irezone" check "$plan" 2>&1 >/dev/null) || failed=1
  [ -z "$said" ] || { echo "$plan: $said"; failed=1; }
  grep -q '^pullback' "$plan" && continue
  said=$("$irezone" check "$plan" --set "heat={}" 2>&1 >/dev/null) || { echo "$plan with heat: $said"; failed=1; }
done
exit $failed
