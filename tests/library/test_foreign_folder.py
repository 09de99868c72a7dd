import json
import os
import pickle
import socket

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mhdesk.library.foreign_folder import ForeignFile, check_foreign_folder, is_plain_name, plain_files

unix = pytest.mark.skipif(os.name != "posix", reason="links and pipes are those of Unix")


@pytest.fixture
def folder(tmp_path):
    """A folder as model hubs give it."""
    made = tmp_path / "model"
    made.mkdir()
    (made / "config.json").write_text('{"model_type": "llama"}')
    (made / "README.md").write_text("# A model\ncopyright\n2024\n")
    (made / "LICENSE.txt").write_text("Permission is granted.")
    (made / ".gitattributes").write_text("*.bin filter=lfs\n")
    (made / "original").mkdir()
    (made / "original" / "consolidated.00.pth").write_bytes(b"\x80\x02.")
    return made


def test_the_files_at_the_top_are_given_and_folders_are_never_entered(folder):
    assert list(check_foreign_folder(folder)) == [".gitattributes", "LICENSE.txt", "README.md", "config.json"]
    assert plain_files(folder)["README.md"] == folder / "README.md"


@pytest.mark.parametrize(
    "ending", [".bin", ".pt", ".pth", ".ckpt", ".pkl", ".pickle", ".joblib", ".npy", ".npz", ".PTH"]
)
def test_a_pickled_file_is_refused_by_its_ending_and_named(folder, ending):
    (folder / f"weights{ending}").write_bytes(b"")
    with pytest.raises(ForeignFile, match=rf"it brings pickled files \(weights\{ending}\)"):
        check_foreign_folder(folder)


@pytest.mark.parametrize("name", ["model.safetensors", "tokenizer.model", "NOTES"])
def test_a_pickled_file_under_another_name_is_refused(folder, name):
    (folder / name).write_bytes(pickle.dumps({"a": 1}))
    with pytest.raises(ForeignFile, match="pickled or packed file under another name"):
        check_foreign_folder(folder)


@pytest.mark.parametrize("name", ["modeling_llama.py", "kernel.so", "helper.DLL"])
def test_code_is_refused(folder, name):
    (folder / name).write_text("")
    with pytest.raises(ForeignFile, match="it brings code"):
        check_foreign_folder(folder)


@pytest.mark.parametrize("name", ["config.json", "tokenizer_config.json", "generation_config.json"])
def test_a_configuration_that_asks_for_code_is_refused(folder, name):
    (folder / name).write_text(json.dumps({"auto_map": {"AutoModel": "modeling.Model"}}))
    with pytest.raises(ForeignFile, match=r"asks for code of its own \(auto_map\)"):
        check_foreign_folder(folder)


def test_a_damaged_configuration_is_named(folder):
    (folder / "config.json").write_text("{")
    with pytest.raises(ForeignFile, match=r"config\.json is missing or damaged"):
        check_foreign_folder(folder)


@unix
def test_a_link_out_of_the_folder_is_refused_whatever_it_leads_to(folder, tmp_path):
    (tmp_path / "secret").write_text("secret")
    for target in (tmp_path / "secret", tmp_path, tmp_path.parent, "/dev/zero", "../secret", "/"):
        link = folder / "link"
        link.symlink_to(target)
        with pytest.raises(ForeignFile, match="link that leads out of the folder"):
            plain_files(folder)
        link.unlink()


@unix
def test_a_link_to_a_file_of_the_folder_counts_as_a_file(folder):
    (folder / "LICENSE").symlink_to("LICENSE.txt")
    (folder / "more").symlink_to("original")
    assert "LICENSE" in plain_files(folder)
    assert "more" not in plain_files(folder)


@unix
def test_a_link_into_a_subfolder_is_looked_through_like_any_file(folder):
    (folder / "model.safetensors").symlink_to("original/consolidated.00.pth")
    with pytest.raises(ForeignFile, match="pickled"):
        check_foreign_folder(folder)


@unix
@pytest.mark.parametrize("target", ["nothing", "link"])
def test_a_link_that_leads_nowhere_or_to_itself_is_refused(folder, target):
    (folder / "link").symlink_to(target)
    with pytest.raises(ForeignFile, match="link cannot be read"):
        plain_files(folder)


@unix
def test_a_folder_that_is_itself_reached_by_a_link_is_fine(folder, tmp_path):
    (tmp_path / "short").symlink_to(folder)
    assert "config.json" in check_foreign_folder(tmp_path / "short")


@unix
def test_a_named_pipe_and_a_socket_are_refused_without_opening_them(folder, monkeypatch):
    os.mkfifo(folder / "config2.json")
    with pytest.raises(ForeignFile, match=r"config2\.json is neither a file nor a folder"):
        check_foreign_folder(folder)
    (folder / "config2.json").unlink()
    monkeypatch.chdir(folder)  # the name of a socket may not be long
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind("knock")
        with pytest.raises(ForeignFile, match="knock is neither a file nor a folder"):
            check_foreign_folder(folder)


def test_too_many_entries_are_refused(folder):
    for number in range(2001):
        (folder / f"{number}").touch()
    with pytest.raises(ForeignFile, match="more than 2000 entries"):
        plain_files(folder)


@unix
@pytest.mark.parametrize(
    "name", ["a\nb", "a\x1b[2J", "con", "CON.json", "a\\b", "a:b", "a.", "a ", " a", "\u202egnp.a"]
)
def test_a_name_that_is_not_plain_is_refused(folder, name):
    (folder / name).touch()
    with pytest.raises(ForeignFile, match="unusual name"):
        plain_files(folder)


@unix
def test_a_name_that_is_no_text_is_refused(folder):
    try:
        os.close(os.open(os.fsencode(folder) + b"/\xff", os.O_CREAT))
    except OSError:
        pytest.skip("this disk takes only names that are text")
    with pytest.raises(ForeignFile, match="unusual name"):
        plain_files(folder)


def test_a_missing_folder_is_refused(tmp_path):
    with pytest.raises(ForeignFile, match="cannot be read"):
        plain_files(tmp_path / "nothing")


def test_names_in_other_scripts_are_plain():
    assert all(is_plain_name(name) for name in ("Lizenz für alle.txt", "許可.md", "model-00001-of-00002.safetensors"))


@given(st.text(max_size=300))
def test_a_plain_name_is_one_part_of_a_path_and_shows_on_one_line(name):
    if is_plain_name(name):
        assert name == os.path.basename(name)  # noqa: PTH119
        assert name.isprintable()
        assert name not in (".", "..")
