"""One verdict of the oracle's, as far as something is made of it."""

from __future__ import annotations

from typing import Any, NamedTuple

from dstack_quota_oracle.shapes import Offer

ADVISED_AGAINST = frozenset({"no_quota", "not_available"})
"""The oracle's words that are acted on, which are dstack's too: the quota does not hold the offer,
or the cloud has just failed to launch it. `shadow` and `off` never say them."""


class Verdict(NamedTuple):
    """The word on an offer, and the sentence for it where it is advised against."""

    availability: str
    reason: str = ""

    @property
    def against(self) -> bool:
        """Whether the offer should not be tried."""
        return self.availability in ADVISED_AGAINST


def read_verdict(answer: Any) -> Verdict | None:
    """The verdict in a member of `verdicts`, or in the answer to `POST /verify`."""
    if not isinstance(answer, dict) or not isinstance(word := answer.get("availability"), str):
        return None
    return Verdict(word, _reason(answer, word) if word in ADVISED_AGAINST else "")


def _reason(answer: dict[str, Any], word: str) -> str:
    # Where capacity or the cloud's own restriction is in the way, the quota is not.
    other = ("unavailable", "restriction") if word == "not_available" else ()
    for member in (*other, "quota"):
        found = answer.get(member)
        reason = found.get("reason") if isinstance(found, dict) else None
        if isinstance(reason, str) and reason:
            return reason
    return f"the quota oracle says {word}"


_REASON = "_quota_oracle_reason"


def keep_reason(offer: Offer, reason: str) -> None:
    """Puts the sentence into a marked offer, which dstack has no field for; copies keep it."""
    # Past the model's own check of its fields.
    object.__setattr__(offer, _REASON, reason)


def kept_reason(offer: Offer) -> str | None:
    """The sentence for an offer that the oracle has marked."""
    reason = getattr(offer, _REASON, None)
    return reason if isinstance(reason, str) else None
