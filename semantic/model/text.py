"""Labels and descriptions in several languages."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Text:
    """A text by locale, in the order written; the empty locale is a plain string for every language."""

    by_locale: tuple[tuple[str, str], ...] = ()

    def __bool__(self) -> bool:
        return bool(self.by_locale)

    def get(self, locale: str | None = None) -> str | None:
        """The text in `locale` (`zh-CN` falls back to `zh`), else the plain one, else English, else the first."""
        texts = {key.lower(): value for key, value in self.by_locale}
        wanted = (locale or "").lower().replace("_", "-")
        for key in (wanted, wanted.split("-")[0], "", "en"):
            if key in texts:
                return texts[key]
        return self.by_locale[0][1] if self.by_locale else None


NO_TEXT = Text()
