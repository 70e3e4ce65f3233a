"""Whatever the oracle does, dstack keeps its offers."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from http.server import BaseHTTPRequestHandler
from typing import Any

import pytest

from dstack_quota_oracle import client, saying
from dstack_quota_oracle.client import KEEP_SECONDS
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.patience import MOMENT_SECONDS, Patience
from dstack_quota_oracle.reachability import PAUSE_SECONDS, SILENCES, Reachability
from dstack_quota_oracle.settings import Settings

from .dstack_objects import ListedBackend, availabilities, offer
from .oracle import Oracle, answer, close, sayer

Handler = BaseHTTPRequestHandler


def _redirect(handler: Handler) -> None:
    handler.send_response(302)
    handler.send_header("Location", "/")
    handler.send_header("Content-Length", "0")
    handler.end_headers()


def _break_off(handler: Handler) -> None:
    handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n{")
    close(handler)


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
    "a_closed_connection": close,
    "half_an_answer": _break_off,
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


def test_offers_stay_as_they_are_when_nobody_listens(
    nobody: str, caplog: pytest.LogCaptureFixture
) -> None:
    offers = [offer()]
    assert list(Judge(Settings(url=nobody), sayer()).judged(ListedBackend([]), offers)) == offers
    assert "refused" in caplog.text


@pytest.mark.parametrize("kind", ["http", "socks5h"])
def test_offers_stay_as_they_are_when_the_way_leads_through_a_proxy_that_is_gone(
    nobody: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture, kind: str
) -> None:
    monkeypatch.setenv("ALL_PROXY", nobody.replace("http", kind))
    offers = [offer()]
    settings = Settings(url="http://oracle.example:8080")
    assert list(Judge(settings, sayer()).judged(ListedBackend([]), offers)) == offers
    assert "The quota oracle was not heard" in caplog.text
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


def test_one_deadline_covers_all_calls(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    monkeypatch.setattr(client, "MAX_OFFERS_PER_CALL", 1)
    oracle.behave = _held_up(clock)
    twenty_moments = 20 * MOMENT_SECONDS
    judge = Judge(Settings(url=oracle.url, timeout_seconds=twenty_moments), sayer())
    offers = _different_offers(40)
    assert list(judge.judged(ListedBackend([]), offers)) == offers
    # Each call alone is in time, and costs a moment at least.
    assert 1 < len(oracle.requests) < len(offers)


def test_what_this_process_is_held_up_is_not_counted(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, clock: list[float]
) -> None:
    """Twenty plans at once leave no thread much time, however soon the oracle answers."""
    monkeypatch.setattr(client, "MAX_OFFERS_PER_CALL", 1)
    oracle.behave = _held_up(clock)
    oracle.verdict = lambda _: "no_quota"
    judge = Judge(Settings(url=oracle.url, timeout_seconds=5.0), sayer())
    judged = judge.judged(ListedBackend([]), _different_offers(8))
    assert availabilities(judged) == ["no_quota"] * 8


def _held_up(clock: list[float]) -> Callable[[Handler, dict[str, Any]], bool]:
    """A minute passes before the oracle answers, as far as this process can tell."""

    def behave(_handler: Handler, _body: dict[str, Any]) -> bool:
        clock[0] += 60.0
        return False

    return behave


def test_an_answer_that_stops_on_a_busy_server_is_a_missed_deadline(
    oracle: Oracle, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever waits is more patient there than any time-out of a socket would be."""

    def behave(handler: Handler, _: dict[str, Any]) -> bool:
        handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n{")
        return oracle.over.wait()

    monkeypatch.setattr(client, "Patience", lambda seconds: Patience(4 * seconds))
    oracle.behave = behave
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.1), sayer())
    for _ in range(2):
        assert _plan(judge) == "unknown"
    assert "it did not answer in time" in caplog.text
    # It was there, so the second plan has asked as well.
    assert len(oracle.requests) == 2


def _different_offers(number: int) -> list[Any]:
    return [offer(region=f"region-{n}") for n in range(number)]


def _plan(judge: Judge) -> str:
    """What becomes of an offer."""
    (judged,) = judge.judged(ListedBackend([]), [offer()])
    return str(judged.availability.value)


def test_after_nobody_was_there_plans_do_not_try_for_a_while(
    oracle: Oracle, settings: Settings, clock: list[float]
) -> None:
    oracle.behave = lambda handler, _: close(handler)
    judge = Judge(settings, sayer())
    for _ in range(3):
        _plan(judge)
    assert len(oracle.requests) == 1

    clock[0] += PAUSE_SECONDS
    _plan(judge)
    assert len(oracle.requests) == 2


def test_an_oracle_that_answers_errors_keeps_nobody_waiting_and_is_asked_by_every_plan(
    oracle: Oracle, settings: Settings
) -> None:
    oracle.behave = lambda handler, _: answer(handler, 503, "{}")
    judge = Judge(settings, sayer())
    for _ in range(3):
        _plan(judge)
    assert len(oracle.requests) == 3


def test_one_missed_deadline_costs_the_next_plans_nothing(
    oracle: Oracle, clock: list[float]
) -> None:
    oracle.verdict = lambda _: "no_quota"
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.5), sayer())
    for missed in (True, True, False, True, True, False):
        oracle.behave = (lambda *_: oracle.over.wait()) if missed else None
        clock[0] += KEEP_SECONDS
        assert _plan(judge) == ("unknown" if missed else "no_quota")


@pytest.mark.parametrize("trickles", [False, True], ids=["is_silent", "trickles"])
def test_several_in_a_row_stop_the_asking_for_a_while(
    oracle: Oracle, clock: list[float], trickles: bool
) -> None:
    def behave(handler: Handler, _: dict[str, Any]) -> bool:
        if trickles:
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n")
        while not oracle.over.wait(0.02 if trickles else None):
            handler.wfile.write(b"H")
        return True

    oracle.behave = behave
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.3), sayer())
    for _ in range(SILENCES + 2):
        _plan(judge)
        _until_no_call_is_under_way()
    assert len(oracle.requests) == SILENCES

    # After the pause one is enough.
    clock[0] += PAUSE_SECONDS
    for _ in range(2):
        _plan(judge)
    assert len(oracle.requests) == SILENCES + 1


def test_plans_that_waited_side_by_side_have_missed_one_deadline() -> None:
    state = Reachability(2.0)
    asked_at = time.monotonic()
    for _ in range(20):
        state.silent(asked_at)
    assert state.may_ask()


def test_after_the_pause_one_plan_tries_while_the_others_go_on(clock: list[float]) -> None:
    state = Reachability(2.0)
    state.unreachable()
    assert not state.may_ask()
    clock[0] += PAUSE_SECONDS
    assert [state.may_ask(), state.may_ask()] == [True, False]
    state.heard()
    assert [state.may_ask(), state.may_ask()] == [True, True]


def test_verdicts_count_again_when_the_oracle_is_back(
    oracle: Oracle, settings: Settings, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    oracle.verdict = lambda _: "no_quota"
    oracle.behave = lambda handler, _: close(handler)
    judge = Judge(settings, sayer())
    _plan(judge)
    oracle.behave = None
    clock[0] += PAUSE_SECONDS
    with caplog.at_level(logging.INFO):
        assert _plan(judge) == "no_quota"
    assert "answers again" in caplog.text


@pytest.mark.parametrize("kind", ["head", "body", "chunks"])
def test_an_answer_that_trickles_leaves_nothing_behind(oracle: Oracle, kind: str) -> None:
    start = {"head": b"", "body": b"HTTP/1.1 200 OK\r\nContent-Length: 60000\r\n\r\n"}
    chunked = b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n"

    def behave(handler: Handler, _: dict[str, Any]) -> bool:
        handler.wfile.write(start.get(kind, chunked))
        while not oracle.over.wait(0.02):
            handler.wfile.write(b"1\r\n \r\n" if kind == "chunks" else b"H")
        return True

    oracle.behave = behave
    judge = Judge(Settings(url=oracle.url, timeout_seconds=0.2), sayer())
    assert _plan(judge) == "unknown"
    _until_no_call_is_under_way()


def _until_no_call_is_under_way() -> None:
    for thread in threading.enumerate():
        if thread.name == "quota-oracle":
            thread.join(timeout=5)
            assert not thread.is_alive()


def test_each_kind_of_failure_is_said_once_an_hour(
    oracle: Oracle, settings: Settings, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    statuses = [500, 500, 401, 500, 401]
    oracle.behave = lambda handler, _: answer(handler, statuses.pop(0), "{}")
    judge = Judge(settings, sayer())
    while statuses:
        _plan(judge)
    assert [record.getMessage().rpartition(": ")[2] for record in caplog.records] == [
        "it answered HTTP 500",
        "it answered HTTP 401; look at QUOTA_ORACLE_TOKEN",
    ]
    clock[0] += saying.REPEAT_SECONDS
    statuses += [500]
    _plan(judge)
    assert len(caplog.records) == 3


def test_a_second_outage_is_said_as_well_but_not_every_turn_of_one_that_comes_and_goes(
    oracle: Oracle, settings: Settings, clock: list[float], caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judge(settings, sayer())

    def plan(status: int | None) -> None:
        oracle.behave = None if status is None else lambda h, _: answer(h, status, "{}")
        clock[0] += KEEP_SECONDS
        _plan(judge)

    with caplog.at_level(logging.INFO):
        for _ in range(10):
            plan(503)
            plan(None)
        assert _said(caplog) == ["503", "again", "judges"]

        # Down again, and for longer than it takes to be news.
        plan(503)
        assert len(_said(caplog)) == 3
        clock[0] += saying.RELAPSE_SECONDS
        for status in (503, 503, None):
            plan(status)
    assert _said(caplog)[3:] == ["503", "again"]


def _said(caplog: pytest.LogCaptureFixture) -> list[str]:
    words = ("503", "judges", "again")
    said = [r.getMessage() for r in caplog.records if r.levelno > logging.DEBUG]
    return [next(word for word in words if word in text) for text in said]


@pytest.mark.parametrize("strange", [object(), None, 7], ids=["an_object", "nothing", "a_number"])
def test_offers_of_an_unknown_shape_are_handed_on(
    settings: Settings, caplog: pytest.LogCaptureFixture, strange: Any
) -> None:
    judge = Judge(settings, sayer())
    assert list(judge.judged(ListedBackend([]), [strange])) == [strange]
    assert list(judge.judged(strange, [strange])) == [strange]
    assert len(caplog.records) == 1


@pytest.mark.parametrize("thing", [7, None, {"an": "offer"}], ids=["a_number", "none", "a_dict"])
def test_what_is_no_list_of_offers_is_handed_on_untouched(
    oracle: Oracle, settings: Settings, thing: Any
) -> None:
    assert Judge(settings, sayer()).judged(ListedBackend([]), thing) is thing
    assert oracle.requests == []


def test_a_token_file_that_is_gone_harms_nothing(
    oracle: Oracle, tmp_path: Any, caplog: pytest.LogCaptureFixture
) -> None:
    judge = Judge(Settings(url=oracle.url, token_file=tmp_path / "gone"), sayer())
    offers = [offer()]
    assert list(judge.judged(ListedBackend([]), offers)) == offers
    assert "gone" in caplog.text
    assert oracle.requests == []


@pytest.mark.parametrize("token", ["SECRET\nSECRET", "SECRET\u20ac", "SEC\0RET", "SECRET SECRET"])
def test_a_token_that_no_header_can_hold_is_not_repeated_in_the_log(
    oracle: Oracle, tmp_path: Any, caplog: pytest.LogCaptureFixture, token: str
) -> None:
    file = tmp_path / "token"
    file.write_text(token, encoding="utf-8")
    caplog.set_level(logging.DEBUG, "dstack.plugins.quota_oracle")
    assert _plan(Judge(Settings(url=oracle.url, token_file=file), sayer())) == "unknown"
    assert "visible ASCII" in caplog.text
    assert "SEC" not in caplog.text
    assert oracle.requests == []


def test_of_an_error_that_nobody_expects_only_the_type_is_said(
    settings: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def broken(*_: object) -> None:
        raise KeyError("SECRET")

    monkeypatch.setattr(client.OracleClient, "verdicts", broken)
    assert _plan(Judge(settings, sayer())) == "unknown"
    assert "KeyError" in caplog.text
    assert "SECRET" not in caplog.text
