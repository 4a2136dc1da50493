# SPDX-License-Identifier: MIT
# Converts results.tsv to JUnit XML, with a suite for each kernel and
# configuration. A finding is a passed test with its text in system-out, because JUnit has no other
# verdict that does not fail a build.
BEGIN { FS = "\t" }
function xml(text) {
  gsub(/&/, "\\&amp;", text)
  gsub(/</, "\\&lt;", text)
  gsub(/>/, "\\&gt;", text)
  gsub(/"/, "\\&quot;", text)
  return text
}
{
  suite = $1 "/" $2
  if (!(suite in tests)) suites[++count] = suite
  tests[suite]++
  body = ""
  if ($6 == "skip") { skipped[suite]++; body = "<skipped message=\"" xml($7) "\"/>" }
  else if ($6 == "fail") { failures[suite]++; body = "<failure message=\"" xml($7) "\"/>" }
  else if ($6 == "finding") body = "<system-out>finding: " xml($7) "</system-out>"
  else if ($6 != "ok") { errors[suite]++; body = "<error type=\"" $6 "\" message=\"" xml($7) "\"/>" }
  cases[suite] = cases[suite] "    <testcase classname=\"" xml($4) "\" name=\"" xml($3) "\">" body "</testcase>\n"
}
END {
  print "<?xml version=\"1.0\" encoding=\"UTF-8\"?>\n<testsuites name=\"pvspin conformance\">"
  for (n = 1; n <= count; n++) {
    s = suites[n]
    printf "  <testsuite name=\"%s\" tests=\"%d\" failures=\"%d\" errors=\"%d\" skipped=\"%d\">\n%s  </testsuite>\n",
      xml(s), tests[s], failures[s], errors[s], skipped[s], cases[s]
  }
  print "</testsuites>"
}
