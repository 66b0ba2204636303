#!/usr/bin/env bash
# Run a command beside a Slurm node of its own, which ends with it: slurm.sh COMMAND...
# One node on the loopback interface, with key, socket, state and logs in a temporary folder:
# nothing of the machine's own Slurm is read or changed, and $SLURM_CONF leads the command here.
set -euo pipefail

needed=(munged mungekey slurmctld slurmd sbatch srun squeue sinfo scancel)
PATH="$PATH:/usr/sbin:/sbin"

missing() {
    for program in "${needed[@]}"; do
        command -v "$program" > /dev/null || { echo "$program"; return; }
    done
}

if [ -n "$(missing)" ] && [ "$(id -u)" = 0 ] && command -v apt-get > /dev/null; then
    # The services of the packages are not wanted here, and are not started by themselves.
    export DEBIAN_FRONTEND=noninteractive RUNLEVEL=1
    { apt-get update -qq && apt-get install -qq -y --no-install-recommends \
        slurmctld slurmd slurm-client munge; } > /dev/null 2>&1 || true
fi
if [ -n "$(missing)" ]; then
    echo "Skipped: the program $(missing) is missing; install Debian's packages slurm-wlm and munge."
    exit 0
fi

folder=$(mktemp -d "${TMPDIR:-/tmp}/slurm-XXXXXX")
started=()
command=""
end() {
    if [ -n "$command" ]; then kill "$command" 2> /dev/null || true; fi
    if [ -f "$folder/slurmd.pid" ]; then scancel --quiet --user "$(id -un)" 2> /dev/null || true; fi
    for name in slurmd slurmctld munged; do # each needs those that follow
        if [ -f "$folder/$name.pid" ]; then
            kill "$(cat "$folder/$name.pid")" 2> /dev/null || true
            sleep 0.2
        fi
    done
    for process in "${started[@]}"; do
        for _ in $(seq 100); do
            kill -0 "$process" 2> /dev/null || continue 2
            sleep 0.1
        done
        kill -KILL "$process" 2> /dev/null || true
    done
    rm -rf "$folder"
}
trap end EXIT
trap 'exit 130' INT
trap 'exit 143' TERM HUP

fail() {
    echo "Slurm could not be started: $1. The last lines of its logs:" >&2
    tail -n 15 "$folder"/*.log >&2
    exit 1
}

wait_for() { # SECONDS WHAT COMMAND...
    local seconds=$1 what=$2
    shift 2
    for _ in $(seq $((10 * seconds))); do
        "$@" > /dev/null 2>&1 && return
        sleep 0.1
    done
    fail "$what"
}

chmod 755 "$folder" # munged asks for a folder that everybody can enter
mkdir "$folder/state" "$folder/spool"
read -r port other < <(python3 - << 'END'
import socket
free = [socket.create_server(("127.0.0.1", 0)) for _ in range(2)]
print(*(server.getsockname()[1] for server in free))
END
)
cat > "$folder/slurm.conf" << END
ClusterName=gradaudit
SlurmctldHost=$(hostname -s)(127.0.0.1)
SlurmctldPort=$port
SlurmdPort=$other
SlurmUser=$(id -un)
SlurmdUser=$(id -un)
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket=$folder/munge.socket
CredType=cred/munge
StateSaveLocation=$folder/state
SlurmdSpoolDir=$folder/spool
SlurmctldPidFile=$folder/slurmctld.pid
SlurmdPidFile=$folder/slurmd.pid
SlurmctldLogFile=$folder/slurmctld.log
SlurmdLogFile=$folder/slurmd.log
# No control groups, which containers seldom have.
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerParameters=sched_min_interval=0,batch_sched_delay=0
MinJobAge=300
# What the profile asks for is granted on any machine.
SlurmdParameters=config_overrides
ReturnToService=2
NodeName=here NodeHostname=$(hostname -s) NodeAddr=127.0.0.1 CPUs=4 RealMemory=32000
PartitionName=all Nodes=here Default=YES MaxTime=INFINITE State=UP
END
export SLURM_CONF="$folder/slurm.conf"
# Snakemake's plugin calls srun within a job without the variables of Slurm, and so without this one.
mkdir "$folder/bin"
printf '#!/bin/sh\nSLURM_CONF=%q exec %q "$@"\n' "$SLURM_CONF" "$(command -v srun)" > "$folder/bin/srun"
chmod +x "$folder/bin/srun"
PATH="$folder/bin:$PATH"

mungekey --create --keyfile "$folder/munge.key"
munged --foreground --key-file "$folder/munge.key" --socket "$folder/munge.socket" \
    --pid-file "$folder/munged.pid" --seed-file "$folder/munge.seed" > "$folder/munged.log" 2>&1 &
started+=($!)
wait_for 10 "munged makes no socket" test -S "$folder/munge.socket"
slurmctld -D > /dev/null 2>&1 &
started+=($!)
wait_for 20 "slurmctld does not answer" sinfo
slurmd -D > /dev/null 2>&1 &
started+=($!)
idle() { sinfo --noheader --format=%T | grep -qx idle; }
wait_for 20 "the node is not idle" idle

GRADAUDIT_SLURM=1 "$@" & # in the background, so that a signal is heard at once
command=$!
wait "$command"
