# SPDX-License-Identifier: MIT
# What the tables of docs/results.md are made with: numbers, rows, and ratios of runs with the same
# seeds. All files here read results.sh's object: .experiments has NAME to pvspin-report's JSON,
# .cells "MACHINE KEYS LEVEL NEIGHBOUR LOCK" to the runs of that cell by seed (cell.jq).

def fixed($digits): if . < 0 then "-" + (-. | fixed($digits)) else
  . * pow(10; $digits) | round | tostring
  | if $digits == 0 then . else ("0" * ([0, $digits + 1 - length] | max) // "") + .
    | .[:length - $digits] + "." + .[length - $digits:] end end;
def percent: if . == null then "-" elif . >= 0.5 then "\(fixed(0)) %" else "0" end;
def share: if . == null then "-" else . * 100 | percent end;
def known($digits): if . == null then "-" else fixed($digits) end;

def line: "| " + join(" | ") + " |";
def lines(header): (header | line, "|" + ("---|" * length)), .[];
# "a, b and c"
def listed: if length == 0 then "none" elif length == 1 then .[0]
  else (.[:-1] | join(", ")) + " and " + .[-1] end;

def mean: add / length;
# The mean of what is known, null if nothing is.
def mean_known: map(select(. != null)) | if . == [] then null else mean end;

# Two-sided 95 % quantile of Student's t for so many values' mean.
def t95: {"2": 12.706, "3": 4.303, "4": 3.182, "5": 2.776, "6": 2.571, "7": 2.447, "8": 2.365, "9": 2.306,
  "10": 2.262}["\(.)"] // error("no t for \(.) runs");

# The runs of a cell, by seed.
def runs($cell): .cells[$cell] // error("no runs of " + $cell);
# Their rates; no acquisition at all counts as half of one.
def rates($cell): runs($cell) | map([.merit, 8] | max);

# From two arrays of values of the same seeds: the geometric mean of the ratios with its 95 % interval.
def ratio_of($over; $under):
  [range(0; [$over, $under] | map(length) | min) | ($over[.] / $under[.]) | log] as $logs | ($logs | mean) as $mean
  | {ratio: ($mean | exp)} + if ($logs | length) < 2 then {low: null, high: null} else
    (($logs | map((. - $mean) * (. - $mean)) | add) / ($logs | length - 1) | sqrt) as $sd
    | (($logs | length | t95) * $sd / ($logs | length | sqrt)) as $half
    | {low: ($mean - $half | exp), high: ($mean + $half | exp)} end;
# How many times as fast the first cell is.
def faster($a; $b): ratio_of(rates($a); rates($b));
# How many times as long the first cell takes for the same work.
def slower($a; $b): ratio_of(rates($b); rates($a));

# "1.83 (1.74 to 1.92)"
def interval: if .ratio == null then "" elif .low == null then "\(.ratio | fixed(2)) (-)"
  else "\(.ratio | fixed(2)) (\(.low | fixed(2)) to \(.high | fixed(2)))" end;
# What an interval of a ratio says.
def above: .low != null and .low > 1;
def below: .high != null and .high < 1;
