# SPDX-License-Identifier: MIT
# Describes the other calls of --meet for manifest.json. Usage: jq -L tools/run -s -f meeting.jq
# log-0.json log-1.json... (made by log.jq), with --rawfile meeting, the output of meet_write in
# meet.sh. The overlaps are those that our own logs prove. A peer's number tells which call it
# belongs to.

include "overlap";

[.[].overlaps[] | {peer} + overlap(.own; .other)] as $all
| [$meeting | split("\n")[] | select(. != "") | split("\t")
  | (.[1] | tonumber) as $members | (.[2] | tonumber) as $first
  | [$all[] | select(.peer >= $first and .peer < $first + $members)] as $with
  | {pid: (.[0] | tonumber), user: .[5], out: (.[6:] | join("\t")), members: $members, first_peer: $first,
     releases: (.[3] | tonumber), left: (if .[4] == "-" then null else .[4] end),
     phases: ($with | length), overlap_us: ($with | map(.overlap_us) | add // 0),
     shorter_us: ($with | map(.shorter_us) | add // 0)}]
