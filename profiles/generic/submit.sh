# Submits a job by the scheduler's own command, and prints the number of the job:
#     submit.sh SCHEDULER RULE WILDCARDS CORES MEGABYTES MINUTES GPUS SCRIPT
# What the scheduler says of a job, such as why it ended it, stays in .snakemake/cluster_logs/.
# Site: add queue, account and the kind of GPU to the line of your scheduler, such as -q gpu -A project for PBS,
# -q gpu.q -P project for Grid Engine, -q gpu -P project for LSF.
set -eu
scheduler=$1 rule=$2 wildcards=$3 cores=$4 megabytes=$5 minutes=$6 gpus=$7 script=$8
name=$(printf '%s' "$rule${wildcards:+.$wildcards}" | tr -c 'A-Za-z0-9_.-' '.')
time=$(printf '%02d:%02d' $((minutes / 60)) $((minutes % 60)))
log=$PWD/.snakemake/cluster_logs/$name.$(date +%Y%m%d-%H%M%S).log
mkdir -p "${log%/*}"
case $scheduler in
  slurm)
    set -- --gpus="$gpus"
    [ "$gpus" != 0 ] || set --
    sbatch --parsable --job-name="$name" --output="$log" --cpus-per-task="$cores" --mem="$megabytes" --time="$minutes" \
      "$@" "$script" ;;
  pbs)
    [ "$gpus" = 0 ] && gpus= || gpus=:ngpus=$gpus
    qsub -V -N "$name" -j oe -o "$log" -l walltime="$time:00" \
      -l select="1:ncpus=$cores:mem=${megabytes}mb$gpus" "$script" ;;
  sge) # memory is that of each core
    set -- -l gpu="$gpus"
    [ "$gpus" != 0 ] || set --
    qsub -terse -V -cwd -N "$name" -j y -o "$log" -pe smp "$cores" -l h_vmem="$((megabytes / cores))M" \
      -l h_rt="$time:00" "$@" "$script" ;;
  lsf) # "Job <12> is submitted to queue <normal>."; megabytes, unless LSF_UNIT_FOR_LIMITS says something else
    set -- -gpu "num=$gpus"
    [ "$gpus" != 0 ] || set --
    bsub -J "$name" -oo "$log" -n "$cores" -R "span[hosts=1] rusage[mem=$megabytes]" -M "$megabytes" -W "$time" \
      "$@" sh "$script" | sed -n 's/^Job <\([0-9]*\)>.*/\1/p' ;;
  *)
    echo "submit.sh: '$scheduler'; expected slurm, pbs, sge or lsf" >&2
    exit 2 ;;
esac
