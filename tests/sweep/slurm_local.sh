#!/bin/bash
# usage: slurm_local.sh IREZONE EXAMPLES
# The job scripts in examples/sweeps/slurm under Slurm itself: starts munge and Slurm's daemons for this one machine, with all their
# files in a temporary folder, and runs one job, a job array with its merge, and a job that meets its time limit, which must put
# itself back into the queue and go on there. Every table must equal that of an undisturbed sweep without Slurm. Needs root and
# Debian's slurm-wlm and munge; skipped (77) without. About six minutes, most of them Slurm's wait before it starts a job again; more on
# a busy machine.
set -Eeuo pipefail
irezone=$(realpath "$1")
examples=$(realpath "$2")/sweeps/slurm

for command in sbatch srun scontrol slurmctld slurmd munged; do
  if ! command -v $command >/dev/null; then
    echo "skipped: $command is not installed (Debian: slurm-wlm, munge)"
    exit 77
  fi
done
if [ "$(id -u)" -ne 0 ]; then
  echo "skipped: Slurm's daemons need root here"
  exit 77
fi

folder=$(mktemp -d)
processes=()
stop() {
  for process in "${processes[@]}"; do kill "$process" 2>/dev/null || true; done
  wait
  rm -rf "$folder"
}
trap stop EXIT
trap 'echo "FAILED in line $LINENO"; tail -n 20 "$folder"/*.out "$folder"/slurm*.log 2>/dev/null || true' ERR

# daemon NAME COMMAND...: in the foreground of its own, so that its number is known
daemon() {
  local name=$1
  shift
  "$@" >"$folder/$name.log" 2>&1 &
  processes=($! "${processes[@]}")
}

# eventually WHAT COMMAND...: within a minute
eventually() {
  local what=$1
  shift
  for _ in $(seq 300); do
    if "$@" >/dev/null 2>&1; then return 0; fi
    sleep 0.2
  done
  echo "$what: not after a minute"
  return 1
}

cd "$folder"
mkdir bin state spool
ln -s "$irezone" bin/irezone
export PATH="$folder/bin:$PATH" SLURM_CONF=$folder/slurm.conf
export OMPI_ALLOW_RUN_AS_ROOT=1 OMPI_ALLOW_RUN_AS_ROOT_CONFIRM=1 OMPI_MCA_btl_vader_single_copy_mechanism=none
(umask 077 && head -c 1024 /dev/urandom >munge.key)
daemon munged munged --foreground --force --key-file="$folder/munge.key" --socket="$folder/munge.socket" \
  --pid-file="$folder/munge.pid" --log-file="$folder/munge.log" --seed-file="$folder/munge.seed"
eventually "munge" test -S munge.socket

host=$(hostname -s)
cat >slurm.conf <<CONF
ClusterName=local
SlurmctldHost=$host(127.0.0.1)
SlurmctldPort=26817
SlurmdPort=26818
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
SelectType=select/cons_tres
SelectTypeParameters=CR_CPU
MinJobAge=3600
NodeName=$host NodeAddr=127.0.0.1 CPUs=$(nproc) RealMemory=1000 State=UNKNOWN
PartitionName=all Nodes=$host Default=YES MaxTime=INFINITE State=UP
CONF
daemon slurmctld slurmctld -D
daemon slurmd slurmd -D
eventually "an idle node" bash -c '[ "$(sinfo -h -o %t)" = idle ]'
srun --version

cat >plan.yaml <<'PLAN'
name: small
mesh: {size: 80, accuracy: 20}
tissues: {default: {sigma: {law: sigmoid, low: 0.1, high: 0.35, center: 580, width: 80}, threshold: 500}}
array: {count: 2, spacing: 15, exposure: 15}
pulses: [{from: A, to: B, voltage: 2000}]
PLAN
printf 'plan: plan.yaml\nvary: {"pulses[0].voltage": {from: 1500, to: 2500, count: 48}}\n' >short.yaml
printf 'plan: plan.yaml\nvary: {"pulses[0].voltage": {from: 1500, to: 2500, count: 1000}}\n' >long.yaml

# same WHAT FOLDER: the table, but for the time each case took, is that of the reference
same() {
  local name
  for name in "$3" "$2"; do
    awk -F, -v OFS=, 'NR == 1 { for (i = 1; i <= NF; i++) if ($i == "seconds") drop = i } { $drop = ""; print }' \
      "$name/sweep.csv" >"$name.csv"
  done
  if ! cmp -s "$2.csv" "$3.csv"; then
    echo "$1: the table differs from that of a sweep without Slurm"
    return 1
  fi
  echo "$1: $(($(wc -l <"$2/sweep.csv") - 1)) cases, as without Slurm"
}
OMP_NUM_THREADS=1 mpiexec --oversubscribe -n 2 irezone sweep short.yaml -o reference -q

sbatch --wait -o one.out --ntasks=2 --mem-per-cpu=100 "$examples/one_job.sh" short.yaml one
same "one job" one reference

job=$(TASKS=3 sbatch --parsable -o array-%a.out --mem=100 --array=1-2 "$examples/job_array.sh" short.yaml array)
job=$(TASKS=3 sbatch --parsable -o array-%a.out --mem=100 --array=3 --dependency="afterok:$job" "$examples/job_array.sh" short.yaml array)
sbatch --wait -o merge.out --mem=100 --dependency="afterok:$job" --wrap "irezone sweep short.yaml -o array --merge"
same "job array" array reference

# Two minutes are the limit, ninety seconds before it comes the signal. Slurm waits two minutes before it starts the job again.
job=$(sbatch --parsable -o limit.out --ntasks=2 --mem-per-cpu=100 --time=2 "$examples/one_job.sh" long.yaml limit)
for _ in $(seq 1800); do
  state=$(scontrol -o show job "$job" | sed 's/.*JobState=\([A-Z_]*\).*/\1/')
  case $state in PENDING | CONFIGURING | RUNNING | SIGNALING | COMPLETING | REQUEUED) sleep 1 ;; *) break ;; esac
done
restarts=$(scontrol -o show job "$job" | sed 's/.*Restarts=\([0-9]*\).*/\1/')
echo "time limit: $state after $restarts restarts"
[ "$state" = COMPLETED ]
[ "$restarts" -ge 1 ]
[ "$(grep -c 'back into the queue' limit.out)" = "$restarts" ]
OMP_NUM_THREADS=1 mpiexec --oversubscribe -n 2 irezone sweep long.yaml -o whole -q
same "time limit" limit whole
