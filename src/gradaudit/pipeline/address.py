"""Addresses of tracking stores: no password in them, and none in what is shown."""

from __future__ import annotations

from urllib.parse import parse_qsl, urlsplit, urlunsplit

from gradaudit.errors import SettingError

_SECRET = ("password", "passwd", "pwd", "token")


def check_address(uri: str) -> None:
    """Refuse an address with a password, which would be read in arguments, logs and results.

    Raises
    ------
    SettingError
        It does not repeat the address.
    """
    parts = urlsplit(uri)
    query = any(name.lower() in _SECRET for name, _ in parse_qsl(parts.query))
    if ("@" in parts.netloc and ":" in parts.netloc.rpartition("@")[0]) or query:
        variables = (
            "PGUSER and PGPASSWORD"
            if parts.scheme.startswith("postgres")
            else "MLFLOW_TRACKING_USERNAME and MLFLOW_TRACKING_PASSWORD"
        )
        raise SettingError(
            "tracking.uri contains a password, which would be shown in arguments, logs and "
            f"results. Remove it from there, and set the environment variables {variables}."
        )


def public_uri(uri: str) -> str:
    """The tracking URI without user, password and query, fit to be written or shown."""
    parts = urlsplit(uri)
    if not parts.netloc:
        return uri
    return urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], query=""))


def is_server(uri: str) -> bool:
    """Whether a tracking server of MLflow is there, and no database."""
    return uri.startswith(("http://", "https://"))


def is_postgresql(uri: str) -> bool:
    """Whether a PostgreSQL database is there."""
    return uri.startswith("postgresql")
