# SPDX-License-Identifier: MIT
# Section 5 of docs/results.md: steal-driven parking (governor=1 of workload=kbuild) against locks.
include "figures";

def compile($own; $other; $lock):
  "study workload=kbuild,tasks=56,jobs=1000,governor_ms=10,governor=\($own) 2 \($other) \($lock)";
def locks: ["virt-spin", "pv-qspinlock", "paq"];
def modes: [["neither VM parks", 0, "-"], ["both park", 1, "-"], ["this one parks, the other does not", 1, "governor=0"],
  ["the other parks, this one does not", 0, "governor=1"]];
# How much longer the compile takes than under virt-spin where nobody parks.
def against($cell): ratio_of(runs($cell) | map(.merit); runs(compile(0; "-"; "virt-spin")) | map(.merit));

def governor_table: . as $all
  | [locks[] as $lock | modes[] as [$title, $own, $other] | compile($own; $other; $lock) as $cell | ($all | runs($cell)) as $runs
      | [$lock, $title, ([$runs[].merit] | mean | fixed(3)), if $lock == "virt-spin" and $own == 0 and $other == "-" then "" else $all | against($cell) | interval end]
        + [("running", "spinning", "halted", "idle", "stolen") as $part | [$runs[].time[$part]] | mean_known | share] | line]
  | lines(["lock", "steal-driven parking", "time, s", "against virt-spin without (95 %)", "running", "spinning", "halted", "idle", "stolen"]);
def stolen($cell): [runs($cell)[].time.stolen] | mean | share;
def governor_story:
  def alone($lock): against(compile(0; "-"; $lock)) | interval;
  "**What came out (sim, \(runs(compile(0; "-"; "virt-spin")) | length) seeds).** If both VMs park, a compile under virt-spin takes "
  + "\(against(compile(1; "-"; "virt-spin")) | interval) times as long, and \(stolen(compile(1; "-"; "virt-spin"))) of its vCPUs' time is "
  + "stolen, not \(stolen(compile(0; "-"; "virt-spin"))). The best that a lock does instead is "
  + "\(if against(compile(0; "-"; "paq")).ratio < against(compile(0; "-"; "pv-qspinlock")).ratio
      then "paq's \(alone("paq"))" else "pv-qspinlock's \(alone("pv-qspinlock"))" end). A VM that parks beside one that does not "
  + "takes \(against(compile(1; "governor=0"; "virt-spin")) | interval) times as long, and the other one "
  + "\(against(compile(0; "governor=1"; "virt-spin")) | interval).";
