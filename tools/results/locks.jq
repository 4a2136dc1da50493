# SPDX-License-Identifier: MIT
# Section 4 of docs/results.md: all locks by efficiency, fairness and tail, in one table and in
# docs/locks.svg.
include "figures";

def levels: [["1", 1, "1x"], ["1.5", 1.5, "1.5x"], ["2", 2, "2x"], ["4", 4, "4x"],
  ["1.5in", 1.5, "1.5x in one VM"], ["2in", 2, "2x in one VM"], ["4in", 4, "4x in one VM"]];
def lock_cell($level; $lock): "study think=5000 \($level) - \($lock)";
def names: [.cells | keys[] | capture("^study think=5000 4in - (?<lock>[a-z0-9-]+)$").lock];

def rate($level; $lock): runs(lock_cell($level; $lock)) | map(.merit) | mean;
# The highest rate of any lock at 1x, and how much of the time that lock was wanted.
def best: . as $all | [names[] as $lock | {lock: $lock, rate: ($all | rate("1"; $lock))}] | max_by(.rate)
  | .rho = 1 - ([. as $best | $all | runs(lock_cell("1"; $best.lock))[].lock_time.unwanted] | mean);
def blind($rho; $r): 1 / (1 + $rho * ($r - 1));
def reactive($rho): 1 / (1 + $rho * 2.5 / 4000);

# A cell's figures: efficiency and half its range over the seeds, Jain's index (in windows, or of the
# whole phase), p99.9 in ms.
def figures($level; $lock; $top):
  runs(lock_cell($level; $lock)) as $runs
  | [$runs[] | .merit / $top] as $of
  | {lock: $lock, efficiency: ($of | mean), half: ((($of | max) - ($of | min)) / 2), windows: ([$runs[].jain_windows] | all),
      jain: ([$runs[] | .jain_windows // .jain] | mean), tail: ([$runs[].wait_us] | mean_known | if . then . / 1000 else null end)};
def tail: if . == null then "-" elif . < 0.1 then fixed(2) elif . < 10 then fixed(1) else fixed(0) end;
def shown: "\(.efficiency | fixed(2))±\(.half | fixed(2)) \(.jain | fixed(2))\(if .windows then "" else "*" end) \(.tail | tail)";

# All figures, the best lock at 2x first.
def table_of: . as $all | best as $best
  | [names[] as $lock | {lock: $lock, at: [levels[] as [$level] | $all | figures($level; $lock; $best.rate)]}]
  | sort_by([-.at[2].efficiency, .lock]);

def locks_table:
  best as $best
  | [(["*blind bound*"] + [levels[] as [$level, $r] | blind($best.rho; $r) | fixed(2)] | line),
     (["*reactive bound*"] + [levels[] as [$level, $r] | if $r == 1 then 1 else reactive($best.rho) end | fixed(2)] | line),
     (table_of[] | [.lock] + (.at | map(shown)) | line)]
  | lines(["lock"] + [levels[][2]]), "", "![The same as a picture](locks.svg)";

def locks_story:
  best as $best | table_of as $table
  | def beyond($i): [$table[] | select(.at[$i].efficiency - .at[$i].half > blind($best.rho; levels[$i][1])) | .lock];
    def best_at($i): [$table[] | {lock, value: .at[$i].efficiency}] | max_by(.value) | "\(.lock) \(.value | fixed(2))";
    ([$table[].at[].half] | sort) as $halves
  | "**What came out (sim, \(runs(lock_cell("2"; "tas")) | length) seeds).** X* is \($best.lock)'s "
    + "\($best.rate / 1000 | fixed(0)) thousand sections a second. Above the blind bound, by more than the seeds differ, are at "
    + "2x \(beyond(2) | length) of \($table | length) locks between VMs (\(beyond(2) | listed)) and \(beyond(5) | length) within one "
    + "(\(beyond(5) | listed)). The best at 1x, 1.5x, 2x and 4x between VMs are \([range(0; 4) | best_at(.)] | listed); within one VM "
    + "at 1.5x, 2x and 4x \([range(4; 7) | best_at(.)] | listed). Half the range of the seeds is "
    + "\($halves[$halves | length / 2 | floor] | fixed(2)) in the middle, \($halves[$halves | length * 0.9 | floor] | fixed(2)) for nine in ten cells and "
    + "\($halves | max | fixed(2)) at worst.";
