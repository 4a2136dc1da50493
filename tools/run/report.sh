# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# After a boot: judges its members, prints report.txt and writes manifest.json. Sourced by run.sh.
#
#   finish_run    finishes the boot in $run_dir; raises `worst` if necessary, removes .raw
#   finish_call   with --runs=N: prints the summary over all boots
#
# Takes  arguments, out, run_dir, tree, version: run.sh
# Takes  host_peer, l1_kernel_given, limit, meet, members, pin, pv, runs: options.sh
# Takes  accel, accel_class, accel_why: accel.sh
# Takes  meet_place: meet.sh
# Takes  code, stories, verdict, why, worst: verdict.sh
# Takes  scratch: environment.sh
# Takes  l1_dir: nested/kernel.sh

finish_run() {
  local run_worst=0
  report_run >"$run_dir/report.txt"
  manifest "$run_worst" >"$run_dir/manifest.json"
  worse "$run_worst"
  rm -rf "$run_dir/.raw"
  print <([[ $run_dir == "$out" ]] || echo "run ${run_dir##*-}"; cat "$run_dir/report.txt") "$run_dir/report.txt" ||
    worse "$EXIT_ENVIRONMENT"
}

# Judges all members and prints the report; sets run_worst.
report_run() {
  local i worst=0 # this boot's: worse() raises it
  for ((i = 0; i < members; i++)); do
    judge_instance "$i"
    worse "$code"
    printf '{"instance":%d,"verdict":"%s","code":%d,"why":%s}\n' "$i" "$verdict" "$code" \
      "$(jq -Rn --arg why "$why" '$why')" >>"$run_dir/.raw/verdicts"
    report_instance "$i"
  done
  report_verdicts
  report_together
  report_overlaps
  [[ -z $meet ]] || report_meeting
  cgroup_note
  run_worst=$worst
}

report_instance() { # INSTANCE
  local i=$1 log errors
  log=$run_dir/$(member_log "$i") errors=$run_dir/$(member_errors "$i")
  ((members == 1 && !host_peer)) || member_title "$i"
  # The guest's own table, and TAP if it ran tests.
  tr -d '\r' <"$log" | sed -n '/^== table/,/^== end/{/^== /!p}
    /^TAP version /p;/^ok /p;/^not ok /p;/^1\.\.[0-9]/p;/^# /p;/^Bail out!/p'
  tr -d '\r' <"$log" | grep -aE '^(error|warning): ' || true
  ((!stories)) || { hang_text "$i"; panic_text "$i"; }
  snapshot_text "$i"
  if [[ $code != 0 && -s $errors ]]; then
    if is_peer "$i"; then echo -n 'the host peer'; else echo -n QEMU; fi
    echo " said: $(report_errors "$errors")"
  fi
  echo "verdict: $verdict: $why"
}

# Prints QEMU's relevant messages: the last ones before it ended, without those about missing
# features of an emulated CPU.
report_errors() { # FILE
  local most=5
  [[ ! -e $run_dir/.raw/unstarted-$i ]] || most=100 # it may be text that was asked for (options_help)
  { grep -av ': warning: ' "$1" || cat "$1"; } | sed "s|$QEMU_DIR/||g" | tail -n "$most"
}

# Lists the members that did not end well once more in one place, because with many members the
# first ones have scrolled away.
report_verdicts() {
  local i
  ((members > 1 && worst != 0)) || return 0
  echo "of $members, $(grep -c '"code":0,' "$run_dir/.raw/verdicts" || true) ended ok"
  jq -r 'select(.code != 0) | "\(.instance)\t\(.verdict): \(.why)"' "$run_dir/.raw/verdicts" |
    while IFS=$'\t' read -r i; do
      echo "  $(member_name "${i%%$'\t'*}"): ${i#*$'\t'}"
    done
}

# Prints all members beside each other. A member that died has "-" for missing runs. Many members
# get short names.
report_together() {
  local i names=() files=()
  ((members > 1)) || return 0
  for ((i = 0; i < members; i++)); do
    files+=("$run_dir/.raw/log-$i.json")
    if ((members <= 4)); then names+=("$(member_name "$i")"); elif is_peer "$i"; then names+=(host); else names+=("VM $i"); fi
  done
  jq -rs --argjson names "$(printf '%s\n' "${names[@]}" | jq -Rn '[inputs]')" -f "$tree/tools/run/members.jq" \
    "${files[@]}" | awk -F '\t' '
    { for (i = 1; i <= NF; i++) { cell[NR, i] = $i; if (length($i) > width[i]) width[i] = length($i) }
      if (NF > fields) fields = NF }
    END { for (n = 1; n <= NR; n++) {
        line = sprintf("%-*s", width[1], cell[n, 1])
        for (i = 2; i <= fields; i++) line = line "  " sprintf("%*s", width[i], cell[n, i])
        sub(/ +$/, "", line); print line } }'
}

# Prints how long pairs of instances measured at the same time, comparing the n-th run of both.
report_overlaps() {
  local i files=()
  ((members > 1)) || { echo '[]' >"$run_dir/.raw/overlaps.json"; return 0; }
  for ((i = 0; i < members; i++)); do files+=("$run_dir/.raw/log-$i.json"); done
  jq -L "$tree/tools/run" -s 'include "overlap";
      [range(length) as $a | range($a + 1; length) as $b
      | range([(.[$a].runs | length), (.[$b].runs | length)] | min) as $n
      | .[$a].runs[$n] as $x | .[$b].runs[$n] as $y
      | select($x.start_ns and $x.end_ns and $y.start_ns and $y.end_ns)
      | {run: ($n + 1), lock: $x.lock, instances: [$a, $b],
         start_ns: [$x.start_ns, $y.start_ns], end_ns: [$x.end_ns, $y.end_ns]}
        + overlap([$x.start_ns, $x.end_ns]; [$y.start_ns, $y.end_ns])]' "${files[@]}" \
    >"$run_dir/.raw/overlaps.json"
  jq -r 'select(length > 0)
      | (map(.overlap_us) | add) as $o | (map(.shorter_us) | add) as $s
      | (if $s > 0 then $o * 100 / $s | floor else 0 end) as $percent
      | "overlap: \(length) pairs of measured phases, \($percent) % of the shorter ones"' \
    "$run_dir/.raw/overlaps.json"
}

# Prints the result of --meet: how often each of the other calls was released with us, and the
# overlaps that our logs prove.
report_meeting() {
  local i files=() raw=$run_dir/.raw
  for ((i = 0; i < members; i++)); do files+=("$raw/log-$i.json"); done
  [[ -e $raw/meeting ]] || : >"$raw/meeting"
  jq -L "$tree/tools/run" -s --rawfile meeting "$raw/meeting" -f "$tree/tools/run/meeting.jq" "${files[@]}" >"$raw/meeting.json"
  jq -r '.[] | (if .shorter_us > 0 then .overlap_us * 100 / .shorter_us | floor else null end) as $percent
      | {crashed: "a member of it died", stopped: "it was stopped", died: "it died"}[.left // ""] as $lost
      | "met PID \(.pid) (\(.user), \(.out)): "
        + (if $percent then "our logs show \(.phases) pairs of measured phases, \($percent) % of the shorter at the same time"
           else "our logs show no measured phase at the same time as its own" end)
        + (if $lost then "\n  error: \($lost) after these: what we measured later was without it" else "" end)' \
    "$raw/meeting.json"
  # The joint measurement was not completed.
  jq -e 'all(.left == null or .left == "ended")' "$raw/meeting.json" >/dev/null || worse "$EXIT_ENVIRONMENT"
}

# Writes all facts about a boot, except those that the guest knows and has in its log.
manifest() { # CODE
  local raw=$run_dir/.raw i host l1_host=null boot l1_boot='' l1_version='' package=''
  host=$raw/host
  if [[ $accel == nested ]]; then
    l1_host=$(host_manifest "$host")
    host=$scratch/host
    [[ ! -s $raw/l1 ]] || read -r l1_version <"$raw/l1"
    [[ ! -s $raw/l1-boot ]] || read -r l1_boot <"$raw/l1-boot"
    [[ ! -s $l1_dir/package ]] || read -r package <"$l1_dir/package"
  fi
  read -r boot </proc/sys/kernel/random/boot_id
  [[ -e $raw/meeting.json ]] || : >"$raw/meeting.json"
  jq -n --argjson code "$1" --arg version "$version" --args '$ARGS.positional as $arguments | {
      schema: 1, version: $version, arguments: $arguments, code: $code}' -- "${arguments[@]}" \
    >"$raw/part-call"
  for ((i = 0; i < members; i++)); do
    manifest_instance "$i"
  done >"$raw/part-instances"
  jq -n --slurpfile call "$raw/part-call" --slurpfile instances "$raw/part-instances" \
    --slurpfile overlaps "$raw/overlaps.json" \
    --arg class "$accel_class" --arg why "$accel_why" --arg pv "$pv" --arg pin "$pin" \
    --argjson host "$(host_manifest "$host")" --argjson l1_host "$l1_host" \
    --argjson quota "$(cgroup_manifest)" \
    --arg meet "$meet_place" --slurpfile meeting "$raw/meeting.json" \
    --argjson image "$(manifest_image)" --arg l1 "$accel" --arg package "$package" \
    --arg boot "$boot" --arg l1_boot "$l1_boot" --arg l1_version "$l1_version" --arg limit "$limit" '
    def date: if . then . / 1000000 | floor | todate else null end;
    $call[0] + {
      accel: {class: $class, why: $why}, pv: $pv, pin: (if $pin == "" then null else $pin end),
      timeout_s: ($limit | tonumber),
      host: ($host + {cpu_quota: $quota, boot_id: $boot}),
      l1: (if $l1 == "nested" then $l1_host + {package: $package, kernel: $l1_version, boot_id: $l1_boot} + $image
           else null end),
      qemu: ([$instances[].qemu_version | values] | first),
      started: ([$instances[].started_us | values] | min | date),
      ended: ([$instances[].ended_us | values] | max | date),
      verdict: ([$instances[] | select(.code == $call[0].code) | .verdict] | first),
      instances: $instances, overlaps: $overlaps[0]}
      + if $meet == "" then {} else {meeting: {directory: $meet, calls: $meeting[0]}} end'
}

# For a kernel given by its path: prints the path and the name made of its content.
manifest_image() {
  if [[ -z ${l1_dir:-} || ! -e $l1_dir/release ]]; then
    echo '{}'
  else
    jq -n --arg path "$l1_kernel_given" --arg name "${l1_dir##*/}" --arg release "$(<"$l1_dir/release")" \
      '{package: null, path: (if $path | contains("/") then $path else null end), name: $name, release: $release}'
  fi
}

manifest_instance() { # INSTANCE
  local i=$1 raw=$run_dir/.raw file
  for file in command exit time qmp pin; do # a killed instance leaves only some
    [[ -e $raw/$file-$i ]] || : >"$raw/$file-$i"
  done
  jq -n --slurpfile log "$raw/log-$i.json" --slurpfile verdicts "$raw/verdicts" --argjson i "$i" \
    --arg log_name "$(member_log "$i")" --rawfile command "$raw/command-$i" --rawfile exit "$raw/exit-$i" \
    --rawfile time "$raw/time-$i" --rawfile qmp "$raw/qmp-$i" --rawfile pin "$raw/pin-$i" \
    -f "$tree/tools/run/instance.jq"
}

finish_call() {
  ((runs > 1)) || return 0
  jq -n --argjson code "$worst" --arg version "$version" --arg class "$accel_class" \
    '{schema: 1, version: $version, accel: {class: $class}, code: $code,
      runs: [inputs | {dir: "run-\(input_filename | capture("run-(?<n>[0-9]+)/[^/]*$").n)",
                       verdict: .verdict, code: .code}]}' "$out"/run-*/manifest.json \
    >"$out/manifest.json"
  local n
  for ((n = 1; n <= runs; n++)); do
    [[ ! -e $out/run-$n/report.txt ]] || { echo "run $n"; cat "$out/run-$n/report.txt"; }
  done >"$out/report.txt"
}
