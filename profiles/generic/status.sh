# Says "running", "success" or "failed" of the job whose number is given.
# PBS:         qstat -x -f "$1" has job_state and Exit_status.
# Grid Engine: qstat -j "$1" succeeds while the job is there; qacct -j "$1" has exit_status once it is not.
state=$(squeue --noheader --states=all --format=%T --jobs="$1" 2>/dev/null)
[ "$state" ] || state=$(sacct --noheader --allocations --format=State --jobs="$1" 2>/dev/null)
case "$state" in
  *COMPLETED*) echo success ;;
  *FAIL* | *CANCELLED* | *TIMEOUT* | *DEADLINE* | *OUT_OF_ME* | *PREEMPTED*) echo failed ;;
  *) echo running ;;
esac
