# SPDX-License-Identifier: MIT
# Makes a table of a boot's members and their sum. Usage, with files made by log.jq:
#
#   jq -rs --argjson names '[...]' -f members.jq log-0.json log-1.json...
#
# Prints a title line, then a line for each lock and number of threads, with tabs between: the mean
# over the repetitions of each member's operations per second, and of their sum. For runs with a
# fixed amount of work: the seconds that each member took, and those until the last one was done. A
# member that died has "-" for missing runs; sums are over the repetitions that all members have.

def mean: add / length;
def fixed: .ops_wanted != null or .jobs != null;
def figure: if fixed then .elapsed_ns / 1e9 else .ops * 1e9 / .elapsed_ns end;
# Formats a number with three digits and a prefix.
def digits: if . >= 100 then round elif . >= 10 then . * 10 | round / 10 else . * 100 | round / 100 end;
def text: if . >= 1e6 then "\(. / 1e6 | digits) M" elif . >= 1e3 then "\(. / 1e3 | digits) k"
  else "\(digits)" end;
def text_of_mean: if length == 0 then "-" else mean | text end;
def distinct: reduce .[] as $x ([]; if index([$x]) then . else . + [$x] end);
# Fills in what a dead member's run would have, if it is the same for all others.
def filled: (map(values) | distinct) as $known | if ($known | length) == 1 then map(. // $known[0]) else . end;
def title: map(. // "-") | distinct | join(" / ");

[.[].runs | map(select(.elapsed_ns > 0))] as $members
| ($members | map(length) | max // 0) as $count
| [range($count) as $n | {n: $n, runs: [$members[] | .[$n]]}
   | .locks = ([.runs[].lock] | filled) | .threads = ([.runs[].threads] | filled)]
| group_by([.locks, .threads])
| map({n: (map(.n) | min), of: .[0], first: ([.[].runs[] | values] | first),
       each: (map(.runs) | transpose | map([.[] | values | figure])),
       whole: (map(.runs | select(all(. != null)) | map(figure)))})
| sort_by(.n)
| select(length > 0)
| (.[0].first | fixed) as $fixed
| (["together", "threads"] + $names + [if $fixed then "last" else "all" end] | join("\t")),
  (.[] | [(.of.locks | title), (.of.threads | map(values) | title)] + (.each | map(text_of_mean))
    + [.whole | map(if $fixed then max else add end) | text_of_mean] + [if $fixed then "s" else "ops/s" end] | join("\t"))
