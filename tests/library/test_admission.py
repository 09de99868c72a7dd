import json
import os
import subprocess
import sys
from pathlib import Path

import psutil
import pytest

from mhdesk.library.admission import memory_available, memory_needed, refusal

ROOT = Path(__file__).resolve().parents[2]

LLAMA_3B = {
    "num_hidden_layers": 28,
    "num_attention_heads": 24,
    "num_key_value_heads": 8,
    "head_dim": 128,
    "hidden_size": 3072,
    "intermediate_size": 8192,
    "max_position_embeddings": 131072,
}


def folder_of(tmp_path, config):
    (tmp_path / "config.json").write_text(json.dumps(config))
    return tmp_path


def test_the_cache_of_a_3b_model_is_112_mib_a_thousand_tokens(tmp_path):
    need = memory_needed(folder_of(tmp_path, LLAMA_3B), 3_400_000_000)
    assert need.cache == 448 * 2**20
    assert 4 * 2**30 < need.total < 5 * 2**30


def test_a_short_window_needs_a_short_cache(tmp_path):
    need = memory_needed(folder_of(tmp_path, {**LLAMA_3B, "max_position_embeddings": 1024}), 0)
    assert need.cache == 112 * 2**20


def test_what_would_not_fit_is_refused_with_both_figures(tmp_path):
    sentence = refusal(folder_of(tmp_path, LLAMA_3B), 10**15)
    assert "GiB of memory" in sentence
    assert f"{memory_available() / 2**30:.0f}" in sentence or "GiB are free" in sentence
    assert refusal(tmp_path, 1) is None


def test_available_memory_is_never_more_than_the_systems():
    assert 0 < memory_available() <= psutil.virtual_memory().total


def test_a_control_groups_limit_counts():
    group = Path("/sys/fs/cgroup/memory") / f"mhdesk-test-{os.getpid()}"
    try:
        group.mkdir()
        (group / "memory.limit_in_bytes").write_text(str(300 * 2**20))
    except OSError:
        pytest.skip("this machine lets us make no control group")
    try:
        script = (
            f"import os; open({str(group / 'cgroup.procs')!r}, 'w').write(str(os.getpid()))\n"
            "from mhdesk.library.admission import memory_available; print(memory_available())"
        )
        result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    finally:
        group.rmdir()
    assert 200 * 2**20 < int(result.stdout) <= 300 * 2**20
