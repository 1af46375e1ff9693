"""The mail room's settings: what is understood, and that what is not is told without secrets."""

from __future__ import annotations

import pytest

from activities.smtp import NoMailServer, SmtpServer
from connection.errors import BadConfiguration
from domain.stages import Role
from workers.mail import MailSettings
from workers.settings import read_settings

FROM = {"LIVEBASE_MAIL_FROM": "livebase@base.example"}


@pytest.fixture(autouse=True)
def nothing_set(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in MailSettings.model_fields:
        monkeypatch.delenv(f"LIVEBASE_{name.upper()}", raising=False)


def settings(monkeypatch: pytest.MonkeyPatch, **variables: str) -> MailSettings:
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    return read_settings(MailSettings)


@pytest.mark.parametrize(
    ("url", "tls", "server"),
    [
        ("smtp://mx.base.example", "", SmtpServer("mx.base.example", 587, "starttls")),
        ("smtps://mx.base.example", "", SmtpServer("mx.base.example", 465, "implicit")),
        ("smtp://mx.base.example:25", "none", SmtpServer("mx.base.example", 25, "none")),
        ("smtp://127.0.0.1:1025", "", SmtpServer("127.0.0.1", 1025, "none")),
        ("smtp://localhost:1025/", "", SmtpServer("localhost", 1025, "none")),
        ("smtp://[::1]:1025", "", SmtpServer("::1", 1025, "none")),
        ("smtp://localhost.evil.example", "", SmtpServer("localhost.evil.example", 587, "starttls")),
        (
            "smtp://us%40base.example:p%3Aw%2F@mx.base.example",
            "starttls",
            SmtpServer("mx.base.example", 587, "starttls", "us@base.example", "p:w/"),
        ),
    ],
)
def test_the_mail_server(monkeypatch: pytest.MonkeyPatch, url: str, tls: str, server: SmtpServer) -> None:
    assert settings(monkeypatch, LIVEBASE_SMTP_URL=url, LIVEBASE_SMTP_TLS=tls, **FROM).server() == server


def test_without_one_letters_wait(monkeypatch: pytest.MonkeyPatch) -> None:
    assert isinstance(settings(monkeypatch).room().server, NoMailServer)


def test_the_staffs_addresses_by_role(monkeypatch: pytest.MonkeyPatch) -> None:
    variables = {"LIVEBASE_MAIL_REVIEWER": "review@base.example", "LIVEBASE_MAIL_OPERATOR": "ops@base.example"}
    room = settings(monkeypatch, LIVEBASE_SMTP_URL="smtp://127.0.0.1:25", **FROM, **variables).room()
    assert room.sender == "livebase@base.example"
    assert room.staff == {Role.REVIEWER: "review@base.example", Role.OPERATOR: "ops@base.example"}


@pytest.mark.parametrize(
    ("variables", "told"),
    [
        ({"LIVEBASE_SMTP_URL": "mx.base.example:25"}, ["LIVEBASE_SMTP_URL"]),
        ({"LIVEBASE_SMTP_URL": "http://us:secret@mx.base.example"}, ["LIVEBASE_SMTP_URL"]),
        ({"LIVEBASE_SMTP_URL": "smtp://us:secret@:25"}, ["LIVEBASE_SMTP_URL"]),
        ({"LIVEBASE_SMTP_URL": "smtp://us:secret@mx.base.example:99999"}, ["LIVEBASE_SMTP_URL"]),
        ({"LIVEBASE_SMTP_URL": "smtp://us:secret@mx.base.example/box?x=1"}, ["LIVEBASE_SMTP_URL"]),
        ({"LIVEBASE_SMTP_URL": "smtp://us:secret@mx.base.example", "LIVEBASE_MAIL_FROM": ""}, ["LIVEBASE_MAIL_FROM"]),
        (
            {"LIVEBASE_MAIL_FROM": "secret", "LIVEBASE_MAIL_FINANCE": "secret@", "LIVEBASE_SMTP_TLS": "secret"},
            ["LIVEBASE_MAIL_FROM", "LIVEBASE_MAIL_FINANCE", "LIVEBASE_SMTP_TLS"],
        ),
    ],
)
def test_what_is_wrong_is_told_at_once_and_without_secrets(
    monkeypatch: pytest.MonkeyPatch, variables: dict[str, str], told: list[str]
) -> None:
    with pytest.raises(BadConfiguration) as info:
        settings(monkeypatch, **FROM | variables)
    assert [name for name in told if name not in info.value.message] == []
    assert "secret" not in info.value.message
    assert info.value.__cause__ is None and info.value.__suppress_context__
