# SPDX-License-Identifier: MIT
# Extracts from one serial log the facts that run.sh needs. Usage: jq -Rn -f log.jq serial-0.log
# `problem` is null only for a whole log: every line that starts with "{" is a JSON object, seq
# counts 1, 2, 3..., and the last record is `end` and gives their number.
# jq loses digits of numbers above 2^53. Only wall-clock times are so large: they are taken from the
# text.

def wall($line; $name):
  ($line | capture("\"" + $name + "\":(?<n>[0-9]+)").n) // null;

reduce inputs as $raw (
  {lines: 0, records: 0, problem: null, vcpus_online: null, end: null, after_end: false, last: null, panics: [],
    hangs: [], runs: [], overlaps: []};
  .lines += 1
  | ($raw | rtrimstr("\r")) as $line
  | if $line | startswith("{") | not then .
    else
      .lines as $number
      | (try ($line | fromjson) catch null) as $record
      | .records += 1
      | if .problem then .
        elif $record == null then .problem = "line \($number) is a broken record"
        elif $record.seq != .records then
          .problem = "line \($number) has seq \($record.seq) where \(.records) was due"
            + ": records are missing"
        else . end
      | if .end then .after_end = true else . end
      | .last = ($record.type // .last)
      | if $record == null then .
        elif $record.type == "boot" then .vcpus_online = $record.vcpus_online
        elif $record.type == "end" then .end = $record
        elif $record.type == "panic" then .panics += [$record]
        elif $record.type == "hang" then .hangs += [$record + {cpus: []}]
        elif $record.type == "hang_cpu" and .hangs != [] then .hangs[-1].cpus += [$record]
        elif $record.type == "run" then
          .runs += [{lock: $record.lock, threads: $record.threads, rep: $record.rep, ops: $record.ops,
                     elapsed_ns: $record.elapsed_ns, ops_wanted: $record.ops_wanted, jobs: $record.jobs,
                     start_ns: wall($line; "start_wall_ns"), end_ns: wall($line; "end_wall_ns")}]
        elif $record.type == "overlap" then
          .overlaps += [{peer: $record.peer, own: [wall($line; "start_ns"), wall($line; "end_ns")],
                         other: [wall($line; "peer_start_ns"), wall($line; "peer_end_ns")]}]
        else . end
    end)
| if .problem then .
  elif .records == 0 then .problem = "there is no record in the log"
  elif .end == null then .problem = "the log ends without its end record"
  elif .after_end then .problem = "there are records after the end record"
  elif .end.records != .records then
    .problem = "the end record counts \(.end.records) records, the log has \(.records)"
  else . end
