# SPDX-License-Identifier: MIT
# overlap(ONE; OTHER): how long two phases overlap and how long the shorter one is, in whole
# microseconds. A phase is [start, end], in ns since 1970, as text. For jq: `-L tools/run`,
# `include "overlap";`.
# Numbers above 2^53 lose digits in jq: those of today are exact to 256 ns.

def overlap($one; $other):
  ([$one[0], $other[0], $one[1], $other[1]] | map(tonumber)) as [$s, $t, $e, $f]
  | {overlap_us: ([0, (([$e, $f] | min) - ([$s, $t] | max)) / 1000] | max | floor),
     shorter_us: ([$e - $s, $f - $t] | min / 1000 | floor)};
