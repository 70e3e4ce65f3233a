"""Where dstack is taken hold of: the functions that every list of offers comes through."""

from __future__ import annotations

import functools
import importlib
import inspect
from typing import Any

from dstack_quota_oracle.endpoint import QuotaEndpoint
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.shapes import Offers
from dstack_quota_oracle.verdicts import kept_reason

MODULE = "dstack._internal.server.services.backends"
FUNCTION = "get_offers_tracked"

FOR_ALL_BACKENDS = "get_backend_offers"
EXCLUDES = "exclude_not_available"
"""Its parameter that drops marked offers, which launches set."""

_MARK = "_quota_oracle_original"

_OTHER_KINDS = (
    inspect.iscoroutinefunction,
    inspect.isasyncgenfunction,
    # Lists offers only when they are taken from it, which may be on the event loop.
    inspect.isgeneratorfunction,
)


class UnknownDstackError(Exception):
    """This dstack lists its offers in another way than the releases known here."""


def install(judge: Judge, endpoint: QuotaEndpoint) -> None:
    """Puts `judge` between dstack and its backends.

    dstack looks the function up in its module at every call, in a worker thread of its own
    and once for each backend, so replacing it there reaches plans, `dstack offer`, fleets and
    provisioning, and waiting in it holds up nobody else.
    """
    module = importlib.import_module(MODULE)
    current = getattr(module, FUNCTION, None)
    if current is None:
        raise UnknownDstackError(f"{MODULE} has no {FUNCTION}")
    # dstack may load its plugins again: replace what was put there, do not ask twice.
    original = getattr(current, _MARK, current)
    signature = inspect.signature(original)
    parameters = list(signature.parameters)
    if not parameters or parameters[0] != "backend":
        raise UnknownDstackError(f"{FUNCTION} takes {parameters or 'nothing'}, not a backend")
    if any(is_other(original) for is_other in _OTHER_KINDS):
        raise UnknownDstackError(f"{FUNCTION} does not return its offers")

    @functools.wraps(original)
    def get_offers_tracked(*args: Any, **kwargs: Any) -> Offers:
        try:
            given = signature.bind(*args, **kwargs).arguments
        except TypeError:
            # Dstack's own mistake, and its own words for it.
            wrong: Offers = original(*args, **kwargs)
            return wrong
        backend = given["backend"]
        offers: Offers = endpoint.listed(backend, lambda: original(*args, **kwargs))
        return judge.judged(backend, offers, given.get("requirements"))

    setattr(get_offers_tracked, _MARK, original)
    setattr(module, FUNCTION, get_offers_tracked)
    _install_for_launches(module, judge)


def _install_for_launches(module: Any, judge: Judge) -> None:
    """Lets launches see the offers that the judge has marked, after all others.

    dstack would drop them, and tell a user no more than that there are no offers.
    """
    current = getattr(module, FOR_ALL_BACKENDS, None)
    original = getattr(current, _MARK, current)
    if not inspect.iscoroutinefunction(original):
        return
    signature = inspect.signature(original)
    if EXCLUDES not in signature.parameters:
        return

    @functools.wraps(original)
    async def get_backend_offers(*args: Any, **kwargs: Any) -> Any:
        try:
            given = signature.bind(*args, **kwargs)
        except TypeError:
            return await original(*args, **kwargs)
        requirements = given.arguments.get("requirements")
        if not given.arguments.get(EXCLUDES) or not judge.passes_over(requirements):
            return await original(*args, **kwargs)
        given.arguments[EXCLUDES] = False
        found = await original(*given.args, **given.kwargs)
        return (
            (backend, offer)
            for backend, offer in found
            if offer.availability.is_available() or kept_reason(offer) is not None
        )

    setattr(get_backend_offers, _MARK, original)
    setattr(module, FOR_ALL_BACKENDS, get_backend_offers)
