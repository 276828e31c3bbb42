"""Files in S3, or a store that speaks its language: listed through `boto3`, read by DuckDB.

Where to, and with which credentials, is boto3's: AWS_ACCESS_KEY_ID, AWS_PROFILE, AWS_ENDPOINT_URL and so on.
"""

from __future__ import annotations

import glob
import re
from collections.abc import Iterator, Sequence
from typing import Any
from urllib.parse import urlsplit

import duckdb

from engine.files import Listing, Stamp, is_unfinished, version_of
from engine.httpfs import ADVICE, has_httpfs
from engine.quote import literal
from semantic.errors import DataError


class S3Files:
    """Objects that match an s3://bucket/pattern. A store: blocking."""

    def __init__(self, dataset: str, url: str, connection: duckdb.DuckDBPyConnection) -> None:
        self._dataset = dataset
        self._bucket, _, self._pattern = url.removeprefix("s3://").partition("/")
        self._base = _plain_folder(self._pattern)
        self._connection = connection
        self._session: Any = None
        self._client: Any = None
        self._secret = ""

    @property
    def base(self) -> str:
        """The folder below which keys may be partitioned."""
        return f"s3://{self._bucket}/{self._base}"

    def listing(self) -> Listing:
        """The objects now; one listing is one moment."""
        stamps = tuple(sorted(self._stamps()))
        self._check(stamps)
        self._hand_over_credentials()
        return Listing(stamps, version_of(stamps))

    def unchanged(self, listing: Listing) -> bool:
        """Whether every object of a listing still has its ETag."""
        return set(listing.stamps) <= set(self._stamps())

    def _check(self, stamps: Sequence[Stamp]) -> None:
        if not stamps:
            message = f'There is no data for "{self._dataset}": no object matches its source.'
            raise DataError(message, "Check the bucket and the path.", f"{self._bucket}/{self._pattern}")
        for stamp in stamps:
            if glob.has_magic(stamp.path):
                message = f'An object of "{self._dataset}" has one of the characters * ? [ in its name.'
                raise DataError(message, "Give it another name: DuckDB takes these for wildcards.", stamp.path)

    def _stamps(self) -> Iterator[Stamp]:
        wanted = _regex(self._pattern)
        for found in self._objects():
            key = found["Key"]
            if wanted.fullmatch(key) and not is_unfinished(key.removeprefix(self._base), self._pattern):
                changed = int(found["LastModified"].timestamp() * 1e9)
                yield Stamp(f"s3://{self._bucket}/{key}", found["Size"], changed, 0, 0, found["ETag"])

    def _objects(self) -> Iterator[dict[str, Any]]:
        boto3 = _package(self._dataset)
        from botocore.exceptions import BotoCoreError, ClientError

        try:
            if self._client is None:
                self._session = boto3.Session()
                self._client = self._session.client("s3")
            pages = self._client.get_paginator("list_objects_v2").paginate(Bucket=self._bucket, Prefix=self._prefix)
            for page in pages:
                yield from page.get("Contents", ())
        except (BotoCoreError, ClientError) as error:
            message = f'The bucket of "{self._dataset}" can\'t be listed.'
            raise DataError(message, "Check its name, the credentials and the endpoint.", str(error)) from error

    @property
    def _prefix(self) -> str:
        """What all keys that match begin with."""
        magic = re.search(r"[*?\[]", self._pattern)
        return self._pattern[: magic.start()] if magic else self._pattern

    def _hand_over_credentials(self) -> None:
        """DuckDB reads with what boto3 lists with, also after it was renewed."""
        cursor = self._connection.cursor()
        try:
            if not has_httpfs(cursor):
                message = f'"{self._dataset}" lies in S3, which needs DuckDB\'s extension httpfs.'
                raise DataError(message, ADVICE)
            credentials = self._session.get_credentials().get_frozen_credentials()
            secret = _secret(self._client, credentials, f"s3://{self._bucket}/")
            if secret != self._secret:
                cursor.execute(f"CREATE OR REPLACE SECRET {_name(self._dataset)} ({secret})")
                self._secret = secret
        finally:
            cursor.close()


def _name(dataset: str) -> str:
    return '"' + f"s3 {dataset}".replace('"', '""') + '"'


def _secret(client: Any, credentials: Any, scope: str) -> str:
    endpoint = urlsplit(client.meta.endpoint_url)
    options = {
        "KEY_ID": credentials.access_key,
        "SECRET": credentials.secret_key,
        "SESSION_TOKEN": credentials.token,
        "REGION": client.meta.region_name,
        "SCOPE": scope,
    }
    if not str(endpoint.hostname).endswith(".amazonaws.com"):
        options |= {"ENDPOINT": endpoint.netloc, "URL_STYLE": "path"}
    texts = [f"{name} {literal(value)}" for name, value in options.items() if value]
    return ", ".join(["TYPE s3", f"USE_SSL {'false' if endpoint.scheme == 'http' else 'true'}", *texts])


def _plain_folder(pattern: str) -> str:
    parts = pattern.split("/")
    plain = next((index for index, part in enumerate(parts) if glob.has_magic(part)), len(parts) - 1)
    return "".join(f"{part}/" for part in parts[:plain])


def _regex(pattern: str) -> re.Pattern[str]:
    """A glob of keys: `*` and `?` stay within a folder, `**/` spans any number of them."""
    tokens = re.split(r"(\*\*/|\*\*|\*|\?|\[[^\]]+\])", pattern)
    known = {"**/": "(?:[^/]+/)*", "**": ".*", "*": "[^/]*", "?": "[^/]"}
    return re.compile("".join(known.get(token) or _text(token) for token in tokens))


def _text(token: str) -> str:
    if token.startswith("[") and token.endswith("]"):
        return "[^" + token[2:] if token.startswith("[!") else token
    return re.escape(token)


def _package(dataset: str) -> Any:
    try:
        import boto3
    except ImportError as error:
        advice = "Install it: pip install 'headwater[s3]'."
        raise DataError(f'"{dataset}" lies in S3, which needs the package boto3.', advice) from error
    return boto3
