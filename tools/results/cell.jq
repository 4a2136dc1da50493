# SPDX-License-Identifier: MIT
# One run's figures for cells.sh, from the report on the VMs that count, and their boot and wait records.

# The upper end of the bucket in which a share of all waits is over, in cycles; null: nothing was counted.
def quantile($share): (map(.[2]) | add) as $all
  | reduce (sort[]) as $bucket ({sum: 0, at: null}; .sum += $bucket[2]
    | if .at == null and .sum >= $share * $all then .at = $bucket[1] else . end) | .at;

def cell($words):
  ($words | split(" ")) as [$machine, $keys, $level, $neighbour, $lock, $seed]
  | .[0] as $report
  | ([.[] | select(.type? == "boot")][0].host) as $host
  | [.[] | select(.type? == "hist") | .buckets[]] as $waits
  | [$report.sets[0].cells[] | select(.instances == 1 or .instance != "all") | .samples] as $vms
  | def mean($field): [$vms[] | .[$field].mean | select(. != null)] | if length > 0 then add / length else null end;
    {machine: $machine, keys: $keys, level: $level, neighbour: $neighbour, lock: $lock, seed: ($seed | tonumber),
      cpus: $host.cpus, khz: $host.khz,
      merit: mean("merit"), jain: mean("jain"), jain_windows: mean("jain_windows"), halts: mean("halts"),
      wait_us: (if $waits == [] then null else ($waits | quantile(0.999)) / $host.khz * 1000 end),
      time: (["running", "spinning", "halted", "idle", "stolen"] | map({(.): mean(.)}) | add),
      lock_time: (["work", "holder_off", "handover", "waking", "grantee_off", "passed", "unwanted"]
        | map({(.): mean("lock_" + .)}) | add)};
