"""Connection URLs of PostgreSQL; their passwords are used, and never written or shown."""

from __future__ import annotations

from dataclasses import dataclass, field
from urllib.parse import parse_qsl, unquote, urlsplit

from pydantic import SecretStr

from seg_sql.errors import ConfigError
from seg_sql.profiles import PostgresTarget

# The variable that PostgreSQL's own programs read.
PASSWORD_VARIABLE = "PGPASSWORD"
_FORM = "Write postgresql://user@host:5432/database, with %40 for @ and %2F for / in a password."
_SETTINGS = ("sslmode", "sslrootcert", "connect_timeout")


@dataclass(frozen=True)
class Connection:
    """A PostgreSQL database, as a URL names it.

    Attributes:
        host: Name, address or socket folder of the server.
        port: Its port.
        user: Who connects; None leaves it to the driver.
        dbname: The database.
        settings: sslmode and the like.
        password: The password that the URL had; never shown.
        left_out: Names of the URL's settings that a profile does not have.
    """

    host: str
    port: int
    user: str | None
    dbname: str
    settings: dict[str, str | int] = field(default_factory=dict)
    password: SecretStr | None = None
    left_out: tuple[str, ...] = ()

    def target(self) -> PostgresTarget:
        """Return the target to connect to now, with the password of the URL."""
        return PostgresTarget.model_validate({**self.fields(), "password": self.password})

    def fields(self) -> dict[str, str | int]:
        """Return what a profile says of it, without the password."""
        user = {} if self.user is None else {"user": self.user}
        return {
            "host": self.host,
            "port": self.port,
            **user,
            "dbname": self.dbname,
            **self.settings,
        }


def parse_url(url: str) -> Connection:
    """Read a URL such as `postgresql://user@host:5432/database?sslmode=require`.

    >>> parse_url("postgresql://anna@db.example.com/shop").fields()
    {'host': 'db.example.com', 'port': 5432, 'user': 'anna', 'dbname': 'shop'}

    Raises:
        ConfigError: It cannot be read. The message never has a part of the URL in it, because a
            password with a wrong character may be anywhere.
    """
    try:
        parts = urlsplit(url)
        query = dict(parse_qsl(parts.query, strict_parsing=bool(parts.query)))
    except ValueError:
        raise ConfigError("The connection URL cannot be read.", hint=_FORM) from None
    if parts.scheme not in ("postgresql", "postgres"):
        raise ConfigError("The connection URL is not one of PostgreSQL.", hint=_FORM)
    login, _, address = parts.netloc.rpartition("@")
    user, _, password = login.partition(":")
    bracketed = address.startswith("[")
    host, _, port = address[1:].partition("]") if bracketed else address.partition(":")
    port = port.removeprefix(":") if bracketed else port
    dbname = unquote(parts.path.removeprefix("/"))
    stray = "@" in parts.path + parts.query or "/" in parts.path[1:] or parts.fragment
    if stray or (port and not port.isdigit()) or "," in address:
        raise ConfigError("The connection URL cannot be read.", hint=_FORM) from None
    user, password = unquote(user), unquote(password)
    host, port = query.pop("host", unquote(host)), query.pop("port", port)
    user, password = query.pop("user", user), query.pop("password", password)
    dbname = query.pop("dbname", dbname)
    if not dbname:
        raise ConfigError("The connection URL names no database.", hint=_FORM)
    settings: dict[str, str | int] = {key: query.pop(key) for key in _SETTINGS if key in query}
    if not str(settings.get("connect_timeout", 0)).isdigit() or not (port or "0").isdigit():
        raise ConfigError("The connection URL cannot be read.", hint=_FORM)
    if "connect_timeout" in settings:
        settings["connect_timeout"] = int(settings["connect_timeout"])
    return Connection(
        host=host or "localhost",
        port=int(port or 5432),
        user=user or None,
        dbname=dbname,
        settings=settings,
        password=SecretStr(password) if password else None,
        left_out=tuple(sorted(query)),
    )
