# SPDX-License-Identifier: MIT
# One instance for manifest.json, from what instance.sh left in .raw/ (see there). Arguments: i, log_name;
# log, verdicts (files of JSON); command, exit, time, qmp, pin (texts, empty where there is none).

def answer($name): $qmp | split("\n") | map(select(startswith($name + " ")))
  | first | if . then (ltrimstr($name + " ") | fromjson | .return) else null end;

# (`tonumber` takes no white space from jq 1.8 on.)
($time | rtrimstr("\n") | split(" ") | map(tonumber? // null)) as $times
| ($pin | split("\n") | map(select(. != "") | split(" ") | {key: .[0], value: (.[1] | tonumber)})
   | from_entries) as $pinned
| ((answer("stats") // [])
   | map({key: (.["qom-path"] // ""),
          value: (.stats | map({key: .name, value: .value}) | from_entries)})
   | from_entries) as $stats
| ($verdicts | map(select(.instance == $i)) | first) as $v
| {
    instance: $i,
    log: $log_name,
    role: (if $log_name == "host-peer.log" then "host-peer" else "vm" end),
    verdict: $v.verdict, code: $v.code, why: $v.why,
    records: $log[0].records,
    qemu_exit: ($exit | rtrimstr("\n") | tonumber? // null),
    qemu_version: (answer("version") | if . then
      "\(.qemu.major).\(.qemu.minor).\(.qemu.micro) \(.package // "")" | rtrimstr(" ")
      else null end),
    started_us: $times[0], ended_us: $times[1],
    command: ($command | split("\u0000") | .[:-1]),
    vcpus: ((answer("cpus") // []) | map({
      cpu: .["cpu-index"], thread: .["thread-id"],
      pinned_to: $pinned[.["thread-id"] | tostring],
      kvm: $stats[.["qom-path"]]}))
  }
