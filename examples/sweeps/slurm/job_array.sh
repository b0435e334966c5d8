#!/bin/bash
# A job array: each task runs every 8th case by itself, wherever Slurm finds a core. Tasks share the folder and may run
# side by side; a failed task is submitted again alone (sbatch --array=3 ...), several as well (--array=1-2,4-7).
# Afterwards the parts become one table:
#   id=$(sbatch --parsable examples/sweeps/slurm/job_array.sh examples/sweeps/spacing_exposure.yaml out/classic)
#   sbatch --dependency=afterok:$id --wrap "irezone sweep examples/sweeps/spacing_exposure.yaml -o out/classic --merge"
# The number of tasks belongs to the sweep, whatever part of the array a job is. For another number state it twice:
#   TASKS=20 sbatch --array=1-20 examples/sweeps/slurm/job_array.sh ...
# An array suits cases with a mesh of their own; cases that share a mesh run faster in one job (one_job.sh), where they
# also share everything built on it.
#SBATCH --job-name=irezone-array
#SBATCH --array=1-8
#SBATCH --ntasks=1
#SBATCH --cpus-per-task=1
#SBATCH --mem=2G
#SBATCH --time=01:00:00
#SBATCH --requeue
set -u
tasks=${TASKS:-8}
export OMP_NUM_THREADS=1
exec irezone sweep "$1" -o "$2" --resume --task "$SLURM_ARRAY_TASK_ID/$tasks"
