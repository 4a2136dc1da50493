# SPDX-License-Identifier: MIT
# Prints results.tsv for people: clauses by configurations, a block for
# each kernel; then the deviations, the kernels' differences, why clauses were skipped, and the
# sums. Variables to set: class (of the accelerator), names (of the configurations, in order).
BEGIN {
  FS = "\t"
  columns = split(names, column, " ")
  split("ok . skip s finding f error E fail F crash ! timeout !", pair, " ")
  for (i = 1; i in pair; i += 2) letter[pair[i]] = pair[i + 1]
}
!($1 in kernel_seen) { kernel_seen[$1]; kernels[++kernel_count] = $1 }
$3 == "-" { broken[++broken_count] = $1 "/" $2 ": " $6 ": " $7; sum[$6]++; dead[$1, $2] = letter[$6]; next }
{
  if (!($3 in class_of)) { clauses[++clause_count] = $3; class_of[$3] = $5 }
  cell[$1, $2, $3] = letter[$6]
  sum[$6]++
  if ($6 == "fail" || $6 == "error" || $6 == "finding") note($3, $6, $1 "/" $2, $7)
  if ($6 == "skip") { skips[$3 "\t" $7]++; }
  else ran[$3]++
}
function note(clause, result, where, why,   key) {
  key = clause "\t" result "\t" why
  if (!(key in places)) notes[++note_count] = key
  places[key] = places[key] (places[key] == "" ? "" : ", ") where
}
function legend(   i) {
  print "KVM's paravirtual ABI, accel " class ". ok . skip s finding f FAIL F ERROR E no result !"
  for (i = 1; i <= columns; i++) printf "%3d %-18s%s", i, column[i], i % 4 == 0 || i == columns ? "\n" : ""
}
function row(clause,   k, i, text, mark) {
  for (k = 1; k <= kernel_count; k++) {
    text = text "  "
    for (i = 1; i <= columns; i++) {
      mark = cell[kernels[k], column[i], clause]
      if (mark == "") mark = dead[kernels[k], column[i]]
      text = text (mark == "" ? " " : mark)
    }
  }
  return sprintf("%-14s %-5s%s", clause, class_of[clause], text)
}
function sort_clauses(   i, j, t) {
  for (i = 2; i <= clause_count; i++)
    for (j = i; j > 1 && clauses[j - 1] > clauses[j]; j--) {
      t = clauses[j]; clauses[j] = clauses[j - 1]; clauses[j - 1] = t
    }
}
function differences(   i, j, a, b, any) {
  if (kernel_count < 2) return
  for (i = 1; i <= clause_count; i++)
    for (j = 1; j <= columns; j++) {
      a = cell[kernels[1], column[j], clauses[i]]
      b = cell[kernels[2], column[j], clauses[i]]
      if (a != b && a != "" && b != "") {
        if (!any++) print "\nThe kernels differ:"
        printf "  %s %s: %s %s, %s %s\n", clauses[i], column[j], kernels[1], a, kernels[2], b
      }
    }
  if (!any) print "\n" kernels[1] " and " kernels[2] " give the same result in every cell."
}
END {
  sort_clauses()
  legend()
  printf "\n%-20s", ""
  for (k = 1; k <= kernel_count; k++) printf "  %-" columns "s", kernels[k]
  print ""
  for (i = 1; i <= clause_count; i++) print row(clauses[i])
  for (i = 1; i <= broken_count; i++) print (i == 1 ? "\nNo whole result:\n  " : "  ") broken[i]
  for (i = 1; i <= note_count; i++) {
    split(notes[i], part, "\t")
    if (i == 1) print "\nNot as expected:"
    printf "  %s %s: %s\n      in %s\n", part[1], part[2], part[3], places[notes[i]]
  }
  differences()
  for (key in skips) {
    split(key, part, "\t")
    if (!(part[1] in ran)) never[part[1]] = part[2]
  }
  for (i = 1; i <= clause_count; i++)
    if (clauses[i] in never) {
      if (!never_any++) print "\nSkipped everywhere:"
      printf "  %s: %s\n", clauses[i], never[clauses[i]]
    }
  printf "\n%d clauses, %d configurations, %d kernels: %d ok, %d skipped, %d findings, %d failed, %d errors, %d without a result\n",
    clause_count, columns, kernel_count, sum["ok"], sum["skip"], sum["finding"], sum["fail"], sum["error"],
    sum["crash"] + sum["timeout"]
}
