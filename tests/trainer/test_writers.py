"""The three writers: the app's engine and transformers with tiny models, and a server that behaves or does not."""

import json
import time
from email.utils import formatdate

import psutil
import pytest

from mhdesk.core.generation import GenerationRequest
from mhdesk.core.messages import Message, Role
from mhdesk.core.sampling import Sampling
from tests.tiny_model import make_full_folder
from tests.trainer.openai_server import Fault, Server, running
from tests.trainer.written_run import configured, make_job, row, rows_of
from trainer.augment import run
from trainer.errors import BadConfiguration
from trainer.stage import read_manifest
from trainer.writing.app_writer import AppWriter
from trainer.writing.openai_writer import OpenAIWriter
from trainer.writing.transformers_writer import TransformersWriter
from trainer.writing.writer import WriterFailed, Written


def request(seed: int = 1, text: str = "The harbour was quiet.") -> GenerationRequest:
    return GenerationRequest((Message(Role.USER, text),), Sampling(seed=seed, max_new_tokens=12))


@pytest.fixture(scope="module")
def full_folder(tmp_path_factory):
    return make_full_folder(tmp_path_factory.mktemp("full") / "tiny-full")


@pytest.fixture(params=["app", "transformers"])
def local(request, tiny_model, full_folder):
    writer = {
        "app": lambda: AppWriter(str(tiny_model), tiny_model),
        "transformers": lambda: TransformersWriter("tiny-full", full_folder.parent),
    }[request.param]()
    yield writer
    writer.close()


def test_a_local_writer_gives_the_same_text_for_the_same_seed_whatever_it_wrote_before(local):
    first, other = local.write(request(1)), local.write(request(2))
    assert first == local.write(request(1))
    assert first.text != other.text
    assert len(local.identity["weights_sha256"]) == 64
    assert local.made_by in ("tests/tiny", "tiny-full")


def test_a_text_that_the_limit_cut_says_so(local):
    assert not local.write(request()).whole


def test_an_engine_process_that_dies_is_started_again(tiny_model):
    writer = AppWriter(str(tiny_model), tiny_model)
    try:
        before = writer.write(request())
        child = next(one for one in psutil.Process().children() if "--engine-child" in one.cmdline())
        child.kill()
        assert writer.write(request()) == before
    finally:
        writer.close()


@pytest.mark.parametrize("writer", ["app", "transformers"])
def test_a_tiny_model_writes_nothing_worth_keeping_and_the_report_says_why(tmp_path, tiny_model, full_folder, writer):
    model = {"app": tiny_model, "transformers": full_folder}[writer]
    job, _ = make_job(tmp_path, [row(0), row(1)])
    made = run(configured(writer=writer, model=str(model), most_share=0.5, most_new_tokens=8), job)
    counts = read_manifest(made)["counts"]
    assert len(rows_of(made)) == counts["rows"] == 2 + counts["synthetic"]
    assert counts["attempts"] == 4
    assert sum(counts["dropped"].values()) + sum(counts["offered"].values()) == 4
    reasons = [json.loads(line)["reason"] for line in (made / "dropped.jsonl").read_text("utf-8").splitlines()]
    assert {reason: reasons.count(reason) for reason in reasons} == counts["dropped"]


@pytest.mark.parametrize("writer", [AppWriter, TransformersWriter])
def test_a_model_that_is_not_there_is_a_sentence(tmp_path, paths, writer):
    with pytest.raises(BadConfiguration, match="nothing-here"):
        writer("nothing-here", tmp_path)


def test_a_folder_without_a_model_is_a_sentence(tmp_path):
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadConfiguration, match=r"empty of augment\.model cannot be loaded"):
        TransformersWriter("empty", tmp_path).write(request())


@pytest.fixture
def server():
    with running(Server(lambda asked: "Still there.")) as started:
        yield started


def ask(server, timeout_s=5.0, waits_s=(0.0, 0.0, 0.0)):
    told = []
    writer = OpenAIWriter(server.address, "dull", timeout_s, told.append, waits_s)
    try:
        return writer.write(request()), told
    finally:
        writer.close()


def test_the_request_is_one_of_the_protocol_and_the_key_goes_with_it(server, monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "sk-ours")
    assert ask(server)[0] == Written("Still there.", whole=True)
    asked, headers = server.seen[0]
    assert asked["messages"] == [{"role": "user", "content": "The harbour was quiet."}]
    assert (asked["model"], asked["seed"], asked["max_tokens"]) == ("dull", 1, 12)
    assert headers["authorization"] == "Bearer sk-ours"


def test_without_a_key_none_is_sent(server, monkeypatch):
    monkeypatch.delenv("OPENAI_API_KEY", raising=False)
    ask(server)
    assert "authorization" not in server.seen[0][1]


def test_where_the_rows_go_is_told_before_the_first_request():
    told = []
    writer = OpenAIWriter("http://augment.invalid/v1/", "dull", 2.0, told.append, ())
    assert told == []
    with pytest.raises(WriterFailed):
        writer.write(request())
    writer.close()
    assert told[0].startswith("augment: the rows leave this machine: they are sent to augment.invalid without encrypt")


@pytest.mark.parametrize(
    "fault",
    [
        Fault(429),
        Fault(500),
        Fault(503, {"retry-after": "0"}),
        Fault(body=b"<html>starting</html>"),
        Fault(body=b'{"choices": []}'),
        Fault(body=b'{"choices": [{"message": {"content": 7}}]}'),
        Fault(body=b"["),
        Fault(headers={"content-length": "900"}, body=b"{}"),
    ],
    ids=lambda fault: f"{fault.status} {fault.body} {fault.headers}",
)
def test_a_fault_that_may_pass_is_met_by_another_attempt(server, fault):
    server.faults = [fault, fault]
    written, told = ask(server, timeout_s=1.0)
    assert written.text == "Still there."
    assert len(server.seen) == 3
    assert len(told) == 3, "where the rows go, then each fault"


def test_a_stall_ends_at_the_time_limit(server):
    server.faults = [Fault(stalls=True)]
    began = time.monotonic()
    written, told = ask(server, timeout_s=0.5)
    assert written.text == "Still there."
    assert time.monotonic() - began < 4
    assert "did not answer within 0.5 seconds" in told[1]


@pytest.mark.parametrize("named", [lambda: "1", lambda: formatdate(time.time() + 2, usegmt=True)])
def test_a_pause_that_the_server_asks_for_is_kept(server, named):
    server.faults = [Fault(429, {"retry-after": named()})]
    began = time.monotonic()
    ask(server)
    assert time.monotonic() - began > 0.9


def test_a_long_pause_is_told_and_not_waited_for(server):
    server.faults = [Fault(429, {"retry-after": "3600"})]
    with pytest.raises(WriterFailed, match=r"asks to slow down\. Please try again in 60 minutes\. Please run the same"):
        ask(server)


def test_a_server_that_stays_broken_is_given_up(server):
    server.faults = [Fault(500)] * 4
    with pytest.raises(WriterFailed, match=r"fault of its own \(status 500\). Please run the same command again"):
        ask(server)


@pytest.mark.parametrize(
    ("status", "sentence"),
    [(401, "check OPENAI_API_KEY"), (404, "often ends in /v1"), (400, "refuses the request"), (301, "refuses")],
)
def test_a_fault_that_stays_is_one_sentence_after_one_request(server, status, sentence):
    server.faults = [Fault(status, {"location": "http://elsewhere.invalid/"}, b'{"error": "The harbour was quiet."}')]
    with pytest.raises(BadConfiguration, match=sentence) as caught:
        ask(server)
    assert len(server.seen) == 1
    assert "harbour" not in caught.value.sentence, "a server may quote the row"


@pytest.mark.parametrize(
    "address", ["no address", "ftp://host/v1", "https://user:key@host/v1", "https://", "http://host:port/v1"]
)
def test_an_address_that_is_none_is_a_sentence(address):
    with pytest.raises(BadConfiguration, match=r"augment\.address must be a web address"):
        OpenAIWriter(address, "dull", 1.0, print)


def test_a_key_that_cannot_be_one_is_not_shown(monkeypatch):
    monkeypatch.setenv("OPENAI_API_KEY", "two words")
    with pytest.raises(BadConfiguration, match="OPENAI_API_KEY holds") as caught:
        OpenAIWriter("https://host/v1", "dull", 1.0, print)
    assert "two words" not in caught.value.sentence


def test_a_host_that_cannot_be_one_is_a_sentence():
    writer = OpenAIWriter("http://.../v1", "dull", 1.0, lambda line: None)
    with pytest.raises(BadConfiguration, match="leads nowhere"):
        writer.write(request())
    writer.close()
