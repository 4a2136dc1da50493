# SPDX-License-Identifier: MIT
# The tables of docs/results.md, from results.sh's object: NAME to pvspin-report's JSON.

def fixed($digits): . * pow(10; $digits) | round | tostring
  | if $digits == 0 then . else ("0" * ([0, $digits + 1 - length] | max) // "") + .
    | .[:length - $digits] + "." + .[length - $digits:] end;
def percent: if . >= 0.5 then "\(fixed(0)) %" else "0" end;

# The rows of a measurement: label, time, the ratio to test-and-set with its interval, where the time went.
def rows:
  . as $all | $all.experiments[0] as $e
  | $e.cells[] as $cell
  | ($e.times[] | select(.cell == $cell.label)) as $time
  | ([$e.findings[] | select(.cell == $cell.name and .other == "tas" and .kind != "wilder") | .text][0]) as $text
  | { name: $cell.name, label: $cell.label, mean: $time.mean_s, sd: $time.sd_s, why: $cell.why }
    + if $text == null then {} else $all.findings[] | select(.finding == $text)
      | {ratio, low: .ratio_low, high: .ratio_high} end;

def ratio: if .ratio == null then ""
  else "\(.ratio | fixed(2)) (\(.low | fixed(2)) to \(.high | fixed(2)))" end;

def lines(header): (header | "| " + join(" | ") + " |", "|" + ("---|" * length)), .[];
def line: "| " + join(" | ") + " |";

def contended:
  [.study | rows | [.label, (.mean | fixed(3)), (.sd | fixed(3)), ratio,
    (.why.running_percent | percent), (.why.spinning_percent | percent), (.why.halted_percent | percent),
    (.why.stolen_percent | percent), (.why.halts_per_s | fixed(0))] | line]
  | lines(["lock", "time, s", "sd, s", "against test-and-set (95 %)", "running", "spinning", "halted",
    "stolen", "halts a second"]);

# One row a host, one column a lock.
def hosts_of($hosts; $cells):
  . as $all
  | [$hosts[] as [$name, $title] | [$all[$name] | rows] as $rows
    | [$title] + [$cells[] as $cell | $rows[] | select(.name == $cell) | ratio] | line]
  | lines(["host"] + [$cells[] as $cell | $all[$hosts[0][0]] | rows | select(.name == $cell) | .label]);

def hosts: hosts_of([["no-ple", "without pause-loop exits"], ["eevdf", "EEVDF of 6.12"],
    ["slow-kick", "a kicked thread runs after 50 us, not 5"]];
  ["pv-4.12", "pv-early", "pv-queued", "pv"]);

# One row a lock, one column a machine.
def machines:
  . as $all | ["study", "skylake", "milan"] as $machines
  | [$all.study | rows | select(.ratio) | .name as $name | [.label] +
      [$machines[] as $machine | $all[$machine] | rows | select(.name == $name) | ratio] | line]
  | lines(["lock"] + $machines);
