"""Waiting by moments: one in which this process was held up counts as one."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from dstack_quota_oracle.patience import MOMENT_SECONDS, Patience

MOMENTS = 40


@pytest.fixture
def patience() -> Patience:
    return Patience(MOMENTS * MOMENT_SECONDS)


def _held_up(clock: list[float], happens_at: int) -> Callable[[float], bool]:
    """Happens in the given moment; each takes a minute, whatever was asked for."""
    moments = 0

    def happened(seconds: float) -> bool:
        nonlocal moments
        assert seconds <= MOMENT_SECONDS
        moments += 1
        clock[0] += 60.0
        return moments == happens_at

    return happened


@pytest.mark.parametrize("moment", [1, MOMENTS // 2, MOMENTS])
def test_it_outlasts_a_process_that_is_held_up(
    patience: Patience, clock: list[float], moment: int
) -> None:
    assert patience.lasts_until(_held_up(clock, moment))


def test_it_ends(patience: Patience, clock: list[float]) -> None:
    # One look follows, which does not wait.
    assert not patience.lasts_until(_held_up(clock, MOMENTS + 3))
    assert patience.is_over()
    assert not patience.lasts_until(lambda seconds: seconds > 0.0)


def test_what_has_happened_meanwhile_counts_though_nothing_is_left() -> None:
    assert Patience(0.0).lasts_until(lambda _: True)


def test_several_waits_have_it_together(patience: Patience, clock: list[float]) -> None:
    for _ in range(MOMENTS):
        assert not patience.is_over()
        assert patience.lasts_until(_held_up(clock, 1))
    assert patience.is_over()


def test_what_happens_at_once_costs_nothing(
    patience: Patience, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("time.monotonic", lambda: 1.0)
    for _ in range(10 * MOMENTS):
        assert patience.lasts_until(lambda _: True)
    assert not patience.is_over()
