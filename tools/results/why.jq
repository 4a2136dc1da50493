# SPDX-License-Identifier: MIT
# Sections 2 and 3 of docs/results.md: Linux 4.12's lock and today's on hosts that differ in one thing.
include "figures";

def TAS: "virt-spin,virt_spin_pause=0";
def OLD: "pv-qspinlock,pvq_hybrid=0,pvq_prev_preempted=1";
def NEW: "pv-qspinlock";
def TODAY: "study,sched=eevdf,kick_yield=1,pv_yield=1,halt_poll=200,halt_poll_shrink=2,preempted_always=0";
def why_cell($host; $lock): "\($host) think=50000,ms=120,warmup_ms=60 2 - \($lock)";
def hosts: [
  ["study", "as it was: Linux 4.12"],
  ["study,ple=0", "no pause-loop exits"],
  ["study,groups=0", "no cgroup for each VM"],
  ["study,kick_us=50", "a kicked thread runs after 50 us, not 5"],
  ["study,kick_yield=1", "a kick yields (since 5.3)"],
  ["study,halt_poll=200,halt_poll_shrink=2", "KVM polls before a vCPU sleeps"],
  ["study,sched=eevdf", "EEVDF of 6.12"],
  [TODAY, "all that 6.12 has of these: EEVDF, yields, polls, flags only outside exits"]];
def machines: [["study", "study, Linux 4.12 as host"], [TODAY, "study, 6.12 as host"], ["skylake", "skylake, 6.12 as host"],
  ["milan", "milan, 6.12 as host"]];

def times($hosts):
  . as $all
  | [$hosts[] as [$host, $title] | [$title, (OLD, NEW, "paq" | . as $lock
      | $all | slower(why_cell($host; $lock); why_cell($host; TAS)) | interval)] | line]
  | lines(["host", "pv-qspinlock of 4.12", "pv-qspinlock of today", "paq"]);

def why_times: times(hosts);
def why_machines: times(machines);

# Where the lock's time and the vCPUs' time went.
def split($host; $title; $name; $lock):
  runs(why_cell($host; $lock)) as $runs
  | def part(f): [$runs[] | f] | mean_known | share;
    [$title, $name, part(.lock_time.work), part(.lock_time.holder_off), part(.lock_time.handover), part(.lock_time.waking),
      part(.lock_time.grantee_off), part(.lock_time.passed), part(.lock_time.unwanted),
      part(.time.running), part(.time.spinning), part(.time.halted), part(.time.stolen)] | line;
def why_split:
  . as $all
  | ([["virt-spin of 4.12", TAS], ["pv-qspinlock of 4.12", OLD], ["... stealing as today's", "pv-qspinlock,pvq_prev_preempted=1"],
      ["... not halting early", "pv-qspinlock,pvq_hybrid=0"], ["pv-qspinlock of today", NEW], ["paq", "paq"]]
    | map(. as [$name, $lock] | $all | split("study"; hosts[0][1]; $name; $lock))) as $first
  | [hosts[1:][] as [$host, $title] | ["virt-spin of 4.12", TAS], ["pv-qspinlock of 4.12", OLD]
      | . as [$name, $lock] | $all | split($host; $title; $name; $lock)] as $rest
  | $first + $rest
  | lines(["host", "lock", "held, runs", "held, preempted", "hand-over", "waking", "next is off", "passed", "unwanted",
    "vCPUs run", "spin", "halted", "stolen"]);

def verdicts($hosts; $lock; $test): . as $all | [$hosts[] as [$host, $title]
  | $all | slower(why_cell($host; $lock); why_cell($host; TAS)) | select(if $test == 1 then above elif $test == -1 then below
    else (above or below | not) end) | $title];
def verdict($hosts; $lock; $name):
  "\($name) is slower than test-and-set on \(verdicts($hosts; $lock; 1) | length) of \($hosts | length) hosts, faster on "
  + "\(verdicts($hosts; $lock; -1) | length) and not decided on \(verdicts($hosts; $lock; 0) | length)";
def parts($lock; f): [runs(why_cell("study"; $lock))[] | f] | mean_known | share;
def range_of($hosts; $lock): . as $all | [$hosts[] as [$host, $title]
  | $all | slower(why_cell($host; $lock); why_cell($host; TAS)).ratio] | "\(min | fixed(2)) to \(max | fixed(2))";

def why_story:
  "**What came out (sim, \(runs(why_cell("study"; OLD)) | length) seeds, 120 ms each).** \(verdict(hosts; OLD; "4.12's lock")) (\(range_of(hosts; OLD))); "
  + "\(verdict(hosts; NEW; "today's")) (\(range_of(hosts; NEW))). On the host as it was, 4.12's lock is held for "
  + "\(parts(OLD; .lock_time.work)) of the time (today's \(parts(NEW; .lock_time.work)), test-and-set "
  + "\(parts(TAS; .lock_time.work))); for \(parts(OLD; .lock_time.waking)) it is free while the next owner wakes up, and for "
  + "\(parts(OLD; .lock_time.passed)) free, waited for, and in the end taken by a vCPU that came later.";

def machines_story:
  def on($lock; $test): verdicts(machines; $lock; $test) | listed;
  "**What came out (sim, \(runs(why_cell("study"; OLD)) | length) seeds).** 4.12's lock is slower than test-and-set on: \(on(OLD; 1)); faster on: "
  + "\(on(OLD; -1)); not decided: \(on(OLD; 0)). Today's is slower on: \(on(NEW; 1)); faster on: \(on(NEW; -1)); not "
  + "decided: \(on(NEW; 0)).";
