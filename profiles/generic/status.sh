# Says "running", "success" or "failed" of a job: status.sh SCHEDULER NUMBER. Of what the scheduler does not know it says
# "running": a finished job may take a moment to appear in its records.
success='' failed=''
case $1 in
  slurm)
    record=$(squeue --noheader --states=all --format=%T --jobs="$2" 2>/dev/null)
    [ "$record" ] || record=$(sacct --noheader --allocations --format=State --jobs="$2" 2>/dev/null)
    success='COMPLETED' failed='FAIL|CANCELLED|TIMEOUT|DEADLINE|OUT_OF_ME|PREEMPTED' ;;
  pbs) # finished jobs are known where job_history_enable is set
    record=$(qstat -x -f "$2" 2>/dev/null || qstat -f "$2" 2>/dev/null)
    success='[Ee]xit_status = 0$' failed='[Ee]xit_status|job_state = [FC]$' ;;
  sge)
    record=$(qstat -j "$2" >/dev/null 2>&1 || qacct -j "$2" 2>/dev/null)
    success='^exit_status +0 *$' failed='^exit_status' ;;
  lsf)
    record=$(bjobs -noheader -o stat "$2" 2>/dev/null)
    success='DONE' failed='EXIT' ;;
  *)
    echo "status.sh: '$1'; expected slurm, pbs, sge or lsf" >&2
    exit 2 ;;
esac
if printf '%s\n' "$record" | grep -qE "$success"; then
  echo success
elif printf '%s\n' "$record" | grep -qE "$failed"; then
  echo failed
else
  echo running
fi
