"""A project to soak, and questions of which no two are the same, for a server that must not remember all of them."""

from __future__ import annotations

import asyncio
import hashlib
import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote

import duckdb
from joserfc import jwt
from joserfc.jwk import ECKey

from api.viewers.keys import FILE_NAME, new_key, write_keys
from bench import crowd

MODEL = """
version: 1
timezone: UTC
anonymous: true
dimensions: [{name: channel, type: string, label: {en: Channel, zh: 渠道}}]
datasets:
- name: visits
  source: data/visits.parquet
  primary_key: id
  time_dimension: at
  entities: {user: user_id}
  dimensions: [{name: channel}]
- name: orders
  source: data/orders.parquet
  primary_key: id
  time_dimension: at
  entities: {user: user_id}
  dimensions: [{name: channel}]
metrics:
- {name: visits, type: simple, dataset: visits, agg: count}
- {name: visitors, type: simple, dataset: visits, agg: count_distinct, expr: user_id}
- {name: gmv, type: simple, dataset: orders, agg: sum, expr: amount}
- {name: profit, type: simple, dataset: orders, agg: sum, expr: amount * 0.1}
policies:
- {name: own, dataset: orders, where: "channel in (:channels)", unless: role = 'all'}
- {name: no_profit, hide: [profit], unless: role = 'all'}
"""
ROWS = "select i as id, 'u' || i % 997 as user_id, timestamp '2026-01-01' + to_minutes((i * 7)::integer) as at, \
'c' || i % 20 as channel, i % 100 as amount from range({rows}) as t(i)"
ISSUER, AUDIENCE, KEYS = "https://soak.example", "soak", 50
ZONES = ("UTC", "Asia/Shanghai", "America/New_York", "Europe/London", "Australia/Sydney")
GRAINS = ("DAY", "WEEK", "MONTH", "QUARTER", "YEAR")


@dataclass(frozen=True, slots=True)
class Project:
    """A folder to serve. `keys`: API keys; `signer`: signs tokens of whoever is wanted."""

    folder: Path
    keys: Sequence[str]
    signer: ECKey

    @staticmethod
    def make(root: Path) -> Project:
        """Written anew."""
        (root / "data").mkdir()
        signer = ECKey.generate_key("P-256", {"kid": "1", "use": "sig"})
        (root / "jwks.json").write_text(json.dumps({"keys": [signer.as_dict(private=False)]}), encoding="utf-8")
        made = [new_key(f"key{n}", {"channels": [f"c{n % 20}"], "limit_rows": 1000 + n}) for n in range(KEYS)]
        write_keys(root / FILE_NAME, tuple(record for _, record in made))
        project = Project(root, [text for text, _ in made], signer)
        project.change_model(0)
        project.change_data(0)
        return project

    @property
    def settings(self) -> Mapping[str, str]:
        """How it is served."""
        return {
            "HEADWATER_JWKS": str(self.folder / "jwks.json"),
            "HEADWATER_JWT_ISSUER": ISSUER,
            "HEADWATER_JWT_AUDIENCE": AUDIENCE,
            "HEADWATER_BATCH": "10",
            "HEADWATER_FRESHNESS_CHECK": "0.5",
        }

    def change_data(self, number: int) -> None:
        """Other rows."""
        with duckdb.connect() as connection:
            for name in ("visits", "orders"):
                part = self.folder / f"{name}.part"
                connection.execute(f"copy ({ROWS.format(rows=20_000 + number)}) to '{part}' (format parquet)")
                part.replace(self.folder / "data" / f"{name}.parquet")

    def change_model(self, number: int) -> None:
        """Another label."""
        model = MODEL.replace("label: {en: Channel", f"label: {{en: Channel {number}")
        (self.folder / "model.yml").write_text(model, encoding="utf-8")

    def token(self, number: int) -> str:
        """Of somebody whom nobody has heard of."""
        claims: dict[str, object] = {"iss": ISSUER, "aud": AUDIENCE, "exp": 4_000_000_000, "sub": f"viewer {number}"}
        claims |= {"channels": [f"c{number % 20}", f"x{number}"]} if number % 5 else {"role": "all"}
        return jwt.encode({"alg": "ES256", "kid": "1"}, claims, self.signer)


@dataclass(frozen=True, slots=True)
class Ask:
    """One request."""

    path: str = "/graphql"
    body: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)


def post(query: str | None, headers: Mapping[str, str] | None = None, **more: object) -> Ask:
    """A GraphQL request."""
    return Ask(body=json.dumps({"query": query, **more}).encode(), headers=headers or {})


def _documents(project: Project, n: int) -> Iterator[Ask]:
    yield post(f"{{ metrics {{ rows {{ channel a{n}: visits }} }} }}")
    zone, grain = ZONES[n % len(ZONES)], GRAINS[n // 5 % len(GRAINS)]
    days = f'dates: {{from: "20{n % 20 + 10}-01-{n // 20 % 28 + 1:02}", to: "2026-11-{n // 560 % 28 + 1:02}"}}'
    yield post(
        f'{{ metrics(timeRange: {{{days}}}, timezone: "{zone}") {{ rows {{ time(grain: {grain}) visitors }} }} }}'
    )
    yield post(f"{{ catalog {{ a{n}: metrics {{ name label }} }} }}", {"accept-language": f"zh-x{n}"})


def _variables(project: Project, n: int) -> Iterator[Ask]:
    document = "query($c: String) { metrics(where: {channel: {ne: $c}}) { totals { visits visitors } } }"
    for _ in range(2):  # the second time from what was kept
        yield post(document, variables={"c": f"x{n}"})
    yield Ask(f"/graphql?query={quote(document)}&variables={quote(json.dumps({'c': f'y{n}'}))}")


def _viewers(project: Project, n: int) -> Iterator[Ask]:
    query = "{ metrics { rows { channel gmv } } viewer { id } }"
    yield post(query, {"authorization": f"Bearer {project.token(n)}"})
    yield post(query, {"x-api-key": project.keys[n % KEYS]})
    yield post(query, {"x-api-key": f"hw_{n:08x}_{'x' * 43}"})


def _errors(project: Project, n: int) -> Iterator[Ask]:
    yield post(f"{{ metrics {{ rows {{ chanel{n} }} }} }}")
    yield post(f"{{ a{n} ")
    yield post("query($n: Int!) { metrics(limit: $n) { totals { visits } } }", variables={"n": f"no {n}"})
    yield Ask(body=b"{" + b"%d" % n)
    yield Ask(f"/nothing/{n}")


def _persisted(project: Project, n: int) -> Iterator[Ask]:
    query = f"{{ a{n}: __typename }}"
    extensions = {"persistedQuery": {"version": 1, "sha256Hash": hashlib.sha256(query.encode()).hexdigest()}}
    yield post(None, extensions=extensions)
    yield post(query, extensions=extensions)
    several = [{"query": f"{{ b{n}x{m}: __typename }}"} for m in range(3)]
    yield Ask(body=json.dumps(several).encode())


def _tables(project: Project, n: int) -> Iterator[Ask]:
    ending = ("json", "csv", "arrow", "parquet")[n % 4]
    yield Ask(f"/v1/table.{ending}?metrics=visits&dimensions=channel&limit={n % 5000 + 1}")
    yield Ask(f"/v1/table?metrics=visits{n}")


def _headers(project: Project, n: int) -> Iterator[Ask]:
    query = "{ metrics { totals { visits } } }"
    for length in (0, 4000):
        filler = "x" * length
        yield post(query, {"accept": f"application/json;v={n}{filler}, text/x{n}", "accept-encoding": f"gzip, x{n}"})
        yield post(query, {"accept-language": f"x{n}-{filler}, en;q=0.{n}", f"x-{n}": filler})


def _large(project: Project, n: int) -> Iterator[Ask]:
    if n % 10:
        return
    fields = " ".join(f"a{m}_{n}: visits" for m in range(290))
    yield post(f"{{ metrics {{ totals {{ {fields} }} }} }}")
    values = ", ".join(f'"{m}-{n}"' for m in range(3000))
    yield post(f"{{ metrics(where: {{channel: {{in: [{values}]}}}}) {{ totals {{ visits }} }} }}")
    document = "query($c: [String!]) { metrics(where: {channel: {notIn: $c}}) { totals { visits } } }"
    yield post(document, variables={"c": [f"{m} of {n}" for m in range(20_000)]})
    yield post(f"{{ __typename }} # {n} {'x' * 250_000}")


SORTS: tuple[Callable[[Project, int], Iterator[Ask]], ...] = (
    _documents,
    _variables,
    _viewers,
    _errors,
    _persisted,
    _tables,
    _headers,
    _large,
)
"""What can be asked."""


class Client:
    """One connection, kept alive."""

    def __init__(self, port: int) -> None:
        self._port = port
        self._ends: tuple[asyncio.StreamReader, asyncio.StreamWriter] | None = None

    async def ask(self, ask: Ask) -> int:
        """The status of the answer."""
        try:
            return await self._ask(ask)
        except (asyncio.IncompleteReadError, ConnectionError):  # one that was idle for long is closed by the server
            self.close()
            return await self._ask(ask)

    async def _ask(self, ask: Ask) -> int:
        if self._ends is None:
            self._ends = await asyncio.open_connection("127.0.0.1", self._port)
        reader, writer = self._ends
        writer.write(_written(ask))
        head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").lower()
        if "transfer-encoding: chunked" in head:
            while size := int(await reader.readline(), 16):
                await reader.readexactly(size + 2)
            await reader.readexactly(2)
        else:
            await reader.readexactly(int(head.partition("content-length: ")[2].partition("\r\n")[0] or 0))
        if "connection: close" in head:
            self.close()
        return int(head.split()[1])

    def close(self) -> None:
        """Hang up."""
        if self._ends is not None:
            self._ends[1].close()
            self._ends = None


def _written(ask: Ask) -> bytes:
    body = ask.body or b""
    headers = {"host": "127.0.0.1", "content-length": str(len(body)), **ask.headers}
    if ask.body is not None:
        headers["content-type"] = "application/json"
    lines = [f"{'GET' if ask.body is None else 'POST'} {ask.path} HTTP/1.1", *map(": ".join, headers.items())]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def flood(port: int, project: Project, numbers: Iterator[int], until: Callable[[], bool]) -> dict[int, int]:
    """Ask, one after the other, until it is time; how many answers of each status came."""
    client, seen = Client(port), dict[int, int]()
    while not until():
        n = next(numbers)
        for sort in SORTS:
            for ask in sort(project, n):
                status = await client.ask(ask)
                seen[status] = seen.get(status, 0) + 1
        await _come_and_go(port, n)
    client.close()
    return seen


async def _come_and_go(port: int, n: int) -> None:
    """A subscription of its own over each transport."""
    query = f"subscription {{ metrics {{ totals {{ s{n}: visits }} }} }}"
    for open_one in (crowd.events, crowd.socket):
        one = await open_one(port, query)
        with suppress(EOFError):
            await one.next()
        await one.leave()
