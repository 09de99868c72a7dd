"""Downloads from a real server on this computer, by a real process with the settings a person would have."""

import hashlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from mhdesk.library.catalogue import Catalogue
from mhdesk.library.hub import HubFile, HubModel, disk_needed, notice
from tests.hub_server import Fault, Hub, running, wait_for
from tests.namespaces import ROOT, in_namespace

MODEL = "maker/small"
WEIGHTS = bytes(range(256)) * 4096  # 1 MiB
TOKEN = "hf_" + "x" * 34

CLIENT = """
import json, sys
from pathlib import Path
from mhdesk.core.errors import MHDeskError
from mhdesk.library.hub import look_up
from mhdesk.library.hub_files import fetch

def say(sentence, fraction):
    print(json.dumps([sentence, fraction]), flush=True)

try:
    model = look_up(sys.argv[1], waits_s=(0.05, 0.05))
    fetch(model, Path(sys.argv[2]), None, say, waits_s=(0.05, 0.05))
except MHDeskError as error:
    sys.stderr.write(error.sentence + "\\n")
    sys.exit(2)
"""


@pytest.fixture
def hub() -> Iterator[Hub]:
    files = {
        "README.md": b"# A model\n",
        "config.json": b"{}\n",
        "tokenizer.json": b'{"version": "1.0"}\n' * 40,
        "model.safetensors": WEIGHTS,
        "pytorch_model.bin": b"a pickle",
        "original/model.safetensors": b"a second copy",
        "modeling_small.py": b"print('code')",
        "consolidated.safetensors": b"a second copy",
    }
    with running(Hub(MODEL, files)) as hub:
        yield hub


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "downloads" / "small"


def environment(tmp_path: Path, endpoint: str, **more: str) -> dict[str, str]:
    """What the command `models download` would be started with: nothing of this machine's proxies or sign-ins."""
    kept = {
        name: value
        for name, value in os.environ.items()
        if not name.upper().startswith(("HF_", "HUGGING", "TRANSFORMERS_")) and "PROXY" not in name.upper()
    }
    ours = {"HF_HOME": str(tmp_path / "hf"), "HF_ENDPOINT": endpoint, "PYTHONPATH": str(ROOT)}
    return kept | ours | {"HF_HUB_DOWNLOAD_TIMEOUT": "1", "HF_HUB_ETAG_TIMEOUT": "1"} | more


@pytest.fixture
def download(hub: Hub, folder: Path, tmp_path: Path):
    """Runs a download to its end."""

    def run(model: str = MODEL, endpoint: str | None = None, **more: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-W", "error", "-c", CLIENT, model, str(folder)],
            env=environment(tmp_path, endpoint or hub.endpoint, **more),
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    return run


def said(result: subprocess.CompletedProcess[str]) -> list[tuple[str, float | None]]:
    return [tuple(json.loads(line)) for line in result.stdout.splitlines()]


def assert_whole(folder: Path) -> None:
    names = {path.name for path in folder.iterdir()}
    assert names == {"README.md", "config.json", "tokenizer.json", "model.safetensors"}
    assert (folder / "model.safetensors").read_bytes() == WEIGHTS


def assert_one_sentence(result: subprocess.CompletedProcess[str], *words: str) -> None:
    assert result.returncode == 2
    assert "Traceback" not in result.stderr
    assert len(result.stderr.splitlines()) == 1
    for word in words:
        assert word in result.stderr


def test_only_the_wanted_files_arrive_with_growing_progress(hub, folder, download):
    result = download()
    assert result.stderr == ""
    assert result.returncode == 0
    assert_whole(folder)
    fractions = [fraction for _, fraction in said(result)]
    assert fractions == sorted(fractions)
    assert fractions[-1] == 1.0
    assert {seen.path for seen in hub.asked("/resolve/")} == {
        f"/{MODEL}/resolve/{hub.revision}/{path.name}" for path in folder.iterdir()
    }


def test_the_hub_learns_the_programs_name_and_nothing_of_this_computer(hub, download):
    download()
    assert {seen.headers["user-agent"] for seen in hub.seen} == {"MHDesk"}
    assert not any("authorization" in seen.headers for seen in hub.seen)


def test_a_second_download_fetches_nothing_again(hub, folder, download):
    download()
    sent = dict(hub.sent)
    assert download().returncode == 0
    assert {name: count for name, count in hub.sent.items() if name != "api"} == {
        name: count for name, count in sent.items() if name != "api"
    }
    assert_whole(folder)


def test_the_token_goes_to_the_hub_and_not_to_the_server_it_points_to(hub, download):
    result = download(HF_TOKEN=TOKEN)
    assert result.returncode == 0
    by_port = {
        port: {seen.headers.get("authorization") for seen in hub.seen if seen.port == port}
        for port in (hub.port, hub.file_port)
    }
    assert by_port == {hub.port: {f"Bearer {TOKEN}"}, hub.file_port: {None}}
    assert TOKEN not in result.stdout + result.stderr


def test_a_saved_sign_in_is_used(hub, download, tmp_path):
    (tmp_path / "hf").mkdir()
    (tmp_path / "hf" / "token").write_text(TOKEN + "\n")
    assert download().returncode == 0
    assert hub.asked("/api/")[0].headers["authorization"] == f"Bearer {TOKEN}"


def test_a_token_with_characters_that_no_token_has_is_refused_without_showing_it(hub, download):
    result = download(HF_TOKEN="hf_geheim–x")
    assert_one_sentence(result, "HF_TOKEN")
    assert "geheim" not in result.stderr
    assert hub.seen == []


def test_after_kill_9_the_rest_is_fetched_and_not_the_whole(hub, folder, download, tmp_path):
    hub.faults["model.safetensors"] = [Fault(stall_at=len(WEIGHTS) // 2)]
    child = subprocess.Popen(
        [sys.executable, "-c", CLIENT, MODEL, str(folder)],
        env=environment(tmp_path, hub.endpoint, HF_HUB_DOWNLOAD_TIMEOUT="30"),
        stdout=subprocess.DEVNULL,
    )
    try:
        wait_for(lambda: any(path.stat().st_size > 10_000 for path in folder.glob("model.safetensors.*.part")))
        wait_for(lambda: hub.sent.get("model.safetensors", 0) >= len(WEIGHTS) // 2)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    (part,) = folder.glob("model.safetensors.*.part")
    kept = part.stat().st_size
    before = hub.sent["model.safetensors"]
    assert download().returncode == 0
    assert_whole(folder)
    assert hub.asked("/stored/")[-1].headers["range"] == f"bytes={kept}-"
    assert hub.sent["model.safetensors"] - before == len(WEIGHTS) - kept


def test_what_was_begun_of_another_revision_is_not_continued(hub, folder, download):
    hub.always["model.safetensors"] = Fault(cut_at=len(WEIGHTS) // 2)
    hub.ignores_ranges = True
    assert download().returncode == 2
    assert len(list(folder.glob("model.safetensors.*.part"))) == 1
    hub.always.clear()
    hub.ignores_ranges = False
    hub.revision = "2" * 40
    changed = bytes(reversed(WEIGHTS))
    hub.files["model.safetensors"] = changed
    del hub.files["tokenizer.json"]
    assert download().returncode == 0
    assert "range" not in hub.asked("/stored/")[-1].headers
    assert (folder / "model.safetensors").read_bytes() == changed
    assert {path.name for path in folder.iterdir()} == {"README.md", "config.json", "model.safetensors"}


def test_a_connection_that_breaks_off_is_taken_up_again(hub, folder, download):
    hub.faults["model.safetensors"] = [Fault(cut_at=len(WEIGHTS) // 2), Fault(cut_at=len(WEIGHTS) // 4)]
    assert download().returncode == 0
    assert_whole(folder)
    assert hub.sent["model.safetensors"] == len(WEIGHTS)


def test_a_hub_without_ranges_sends_the_whole_again(hub, folder, download):
    hub.ignores_ranges = True
    hub.faults["model.safetensors"] = [Fault(cut_at=len(WEIGHTS) // 2)]
    assert download().returncode == 0
    assert_whole(folder)


def test_a_hub_that_refuses_a_range_is_asked_for_the_whole(hub, folder, download):
    hub.faults["model.safetensors"] = [Fault(cut_at=len(WEIGHTS) // 2), Fault(status=416)]
    assert download().returncode == 0
    assert_whole(folder)
    assert "range" not in hub.asked("/stored/")[-1].headers


def test_a_body_that_always_ends_early_ends_in_a_sentence_and_keeps_what_came(hub, folder, download):
    hub.always["model.safetensors"] = Fault(cut_at=0)
    assert_one_sentence(download(), "broke off", "is kept", "goes on from there")
    assert (folder / "tokenizer.json").is_file()


def test_a_hub_that_falls_silent_ends_in_a_sentence(hub, folder, download):
    hub.always["model.safetensors"] = Fault(stall_at=0)
    assert_one_sentence(download(), "did not answer for 1 seconds", "goes on from there")


def test_a_hub_that_falls_silent_before_anything_is_known_ends_in_a_sentence(hub, download):
    hub.always["api"] = Fault(stall_at=0)
    assert_one_sentence(download(), "did not answer", "nothing was fetched yet")


def test_nobody_at_the_address_ends_in_a_sentence(download):
    assert_one_sentence(download(endpoint="http://127.0.0.1:1"), "could not reach 127.0.0.1:1", "internet")


def test_a_name_that_leads_nowhere_ends_in_a_sentence(download):
    assert_one_sentence(download(endpoint="http://hub.invalid"), "could not reach hub.invalid")


def test_no_address_at_all_ends_in_a_sentence(download):
    assert_one_sentence(download(endpoint="hub"), "HF_ENDPOINT")


def test_an_unsigned_person_is_told_how_to_sign_in(hub, download):
    hub.facts["gated"] = "manual"
    hub.always["config.json"] = Fault(status=401, headers={"X-Error-Code": "GatedRepo"})
    page = f"{hub.endpoint}/{MODEL}"
    assert_one_sentence(download(), page, "HF_TOKEN", "hf auth login", "accept the licence", "spelling")


def test_a_wrong_token_is_told_from_a_missing_one(hub, download):
    hub.always["api"] = Fault(status=401)
    result = download(HF_TOKEN=TOKEN)
    assert_one_sentence(result, "did not accept the access token", "HF_TOKEN", "hf auth login")
    assert TOKEN not in result.stderr


def test_a_licence_not_yet_accepted_is_told_with_its_page(hub, download):
    hub.always["config.json"] = Fault(status=403, headers={"X-Error-Code": "GatedRepo"})
    assert_one_sentence(download(HF_TOKEN=TOKEN), "accept the licence", f"{hub.endpoint}/{MODEL}")


def test_a_misspelt_model_is_told(download):
    assert_one_sentence(download(model="maker/smal"), "maker/smal", "spelling")


@pytest.mark.parametrize("model", ["a/b/c", "maker/small?x=1", "../etc", "https://huggingface.co/maker/small"])
def test_what_cannot_be_a_model_is_refused_before_connecting(hub, download, model):
    assert_one_sentence(download(model=model), model, "owner/name")
    assert hub.seen == []


def test_a_hub_that_asks_to_slow_down_is_waited_for(hub, folder, download):
    hub.faults["model.safetensors"] = [Fault(status=429, headers={"Retry-After": "0"})]
    result = download()
    assert result.returncode == 0
    assert any("slow down" in sentence and "1 s" in sentence for sentence, _ in said(result))
    assert_whole(folder)


def test_a_long_wait_is_told_and_not_made(hub, download):
    hub.always["config.json"] = Fault(status=429, headers={"Retry-After": "3600"})
    assert_one_sentence(download(), "slow down", "61 minutes", "goes on from there")


def test_the_hubs_own_way_to_name_a_wait_is_understood(hub, download):
    limit = {"ratelimit": '"resolvers";r=0;t=599', "ratelimit-policy": '"fixed window";"resolvers";q=500;w=600'}
    hub.always["api"] = Fault(status=429, headers=limit)
    assert_one_sentence(download(), "slow down", "10 minutes")


def test_a_link_that_has_expired_is_asked_for_anew(hub, folder, download):
    hub.faults["model.safetensors"] = [Fault(status=403)]
    assert download(HF_TOKEN=TOKEN).returncode == 0
    assert_whole(folder)


def test_a_file_server_that_always_refuses_is_not_taken_for_a_missing_sign_in(hub, download):
    hub.always["model.safetensors"] = Fault(status=403)
    result = download()
    assert_one_sentence(result, "points to", "status 403", "goes on from there")
    assert "licence" not in result.stderr


def test_one_fault_of_the_hub_is_overcome(hub, folder, download):
    hub.faults["api"] = [Fault(status=500)]
    hub.faults["model.safetensors"] = [Fault(status=503)]
    assert download().returncode == 0
    assert_whole(folder)


def test_a_hub_that_stays_at_fault_ends_in_a_sentence(hub, download):
    hub.always["config.json"] = Fault(status=500)
    assert_one_sentence(download(), "fault of its own (status 500)", "goes on from there")


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_changed_byte_is_overcome_if_it_happens_once(hub, folder, download, name):
    hub.faults[name] = [Fault(flip=True)]
    assert download().returncode == 0
    assert (folder / name).read_bytes() == hub.files[name]
    assert_whole(folder)


@pytest.mark.parametrize("name", ["config.json", "model.safetensors"])
def test_a_byte_that_is_always_changed_is_refused_and_not_kept(hub, folder, download, name):
    hub.always[name] = Fault(flip=True)
    assert_one_sentence(download(), name, "arrives changed")
    assert not any(path.name.startswith(name) for path in folder.iterdir())


def test_a_part_damaged_on_this_disk_is_fetched_from_its_beginning(folder, download):
    folder.mkdir(parents=True)
    digest = hashlib.sha256(WEIGHTS).hexdigest()
    (folder / f"model.safetensors.{digest[:16]}.part").write_bytes(bytes(5000))
    assert download().returncode == 0
    assert_whole(folder)


def test_a_file_damaged_on_this_disk_is_fetched_again(folder, download):
    download()
    (folder / "model.safetensors").write_bytes(bytes(len(WEIGHTS)))
    assert download().returncode == 0
    assert_whole(folder)


def test_a_model_with_pickled_weights_alone_is_refused_with_a_way_out(hub, download):
    hub.files = {"config.json": b"{}", "pytorch_model.bin": b"a pickle"}
    assert_one_sentence(download(), "pickled", "GGUF", "models add")
    assert hub.asked("/resolve/") == []


def test_a_model_without_weights_is_refused_with_a_way_out(hub, download):
    hub.files = {"config.json": b"{}", "small.gguf": b"GGUF"}
    assert_one_sentence(download(), "no weights as safetensors", "GGUF", "models add")


@pytest.mark.parametrize("facts", [{"sha": "main"}, {"sha": None}, {"siblings": [{"rfilename": "model.safetensors"}]}])
def test_an_answer_that_no_hub_gives_is_refused(hub, download, facts):
    hub.facts = facts
    assert_one_sentence(download(), "no model hub", "sign-in")


def test_a_switch_against_connections_is_respected(hub, download):
    assert_one_sentence(download(HF_HUB_OFFLINE="1"), "HF_HUB_OFFLINE")
    assert hub.seen == []


def test_the_persons_proxy_is_used(hub, folder, download):
    result = download(endpoint="http://hub.invalid", HTTP_PROXY=hub.endpoint)
    assert result.returncode == 0, result.stderr
    assert hub.asked("/api/")[0].path == f"http://hub.invalid/api/models/{MODEL}?blobs=true"
    assert_whole(folder)


def test_a_proxy_that_cannot_be_used_is_told(download):
    assert_one_sentence(download(ALL_PROXY="socks5://127.0.0.1:1"), "proxy", "SOCKS")


SMALL_DISK = """
import os, subprocess, sys
from pathlib import Path
endpoint, home, place, client, ballast = sys.argv[1:]
subprocess.run(["mount", "-t", "tmpfs", "-o", "size=1280k", "tmpfs", place], check=True)
os.environ.update(HF_ENDPOINT=endpoint, HF_HOME=home)
for name in [name for name in os.environ if "PROXY" in name.upper() or name == "HF_HUB_OFFLINE"]:
    del os.environ[name]
if ballast == "before":
    Path(place, "ballast").write_bytes(bytes(512 * 1024))
else:  # something else fills the disk while the file is on its way
    client = client.replace("def say(sentence, fraction):", '''def say(sentence, fraction):
    if "model" in sentence:
        try:
            Path(sys.argv[2], "ballast").write_bytes(bytes(2**20))
        except OSError:
            pass''')
sys.argv = ["client", "maker/small", place]
exec(client)
"""


@pytest.mark.parametrize(("ballast", "words"), [("before", "GB are free"), ("meanwhile", "is full")])
def test_a_full_disk_ends_in_a_sentence(hub, tmp_path, ballast, words):
    place = tmp_path / "place"
    place.mkdir()
    result = in_namespace(SMALL_DISK, hub.endpoint, str(tmp_path / "hf"), str(place), CLIENT, ballast)
    assert_one_sentence(result, words, "free some space")


def test_a_folder_that_cannot_be_written_to_ends_in_a_sentence(hub, folder, download):
    folder.parent.write_text("a file where a folder should be")
    assert_one_sentence(download(), str(folder))


KIND = HubModel(
    "meta-llama/Llama-3.2-1B-Instruct", "1" * 40, "llama3.2", "", True,
    (HubFile("config.json", 900, "a" * 40), HubFile("model.safetensors", 2_471_645_608, "b" * 64)),
)  # fmt: skip


def test_the_notice_says_what_comes_from_where_under_which_licence_and_what_it_needs():
    entry = Catalogue.load().find(KIND.id)
    text = notice(KIND, entry, 2 * 2**30)
    for words in (
        "2.5 GB",
        "huggingface.co",
        entry.licence,
        entry.licence_url,
        "4.0 GB",
        "2.0 GiB",
        "Built with Llama",
    ):
        assert words in text
    assert "sign in" in text
    assert disk_needed(KIND, entry) == KIND.total_bytes + entry.eight_bit_bytes


def test_the_notice_of_an_unknown_model_goes_by_what_the_hub_says():
    text = notice(KIND, None, None)
    assert "llama3.2 (https://huggingface.co/meta-llama/Llama-3.2-1B-Instruct)" in text
    assert "Memory" not in text


def test_the_notice_of_a_base_model_says_that_it_needs_an_adapter():
    base = Catalogue.load().find("open-llama-3b-v2")
    assert "needs an adapter" in notice(KIND, base, None)
