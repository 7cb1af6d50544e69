#!/bin/sh
# What has become of a job:  sh status.sh sbatch|qsub|bsub ID  prints success, running or failed.
# ID may be all that the scheduler printed; the first number in it counts (with PBS's server name).
# A scheduler that does not answer is asked three times and then taken to be busy: `running`.
case $1 in qsub) pattern='[0-9][0-9.A-Za-z_-]*' ;; *) pattern='[0-9][0-9]*' ;; esac
id=$(printf '%s\n' "$2" | grep -o "$pattern" | head -n 1)
[ -n "$id" ] || { echo failed; exit; }

slurm() {
    # accounting knows jobs for months, the controller only for minutes after their end
    state=$(scontrol show job -o "$id" 2> "$errors" | grep -o ' JobState=[A-Z_]*' | cut -d= -f2)
    [ -n "$state" ] || state=$(sacct -n -P -X -j "$id" -o State 2> /dev/null | head -n 1 | cut -d' ' -f1)
    [ -n "$state" ] || { grep -qi 'invalid job id' "$errors" && state=UNKNOWN; }
    case $state in
        '') return 1 ;;
        COMPLETED) echo success ;;
        PENDING | CONFIGURING | RUNNING | COMPLETING | SUSPENDED | REQUEUED | REQUEUE_HOLD | \
            REQUEUE_FED | RESIZING | SIGNALING | STAGE_OUT | STOPPED | SPECIAL_EXIT | RESV_DEL_HOLD)
            echo running ;;
        *) echo failed ;;
    esac
}

grid() { # PBS Pro, OpenPBS, Torque, and Grid Engine, which shares their command names
    if shown=$(qstat -x -f "$id" 2> "$errors" || qstat -f "$id" 2> "$errors") && [ -n "$shown" ]; then
        state=$(printf '%s\n' "$shown" | sed -n 's/^ *job_state *= *//p' | head -n 1)
        code=$(printf '%s\n' "$shown" | sed -n 's/^ *[Ee]xit_status *= *//p' | head -n 1)
        case $state in
            '') ;;
            C | F) if [ "$code" = 0 ]; then echo success; else echo failed; fi; return ;;
            *) echo running; return ;;
        esac
    fi
    if qstat -j "$id" > /dev/null 2>> "$errors"; then echo running; return; fi
    if command -v qacct > /dev/null && shown=$(qacct -j "$id" 2>> "$errors") && [ -n "$shown" ]; then
        failed=$(printf '%s\n' "$shown" | sed -n 's/^failed  *\([0-9]*\).*/\1/p' | tail -n 1)
        code=$(printf '%s\n' "$shown" | sed -n 's/^exit_status  *//p' | tail -n 1 | tr -d ' ')
        if [ "$failed" = 0 ] && [ "$code" = 0 ]; then echo success; else echo failed; fi
        return
    fi
    grep -Eqi 'unknown job|do not exist|job id .*not found' "$errors" && { echo failed; return; }
    return 1
}

lsf() {
    state=$(bjobs -a -noheader -o stat "$id" 2> "$errors" | head -n 1 | tr -d ' ')
    case $state in
        DONE) echo success ;;
        EXIT | ZOMBI) echo failed ;;
        '') grep -qi 'not found' "$errors" && { echo failed; return; }; return 1 ;;
        *) echo running ;;
    esac
}

errors=$(mktemp)
trap 'rm -f "$errors"' EXIT
for pause in 1 3 0; do
    case $1 in
        sbatch) slurm && exit ;;
        qsub) grid && exit ;;
        bsub) lsf && exit ;;
        *) echo "status.sh: sbatch, qsub or bsub, not $1" >&2; exit 2 ;;
    esac
    sleep $pause
done
echo running
