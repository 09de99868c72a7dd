"""What both composition roots put together in the same way: the session over its parts."""

from __future__ import annotations

from collections.abc import Callable

from mhdesk.chat.crisis import CrisisReplies
from mhdesk.chat.ports import ConversationStore, Engine, SafetyPlan
from mhdesk.chat.session import Session
from mhdesk.core.paths import UserPaths
from mhdesk.core.sampling import Sampling
from mhdesk.core.settings import AgeBand
from mhdesk.safety.faults import FaultCounter
from mhdesk.safety.gate import Gate
from mhdesk.safety.helplines import Helplines
from mhdesk.safety.screen import Screen
from mhdesk.store.memory import MemoryConversation


def build_session(
    engine: Engine,
    paths: UserPaths,
    *,
    helplines: Helplines,
    region: Callable[[], str],
    age_band: Callable[[], AgeBand],
    language: Callable[[], str] = lambda: "en",
    store: ConversationStore | None = None,
    safety_plan: SafetyPlan | None = None,
    sampling: Sampling | None = None,
) -> Session:
    """The session that the window and the command line share. A conversation lives in memory unless given a store."""
    return Session(
        engine=engine,
        store=store or MemoryConversation(),
        screen=Screen.load(later=True),
        gate=Gate.load(later=True),
        helplines=helplines,
        crisis_replies=CrisisReplies.load(),
        region=region,
        age_band=age_band,
        count_fault=FaultCounter(paths.fault_counts_file).add,
        language=language,
        safety_plan=safety_plan,
        sampling=sampling,
    )
