# SPDX-License-Identifier: MIT
# The first lines of docs/results.md: what a reader in a hurry takes along.
import "figures" as f;
import "study" as study;
import "why" as why;
import "locks" as locks;
import "paq" as paq;
import "governor" as governor;

def summary:
  . as $all
  | study::row("pv-4.12") as $old | study::row("pv") as $new
  | locks::table_of as $table | paq::all_goals as $goals
  | def wins($lock; $test): why::verdicts(why::hosts; $lock; $test) | length;
    if $all | f::runs(locks::lock_cell("2"; "tas")) | length < 3 then "**A trial with fewer seeds than planned**: intervals are missing.", "" else empty end,
    "* **Why PV lost** (sim; section 1): its queue slept. With 4.12's lock a fixed amount of work takes \($old | f::interval) times as long as with test-and-set, and \($old.why.halted_percent | f::percent) of the vCPUs' time passes halted in the queue.",
    "* **On which hosts** (sim; 2 and 3): 4.12's lock is slower than test-and-set on \(wins(why::OLD; 1)) of \(why::hosts | length) variants of the study's host. Of the newer machines, it is slower on \(why::verdicts(why::machines[2:]; why::OLD; 1) | f::listed) and faster on \(why::verdicts(why::machines[2:]; why::OLD; -1) | f::listed).",
    "* **Today's PV lock** (sim; 1 to 3) takes \($new | f::interval) times as long as test-and-set on that host; it is slower on \(wins(why::NEW; 1)) and faster on \(wins(why::NEW; -1)) of the \(why::hosts | length) variants.",
    "* **Of \($table | length) locks** (sim; 4), with two VMs and a lock that is always wanted, \($table[0].lock) is the most efficient (\($table[0].at[2].efficiency | f::fixed(2)) ± \($table[0].at[2].half | f::fixed(2)) of the best at 1x), before \($table[1].lock) (\($table[1].at[2].efficiency | f::fixed(2)) ± \($table[1].at[2].half | f::fixed(2))); tas has \($table[] | select(.lock == "tas") | .at[2].efficiency | f::fixed(2)).",
    "* **paq** (sim; 5) against the best of its five rivals at 2x: \([$goals[] | select(.level == "2") | "\(.against | f::interval) on \(.machine) with think=\(.think)"] | f::listed).",
    "* **Steal-driven parking** (sim; 5), both VMs: \($all | governor::against(governor::compile(1; "-"; "virt-spin")) | f::interval) times the time of a compile without it.",
    "* **Unknown** until hardware says so (6): whether a real host agrees.";
