# SPDX-License-Identifier: MIT
# Describes one instance for manifest.json, from the files that instance.sh left in .raw/.
# Arguments: i, log_name; log, verdicts (files of JSON); command, exit, time, qmp, pin (texts, empty
# if there are none).

def lines($name): $qmp | split("\n") | map(select(startswith($name + " ")) | ltrimstr($name + " ") | fromjson);
def answer($name): lines($name) | first | if . then .return else null end;

# One vCPU's counters in a sample.
def counters($cpu): {
  kvm: ((.kvm.return // []) | map(select(.["qom-path"] == $cpu["qom-path"])) | first
    | if . then .stats | map({key: .name, value: .value}) | from_entries else null end),
  thread: .threads[$cpu["thread-id"] | tostring]
};
def growth($from; $to): if $from and $to
  then $to | with_entries(select($from[.key] != null) | .value -= $from[.key]) else null end;

# (`tonumber` takes no white space from jq 1.8 on.)
($time | rtrimstr("\n") | split(" ") | map(tonumber? // null)) as $times
| ($pin | split("\n") | map(select(. != "") | split(" ") | {key: .[0], value: (.[1] | tonumber)})
   | from_entries) as $pinned
| lines("sample") as $samples
| (answer("cpus") // []) as $cpus
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
    vcpus: ($cpus | map(. as $cpu | {
      cpu: .["cpu-index"], thread: .["thread-id"],
      pinned_to: $pinned[.["thread-id"] | tostring],
      kvm: null, host: null
    } + ($samples | last // {} | counters($cpu) | {kvm, host: .thread}))),
    # For each run, if the guest was held before each: growth from there to before the next one.
    runs: [range(($samples | length) - 1) as $n
      | select($samples[$n].before != "over")
      | {run: ($samples[$n].before | tonumber),
         vcpus: ($cpus | map(. as $cpu
           | ($samples[$n] | counters($cpu)) as $from | ($samples[$n + 1] | counters($cpu)) as $to
           | {cpu: .["cpu-index"], kvm: growth($from.kvm; $to.kvm), host: growth($from.thread; $to.thread)}))}]
  }
