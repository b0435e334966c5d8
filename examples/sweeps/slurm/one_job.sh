#!/bin/bash
# One job, 64 cases at a time. Ninety seconds before its limit Slurm sends USR1: the cases in flight finish, the sweep
# ends with status 75, and the job puts itself back into the queue, where --resume goes on. A lost node or a kill costs
# the cases in flight only; submit the script again.
#   sbatch examples/sweeps/slurm/one_job.sh examples/sweeps/uncertainty.yaml out/uncertainty
#SBATCH --job-name=irezone-sweep
#SBATCH --ntasks=64
#SBATCH --cpus-per-task=1
#SBATCH --mem-per-cpu=2G
#SBATCH --time=02:00:00
#SBATCH --signal=USR1@90
#SBATCH --requeue
#SBATCH --open-mode=append
set -u
sweep=$1 out=$2
export OMP_NUM_THREADS=1

# srun passes the signal to every rank; the shell must only survive it. --mpi=pmix is how Debian's Open MPI learns of its
# ranks from Slurm; `srun --mpi=list` shows what else a cluster offers.
trap : USR1
srun --mpi=pmix --kill-on-bad-exit=0 irezone sweep "$sweep" -o "$out" --resume &
wait $!
status=$?
# A wait that the signal interrupted tells nothing about irezone yet.
while kill -0 $! 2>/dev/null; do
  wait $!
  status=$?
done
if [ $status -eq 75 ]; then
  echo "stopped before the limit; back into the queue"
  scontrol requeue "$SLURM_JOB_ID"
fi
exit $status
