# SPDX-License-Identifier: MIT
# shellcheck shell=bash disable=SC2207 # words of our own making
# Completion for pvspin (installed) and ./run.sh (source this file). Takes options and values from
# --help, so that there is no second list.

# Prints the options of the program's help, as "--name" or "--name=value|value".
_pvspin_options() { # PROGRAM
  "$1" --help 2>/dev/null | grep -E '^  --[a-z]' |
    grep -oE -- '(^ |,) --[a-z][a-z0-9-]*(\[?=[A-Za-z0-9.|]+)?' |
    sed 's/^[^-]*//; s/\[=.*/=/' | sort -u
}

_pvspin() {
  local program=$1 word=$2 option='' options values names
  # "--accel=k" arrives as three words, because bash breaks words at =.
  if [[ $word == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD - 1]} word=''
  elif ((COMP_CWORD >= 2)) && [[ ${COMP_WORDS[COMP_CWORD - 1]} == '=' ]]; then
    option=${COMP_WORDS[COMP_CWORD - 2]}
  fi
  COMPREPLY=()
  case $option${COMP_WORDS[COMP_CWORD - 1]} in
  --out* | --meet*) COMPREPLY=($(compgen -d -- "$word")); return ;;
  -kernel) COMPREPLY=($(compgen -f -- "$word")); return ;;
  esac
  options=$(_pvspin_options "$program")
  if [[ -n $option ]]; then
    # literal values are lower case or numbers; placeholders such as N are not
    values=$(sed -n "s/^$option=\([a-z0-9.|]*\)$/\1/p" <<<"$options" | tr '|' '\n')
    COMPREPLY=($(compgen -W "$values" -- "$word"))
  elif [[ $word == -* || -z $word ]]; then
    # an option with a value ends in =, without a space after it
    names=$(while read -r option; do echo "${option/=*/=}"; done <<<"$options")
    COMPREPLY=($(compgen -W "$names -append -cpu -kernel -m -machine -smp" -- "$word"))
    [[ ${#COMPREPLY[@]} -ne 1 || ${COMPREPLY[0]} != *= ]] || compopt -o nospace 2>/dev/null || true
  fi
}

complete -F _pvspin pvspin run.sh ./run.sh
