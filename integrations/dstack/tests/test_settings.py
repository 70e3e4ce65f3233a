"""What the environment may say."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any

import pytest

from dstack_quota_oracle.accounts import BackendNames, accounts
from dstack_quota_oracle.settings import Settings, SettingsError

from .dstack_objects import ListedBackend

URL = {"QUOTA_ORACLE_URL": "http://oracle:8080"}


def test_the_address_is_all_that_is_needed() -> None:
    settings = Settings.from_environment(URL)
    assert settings == Settings(url="http://oracle:8080", timeout_seconds=2.0)
    assert settings.token() is None
    assert not settings.feedback


def test_everything_can_be_set(tmp_path: Any) -> None:
    file = tmp_path / "token"
    file.write_text("from-file\n")
    settings = Settings.from_environment(
        {
            "QUOTA_ORACLE_URL": "https://oracle.example/base/",
            "QUOTA_ORACLE_TIMEOUT": "750ms",
            "QUOTA_ORACLE_TOKEN_FILE": str(file),
            "QUOTA_ORACLE_BACKENDS": "aws=main",
            "QUOTA_ORACLE_FEEDBACK": "on",
        }
    )
    assert settings.url == "https://oracle.example/base"
    assert settings.timeout_seconds == 0.75
    assert settings.token() == "from-file"
    assert settings.backends.rules == {"aws": "main"}
    assert settings.feedback


def test_the_token_is_not_shown() -> None:
    settings = Settings.from_environment({**URL, "QUOTA_ORACLE_TOKEN": "secret-token"})
    assert settings.token() == "secret-token"
    assert "secret-token" not in repr(settings)


# The last is how Python shows a byte of the environment that is no UTF-8.
@pytest.mark.parametrize("token", ["SECRET\nSECRET", "SECRET\u00e9", "SECRET\udcff"])
def test_a_token_that_cannot_be_sent_is_not_repeated(token: str) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment({**URL, "QUOTA_ORACLE_TOKEN": token})
    assert str(error.value) == (
        "QUOTA_ORACLE_TOKEN holds something else than one word of visible ASCII"
    )


@pytest.mark.parametrize(
    ("environment", "complaint"),
    [
        ({}, "QUOTA_ORACLE_URL is not set"),
        ({"QUOTA_ORACLE_URL": "oracle:8080"}, "http:// or https://"),
        ({"QUOTA_ORACLE_URL": "http://me:pass@oracle"}, "holds a password"),
        ({**URL, "QUOTA_ORACLE_TIMEOUT": "soon"}, "QUOTA_ORACLE_TIMEOUT is 'soon'"),
        ({**URL, "QUOTA_ORACLE_TIMEOUT": "0"}, "above 0"),
        ({**URL, "QUOTA_ORACLE_TIMEOUT": "2m"}, "QUOTA_ORACLE_TIMEOUT"),
        ({**URL, "QUOTA_ORACLE_FEEDBACK": "maybe"}, '"on" or "off"'),
        ({**URL, "QUOTA_ORACLE_VERIFY": "maybe"}, 'an age like "30s"'),
        ({**URL, "QUOTA_ORACLE_VERIFY": "-5s"}, 'an age like "30s"'),
        ({**URL, "QUOTA_ORACLE_BACKENDS": "aws"}, 'QUOTA_ORACLE_BACKENDS: "aws" is not like'),
        ({**URL, "QUOTA_ORACLE_BACKENDS": "aws:=x"}, "is not like"),
        ({**URL, "QUOTA_ORACLE_BACKENDS": "aws=a,AWS=b"}, '"aws" is given twice'),
    ],
)
def test_a_setting_that_cannot_be_used_is_named(
    environment: dict[str, str], complaint: str
) -> None:
    with pytest.raises(SettingsError) as error:
        Settings.from_environment(environment)
    assert complaint in str(error.value)


@pytest.mark.parametrize(
    ("rules", "kind", "account", "name"),
    [
        ("", "aws", "AKIA1", "aws"),
        ("", "runpod", "", None),
        ("runpod=pods", "runpod", "", "pods"),
        ("aws=main", "aws", "AKIA1", "main"),
        ("aws=main", "gcp", "p", "gcp"),
        ("aws=main, aws:AKIA1=one", "aws", "AKIA1", "one"),
        ("aws=main, aws:AKIA1=one", "aws", "AKIA2", "main"),
        ("aws:AKIA1=one", "aws", "AKIA2", None),
        ("aws:AKIA1=one", "nebius", "", "nebius"),
        ("*=-", "nebius", "", None),
        ("aws=aws *=-", "aws", "", "aws"),
        ("aws=-", "aws", "", None),
    ],
)
def test_the_narrowest_rule_names_the_oracle_backend(
    rules: str, kind: str, account: str, name: str | None
) -> None:
    config = {"creds": SimpleNamespace(access_key=account)} if kind == "aws" else {}
    assert BackendNames.parse(rules).name_for(ListedBackend([], kind, **config)) == name


@pytest.mark.parametrize(
    ("kind", "config", "found"),
    [
        ("aws", {"creds": SimpleNamespace(type="access_key", access_key="AKIA1")}, ["AKIA1"]),
        ("aws", {"creds": SimpleNamespace(type="default")}, ["default"]),
        ("gcp", {"project_id": "ml", "creds": SimpleNamespace(type="default")}, ["ml", "default"]),
        ("azure", {"subscription_id": "s", "tenant_id": "t"}, ["s", "t"]),
        ("oci", {"compartment_id": "c", "creds": SimpleNamespace(tenancy="t")}, ["c", "t"]),
        ("nebius", {"creds": SimpleNamespace(service_account_id="sa")}, ["sa"]),
        ("crusoe", {"project_id": "p"}, ["p"]),
        ("aws", {}, []),
    ],
)
def test_accounts_are_read_from_a_backends_configuration(
    kind: str, config: dict[str, Any], found: list[str]
) -> None:
    assert accounts(ListedBackend([], kind, **config)) == found


@pytest.mark.parametrize(
    ("text", "max_age"),
    [("", None), ("off", None), ("on", "60s"), ("yes", "60s"), ("30s", "30s"), ("500ms", "500ms")],
)
def test_launches_are_verified_where_that_is_switched_on(text: str, max_age: str | None) -> None:
    settings = Settings.from_environment({**URL, "QUOTA_ORACLE_VERIFY": text})
    assert settings.verify_max_age == max_age
