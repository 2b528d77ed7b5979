# Two commands do all that they need by themselves: `make demo` and `make test`.
.DEFAULT_GOAL := help
PY := .venv/bin/python
export PYTHONDONTWRITEBYTECODE := 1

MODELS_PY := .venv-models/bin/python
MODEL_TESTS := tests/worker/test_other_models.py tests/worker/test_upstream_models.py tests/measure/test_gpu.py

.PHONY: help setup setup-dev setup-models demo test check-app check-beside test-long lint eval bench hostile validate train train-smoke sheet gpu \
	words lock clean

help:  ## list the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## /{printf "  make %-11s %s\n", $$1, $$2}' Makefile

setup:  # the app's environment, and what the system lacks
	@scripts/setup.sh app

setup-dev:
	@scripts/setup.sh dev

setup-models:
	@scripts/setup.sh models

demo: setup  ## turn a sample still into a scene and say where it lies
	$(PY) -m stillto3d demo --out out/demo

test: setup-dev setup-models lint  ## everything that a change must pass
	@$(MAKE) --no-print-directory -j2 --output-sync=line check-app check-beside

check-app:  # what needs no PyTorch and no judge
	$(PY) -m pytest $(MODEL_TESTS:%=--ignore=%)

check-beside:  # beside it, with temporary files of its own, for some tests look at what others leave there
	@export TMPDIR=$$(mktemp -d) && trap 'rm -rf "$$TMPDIR"' EXIT && $(PY) -m pytest $(MODEL_TESTS) && \
		$(MAKE) --no-print-directory -j1 train-smoke hostile validate

test-long: setup-dev  ## the long runs: hundreds of kills, wide fuzzing
	$(PY) -m pytest -m long --long

lint: setup-dev  ## ruff, mypy, import contracts
	.venv/bin/ruff check
	.venv/bin/ruff format --check
	.venv/bin/mypy
	.venv/bin/lint-imports

eval: setup-dev  ## score the builtins on the samples; STILLS=DIR AGAINST=DIR OUT=FILE PARTS="masks depth"
	$(PY) -m measure.eval $(if $(STILLS),--stills "$(STILLS)") $(if $(AGAINST),--against "$(AGAINST)") \
		$(if $(PARTS),--parts $(PARTS)) --out "$(or $(OUT),eval.json)"

bench: setup-dev  ## times and memory, as in docs/benchmarks.md; OUT=FILE
	$(PY) -m measure.bench --out "$(or $(OUT),bench.json)"

hostile: setup-dev  ## every broken file opens right or is refused with words; FILES=DIR for another folder
	$(PY) tests/support/hostile_run.py $(if $(FILES),"$(FILES)")

validate: setup-dev  ## other people's readers on our exports: Khronos' validator, Blender, three.js, Spark, ...
	scripts/judges.sh
	STILLTO3D_NODE_MODULES=node_modules STILLTO3D_BLENDER_PYTHON="$$(ls .venv-blender/bin/python 2>/dev/null)" \
		$(PY) -m pytest tests/formats/test_judges*.py --judges -rs --durations=8

train-smoke: setup-models  ## train a few steps on worlds rendered here, export, and all tests of training
	$(MODELS_PY) -m pytest tests/training -rs

train:  ## train on every GPU of this machine; SECONDS=540 OUT=DIR RESUME=CHECKPOINT MORE="--watch DIR"
	scripts/train.sh --seconds "$(or $(SECONDS),540)" --out "$(or $(OUT),out/training)" \
		$(if $(RESUME),--resume "$(RESUME)") $(MORE)

sheet: setup-models  ## print worlds as a contact sheet; OUT=FILE MORE="--seed 7 --show picture depth"
	$(MODELS_PY) -m training.sheet --out "$(or $(OUT),sheet.jpg)" $(MORE)

gpu: setup-dev  ## on a machine with a GPU: tests and figures; PYTHON=INTERPRETER with CUDA, MODELS="ID ..." OUT=FILE
	STILLTO3D_MODELS_PYTHON="$(PYTHON)" $(PY) -m pytest -m gpu --gpu -rs
	STILLTO3D_MODELS_PYTHON="$(PYTHON)" $(PY) -m measure.gpu $(if $(MODELS),--models $(MODELS)) --out "$(or $(OUT),gpu.json)"

words: setup-dev  ## gather every sentence, update and compile the catalogues
	$(PY) scripts/words.py

lock:  ## renew the locked versions
	uv pip compile --quiet --upgrade pyproject.toml --python-version 3.11 --no-emit-index-url \
		--no-emit-find-links --no-annotate --no-header -o requirements.lock
	uv pip compile --quiet pyproject.toml --group dev -c requirements.lock --python-version 3.11 \
		--no-emit-index-url --no-emit-find-links --no-annotate --no-header -o requirements-dev.lock
	uv pip compile --quiet --group upstream -c resources/envs/models.lock -c resources/envs/models.alone.lock \
		--python-version 3.11 --no-emit-index-url --no-emit-find-links --no-annotate --no-header \
		| grep -vxFf resources/envs/models.lock | grep -vxFf resources/envs/models.alone.lock \
		| grep -v '^nvidia\|^cuda\|^triton' > resources/envs/models.upstream.lock

clean:  ## remove the environment and everything built
	rm -rf .venv .venv-blender .venv-judges .venv-models build dist out .mypy_cache .ruff_cache .pytest_cache .import_linter_cache .hypothesis
