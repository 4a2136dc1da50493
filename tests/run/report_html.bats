#!/usr/bin/env bats
# SPDX-License-Identifier: MIT
# The HTML page of pvspin-report as a browser shows it. A test page loads it in a frame as wide as a
# desktop's or a phone's screen and measures it.
# shellcheck disable=SC2016 # $names in single quotes are jq's

setup_file() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  make -s build/hosted/pvspin build/pvspin-report >&2
  build/hosted/pvspin "locks=tas,ticket,pv-qspinlock threads=1,2 ms=20 reps=5 warmup_ms=5 latency=on trace=100" \
    >"$BATS_FILE_TMPDIR/log"
}

setup() {
  cd "$BATS_TEST_DIRNAME/../.." || return 1
  page=$BATS_TEST_TMPDIR/page.html
}

# Opens $page in Chromium in a frame of that width. Sets `seen` to the measurements, as JSON.
look() { # WIDTH
  local frame=$BATS_TEST_TMPDIR/frame.html
  cat >"$frame" <<HTML
<iframe id=f src=page.html style="width:$1px;height:900px;border:0"></iframe><pre id=seen></pre><script>
f.onload = () => { const d = f.contentDocument, w = f.contentWindow, root = d.documentElement;
  const shown = e => { const r = e.getBoundingClientRect(); return r.width > 100 && r.height > 40 };
  seen.textContent = JSON.stringify({over: root.scrollWidth - root.clientWidth, width: w.innerWidth,
    pictures: [...d.querySelectorAll('svg')].length, shown: [...d.querySelectorAll('svg')].filter(shown).length,
    named: [...d.querySelectorAll('svg[aria-label], svg title')].length, scripts: d.scripts.length,
    images: d.images.length, handlers: [...d.querySelectorAll('*')].filter(e =>
      [...e.attributes].some(a => a.name.startsWith('on'))).length,
    ids: (i => i.length - new Set(i).size)([...d.querySelectorAll('[id]')].map(e => e.id)),
    loaded: w.performance.getEntriesByType('resource').length, tables: d.querySelectorAll('table').length,
    rows: [...d.querySelectorAll('tbody th')].map(e => e.textContent),
    text: d.body.innerText}) }</script>
HTML
  timeout 60 chromium --headless --no-sandbox --disable-gpu --allow-file-access-from-files \
    --enable-logging=stderr --window-size=1400,1000 --dump-dom "file://$frame" \
    >"$BATS_TEST_TMPDIR/dom" 2>"$BATS_TEST_TMPDIR/console"
  if grep 'CONSOLE' "$BATS_TEST_TMPDIR/console" >&2; then return 1; fi
  seen=$(sed -n 's/.*<pre id="seen">\(.*\)<\/pre>.*/\1/p' <(tr '\n' ' ' <"$BATS_TEST_TMPDIR/dom") |
    sed 's/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g')
}

is() { # JQ-CONDITION
  jq -e "$1" <<<"$seen" >/dev/null || { echo "not so: $1 in: ${seen:0:3000}" >&2; return 1; }
}

@test "tables and pictures are there, nothing is loaded, nothing overflows: desktop and phone" {
  build/pvspin-report "$BATS_FILE_TMPDIR/log" --format=html --output="$page"
  for width in 1280 390; do
    look "$width"
    is ".width == $width and .over <= 0"
    is '.tables >= 2 and .pictures >= 4 and .shown == .pictures'
    is '.scripts == 0 and .images == 0 and .loaded == 0 and .handlers == 0 and .ids == 0'
    is '.text | contains("pv-qspinlock") and contains("may not be used for") and contains("How it was run")'
  done
}

@test "an experiment's page: tables, why in pictures, a traced run of each: desktop and phone" {
  local at=$BATS_TEST_TMPDIR/x
  mkdir -p "$at/both/trace"
  cp -r tests/report/nested "$at/both/rep-1"
  cp "$BATS_FILE_TMPDIR/log" "$at/both/trace/serial-0.log"
  jq -n '{schema: 1, name: "x", title: "X", study: "s", accel: "nested", host_cpus: 2, vcpus: 3, runs: 1,
    skipped: null, summary: false, traces: [{run: "both", directory: "both/trace"}], findings: [],
    cells: [["tas", "pv-qspinlock"][] | {name: ., run: "both", where: "vm", lock: ., label: "two VMs, \(.)",
      field: "elapsed_ns", study: null, directories: ["both/rep-1"]}]}' >"$at/experiment.json"
  build/pvspin-report "$at" --format=html --output="$page"
  for width in 1280 390; do
    look "$width"
    is ".width == $width and .over <= 0 and .tables == 2 and .ids == 0 and .scripts == 0 and .loaded == 0"
    # pictures: times, split, preemptions, and three of the traced run, one per lock
    is '.pictures == 6 and .shown == 6 and (.rows | any(. == "two VMs, tas"))'
    is '.text | contains("Where the vCPUs\u0027 time went") and contains("stolen") and contains("additional call")'
  done
}

@test "strings from logs and names of files are inert, and as long as they may be" {
  local evil=$BATS_TEST_TMPDIR/'<script>alert(1)<' long
  long=$(printf 'x%.0s' {1..64})
  mkdir "$evil"
  jq -c --arg long "$long" 'if .lock == "tas" then .lock = "<script>alert(2)</script>\"&]]>"
    elif .lock == "ticket" then .lock = $long
    elif .type == "boot" then .cpu_model = "</code><script>document.title=1</script><img src=x onerror=alert(3)>"
    else . end' <(grep -a '^{' "$BATS_FILE_TMPDIR/log") >"$evil/serial-0.log"
  run build/pvspin-report "$evil" --format=html --output="$page"
  [ "$status" -eq 3 ] # no lock has this name: its records are left out and reported
  for width in 1280 390; do
    look "$width"
    is '.over <= 0 and .scripts == 0 and .images == 0 and .handlers == 0 and .loaded == 0'
    is '.rows | any(length >= 64)'
    is '.text | contains("</code><script>document.title=1</script><img") and contains("<script>alert(1)<")'
  done
}

@test "two sets side by side, a damaged one is marked; a page without gnuplot has its tables" {
  head -c -300 "$BATS_FILE_TMPDIR/log" >"$BATS_TEST_TMPDIR/cut"
  run build/pvspin-report --compare "$BATS_FILE_TMPDIR/log" "$BATS_TEST_TMPDIR/cut" --format=html --output="$page"
  [ "$status" -eq 3 ]
  look 390
  is '.over <= 0 and .ids == 0 and (.text | contains("A and B compared") and contains("not whole"))'
  mkdir "$BATS_TEST_TMPDIR/empty"
  PATH=$BATS_TEST_TMPDIR/empty "$PWD/build/pvspin-report" "$BATS_FILE_TMPDIR/log" --format=html --output="$page"
  look 1280
  is '.tables >= 2 and (.text | contains("gnuplot"))'
}
