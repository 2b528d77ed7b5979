"""The marcher is compiled once by what the machine has, and says clearly what is missing."""

from __future__ import annotations

import pytest

from training import marcher


@pytest.mark.parametrize(
    ("kind", "wanted"), [("cpu", r"C\+\+ compiler \(g\+\+\)"), ("cuda", r"NVIDIA's compiler \(nvcc\)")]
)
def test_a_machine_without_a_compiler_is_told_so(monkeypatch, kind, wanted):
    monkeypatch.setattr("shutil.which", lambda *args, **more: None)
    with pytest.raises(FileNotFoundError, match=f"needs .*{wanted}, and none was found. Install one"):
        marcher.compile_marcher.__wrapped__(kind)


def test_it_is_compiled_once(monkeypatch, tmp_path):
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.setattr(marcher, "FLAGS_CPU", ("-O0", *marcher.FLAGS_CPU[1:]))
    marcher.compile_marcher.__wrapped__("cpu")
    [built] = (tmp_path / "stillto3d-training").iterdir()
    monkeypatch.setattr("subprocess.run", None)  # must not be called again
    marcher.compile_marcher.__wrapped__("cpu")
    assert built.suffix == ".so"
