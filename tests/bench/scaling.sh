#!/usr/bin/env bash
# scaling.sh SKV SOURCE [OPTION...]: one host's GPUs in one run, 1, 2, 4, 8 of them, beside each of
# them alone; scaling.sh SKV SOURCE --help names the options. About 25 minutes on eight H200s;
# --parts and --ranks run less of it. Without a GPU: --tiny, which tries the script, not the speed.
exec python3 "$(dirname "${BASH_SOURCE[0]}")/scaling.py" "$@"
