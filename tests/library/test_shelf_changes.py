"""Adding adapters, removing, and what a killed change leaves."""

import json
import shutil
import zipfile

import pytest
from safetensors.torch import load_file, save_file

from mhdesk.core.errors import AdapterUnusable, BadInput, StorageError
from mhdesk.library.adapter_folder import read_card
from mhdesk.library.replace_folder import UNFINISHED, replace_folder
from mhdesk.library.shelf import Shelf
from mhdesk.library.shelf_changes import add_adapter, check_disk_space, remove_adapter, remove_model, unfinished_models
from mhdesk.library.shelf_lock import changing_shelf
from tests.tiny_model import make_adapter, make_tiny_model


@pytest.fixture(scope="module")
def warm(tiny_model, tmp_path_factory):
    return make_adapter(tmp_path_factory.mktemp("from-others") / "warm", tiny_model)


@pytest.fixture
def shelf(paths, tiny_model):
    paths.ensure()
    shutil.copytree(tiny_model, paths.models / "tiny")
    return Shelf(paths)


@pytest.fixture
def brought(warm, tmp_path):
    """A copy of the adapter, to be changed."""
    return shutil.copytree(warm, tmp_path / "Warm Words v2")


def zipped(folder, target):
    with zipfile.ZipFile(target, "w") as archive:
        for path in folder.iterdir():
            archive.write(path, f"{folder.name}/{path.name}")
    return target


def test_a_folder_is_added_under_a_plain_name_and_can_be_used(shelf, paths, brought):
    assert add_adapter(paths, shelf, brought) == "warm-words-v2"
    shelf.use_adapter("warm-words-v2")
    assert Shelf(paths).pair().adapter == paths.adapters / "warm-words-v2"


def test_a_zip_is_added_like_its_folder(shelf, paths, brought, tmp_path):
    name = add_adapter(paths, shelf, zipped(brought, tmp_path / "words.zip"))
    assert name == "words"
    assert read_card(paths.adapters / name) == read_card(brought)


def test_the_original_stays_and_nothing_unfinished_does(shelf, paths, brought):
    before = {path.name: path.read_bytes() for path in brought.iterdir()}
    add_adapter(paths, shelf, brought)
    assert {path.name: path.read_bytes() for path in brought.iterdir()} == before
    assert not list(paths.adapters.glob(".unfinished/*"))


def test_one_without_a_card_is_for_the_model_in_use_and_counts_as_unmeasured(shelf, paths, brought):
    (brought / "card.json").unlink()
    name = add_adapter(paths, shelf, brought)
    assert read_card(paths.adapters / name).evaluation is None
    with pytest.raises(AdapterUnusable, match=r"Nobody has measured .* --unmeasured"):
        shelf.use_adapter(name)
    assert shelf.pair().adapter is None


def test_an_unmeasured_one_is_used_by_whoever_says_so_and_only_that_one(shelf, paths, brought, tmp_path):
    (brought / "card.json").unlink()
    name = add_adapter(paths, shelf, brought)
    other = add_adapter(paths, shelf, shutil.copytree(brought, tmp_path / "other"))
    shelf.use_adapter(name, unmeasured=True)
    assert Shelf(paths).pair().adapter == paths.adapters / name
    with pytest.raises(AdapterUnusable, match="Nobody has measured"):
        shelf.pair(adapter=other)
    shelf.use_adapter("none")
    with pytest.raises(AdapterUnusable, match="Nobody has measured"):
        shelf.pair(adapter=name)


def test_one_for_another_base_is_refused_and_names_it(shelf, paths, brought):
    card = json.loads((brought / "card.json").read_text())
    (brought / "card.json").write_text(json.dumps({**card, "base_sha256": "0" * 64, "base_id": "someone/else-3b"}))
    with pytest.raises(AdapterUnusable, match="someone/else-3b, which is not installed"):
        add_adapter(paths, shelf, brought)
    assert shelf.adapters() == {}


def test_one_of_another_shape_is_refused(shelf, paths, brought):
    (brought / "card.json").unlink()
    weights = load_file(brought / "adapter_model.safetensors")
    name = next(name for name in weights if name.endswith("q_proj.lora_A.weight"))
    weights[name] = weights[name][:, :-1].contiguous()
    save_file(weights, brought / "adapter_model.safetensors")
    with pytest.raises(AdapterUnusable, match="cannot be used"):
        add_adapter(paths, shelf, brought)


def test_weights_that_are_not_numbers_are_refused(shelf, paths, brought):
    (brought / "card.json").unlink()
    weights = load_file(brought / "adapter_model.safetensors")
    next(iter(weights.values()))[0, 0] = float("inf")
    save_file(weights, brought / "adapter_model.safetensors")
    with pytest.raises(AdapterUnusable, match="not finite"):
        add_adapter(paths, shelf, brought)


def test_a_pickle_beside_it_is_refused(shelf, paths, brought):
    (brought / "training_args.bin").write_bytes(b"\x80\x04N.")
    with pytest.raises(AdapterUnusable, match="pickled"):
        add_adapter(paths, shelf, brought)


def test_a_zip_that_leaves_its_folder_is_refused_and_nothing_appears_outside(shelf, paths, tmp_path):
    with zipfile.ZipFile(tmp_path / "evil.zip", "w") as archive:
        archive.writestr("../../outside.txt", "x")
    with pytest.raises(AdapterUnusable, match="cannot be used"):
        add_adapter(paths, shelf, tmp_path / "evil.zip")
    assert not list(paths.home.rglob("outside.txt"))


def test_a_name_that_is_taken_is_refused_and_what_is_there_stays(shelf, paths, brought):
    name = add_adapter(paths, shelf, brought)
    before = read_card(paths.adapters / name)
    with pytest.raises(BadInput, match=f"adapters remove {name}"):
        add_adapter(paths, shelf, brought)
    assert read_card(paths.adapters / name) == before


def test_what_is_removed_is_gone_and_no_longer_chosen(shelf, paths, brought):
    name = add_adapter(paths, shelf, brought)
    shelf.use_model("tiny")
    shelf.use_adapter(name)
    remove_adapter(shelf, name)
    assert (shelf.adapters(), shelf.selection().adapter, shelf.selection().model) == ({}, None, "tiny")
    remove_model(paths, shelf, "tiny")
    assert (shelf.models(), shelf.selection().model) == ({}, None)
    assert [path.name for path in paths.models.iterdir()] == []


def test_what_is_kept_of_an_unfinished_model_is_told_and_can_be_removed(shelf, paths):
    for folder in (paths.models / UNFINISHED / "large", paths.downloads / "large"):
        folder.mkdir(parents=True)
        (folder / "model-00001-of-00002.safetensors").write_bytes(b"x" * 1000)
    assert unfinished_models(paths) == {"large": 2000}
    remove_model(paths, shelf, "large")
    assert unfinished_models(paths) == {}
    assert list(shelf.models()) == ["tiny"]


@pytest.mark.parametrize("kind", ["model", "adapter"])
def test_removing_what_is_not_there_names_what_is(shelf, paths, kind):
    with pytest.raises(BadInput, match="Installed: "):
        remove_model(paths, shelf, "nonsense") if kind == "model" else remove_adapter(shelf, "nonsense")


def test_two_changes_at_once_are_one_too_many(paths):
    with (
        changing_shelf(paths),
        pytest.raises(BadInput, match="already adding or removing"),
        changing_shelf(paths),
    ):
        pass


def test_a_replacement_killed_half_way_is_put_right_at_the_next_look(shelf, paths):
    (paths.models / "tiny").rename(paths.models / ".tiny.old")
    assert list(Shelf(paths).models()) == ["tiny"]


def test_an_old_folder_is_deleted_once_the_new_one_stands(shelf, paths, tmp_path):
    shutil.copytree(paths.models / "tiny", paths.models / ".tiny.old")
    shutil.copytree(paths.models / "tiny", paths.models / ".gone.removed")
    Shelf(paths)
    assert [path.name for path in paths.models.iterdir()] == ["tiny"]


def test_nobody_mends_while_somebody_else_changes_the_shelf(shelf, paths):
    with changing_shelf(paths):
        (paths.models / "tiny").rename(paths.models / ".tiny.old")
        assert Shelf(paths).models() == {}
        replace_folder(make_tiny_model(paths.models / ".new", seed=1), paths.models / "tiny")
    assert list(Shelf(paths).models()) == ["tiny"]


def test_too_little_room_is_said_with_both_figures_before_anything_is_written(tmp_path):
    with pytest.raises(StorageError, match=r"GB free and 1000000\.0 GB are needed"):
        check_disk_space(tmp_path, 10**15)
