# SPDX-License-Identifier: MIT
# The ABI clauses that tests/suites/abi registers: id, name, class, file; tab-separated. The sources are the
# only list there is; a registration may take several lines.
/^ABI_CLAUSE\(/ { text = "" ; inside = 1 }
inside {
  text = text " " $0
  if ($0 !~ /\);/) next
  inside = 0
  split(text, quoted, "\"")
  match(text, /ABI_(MUST|KVM|INFO)/)
  file = FILENAME
  sub(/^.*tests\//, "tests/", file)
  print quoted[2] "\t" quoted[4] "\t" substr(text, RSTART + 4, RLENGTH - 4) "\t" file
}
