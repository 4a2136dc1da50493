# SPDX-License-Identifier: MIT
# docs/contended.svg: time against test-and-set's with its 95 % interval, a row for each lock.
# docs/locks.svg: efficiency, fairness and tail of all locks, a row for each.
include "figures";
include "study";
include "locks";

def text($at; $y; $anchor): "<text x=\"\($at)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\(@html)</text>";
def svg($width; $height; $size; $title): "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \($width) \($height)\" role=\"img\" font-family=\"sans-serif\" font-size=\"\($size)\" fill=\"#444\" stroke=\"none\">",
  "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>", "<title>\($title)</title>";

def contended_picture:
  250 as $left | 640 as $width | 24 as $row | 2 as $highest
  | def x: ($left + . / $highest * ($width - $left - 60)) | fixed(1);
    [rows("contended") | select(.ratio)] as $rows
  | (($rows | length) * $row + 40) as $height
  | svg($width; $height + 24; 13; "Time of a fixed amount of work against test-and-set's (95 %): two VMs of 28 vCPUs on 28 simulated CPUs"),
    (range(0; $highest * 2 + 1) / 2 | "<path d=\"M\(x) 16V\($height - 16)\" stroke=\"\(if . == 1 then "#444" else "#ccc" end)\"/>",
      (. as $at | fixed(1) | text($at | x; $height; "middle"))),
    ($rows | to_entries[] | (.key * $row + 32) as $y | .value
      | (.label | text($left - 12; $y + 4; "end")),
        "<path d=\"M\(.low | x) \($y)H\(.high | x)\" stroke=\"#06c\" stroke-width=\"3\"/>",
        "<circle cx=\"\(.ratio | x)\" cy=\"\($y)\" r=\"5\" fill=\"#06c\"/>",
        (. as $row | .ratio | fixed(2) | text($width - 8; $y + 4; "end"))),
    ("time, test-and-set of Linux 4.12 = 1; class sim" | text($left + ($width - $left - 60) / 2; $height + 18; "middle")),
    "</svg>";

# A point for each lock and level in three panels; one path for each panel and level.
def locks_picture:
  table_of as $table
  | [["efficiency X/X*", 130, (range(0; 6) / 5 | [., fixed(1)])], ["Jain's index", 345, (range(0; 6) / 5 | [., fixed(1)])],
     ["p99.9 wait", 560, ([0, "1 us"], [0.2, "10 us"], [0.4, "0.1 ms"], [0.6, "1 ms"], [0.8, "10 ms"], [1, "0.1 s"])]] as $panels
  | 180 as $width | 15 as $row | 46 as $top
  | [[0, "#bbb", "1x"], [2, "#06c", "2x, two VMs"], [3, "#024", "4x, four VMs"], [5, "#e70", "2x in one VM"]] as $series
  | def value($panel): if $panel == 0 then .efficiency elif $panel == 1 then .jain
      else .tail | if . then ((. * 1000 | [., 1] | max | log10) / 5 | [., 1.02] | min) else null end end;
    ($top + ($table | length) * $row) as $bottom
  | best as $best
  | svg(780; $bottom + 26; 11; "All locks on 28 simulated CPUs, one contended lock: efficiency, fairness and tail"),
    ($series | to_entries[] | (130 + .key * 130) as $at | .value as [$_, $colour, $name]
      | "<circle cx=\"\($at)\" cy=\"12\" r=\"4\" fill=\"\($colour)\"/>", ($name | text($at + 8; 16; "start"))),
    ($panels[] | .[0] as $title | .[1] as $left | ($title | text($left + $width / 2; 32; "middle")),
      (.[2:][] as [$at, $mark] | "<path d=\"M\($left + $at * $width | fixed(0)) \($top - 8)V\($bottom)\" stroke=\"#ddd\"/>",
        ($mark | text($left + $at * $width; $bottom + 14; "middle")))),
    (blind($best.rho; 2) * $width + 130 | fixed(0) | "<path d=\"M\(.) \($top - 8)V\($bottom)\" stroke=\"#06c\" stroke-dasharray=\"3\"/>"),
    ($table | to_entries[] | .key as $i | .value.lock | text(122; $top + $i * $row + 4; "end")),
    ($panels | to_entries[] | .key as $panel | .value[1] as $left | $series[] as [$level, $colour, $_]
      | [$table | to_entries[] | .key as $i | .value.at[$level] | value($panel) | select(. != null)
          | "M\($left + . * $width | fixed(0)) \($top + $i * $row)h0"] | join("")
      | "<path d=\"\(.)\" stroke=\"\($colour)\" stroke-width=\"8\" stroke-linecap=\"round\" opacity=\".8\"/>"),
    ("class sim; dashed: blind bound at 2x" | text(390; $bottom + 25; "middle")),
    "</svg>";
