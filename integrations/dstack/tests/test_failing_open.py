"""Whatever the oracle does, dstack keeps its offers."""

from __future__ import annotations

import logging
import socket
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from dstack_quota_oracle import client, saying
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.settings import Settings

from .dstack_objects import ListedBackend, offer
from .oracle import Oracle, answer, sayer

Handler = BaseHTTPRequestHandler


def _redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _close(handler: Handler) -> None:
    handler.close_connection = True
    handler.connection.shutdown(socket.SHUT_RDWR)


MISBEHAVIOURS: dict[str, Callable[[Handler], object]] = {
    "an_error": lambda h: answer(h, 500, "{}"),
    "a_refusal": lambda h: answer(h, 401, "{}"),
    "a_limit": lambda h: answer(h, 429, "{}"),
    "a_redirect": _redirect,
    "a_page": lambda h: answer(h, 200, "<html>"),
    "nothing": lambda h: answer(h, 200, ""),
    "another_shape": lambda h: answer(h, 200, "[]"),
    "too_few_verdicts": lambda h: answer(h, 200, '{"verdicts": []}'),
    "verdicts_that_are_null": lambda h: answer(h, 200, '{"verdicts": [null]}'),
    "verdicts_without_a_word": lambda h: answer(h, 200, '{"verdicts": [{"quota": {}}]}'),
    "a_closed_connection": _close,
}


@pytest.mark.parametrize("name", MISBEHAVIOURS)
def test_offers_stay_as_they_are_when_the_oracle_answers_with(
    oracle: Oracle, settings: Settings, caplog: pytest.LogCaptureFixture, name: str
) -> None:
    def behave(handler: Handler, _: dict[str, Any]) -> bool:
        MISBEHAVIOURS[name](handler)
        return True

    oracle.behave = behave
    offers = [offer()]
    assert list(Judge(settings, sayer()).judged(ListedBackend([]), offers)) == offers
    (record,) = caplog.records
    assert record.levelno == logging.WARNING
    assert "offers stay as they are" in record.getMessage()


def test_offers_stay_as_they_are_when_nobody_listens(caplog: pytest.LogCaptureFixture) -> None:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{unused.getsockname()[1]}"
        offers = [offer()]
        assert list(Judge(Settings(url=url), sayer()).judged(ListedBackend([]), offers)) == offers
    assert "refused" in caplog.text


@pytest.mark.parametrize("drips", [False, True], ids=["is_silent", "drips"])
def test_the_deadline_holds_when_the_oracle(oracle: Oracle, drips: bool) -> None:
    def behave(handler: Handler, _: dict[str, Any]) -> bool:
        # Each piece comes well within a timeout per read; only the whole takes for ever.
        while not oracle.over.wait(0.02 if drips else None):
            handler.wfile.write(b"H")
        return True

    oracle.behave = behave
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.2), sayer())
    offers = [offer()]
    started = time.monotonic()
    assert list(judge.judged(ListedBackend([]), offers)) == offers
    assert time.monotonic() - started < 2.0


def test_one_deadline_covers_all_calls(oracle: Oracle, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(client, "MAX_OFFERS_PER_CALL", 1)
    oracle.behave = lambda _handler, _body: oracle.over.wait(0.1)
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.25), sayer())
    offers = [offer(), offer(), offer(), offer(), offer(), offer(), offer(), offer()]
    assert list(judge.judged(ListedBackend([]), offers)) == offers
    assert len(oracle.requests) < len(offers)


def test_after_a_failure_plans_do_not_wait_for_a_while(
    oracle: Oracle, settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = _clock(monkeypatch)
    oracle.behave = lambda handler, _: answer(handler, 500, "{}")
    judge = Judge(settings, sayer())
    for _ in range(3):
        list(judge.judged(ListedBackend([]), [offer()]))
    assert len(oracle.requests) == 1

    now[0] += client.PAUSE_SECONDS
    list(judge.judged(ListedBackend([]), [offer()]))
    assert len(oracle.requests) == 2


def test_after_the_pause_one_plan_tries_while_the_others_go_on(
    settings: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    now = _clock(monkeypatch)
    pause = client._Pause(15.0, settings.timeout_seconds)
    pause.begin()
    assert not pause.over()
    now[0] += 15.0
    assert [pause.over(), pause.over()] == [True, False]
    pause.end()
    assert [pause.over(), pause.over()] == [True, True]


def test_verdicts_count_again_when_the_oracle_is_back(
    oracle: Oracle,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = _clock(monkeypatch)
    oracle.verdict = lambda _: "no_quota"
    oracle.behave = lambda handler, _: answer(handler, 503, "{}")
    judge = Judge(settings, sayer())
    list(judge.judged(ListedBackend([]), [offer()]))
    oracle.behave = None
    now[0] += client.PAUSE_SECONDS
    with caplog.at_level(logging.INFO):
        (judged,) = judge.judged(ListedBackend([]), [offer()])
    assert judged.availability.value == "no_quota"
    assert "answers again" in caplog.text


def test_each_kind_of_failure_is_said_once_an_hour(
    oracle: Oracle,
    settings: Settings,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    now = _clock(monkeypatch)
    statuses = [500, 500, 401, 500, 401]
    oracle.behave = lambda handler, _: answer(handler, statuses.pop(0), "{}")
    judge = Judge(settings, sayer())
    while statuses:
        list(judge.judged(ListedBackend([]), [offer()]))
        now[0] += client.PAUSE_SECONDS
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "it answered HTTP 500",
        "it answered HTTP 401; look at QUOTA_ORACLE_TOKEN",
    ]
    now[0] += saying.REPEAT_SECONDS
    statuses += [500]
    list(judge.judged(ListedBackend([]), [offer()]))
    assert len(caplog.records) == 3


@pytest.mark.parametrize("strange", [object(), None, 7], ids=["an_object", "nothing", "a_number"])
def test_offers_of_an_unknown_shape_are_handed_on(
    settings: Settings, caplog: pytest.LogCaptureFixture, strange: Any
) -> None:
    judge = Judge(settings, sayer())
    assert list(judge.judged(ListedBackend([]), [strange])) == [strange]
    assert list(judge.judged(strange, [strange])) == [strange]
    assert len(caplog.records) == 1


def test_a_token_file_that_is_gone_harms_nothing(
    oracle: Oracle, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judge(Settings(url=oracle.url, token_file=tmp_path / "gone"), sayer())
    offers = [offer()]
    assert list(judge.judged(ListedBackend([]), offers)) == offers
    assert "gone" in caplog.text
    assert oracle.requests == []


def _clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """Lets a test move the clock of the pause and the log, beside the deadline's real one."""
    start = time.monotonic
    now = [0.0]
    monkeypatch.setattr(time, "monotonic", lambda: start() + now[0])
    return now
