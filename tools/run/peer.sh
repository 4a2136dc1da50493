# SPDX-License-Identifier: MIT
# shellcheck shell=bash
# --host-peer: the hosted build, which runs the same locks on Linux threads, as a further member of
# a boot: "bare metal" beside the virtual machines. To the coordinator (coordinator.sh) it is the
# last instance; it is held and released, judged and reported like the others. It runs where QEMU
# runs: under nested in L1, which is the host of these VMs. Sourced by run.sh.
#
#   members            number of VMs and the peer      is_peer I           true for the peer
#   member_log I       the name of its log             keys_override A B   A's keys, those of B instead
#   peer_main I        as instance_main of instance.sh
#
# Takes  hosted, run_dir: run.sh
# Takes  append, host_peer, host_trace, instances, limit, meet, members, peer_keys, pin: options.sh
# Takes  accel, accel_class: accel.sh
# Takes  sim: sim.sh
# Takes  run_scratch: coordinator.sh

is_peer() { # MEMBER
  ((host_peer && $1 == instances))
}

member_log() { # MEMBER
  if is_peer "$1"; then echo host-peer.log; else echo "serial-$1.log"; fi
}

# Prints the file with the messages of QEMU, or of the peer.
member_errors() { # MEMBER
  if [[ $accel == sim ]]; then echo sim.log; elif is_peer "$1"; then echo host-peer.err; else echo "qemu-$1.log"; fi
}

member_name() { # MEMBER
  if is_peer "$1"; then echo 'host peer'; else echo "instance $1"; fi
}

member_title() { # MEMBER
  if ! is_peer "$1"; then
    echo "instance $1"
  elif [[ $accel == sim ]]; then
    echo 'host peer: kernel threads of the simulated host, one on each CPU'
  elif [[ $accel_class == nested ]]; then
    echo 'host peer: the hosted build in L1, the emulated host of the VMs'
  else
    echo 'host peer: the hosted build on the host itself'
  fi
}

# Prints the keys that the plan of these words has, with spaces around each. The hosted build tells
# them: its boot record has the whole plan, without keys that the workload does not take. It refuses
# threads=0, so nothing runs.
plan_keys_of() { # WORD...
  { if [[ $accel == sim ]]; then "$sim" 1 "$* threads=0"; else "$hosted" "$@" threads=0; fi 2>/dev/null || true; } |
    jq -jRr 'fromjson? | select(.type == "boot") | .plan | split(" ")[] | " " + split("=")[0] + " "'
}

# Prints the words of KEYS whose keys OTHERS does not have, then OTHERS. ms= and ops= count as one
# key, because a plan takes one of them. If OTHERS has another workload, keys that only the old one
# takes are left out, too.
keys_override() { # KEYS OTHERS
  local word key kept=() keys=() others=() other=() names=' ' workload='' before='' after=''
  read -ra keys <<<"$1"
  read -ra others <<<"$2"
  for word in ${others[@]+"${others[@]}"}; do
    names+="${word%%=*} "
    [[ $word != ms=* && $word != ops=* ]] || names+='ms ops '
    [[ $word != workload=* ]] || workload=$word
  done
  if [[ -n $workload ]]; then
    before=$(plan_keys_of ${keys[@]+"${keys[@]}"})
    for word in ${keys[@]+"${keys[@]}"}; do
      [[ $word == workload=* ]] || other+=("$word")
    done
    after=$(plan_keys_of ${other[@]+"${other[@]}"} "$workload")
  fi
  for word in ${keys[@]+"${keys[@]}"}; do
    key=${word%%=*}
    [[ $names == *" $key "* || ($before == *" $key "* && $after != *" $key "*) ]] || kept+=("$word")
  done
  word="${kept[*]-} ${others[*]-}"
  word=${word# }
  echo "${word% }"
}

# Sets peer_command. The peer pins each thread to one of the CPUs that it may use: with --pin, the
# listed ones.
peer_compose() {
  local keys words=()
  keys=$(keys_override "$append" "$peer_keys")$(qemu_share)
  if { ((members > 1)) || [[ -n $meet$host_trace ]]; } && [[ " $keys " != *' start='* ]]; then keys+=' start=serial-each'; fi
  read -ra words <<<"$keys"
  peer_command=("$hosted" ${words[@]+"${words[@]}"})
  [[ -z $pin ]] || peer_command=(taskset -c "$pin" "${peer_command[@]}")
}

peer_main() { # MEMBER
  local i=$1 raw=$run_dir/.raw hold serial_out
  instance_begin "$i"
  mkdir "$run_scratch/$i"
  cd "$run_scratch/$i" || exit
  mkfifo serial.in serial.out
  # As in instance_main: no open blocks, and the log ends with the process.
  # shellcheck disable=SC2094 # a FIFO, opened twice on purpose
  exec {serial_in}<>serial.in {hold}<>serial.out {serial_out}<serial.out
  printf '%s\0' "${peer_command[@]}" >"$raw/command-$i"
  timeout --foreground --kill-after=5 "$((limit + 10))" "${peer_command[@]}" \
    <&"$serial_in" >&"$hold" 2>"$run_dir/$(member_errors "$i")" {serial_out}<&- &
  qemu=$!
  echo "$qemu" >qemu.pid
  exec {hold}>&-
  instance_watch "$i" < <(instance_log "$i" <&"$serial_out")
}

# Translates the hosted build's exit statuses (hosted/main.c) for judge_ended of verdict.sh.
peer_agrees() { # STATUS
  case $1 in
  0) echo ok ;;
  2 | 4) echo error ;;
  3) echo fail ;;
  77) echo skip ;;
  esac
}
