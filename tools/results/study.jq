# SPDX-License-Identifier: MIT
# Section 1 of docs/results.md, and README's figure: what the study of 2017 found, and the same on
# its host, simulated.
include "figures";

# The rows of an experiment: label, time, the ratio to test-and-set with its interval, where the time went.
def rows($name):
  .experiments[$name] as $all | $all.experiments[0] as $e
  | $e.cells[] as $cell
  | ($e.times[] | select(.cell == $cell.label)) as $time
  | ([$e.findings[] | select(.cell == $cell.name and .other == "tas" and .kind != "wilder") | .text][0]) as $text
  | { name: $cell.name, label: $cell.label, mean: $time.mean_s, sd: $time.sd_s, why: $cell.why }
    + if $text == null then {} else $all.findings[] | select(.finding == $text)
      | {ratio, low: .ratio_low, high: .ratio_high} end;
def row($name): first(rows("contended") | select(.name == $name));

def contended:
  [rows("contended") | [.label, (.mean | fixed(3)), (.sd | fixed(3)), interval,
    (.why.running_percent | percent), (.why.spinning_percent | percent), (.why.halted_percent | percent),
    (.why.stolen_percent | percent), (.why.halts_per_s | fixed(0))] | line]
  | lines(["lock", "time, s", "sd, s", "against test-and-set (95 %)", "running", "spinning", "halted",
    "stolen", "halts a second"]);

# The study's findings, of the contended lock and of the model of a compile.
def findings:
  [["contended", "one contended lock"], ["two-vms", "compile, two VMs"], ["host-vs-pv", "compile, host and a VM"],
    ["host-vs-tas", "compile, host and a VM"], ["uncontended", "compile, one VM"]] as $experiments
  | [$experiments[] as [$name, $title] | .experiments[$name].findings[]
      | .low = .ratio_low | .high = .ratio_high | select(.study_ratio or .finding == "pv of 4.12 slower than test-and-set"
        or .finding == "pv of 4.12 wilder than test-and-set" or .finding == "pv of today slower than test-and-set")
      | [$title, .finding, .of, (.study_ratio // (if .of == "time" then 1.61 else 12.85 end) | fixed(2)), interval,
        (.verdict | sub("^simulated: "; ""))] | line]
  | lines(["workload", "finding of the study", "of", "the study", "here (95 %)", "here it is"]);

def wilder: first(.experiments.contended.findings[] | select(.finding == "pv of 4.12 wilder than test-and-set"));

def story:
  row("pv-4.12") as $old | row("pv") as $new | row("tas") as $tas | row("pv-queued") as $queued | row("pv-early") as $early
  | "**The cause (sim, 10 seeds).** The lock of the study's kernel takes \($old | interval) times as long as "
    + "test-and-set (the study: 1.61), by its one attempt to steal alone \($queued | interval), by its early halt alone "
    + "\($early | interval); today's takes \($new | interval). Its VMs do not lack CPUs: "
    + "\($old.why.stolen_percent | percent) of their time is stolen, where test-and-set loses "
    + "\($tas.why.stolen_percent | percent). They sleep: \($old.why.halted_percent | percent) of all vCPU time is spent "
    + "halted in the lock's queue, with \($old.why.halts_per_s | fixed(0)) halts a second in each VM, and "
    + "\($new.why.halts_per_s | fixed(0)) with today's lock.";

# README's paragraph.
def readme:
  row("pv-4.12") as $old | row("pv") as $new | row("with-paq") as $paq
  | "With one contended lock on the study's host, simulated, that kernel's lock takes \($old | interval) times as long "
    + "as test-and-set (95 % interval): \($old.why.halted_percent | percent) of its vCPUs' time they sleep in its queue "
    + "while the lock is free. Today's takes \($new | interval) times as long, and paq, a lock of pvspin's own, "
    + "\($paq | interval). [How, why, where not, and what only real hardware can settle](docs/results.md).";
