"""The words of the pages, in Vietnamese and English, from `translations/<language>.json` of a package.

A service's words stand beside the kit's; both languages always have the same keys, checked when loaded.
"""

import json
from collections.abc import Callable
from functools import cache
from importlib import resources
from importlib.resources.abc import Traversable

from starlette.requests import Request

LANGUAGES = ("vi", "en")
DEFAULT = "vi"
KIT = "benvung.pages"
COOKIE = "lang"

Translate = Callable[..., str]


class LanguagesDiffer(Exception):
    """A key stands in one language of a package and not in the other."""


class UnknownText(KeyError):
    """No catalogue has this key."""


@cache
def texts(package: str, language: str) -> dict[str, str]:
    """The kit's words and the package's own, which win. Raises `LanguagesDiffer`."""
    own = {} if package == KIT else _own(package)[language]
    return _own(KIT)[language] | own


def translator(package: str, language: str) -> Translate:
    """`t(key, **values)`: the text with its values filled in. Raises `UnknownText`."""
    known = texts(package, language)

    def t(key: str, **values: object) -> str:
        if key not in known:
            raise UnknownText(key)
        return known[key].format(**values) if values else known[key]

    return t


def chosen(request: Request) -> str:
    """The language a person chose: `?lang=`, else the cookie, else Vietnamese.

    A browser's own language is not asked: many offices run an English browser and write Vietnamese.
    """
    asked = (request.query_params.get("lang"), request.cookies.get(COOKIE))
    return next((language for language in asked if language in LANGUAGES), DEFAULT)


@cache
def _own(package: str) -> dict[str, dict[str, str]]:
    folder = resources.files(package) / "translations"
    found = {language: _read(folder / f"{language}.json") for language in LANGUAGES}
    if differing := found["vi"].keys() ^ found["en"].keys():
        raise LanguagesDiffer(f"{package}: {', '.join(sorted(differing))}")
    return found


def _read(file: Traversable) -> dict[str, str]:
    if not file.is_file():
        return {}
    words: dict[str, str] = json.loads(file.read_text("utf-8"))
    return words
