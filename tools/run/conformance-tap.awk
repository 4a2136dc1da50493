# SPDX-License-Identifier: MIT
# Converts results.tsv to TAP 14, one test for each kernel, configuration and clause.
BEGIN { FS = "\t" }
{
  good = $6 == "ok" || $6 == "skip"
  directive = $6 == "ok" ? "" : $6 == "skip" ? " # SKIP " $7 : $6 == "finding" ? " # TODO finding: " $7 : ""
  test[NR] = (good ? "ok " : "not ok ") NR " - " $1 "/" $2 " " $3 " " $4 directive
  if (!good && $6 != "finding") test[NR] = test[NR] "\n  ---\n  result: " $6 "\n  message: '" quoted($7) "'\n  ..."
}
function quoted(text) {
  gsub(/'/, "''", text)
  return text
}
END {
  print "TAP version 14"
  print "1.." NR
  for (n = 1; n <= NR; n++) print test[n]
}
