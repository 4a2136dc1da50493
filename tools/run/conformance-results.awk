# SPDX-License-Identifier: MIT
# Converts one call's TAP to tab-separated lines: kernel,
# configuration, clause, name, class, result, reason. Results are ok, skip, finding, error, fail. If
# the call itself failed, there is one line with the clause "-" and the result crash, timeout or
# error; or skip, if this QEMU cannot make the configuration. Variables to set: kernel, configuration, code (of run.sh), why.
BEGIN { FS = " "; OFS = "\t" }

function clean(text) {
  gsub(/[[:cntrl:]]/, " ", text)
  return text
}

/^(not )?ok [0-9]+ - / {
  line = $0
  good = line !~ /^not/
  sub(/^(not )?ok [0-9]+ - /, "", line)
  reason = directive = ""
  if (match(line, / # (SKIP|TODO finding:|ERROR|FAIL) /)) {
    directive = substr(line, RSTART + 3, RLENGTH - 4)
    reason = substr(line, RSTART + RLENGTH)
    line = substr(line, 1, RSTART - 1)
  }
  results++
  split(line, word, " ")
  class = word[3]
  gsub(/[()]/, "", class)
  if (good) result = directive == "SKIP" ? "skip" : "ok"
  else if (directive ~ /^TODO/) result = "finding"
  else result = directive == "ERROR" ? "error" : "fail"
  print kernel, configuration, word[2], word[1], class, result, clean(reason)
}

END {
  # 0 all passed, 3 a test failed, 4 one could not be made, 77 all skipped: said by the lines above,
  # if there are any
  result = ""
  if (code == 5) result = "crash"
  else if (code == 124) result = "timeout"
  else if (!results && code == 77 && why ~ /^error: QEMU did not start/) result = "skip"
  else if (!results || !(code == 0 || code == 3 || code == 4 || code == 77)) result = "error"
  if (why == "") why = "no verdict; run.sh ended with " code
  if (result != "") print kernel, configuration, "-", "-", "-", result, clean(why)
}
