"""The worker over the scripted backend, in this process."""

import queue

from mhdesk.engine import protocol
from mhdesk.engine.child.scripted import ScriptedBackend, ScriptedReply
from mhdesk.engine.child.worker import Worker


def at_work(**options):
    frames = queue.SimpleQueue()
    return Worker(ScriptedBackend([ScriptedReply(("a", "b"))], **options), frames.put), frames


def until(frames, kind):
    heard = []
    while not heard or not isinstance(heard[-1], kind):
        heard.append(frames.get(timeout=10))
    return heard


def test_a_job_that_is_cancelled_stops_where_it_asks_and_is_acknowledged_last():
    worker, frames = at_work(load_s=5)
    worker.submit(protocol.Job(1, "count", {"steps": 500}))
    until(frames, protocol.Progress)
    worker.cancel(1)
    heard = until(frames, protocol.Cancelled)
    assert [type(frame) for frame in heard[-2:]] == [protocol.Failed, protocol.Cancelled]
    assert {frame.turn for frame in heard} == {1}
    assert len(heard) < 100
    worker.submit(protocol.Job(2, "count", {"steps": 1}))
    assert until(frames, protocol.Done)[-1] == protocol.Done(2, {"steps": 1})


def test_every_frame_of_a_request_bears_its_number():
    worker, frames = at_work(context_tokens=4096)
    worker.submit(protocol.Load(4, "/models/m", "/adapters/a", None, 1024))
    loaded = until(frames, protocol.Loaded)
    worker.submit(protocol.UseAdapter(5, None))
    changed = until(frames, protocol.Loaded)
    worker.submit(protocol.Generate(6, [{"role": "user", "text": "x"}], {}))
    answered = until(frames, protocol.Ended)
    assert [{frame.turn for frame in heard} for heard in (loaded, changed, answered)] == [{4}, {5}, {6}]
    assert (loaded[-1].adapter, changed[-1].adapter) == ("a", None)
    assert loaded[-1].context_tokens == changed[-1].context_tokens == 1024
