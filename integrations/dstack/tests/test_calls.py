"""One call for all who ask the same: each waits as long as it wants, nothing is kept for long."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor

import pytest

from dstack_quota_oracle.calls import MAX_KEPT, Call, Shared
from dstack_quota_oracle.exchange import NoAnswerError
from dstack_quota_oracle.patience import Patience

KEEP, JOIN = 2.0, 60.0


class Asked:
    """What is asked, and when it is answered."""

    def __init__(self) -> None:
        self.shared: Shared[str] = Shared(JOIN, KEEP)
        self.answer = threading.Event()
        self.calls: list[Call[str]] = []
        self.hung_up = 0
        self.fails = False

    def ask(self, key: bytes = b"question", seconds: float = 10.0) -> str:
        return self.shared.ask(key, Patience(seconds), self._begin)

    def _begin(self) -> Call[str]:
        self.calls.append(Call(self._work, self._hang_up))
        return self.calls[-1]

    def _work(self) -> str:
        assert self.answer.wait(10)
        if self.fails:
            raise NoAnswerError("status 500", "it answered HTTP 500")
        return "answer"

    def _hang_up(self) -> None:
        self.hung_up += 1
        self.answer.set()


@pytest.fixture
def asked() -> Iterator[Asked]:
    asked = Asked()
    yield asked
    asked.answer.set()


@pytest.fixture
def pool() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(20) as pool:
        yield pool


def _until(true: Callable[[], bool]) -> None:
    deadline = time.monotonic() + 10
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.001)


def _waiting(asked: Asked, pool: ThreadPoolExecutor, number: int) -> list[Future[str]]:
    waiting = [pool.submit(asked.ask) for _ in range(number)]
    _until(lambda: bool(asked.calls) and asked.calls[-1].waiting == number)
    return waiting


def test_all_who_ask_while_it_is_under_way_have_its_answer(
    asked: Asked, pool: ThreadPoolExecutor
) -> None:
    waiting = _waiting(asked, pool, 20)
    asked.answer.set()
    assert [w.result() for w in waiting] == ["answer"] * 20
    assert len(asked.calls) == 1


def test_all_who_ask_while_it_is_under_way_hear_of_its_failure_and_the_next_asks_anew(
    asked: Asked, pool: ThreadPoolExecutor
) -> None:
    asked.fails = True
    waiting = _waiting(asked, pool, 3)
    asked.answer.set()
    for w in waiting:
        with pytest.raises(NoAnswerError, match="HTTP 500"):
            w.result()
    asked.fails = False
    assert asked.ask() == "answer"
    assert len(asked.calls) == 2


def test_who_leaves_early_leaves_the_call_to_the_others(
    asked: Asked, pool: ThreadPoolExecutor
) -> None:
    (patient,) = _waiting(asked, pool, 1)
    with pytest.raises(NoAnswerError, match="in time"):
        asked.ask(seconds=0.01)
    assert asked.hung_up == 0
    asked.answer.set()
    assert patient.result() == "answer"
    assert len(asked.calls) == 1


def test_the_last_to_leave_hangs_up_and_the_next_asks_anew(asked: Asked) -> None:
    with pytest.raises(NoAnswerError):
        asked.ask(seconds=0.01)
    assert asked.hung_up == 1
    assert asked.ask() == "answer"
    assert len(asked.calls) == 2


def test_one_that_has_been_silent_for_long_is_not_waited_for(
    asked: Asked, pool: ThreadPoolExecutor, clock: list[float]
) -> None:
    waiting = _waiting(asked, pool, 1)
    clock[0] += JOIN
    waiting.append(pool.submit(asked.ask))
    _until(lambda: len(asked.calls) == 2)
    asked.answer.set()
    assert [w.result() for w in waiting] == ["answer"] * 2


def test_an_answer_serves_for_a_while(asked: Asked, clock: list[float]) -> None:
    asked.answer.set()
    assert [asked.ask(), asked.ask()] == ["answer", "answer"]
    assert len(asked.calls) == 1
    clock[0] += KEEP
    asked.ask()
    assert len(asked.calls) == 2


def test_a_forgotten_answer_is_asked_for_anew(asked: Asked) -> None:
    asked.answer.set()
    asked.ask()
    asked.shared.forget()
    asked.ask()
    assert len(asked.calls) == 2


def test_other_questions_are_asked_apart_and_few_answers_are_kept(asked: Asked) -> None:
    asked.answer.set()
    for number in range(MAX_KEPT + 1):
        asked.ask(str(number).encode())
    assert len(asked.calls) == MAX_KEPT + 1
    # The last are kept, the first is not.
    asked.ask(str(MAX_KEPT).encode())
    assert len(asked.calls) == MAX_KEPT + 1
    asked.ask(b"0")
    assert len(asked.calls) == MAX_KEPT + 2


def test_nothing_is_asked_when_no_time_is_left(asked: Asked) -> None:
    with pytest.raises(NoAnswerError):
        asked.ask(seconds=0.0)
    assert asked.calls == []
