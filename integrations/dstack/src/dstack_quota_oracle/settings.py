"""The plugin's settings, read from the environment of the dstack server."""

from __future__ import annotations

import math
import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from dstack_quota_oracle.accounts import BackendNames

DEFAULT_TIMEOUT_SECONDS = 2.0
"""A plan takes dstack about half a second; someone waits for it at a terminal."""


DEFAULT_MAX_AGE = "60s"
"""A report of what is in use takes AWS seconds; waiting for one at every launch would cost more
than it saves."""

_OFF = ("", "off", "0", "false", "no")
_ON = ("on", "1", "true", "yes")


class SettingsError(ValueError):
    """A setting that cannot be used; its text says which one and why."""


@dataclass(frozen=True)
class Settings:
    """Where the oracle is, how it is asked, and about which backends."""

    url: str
    timeout_seconds: float = DEFAULT_TIMEOUT_SECONDS
    backends: BackendNames = field(default_factory=BackendNames)
    feedback: bool = False
    verify_max_age: str | None = None
    """How old the oracle's knowledge may be at a launch; without it launches are not verified."""
    token_text: str | None = field(default=None, repr=False)
    token_file: Path | None = None

    @classmethod
    def from_environment(cls, environment: Mapping[str, str] = os.environ) -> Settings:
        """Reads the `QUOTA_ORACLE_…` variables."""

        def value(name: str) -> str:
            return environment.get(name, "").strip()

        token_file = value("QUOTA_ORACLE_TOKEN_FILE")
        token_text = value("QUOTA_ORACLE_TOKEN")
        try:
            backends = BackendNames.parse(value("QUOTA_ORACLE_BACKENDS"))
        except ValueError as error:
            raise SettingsError(f"QUOTA_ORACLE_BACKENDS: {error}") from None
        return cls(
            url=_url(value("QUOTA_ORACLE_URL")),
            timeout_seconds=_seconds(value("QUOTA_ORACLE_TIMEOUT")),
            backends=backends,
            feedback=_switch("QUOTA_ORACLE_FEEDBACK", value("QUOTA_ORACLE_FEEDBACK")),
            verify_max_age=_max_age(value("QUOTA_ORACLE_VERIFY")),
            token_text=_token("QUOTA_ORACLE_TOKEN", token_text.encode(errors="surrogatepass")),
            token_file=Path(token_file) if token_file else None,
        )

    def token(self) -> str | None:
        """The bearer token; a file is read anew each time, so that it can be replaced."""
        if self.token_file is None:
            return self.token_text
        try:
            content = self.token_file.read_bytes()
        except OSError as error:
            raise SettingsError(
                f"the token file {self.token_file} cannot be read: {error.strerror}"
            ) from None
        return _token(f"the token file {self.token_file}", content)


def _token(where: str, content: bytes) -> str | None:
    content = content.strip()
    # Anything else cannot stand in a header; the libraries that say so quote the whole of it.
    if not all(0x21 <= byte <= 0x7E for byte in content):
        raise SettingsError(f"{where} holds something else than one word of visible ASCII")
    return content.decode("ascii") or None


def _url(text: str) -> str:
    if not text:
        raise SettingsError("QUOTA_ORACLE_URL is not set")
    parts = urlsplit(text)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise SettingsError(
            "QUOTA_ORACLE_URL is not an http:// or https:// address, like http://oracle:8080"
        )
    if parts.username or parts.password:
        raise SettingsError("QUOTA_ORACLE_URL holds a password; use QUOTA_ORACLE_TOKEN instead")
    return text.rstrip("/")


def _seconds(text: str) -> float:
    if not text:
        return DEFAULT_TIMEOUT_SECONDS
    number, factor = text, 1.0
    if text.endswith("ms"):
        number, factor = text[:-2], 0.001
    elif text.endswith("s"):
        number = text[:-1]
    try:
        seconds = float(number) * factor
    except ValueError:
        seconds = math.nan
    if not 0 < seconds <= 60:
        raise SettingsError(
            f"QUOTA_ORACLE_TIMEOUT is {text!r}; it must be above 0 and at most 60s, "
            'like "2s" or "500ms"'
        )
    return seconds


def _switch(name: str, text: str) -> bool:
    if text.lower() in _OFF:
        return False
    if text.lower() in _ON:
        return True
    raise SettingsError(f'{name} is {text!r}; it must be "on" or "off"')


def _max_age(text: str) -> str | None:
    """The age that `QUOTA_ORACLE_VERIFY` allows, as the oracle takes it."""
    if text.lower() in _OFF:
        return None
    if text.lower() in _ON:
        return DEFAULT_MAX_AGE
    if re.fullmatch(r"[0-9]{1,6}(ms|s|m|h)", text):
        return text
    raise SettingsError(
        f'QUOTA_ORACLE_VERIFY is {text!r}; it must be "on", "off" or an age like "30s"'
    )
