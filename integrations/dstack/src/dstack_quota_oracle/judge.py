"""What is made of the oracle's answers: `no_quota` and `not_available`, all else as it was."""

from __future__ import annotations

import logging
from collections.abc import Iterable, Iterator
from typing import Any

from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.describing import describe
from dstack_quota_oracle.exchange import NoAnswerError
from dstack_quota_oracle.launches import LaunchWatch
from dstack_quota_oracle.saying import Sayer, sayable
from dstack_quota_oracle.settings import Settings
from dstack_quota_oracle.shapes import Backend, Offer, Offers
from dstack_quota_oracle.verdicts import Verdict, keep_reason

NO_QUOTA = "no_quota"


class Judge:
    """Puts the offers of a backend to the oracle, and never fails because of it."""

    def __init__(
        self, settings: Settings, sayer: Sayer, client: OracleClient | None = None
    ) -> None:
        self._backends = settings.backends
        self._client = client or OracleClient(settings)
        self._sayer = sayer
        self._launches = (
            LaunchWatch(
                self._client,
                self._sayer,
                feedback=settings.feedback,
                verify_max_age=settings.verify_max_age,
            )
            if settings.feedback or settings.verify_max_age
            else None
        )

    def judged(self, backend: Backend, offers: Offers, requirements: object = None) -> Offers:
        """The offers with the oracle's verdicts; everything is asked before this returns."""
        try:
            name = self._backends.name_for(backend)
            if name is None:
                return offers
            if self._launches is not None:
                self._launches.watch(backend, name)
            # Those of a reservation are filtered to it already, and a reservation counts as usage
            # of the quota from when it is made: launches in it need no room beside it.
            if getattr(requirements, "reservation", None) or not self._client.available():
                return offers
            if not isinstance(offers, Iterable):
                self._sayer.once(
                    "shape", logging.WARNING, "These are no offers, they stay: %s", type(offers)
                )
                return offers
        except Exception as error:
            self._failed(error)
            return offers
        # Outside of any `try`: what goes wrong in listing offers is dstack's to hear.
        listed = list(offers)
        try:
            judged = self._apply(backend, name, listed)
        except Exception as error:
            self._failed(error)
            # An iterator is used up; anything else is handed on as it came.
            return iter(listed) if isinstance(offers, Iterator) else offers
        return judged if isinstance(offers, list) else iter(judged)

    def _apply(self, backend: Backend, name: str, offers: list[Offer]) -> list[Offer]:
        asked = [i for i, offer in enumerate(offers) if _is_open(backend, offer)]
        if not asked:
            return offers
        verdicts = self._client.verdicts([describe(offers[i], name) for i in asked])
        judged = list(offers)
        for i, verdict in zip(asked, verdicts, strict=True):
            if verdict.against:
                judged[i] = _marked(offers[i], verdict)
        self._sayer.recovered("the quota oracle answers again")
        self._sayer.once(
            "applied",
            logging.INFO,
            "The quota oracle judges offers: of %d from backend %s, %d have no quota",
            len(asked),
            name,
            sum(verdict.availability == NO_QUOTA for verdict in verdicts),
        )
        return judged

    def passes_over(self, requirements: object) -> bool:
        """Whether launches for these requirements may be handed offers that are marked.

        Each is passed over at once, and its reason reaches the user.
        """
        # For a cluster dstack makes a placement group in the cloud before it tries an offer.
        is_cluster = getattr(requirements, "multinode", None)
        return not is_cluster and self._launches is not None and self._launches.passes_over()

    def _failed(self, error: Exception) -> None:
        if isinstance(error, NoAnswerError):
            self._sayer.failure(
                error.kind, "The quota oracle was not heard, offers stay as they are: %s", error
            )
        else:
            self._sayer.failure(
                type(error).__name__,
                "The quota oracle could not be asked, offers stay as they are: %s",
                sayable(error),
            )


def _is_open(backend: Backend, offer: Offer) -> bool:
    """Whether the oracle has a say: not where dstack found no quota itself."""
    # dstack Sky's backend lists offers of other backends, in accounts that are not ours.
    return offer.backend == backend.TYPE and offer.availability.value != NO_QUOTA


def _marked(offer: Offer, verdict: Verdict) -> Offer:
    # dstack keeps offers in caches that plans share: only a copy may be changed.
    # (Up to dstack 0.20 they are models of pydantic 1, whose method was `copy`.)
    changed: Any = offer.model_copy() if hasattr(offer, "model_copy") else offer.copy()  # type: ignore[attr-defined]
    changed.availability = type(offer.availability)(verdict.availability)  # type: ignore[call-arg]
    keep_reason(changed, verdict.reason)
    result: Offer = changed
    return result
