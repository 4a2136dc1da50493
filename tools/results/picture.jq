# SPDX-License-Identifier: MIT
# docs/contended.svg: time against test-and-set's with its 95 % interval, a row for each lock.
include "tables";

def LEFT: 250;
def WIDTH: 640;
def ROW: 24;
def HIGHEST: 2;
def x: (LEFT + . / HIGHEST * (WIDTH - LEFT - 60)) | fixed(1);
def text($at; $y; $anchor): "<text x=\"\($at)\" y=\"\($y)\" text-anchor=\"\($anchor)\">\(@html)</text>";

def picture:
  [.study | rows | select(.ratio)] as $rows
  | (($rows | length) * ROW + 40) as $height
  | "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 \(WIDTH) \($height + 24)\" role=\"img\" font-family=\"sans-serif\" font-size=\"13\" fill=\"#444\" stroke=\"none\">",
    "<rect width=\"100%\" height=\"100%\" fill=\"#fff\"/>",
    "<title>Time of a fixed amount of work against test-and-set's (95 %): two VMs of 28 vCPUs on 28 simulated CPUs</title>",
    (range(0; HIGHEST * 2 + 1) / 2 | "<path d=\"M\(x) 16V\($height - 16)\" stroke=\"\(if . == 1 then "#444" else "#ccc" end)\"/>",
      (. as $at | fixed(1) | text($at | x; $height; "middle"))),
    ($rows | to_entries[] | (.key * ROW + 32) as $y | .value
      | (.label | text(LEFT - 12; $y + 4; "end")),
        "<path d=\"M\(.low | x) \($y)H\(.high | x)\" stroke=\"#06c\" stroke-width=\"3\"/>",
        "<circle cx=\"\(.ratio | x)\" cy=\"\($y)\" r=\"5\" fill=\"#06c\"/>",
        (. as $row | .ratio | fixed(2) | text(WIDTH - 8; $y + 4; "end"))),
    ("time, test-and-set of Linux 4.12 = 1; class sim" | text(LEFT + (WIDTH - LEFT - 60) / 2; $height + 18; "middle")),
    "</svg>";
