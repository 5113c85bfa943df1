# shellcheck shell=bash
# One rank for each GPU that a process may use, not for each that the host has.
mkdir bin
cat >bin/nvidia-smi <<'SH'
#!/bin/sh
for i in 0 1 2 3 4 5 6 7; do echo "GPU $i: a GPU (UUID: GPU-$i)"; done
SH
chmod +x bin/nvidia-smi
PATH=$PWD/bin:$PATH
ranks() {
    SKV="$SKV" "$SOURCE/jobs/launch.sh" -d -- sample | grep -o 'ppr:[0-9]*:node'
}
unset CUDA_VISIBLE_DEVICES
ranks
CUDA_VISIBLE_DEVICES=2,5 ranks
CUDA_VISIBLE_DEVICES=GPU-1b,MIG-7f,GPU-3d ranks
CUDA_VISIBLE_DEVICES=0,-1,1 ranks # CUDA stops at the first that is none
CUDA_VISIBLE_DEVICES='' ranks
