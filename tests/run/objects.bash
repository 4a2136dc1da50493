# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# For tests that link a program's objects with a file of their own.

# Prints the objects below a build folder whose source still exists: a file that was renamed leaves
# its old object behind.
objects_in() { # DIR
  local object
  find "$1" -name '*.o' -printf '%P\n' | while read -r object; do
    if [ -e "${object%.o}.c" ]; then echo "$1/$object"; fi
  done
}
