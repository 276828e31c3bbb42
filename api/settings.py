"""Every setting: read from `HEADWATER_*` variables and the command line, described here and nowhere else.

`freshness_check` is the variable `HEADWATER_FRESHNESS_CHECK` and the option `--freshness-check`; the option wins.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

from api import setting_values as values
from api.resolvers.limits import MIB, Limits
from semantic.errors import Code, UserError

if TYPE_CHECKING:
    from engine.settings import EngineSettings

PREFIX = "HEADWATER_"


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """How Headwater runs; `SETTINGS` says what each is for. Times are seconds, sizes bytes."""

    model: Path | None = None
    root: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    reload: bool = True
    freshness_check: float = 1.0
    deadline: float = 30.0
    linger: float = 60.0
    concurrency: int | None = None
    queue: int = 200
    drain: float = 5.0
    threads: int | None = None
    memory_limit: int | None = None
    spill_dir: Path | None = None
    cache_bytes: int = 256 * MIB
    max_rows: int = 100_000
    max_request: int = 4 * MIB
    max_document: int = 256 * 1024
    max_tokens: int = 20_000
    max_depth: int = 20
    max_fields: int | None = None
    max_aliases: int | None = None
    max_directives: int = 100
    max_answer: int = 64 * MIB
    max_scan: int = 0
    viewer_concurrency: int = 0
    viewer_subscriptions: int = 0
    subscribers: int = 5000
    batch: int = 0
    cors_origins: tuple[str, ...] = ()
    trusted_documents: Path | None = None
    trusted_only: bool = False
    rate: float = 0.0
    burst: int = 0
    profile: str = values.OPEN
    show_sql: bool | None = None
    anonymous: bool | None = None
    keys: Path | None = None
    jwks: str | None = None
    jwt_issuer: str | None = None
    jwt_audience: tuple[str, ...] = ()
    jwt_algorithms: tuple[str, ...] = ("RS256", "ES256")
    jwt_leeway: float = 30.0
    trusted_proxies: tuple[values.Network, ...] = ()
    viewer_header: str = "x-headwater-viewer"
    claims_header: str = "x-headwater-claims"
    log_level: str = "info"
    log_format: str | None = None
    slow_query: float = 5.0
    audit_log: Path | None = None
    audit_bytes: int = 100 * MIB
    audit_files: int = 10
    traces: bool = False

    @property
    def may_show_sql(self) -> bool:
        """`show_sql`, or when it is not set: whether only this machine can ask."""
        return is_loopback(self.host) and not self.is_hardened if self.show_sql is None else self.show_sql

    @property
    def is_hardened(self) -> bool:
        """Whether strangers are told as little as possible."""
        return self.profile == values.HARDENED

    @property
    def browser_age(self) -> int:
        """Seconds for which a browser may show an answer again without asking. Who signs in at a proxy can be somebody
        else from one moment to the next.
        """
        return 0 if self.trusted_proxies else int(self.freshness_check)

    @property
    def logs_json(self) -> bool:
        """Whether the log is for machines."""
        return self.is_hardened if self.log_format is None else self.log_format == values.JSON

    @property
    def limits(self) -> Limits:
        """Those of a viewer whose claims say nothing else. The deadline is the engine's."""
        fields, aliases = (400, 100) if self.is_hardened else (2000, 1000)
        return Limits(
            document=self.max_document,
            tokens=self.max_tokens,
            depth=self.max_depth,
            fields=fields if self.max_fields is None else self.max_fields,
            aliases=aliases if self.max_aliases is None else self.max_aliases,
            directives=self.max_directives,
            rows=self.max_rows,
            answer=self.max_answer,
            scan=self.max_scan,
            concurrency=self.viewer_concurrency,
            subscriptions=self.viewer_subscriptions,
            rate=self.rate,
            burst=self.burst,
        )

    @property
    def engine(self) -> EngineSettings:
        """Those of one worker's engine."""
        from engine.settings import EngineSettings, cores  # with it comes DuckDB, which most commands don't need

        return EngineSettings(
            threads=self.threads or self.each(cores()),
            memory_limit=self.memory_limit and self.each(self.memory_limit),
            spill_directory=self.spill_dir,
            concurrent=self.each(self.concurrency or cores()),
            queue_length=self.each(self.queue),
            deadline_seconds=self.deadline,
            linger_seconds=self.linger,
            cache_bytes=self.each(self.cache_bytes),
            freshness_check=self.freshness_check,
            confined=self.is_hardened,
            processes=self.workers,
        )

    def each(self, whole: int) -> int:
        """One worker's part of what is for all of them: of something, at least 1."""
        return max(min(whole, 1), whole // self.workers)


@dataclass(frozen=True, slots=True)
class Setting:
    """One setting: what it is for, its default as the docs write it, and how its text is read."""

    name: str
    parse: Callable[[str], Any]
    help: str
    default: str

    @property
    def variable(self) -> str:
        """The environment variable."""
        return f"{PREFIX}{self.name.upper()}"

    @property
    def option(self) -> str:
        """The command line option."""
        return f"--{self.name.replace('_', '-')}"

    @property
    def expected(self) -> str:
        """What a value must be, for people."""
        return values.EXPECTED[self.parse][0]

    @property
    def metavar(self) -> str:
        """The word for a value in a command's help."""
        return values.EXPECTED[self.parse][1]


SETTINGS = (
    Setting("model", values.folder, "The folder of the model's *.yml files.", "this folder, or the folder model in it"),
    Setting(
        "root",
        values.folder,
        "The folder that the model's source paths start from.",
        "the model's folder, or the one around it when that is named model",
    ),
    Setting("host", str, "The address to listen at; 0.0.0.0 is every one of this machine's.", "127.0.0.1"),
    Setting("port", values.port, "The port to listen at; 0 takes a free one.", "8000"),
    Setting("workers", values.count, "Processes that answer, each with an engine and a cache of its own.", "1"),
    Setting("reload", values.flag, "Whether a changed model takes effect without a restart.", "1"),
    Setting("freshness_check", values.seconds, "Seconds for which the files are not looked at again.", "1"),
    Setting("deadline", values.seconds, "Seconds after which nobody waits for a query any longer; 0 is never.", "30"),
    Setting("linger", values.seconds, "Seconds that a query goes on after the deadline, for whoever asks again.", "60"),
    Setting("concurrency", values.count, "Queries that run at the same time; others wait.", "the number of cores"),
    Setting("queue", values.count, "Queries that may wait; more are refused.", "200"),
    Setting("drain", values.seconds, "Seconds that running queries get to end when the server is to stop.", "5"),
    Setting("threads", values.count, "Threads of each worker, for all its running queries.", "a part of the cores"),
    Setting("memory_limit", values.size, "Memory for running queries.", "DuckDB's: four fifths of the machine's"),
    Setting(
        "spill_dir", values.folder, "Where queries larger than the memory put rows.", "the system's temporary folder"
    ),
    Setting("cache_bytes", values.size, "Memory for answers that are kept.", "256MiB"),
    Setting("max_rows", values.rows, "The largest limit a query may ask for.", "100000"),
    Setting("max_request", values.size, "The largest request body.", "4MiB"),
    Setting("max_document", values.size, "The longest GraphQL document, in characters; 0 is any.", "256KiB"),
    Setting("max_tokens", values.most, "The most tokens of a document; 0 is any.", "20000"),
    Setting("max_depth", values.most, "The most levels of fields in a document; 0 is any.", "20"),
    Setting("max_fields", values.most, "The most fields in a document; 0 is any.", "2000; 400 when hardened"),
    Setting("max_aliases", values.most, "The most aliases in a document; 0 is any.", "1000; 100 when hardened"),
    Setting("max_directives", values.most, "The most directives in a document; 0 is any.", "100"),
    Setting("max_answer", values.size, "The most bytes of rows that one request is answered with; 0 is any.", "64MiB"),
    Setting("max_scan", values.most, "The most rows of files read for a request, as estimated; 0 is any.", "0"),
    Setting("viewer_concurrency", values.most, "Queries of one viewer that run at the same time; 0 is any.", "0"),
    Setting("viewer_subscriptions", values.most, "Subscriptions of one viewer that are open at once; 0 is any.", "0"),
    Setting("subscribers", values.count, "Subscriptions that are open at the same time; more are refused.", "5000"),
    Setting("batch", values.most, "The most queries in a list sent as one request; 0: no lists.", "0"),
    Setting("cors_origins", values.words, "Sites whose pages may ask, such as https://a.example; * is any.", "none"),
    Setting("trusted_documents", values.file, "The manifest of documents known by their hash.", "none"),
    Setting("trusted_only", values.flag, "Whether only documents of the manifest are answered.", "0"),
    Setting("rate", values.rate, "Requests of one viewer in a second, on average; 0 is any.", "0"),
    Setting("burst", values.most, "Requests of one viewer at once; 0 is as many as in two seconds.", "0"),
    Setting("profile", values.profile, "open; or hardened: strangers are told as little as possible.", "open"),
    Setting("show_sql", values.flag, "Whether callers are shown SQL.", "1 at a loopback address, else 0"),
    Setting(
        "anonymous",
        values.flag,
        "Whether questions are answered without knowing who asks.",
        "what the model says; else 1 if it has no policies and nobody can sign in",
    ),
    Setting("keys", values.file, "The file of API keys.", "headwater.keys.json in the model's folder"),
    Setting("jwks", str, "The public keys for tokens (JWT): a file, or an https address.", "no tokens"),
    Setting("jwt_issuer", str, "The issuer (iss) that tokens must have.", "none; needed with jwks"),
    Setting(
        "jwt_audience", values.words, "The audiences (aud), of which tokens must have one.", "none; needed with jwks"
    ),
    Setting("jwt_algorithms", values.algorithms, "The algorithms that tokens may be signed with.", "RS256,ES256"),
    Setting("jwt_leeway", values.seconds, "Seconds by which the clock of a token's issuer may differ.", "30"),
    Setting("trusted_proxies", values.networks, "Addresses of proxies that say who asks.", "none"),
    Setting("viewer_header", values.header, "The header in which a proxy says who asks.", "x-headwater-viewer"),
    Setting(
        "claims_header", values.header, "The header in which it says their claims, a JSON object.", "x-headwater-claims"
    ),
    Setting("log_level", values.level, "How much is logged: debug, info, warning or error.", "info"),
    Setting("log_format", values.log_format, "text for people, or json for machines.", "text; json when hardened"),
    Setting("slow_query", values.seconds, "Seconds after which a query is logged with its plan; 0 is never.", "5"),
    Setting("audit_log", values.file, "The file to write who asked for which numbers to.", "none"),
    Setting("audit_bytes", values.size, "The size at which the audit log is put aside and begun anew.", "100MiB"),
    Setting("audit_files", values.count, "Audit logs put aside that are kept.", "10"),
    Setting("traces", values.flag, "Whether traces are sent to OpenTelemetry, as its OTEL_… variables say.", "0"),
)
"""Every setting, in the order of the docs."""


def read_value(setting: Setting, text: str, source: str) -> Any:
    """The value written as `text`; UserError that names `source` when it is not one."""
    try:
        return setting.parse(text)
    except (ValueError, OverflowError):
        raise UserError(Code.BAD_VALUE, f'{source} is "{text}", but must be {setting.expected}.') from None


def from_environment(environment: Mapping[str, str]) -> Settings:
    """Settings from `HEADWATER_*` variables; an empty one counts as not set. UserError when one has no meaning."""
    given = ((setting, environment.get(setting.variable, "")) for setting in SETTINGS)
    return Settings(**{one.name: read_value(one, text, one.variable) for one, text in given if text.strip()})


@lru_cache(maxsize=16)
def is_loopback(host: str) -> bool:
    """Whether only this machine can reach the address."""
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
