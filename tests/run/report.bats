#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# build/pvspin-report as users call it: formats, statuses, damaged and
# hostile logs, comparisons. Its logs are one of the hosted build, made here, and those of two
# nested VMs (tests/report/nested).
# shellcheck disable=SC2016 # $names in single quotes are jq's and awk's

bats_require_minimum_version 1.5.0

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s report build/hosted/pvspin >&2
  export LOG="$BATS_FILE_TMPDIR/a hosted.log"
  # ops=, not ms=, because on a busy machine a fixed time may pass without any work
  build/hosted/pvspin locks=tas,mcs threads=1,2 ops=200 warmup_ms=2 reps=4 latency=on >"$LOG"
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  nested=tests/report/nested
  made="$BATS_TEST_TMPDIR/made here.log"
}

# report STATUS ARGUMENT...: runs pvspin-report, which must end with STATUS; sets $stdout and
# $stderr.
report() {
  local want=$1 got=0
  shift
  timeout 60 build/pvspin-report "$@" >"$BATS_TEST_TMPDIR/stdout" 2>"$BATS_TEST_TMPDIR/stderr" \
    </dev/null || got=$?
  stdout=$(tr -d '\000' <"$BATS_TEST_TMPDIR/stdout") stderr=$(<"$BATS_TEST_TMPDIR/stderr")
  if ((got != want)); then
    printf 'pvspin-report %s\nended with %s, not %s\nstdout: %s\nstderr: %s\n' "$*" "$got" \
      "$want" "$stdout" "$stderr" >&2
    return 1
  fi
}

# Fails unless the text contains each of the words.
says() { # TEXT WORDS...
  local text=$1 words
  shift
  for words; do
    [[ $text == *"$words"* ]] || { printf 'no "%s" in:\n%s\n' "$words" "$text" >&2; return 1; }
  done
}

@test "wrong use is status 2, with the accepted words" {
  report 2
  says "$stderr" 'which log?'
  report 2 --colour "$LOG"
  says "$stderr" '--colour: no such option'
  report 2 --format=latex "$LOG"
  says "$stderr" latex 'text, markdown, csv, json, html'
  report 2 --compare "$LOG"
  says "$stderr" 'two logs'
  report 2 --compare "$LOG" --format=html
  says "$stderr" 'two logs'
  report 2 --compare "$LOG" "$LOG" "$LOG" --format=html
  says "$stderr" "$LOG" 'no more' 'one set'
  report 2 --output
  report 0 --help
  says "$stdout" --compare --format --perfetto --plot --output
  report 0 --version
}

@test "a file that cannot be read or written is named: status 4" {
  report 4 "$BATS_TEST_TMPDIR/none.log"
  says "$stderr" none.log 'No such file'
  mkdir "$BATS_TEST_TMPDIR/empty dir"
  report 4 "$BATS_TEST_TMPDIR/empty dir"
  says "$stderr" 'empty dir' 'serial-<instance>.log'
  report 4 "$LOG" --output="$BATS_TEST_TMPDIR/no/such/place"
  says "$stderr" no/such/place
  report 4 "$LOG" --output=/dev/full
  says "$stderr" /dev/full
}

@test "--output writes its file whole or leaves it unchanged, and never overwrites an input" {
  cp "$LOG" "$made"
  report 2 "$made" --output="$made"
  says "$stderr" 'made here.log' 'not overwritten'
  cmp "$made" "$LOG"
  echo earlier >"$BATS_TEST_TMPDIR/kept"
  report 4 "$BATS_TEST_TMPDIR/none.log" --output="$BATS_TEST_TMPDIR/kept"
  [ "$(<"$BATS_TEST_TMPDIR/kept")" = earlier ]
}

@test "--plot writes its messages to stderr, so that stdout stays readable by programs" {
  GNUTERM=nonsense report 0 "$LOG" --format=json --plot="$BATS_TEST_TMPDIR/plots"
  jq -e '.schema == 1' "$BATS_TEST_TMPDIR/stdout"
  says "$stderr" plot
}

@test "a plot of all locks has its legend in one column, so that the lines have room" {
  build/hosted/pvspin locks=all threads=2 ops=20 warmup_ms=0 reps=1 latency=on >"$made"
  report 0 "$made" --plot="$BATS_TEST_TMPDIR/plots"
  python3 - "$BATS_TEST_TMPDIR/plots/fairness.svg" "$BATS_TEST_TMPDIR/plots/wait.svg" <<'PYTHON'
import re, sys
for name in sys.argv[1:]:
    # the locks' names are the texts anchored at their start
    places = re.findall(r'translate\(([\d.]+),[\d.]+\)"[^>]*text-anchor="start"', open(name).read())
    assert len(places) > 15 and len(set(places)) == 1 and float(places[0]) > 400, (name, places)
PYTHON
}

@test "plots: joined instances have all their vCPUs; plots from damaged logs say so" {
  report 0 "$nested" --plot="$BATS_TEST_TMPDIR/plots"
  grep -q 'Fairness: .*all instances, 6 vCPUs' "$BATS_TEST_TMPDIR/plots/fairness.svg"
  head -n -1 "$LOG" >"$made"
  report 3 "$made" --format=html
  says "$stdout" 'from DAMAGED logs'
  [[ $stdout != *'did best'* ]]
}

@test "text for people: what ran, one row per lock, units, limits" {
  report 0 "$nested"
  says "$stdout" 'accel nested, 2 logs' 'rate' 'ops/s' 'wait p50' 'Jain' 'LHP' 'stolen' \
    '0 of 2' '1 of 2' 'all 2' 'mean nothing' 'fewer than 5' 'overlap by only'
  [ "$(grep -c '^tas ' "$BATS_TEST_TMPDIR/stdout")" -eq 9 ] # 3 tables, each VM and both
  run ! grep -E '.{161}' "$BATS_TEST_TMPDIR/stdout"
}

# Computes the same figures from the records by jq.
@test "means, deviations and Jain's index agree with jq's" {
  report 0 "$LOG" --format=json --output="$BATS_TEST_TMPDIR/json"
  grep '^{' "$LOG" | jq -s '
    [.[] | select(.type == "run")] | group_by([.lock, .threads]) | map(
      map(.ops / .elapsed_ns * 1e9) as $x | ($x | add / length) as $mean
      | {lock: .[0].lock, threads: .[0].threads, mean: $mean,
         sd: ($x | map((. - $mean) | . * .) | add / ($x | length - 1) | sqrt)})' \
    >"$BATS_TEST_TMPDIR/jq"
  jq -es --slurpfile jq "$BATS_TEST_TMPDIR/jq" '
    def near($other): (. - $other | fabs) <= 1e-9 * ($other | fabs);
    (.[0].sets[0].cells | map({lock, threads, m: .samples.merit}) | sort_by([.lock, .threads])) as $cells
    | ($cells | length) == 4 and ([range(4) | . as $i | $jq[0][$i] as $j | $cells[$i]
      | .lock == $j.lock and .threads == $j.threads and .m.unit == "ops/s" and .m.count == 4
        and (.m.mean | near($j.mean)) and (.m.sd | near($j.sd))] | all)' "$BATS_TEST_TMPDIR/json"
  grep '^{' "$LOG" | jq -s '[.[] | select(.type == "vcpu" and .run == 3) | .ops] | (add | . * .) / (length * (map(. * .) | add))' \
    >"$BATS_TEST_TMPDIR/jain"
  jq -es --slurpfile jain "$BATS_TEST_TMPDIR/jain" '
    [.[0].sets[0].cells[] | . as $cell | range(.reps) | select($cell.origin[.].run == 3)
     | $cell.samples.jain.values[.] - $jain[0] | fabs < 1e-9] | length == 1 and all' "$BATS_TEST_TMPDIR/json"
}

@test "three logs and a directory form one set, in HTML as in text" {
  local i
  for i in 1 2 3; do cp "$LOG" "$made$i"; done
  mkdir "$BATS_TEST_TMPDIR/out dir" && cp "$LOG" "$BATS_TEST_TMPDIR/out dir/serial-0.log"
  report 0 "$made"[123] "$BATS_TEST_TMPDIR/out dir"
  says "$stdout" 'all logs: accel hosted, 4 logs;' 'reps 16'
  report 0 "$made"[123] "$BATS_TEST_TMPDIR/out dir" --format=html
  says "$stdout" '<b>all logs</b>: accel <b>hosted</b>, 4 logs, 4 rows' 'reps 16'
  [ "$(grep -c "<summary>.*log</summary>" <<<"$stdout")" -eq 1 ]
  [ "$(grep -c "<summary>.*log[123]</summary>" <<<"$stdout")" -eq 3 ]
  [ "$(grep -c '^<h2>' <<<"$stdout")" -eq 4 ] # limits, figures, pictures, how: once each
}

@test "csv has one header and as many fields everywhere; python and JSON agree with it" {
  report 0 "$LOG" --format=csv --output="$BATS_TEST_TMPDIR/csv"
  report 0 "$LOG" --format=json --output="$BATS_TEST_TMPDIR/json"
  python3 - "$BATS_TEST_TMPDIR/csv" "$BATS_TEST_TMPDIR/json" <<'PYTHON'
import csv, json, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
cells = json.load(open(sys.argv[2]))["sets"][0]["cells"]
assert len(rows) == 1 + len(cells) == 5, len(rows)
assert all(len(row) == len(rows[0]) for row in rows)
assert len(set(rows[0])) == len(rows[0])
for row, cell in zip(rows[1:], cells):
    row = dict(zip(rows[0], row))
    assert row["lock"] == cell["lock"] and row["settings"] == cell["settings"]
    assert abs(float(row["merit_mean"]) - cell["samples"]["merit"]["mean"]) < 1e-3
    assert abs(float(row["wait_p99_ns"]) - cell["wait"]["p99_ns"]) < 1e-3
PYTHON
}

@test "csv fields with commas, quotes and newlines are quoted or escaped" {
  sed 's/"tunables":{[^}]*}/"tunables":{"a,\\"b\\nc":1}/' "$LOG" >"$made"
  report 0 "$made" --format=csv --output="$BATS_TEST_TMPDIR/csv"
  python3 - "$BATS_TEST_TMPDIR/csv" <<'PYTHON'
import csv, sys
rows = list(csv.reader(open(sys.argv[1], newline="")))
assert len(rows) == 5 and all(len(row) == len(rows[0]) for row in rows)
settings = [row[rows[0].index("settings")] for row in rows[1:]]
assert all(text.endswith(r' a,"b\x0ac=1') for text in settings), settings
PYTHON
}

@test "every Markdown row has as many columns as its header" {
  report 0 "$nested" --format=markdown
  awk -F'|' '/^\|/ { if (!n) n = NF; if (NF != n) exit 1; rows++; next } { n = 0 }
    END { exit rows < 18 }' <<<"$stdout"
}

@test "CR LF, TAP and text between the records change nothing" {
  report 0 "$LOG"
  local plain=$stdout
  { echo 'TAP version 14'; sed 's/$/\r/' "$LOG"; } >"$made"
  report 0 "$made"
  [ "${stdout//"$made"/}" = "${plain//"$LOG"/}" ]
}

@test "a log that is cut off or has a hole or a broken line: status 3, marked, with the place" {
  head -c -30 "$LOG" >"$made"
  report 3 "$made"
  says "$stdout" '(1 DAMAGED)' 'tas *' 'no end record' 'Do not use'
  sed 5d "$LOG" >"$made"
  report 3 "$made"
  says "$stdout" 'is missing' 'tas *'
  report 3 --compare "$made" "$LOG"
  says "$stdout" 'Nothing to compare' 'damaged logs, not compared'
  sed '7s/"ops":/"ops":-1/' "$LOG" >"$made"
  report 3 "$made"
  says "$stdout" 'made here.log:7: ' 'ops -'
  sed '7s/:/;/3' "$LOG" >"$made"
  report 3 "$made"
  says "$stdout" 'made here.log:7: a broken record'
  : >"$made"
  report 3 "$made"
  says "$stdout" 'is empty' 'no measurement'
}

# docs/design.md says why run.sh has rules of its own. Each line of a log is damaged in each way.
@test "run.sh and the report agree on which logs are whole" {
  local logs="$BATS_TEST_TMPDIR/logs" small="$BATS_TEST_TMPDIR/small" lines n name
  mkdir "$logs"
  build/hosted/pvspin locks=tas,mcs threads=1 ops=20 reps=1 >"$small"
  lines=$(wc -l <"$small")
  for ((n = 1; n <= lines; n++)); do
    sed "${n}d" "$small" >"$logs/gone-$n"
    sed "${n}p" "$small" >"$logs/twice-$n"
    sed "${n}{h;d;};$((n + 1))G" "$small" >"$logs/later-$n"
    sed "${n}s/.\$//" "$small" >"$logs/broken-$n"
    head -n "$n" "$small" | head -c -1 >"$logs/short-$n"
  done
  sed '$s/"records":[0-9]*/"records":1/' "$small" >"$logs/other count"
  : >"$logs/empty"
  sed 's/$/\r/; 3s/^/some text\r\n/' "$small" >"$logs/returns"
  for name in "$logs"/*; do
    printf '%s\t' "$name"
    jq -Rn -f tools/run/log.jq "$name" | jq '.problem == null'
  done | sort >"$BATS_TEST_TMPDIR/judged"
  report 3 "$logs"/* --format=json
  jq -r '.sets[0].logs[] | "\(.path)\t\(.complete)"' <<<"$stdout" | sort | diff "$BATS_TEST_TMPDIR/judged" -
  # Text may be missing, or be there; no record may.
  grep -F "$logs/returns"$'\ttrue' "$BATS_TEST_TMPDIR/judged"
  [ "$(grep -c 'false$' "$BATS_TEST_TMPDIR/judged")" -ge 20 ]
}

@test "run.sh and the report agree on how long phases overlap" {
  local log percent
  for log in "$nested"/serial-?.log; do jq -Rn -f tools/run/log.jq "$log"; done |
    jq -L tools/run -rs 'include "overlap"; [.[].overlaps[] | overlap(.own; .other)]
      | (map(.overlap_us) | add) * 100 / (map(.shorter_us) | add) | round' >"$BATS_TEST_TMPDIR/percent"
  percent=$(<"$BATS_TEST_TMPDIR/percent")
  [ "$percent" -gt 0 ]
  report 0 "$nested"
  says "$(tr -s ' \n' ' ' <<<"$stdout")" "measured phases overlap by only $percent %"
}

@test "two guests' lines in one file are noticed, whole or mixed" {
  paste -d '\n' "$nested/serial-0.log" "$nested/serial-1.log" >"$made"
  report 3 "$made"
  says "$stdout" 'two logs in one file' 'comes twice' DAMAGED
  paste -d '' "$nested/serial-0.log" "$nested/serial-1.log" >"$made"
  report 3 "$made"
  says "$stdout" 'a broken record'
}

@test "no log can send commands to the terminal, whatever the format" {
  local format
  jq -c --arg evil $'\e[2J\a\xc2\x9b\xe2\x80\xae|`<b>\n' '.reason = $evil' <<<'{"type":"panic","seq":2,"cpu":0,"rip":"0x1"}' >"$made.2"
  { head -n 1 "$LOG"; cat "$made.2"; printf '{"type":"\e]0;x\a"\n'; } >"$made"
  for format in text markdown csv json; do
    report 3 "$made" --format=$format
    LC_ALL=C run ! grep -aP '[\x00-\x08\x0b-\x1f\x7f]|\xc2[\x80-\x9f]|\xe2\x80\xae' "$BATS_TEST_TMPDIR/stdout"
    [[ $format = csv ]] || says "$stdout" 'crashed'
  done
}

@test "endless and enormous files end: 1 GiB is read of each" {
  report 3 /dev/zero
  says "$stdout" 'longer than 1 GiB'
}

@test "classes are never mixed, in a set or in a comparison" {
  report 2 "$LOG" "$nested"
  says "$stderr" 'accel hosted' 'accel nested' hosted.log serial-0.log
  report 2 --compare "$LOG" "$nested"
  says "$stderr" 'accel hosted' 'accel nested' 'never compared'
  [ -z "$stdout" ]
}

@test "a log compared with itself: ratio 1, no difference; with a faster one: faster" {
  local a="$BATS_TEST_TMPDIR/a.log" b="$BATS_TEST_TMPDIR/b.log"
  report 0 --compare "$LOG" "$LOG"
  [ "$(grep -c '~ no difference$' "$BATS_TEST_TMPDIR/stdout")" -eq 4 ]
  # rates of 1001, 1002... and 2001, 2002..., which do not overlap whatever this machine did
  perl -pe 's/"elapsed_ns":\d+/"elapsed_ns":1000000000/; s/"ops":\d+/"\"ops\":" . (1000 + $.)/e' "$LOG" >"$a"
  perl -pe 's/"elapsed_ns":\d+/"elapsed_ns":1000000000/; s/"ops":\d+/"\"ops\":" . (2000 + $.)/e' "$LOG" >"$b"
  report 0 --compare "$a" "$b" --format=csv
  [ "$(grep -c ',faster$' <<<"$stdout")" -eq 4 ]
  report 0 --compare "$b" "$a" --format=json
  jq -e '.comparison | length == 4 and all(.verdict == "SLOWER" and .p < 0.05 and .ratio_high < 1)' <<<"$stdout"
  jq -e '[.hosts[].text] | length == 1 and (.[0] | contains("neither A nor B has a manifest.json"))' <<<"$stdout"
  report 0 --compare "$nested" "$nested"
  says "$stdout" '? too few'
}

# Each fenced block of the page is a program. It must work and print something; the first three must
# agree.
@test "the lines of docs/serial-log.md for jq, awk and pandas run and agree with the report" {
  local dir="$BATS_TEST_TMPDIR/page" i
  mkdir "$dir"
  cp "$LOG" "$dir/serial-0.log"
  awk -v dir="$dir" '/^```sh$/ { n++; inside = 1; next } /^```$/ { inside = 0 }
    inside { print >(dir "/block-" n) }' docs/serial-log.md
  [ "$(find "$dir" -name 'block-*' | wc -l)" -eq 7 ]
  for i in {1..7}; do
    # the distribution's python3 first: pandas is its package
    (cd "$dir" && PATH="/usr/bin:$PATH" timeout 60 bash -euo pipefail "block-$i") >"$dir/out-$i"
    [ -s "$dir/out-$i" ]
  done
  [ "$(<"$dir/out-4")" = true ]
  report 0 "$LOG" --format=csv
  python3 - "$dir" 3<<<"$stdout" <<'PYTHON'
import csv, os, sys
rows = {(row["lock"], row["threads"]): float(row["merit_mean"]) for row in csv.DictReader(os.fdopen(3))}
assert len(rows) == 4
for block in 1, 2, 3:
    lines = [line.split("\t") for line in open(f"{sys.argv[1]}/out-{block}")]
    assert len(lines) == 4, (block, lines)
    for lock, threads, mean in lines:
        assert abs(float(mean) / rows[lock, threads] - 1) < 1e-6, (block, lock, mean)
assert len(open(f"{sys.argv[1]}/out-7").readlines()) == 16
PYTHON
}
