# SPDX-License-Identifier: MIT
# The members of a run beside each other and together. Usage: jq -rs -f together.jq log-0.json log-1.json...
# (log.jq). One line for each lock and number of threads, with tabs between, a title line first: the mean over
# the repetitions of each member's operations per second and of their sum; of runs with a fixed amount of work
# the seconds it took, and until the last was done.

def mean: add / length;
def fixed: .ops_wanted != null or .jobs != null;
def figure: if fixed then .elapsed_ns / 1e9 else .ops * 1e9 / .elapsed_ns end;
# Three digits, with the prefix that makes it so.
def digits: if . >= 100 then round elif . >= 10 then . * 10 | round / 10 else . * 100 | round / 100 end;
def text: if . >= 1e6 then "\(. / 1e6 | digits) M" elif . >= 1e3 then "\(. / 1e3 | digits) k"
  else "\(digits)" end;
def distinct: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);

[.[].runs | map(select(.elapsed_ns > 0))] as $members
| ($members | map(length) | min) as $count
| [range($count) as $n | {n: $n, runs: [$members[] | .[$n]]}]
| group_by([.runs[] | .lock, .threads])
| map({n: (map(.n) | min), of: .[0].runs, figures: (map([.runs[] | figure]) | transpose),
       all: (map([.runs[] | figure]) | map(if length == 0 then 0 else add end)),
       last: (map([.runs[] | figure] | max))})
| sort_by(.n)
| select(length > 0)
| (.[0].of[0] | fixed) as $fixed
| (["together", "threads"] + $names + [if $fixed then "last" else "all" end] | join("\t")),
  (.[] | [(.of | map(.lock) | distinct | join(" / ")), (.of | map(.threads) | distinct | join(" / "))]
    + (.figures | map(mean | text)) + [if $fixed then .last else .all end | mean | text]
    + [if $fixed then "s" else "ops/s" end] | join("\t"))
