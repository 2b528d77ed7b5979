#!/usr/bin/env bash
# Trains on every GPU of this machine. usage: scripts/train.sh --seconds N --out DIR [what `python -m training.train` takes]
# The platform's own Python is taken where its PyTorch sees a GPU, else .venv-models, which is made if need be.
set -euo pipefail
cd "$(dirname "$0")/.."
. scripts/system.sh
export PYTHONPATH=.:src OMP_NUM_THREADS=1

# count_gpus PYTHON: how many its PyTorch can use.
count_gpus() {
  "$1" -c 'import torch; print(torch.cuda.device_count())' 2>/dev/null || echo 0
}

python=${PYTHON:-python3}
gpus=$(count_gpus "$python")
if [ "$gpus" = 0 ] && nvidia-smi >/dev/null 2>&1; then
  scripts/setup.sh models
  python=.venv-models/bin/python
  gpus=$(count_gpus $python)
fi
if [ "$gpus" = 0 ]; then
  say "no GPU that PyTorch can use was found. \`make train-smoke\` trains a few steps without one."
  exit 1
fi
exec "$python" -m torch.distributed.run --standalone --nproc-per-node "$gpus" -m training.train --norm fused "$@"
