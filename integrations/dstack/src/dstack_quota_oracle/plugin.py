"""What dstack loads: the entry point `quota_oracle` of the group `dstack.plugins`."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version

from dstack.plugins import Plugin

from dstack_quota_oracle import TESTED_DSTACK_VERSIONS, __version__
from dstack_quota_oracle.client import OracleClient
from dstack_quota_oracle.endpoint import QuotaEndpoint
from dstack_quota_oracle.judge import Judge
from dstack_quota_oracle.saying import Sayer
from dstack_quota_oracle.settings import Settings, SettingsError
from dstack_quota_oracle.wrap import UnknownDstackError, install

# Below "dstack", since its server shows only errors of all other loggers.
log = logging.getLogger("dstack.plugins.quota_oracle")


class QuotaOraclePlugin(Plugin):
    """Lets the quota oracle judge every list of offers that the server makes."""

    def __init__(self) -> None:
        # An exception here would stop the dstack server.
        try:
            super().__init__()
            settings = Settings.from_environment()
            client = OracleClient(settings)
            # Verdicts and the endpoint fail and recover each for itself.
            install(Judge(settings, Sayer(log), client), QuotaEndpoint(client, Sayer(log)))
            log.info(
                "Quota oracle %s: offers are judged by %s within %gs, backends %s; dstack %s%s",
                __version__,
                settings.url,
                settings.timeout_seconds,
                settings.backends,
                *_dstack(),
            )
        except SettingsError as error:
            log.error("Quota oracle is off, offers stay as they are: %s", error)
        except UnknownDstackError as error:
            log.error(
                "Quota oracle is off, dstack %s is not known to it (tested with %s): %s",
                _dstack()[0],
                ", ".join(TESTED_DSTACK_VERSIONS),
                error,
            )
        except Exception as error:
            log.error("Quota oracle is off, offers stay as they are: %s", type(error).__name__)


def _dstack() -> tuple[str, str]:
    try:
        found = version("dstack")
    except PackageNotFoundError:
        return "of unknown version", ""
    tested = TESTED_DSTACK_VERSIONS
    note = "" if found in tested else f", not one of those tested ({', '.join(tested)})"
    return found, note
