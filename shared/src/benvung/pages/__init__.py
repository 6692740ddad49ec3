"""The one look of all pages: layout, components, words, formats, and the files a browser needs.

A service calls `install` once and then answers pages with `render`. Its own templates stand in `templates/`
of its package, its words in `translations/vi.json` and `en.json`, its files in `static/`; templates of the kit
are named `kit/…`. Nothing on a page comes from another host, and no script stands inside a page.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from importlib import resources
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import fontpkg_be_vietnam_pro
from fastapi import FastAPI
from jinja2 import Environment, FileSystemLoader, StrictUndefined
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import HTMLResponse

from benvung.pages import catalogue
from benvung.pages.formats import Formats
from benvung.pages.static_files import HashedFiles

_HERE = Path(__file__).parent
_FONTS = Path(fontpkg_be_vietnam_pro.ROOT) / "files"
_A_YEAR = 31_536_000


@dataclass(frozen=True)
class Site:
    """What all pages of one service share.

    `peers` maps the names of the services, in the order of the menu, to the addresses browsers reach them at;
    one without an address is left out. `form_targets` are further addresses a form may lead to: sign-in.
    `operations_url` is offered to who may operate.
    """

    name: str
    package: str
    title_vi: str
    title_en: str
    peers: Mapping[str, str] = field(default_factory=dict)
    form_targets: tuple[str, ...] = ()
    operations_url: str = ""

    def title(self, language: str) -> str:
        return self.title_vi if language == "vi" else self.title_en

    @cached_property
    def environments(self) -> dict[str, Environment]:
        return {language: environment(self.package, language) for language in catalogue.LANGUAGES}

    @cached_property
    def policy(self) -> str:
        targets = (_origin(address) for address in (*self.peers.values(), *self.form_targets) if address)
        forms = " ".join(dict.fromkeys(["'self'", *targets]))
        return (
            "default-src 'none'; script-src 'self'; style-src 'self'; img-src 'self' data:; font-src 'self'; "
            f"connect-src 'self'; form-action {forms}; frame-ancestors 'none'; base-uri 'none'"
        )


def install(app: FastAPI, site: Site) -> None:
    """Serve the files of the kit and of the service, and let `render` know the site.

    Raises `LanguagesDiffer` when a text is missing in one language.
    """
    for files in (_kit_files(), _service_files(site.package)):
        if files is not None:
            app.mount(files.mount, GZipMiddleware(files, minimum_size=1024), name=files.mount)
    assert site.environments
    app.state.site = site


def render(request: Request, template: str, /, *, status: int = 200, **context: Any) -> HTMLResponse:
    """A page, or a fragment of one, in the language the person chose.

    Every page may pass `officer` (anything with `name` and `area`), `sign_in_url` or `sign_out_url` with
    `csrf`, `data_date` and `data_source` for the footer, and `live_url`, the event stream it listens to.
    """
    site: Site = request.app.state.site
    language = catalogue.chosen(request)
    html = (
        site.environments[language].get_template(template).render(_shared(request, site, language) | context)
    )
    headers = {
        "Cache-Control": "no-store",
        "Content-Language": language,
        "Content-Security-Policy": site.policy,
        "Referrer-Policy": "same-origin",
        "X-Content-Type-Options": "nosniff",
    }
    response = HTMLResponse(html, status, headers)
    if request.query_params.get("lang") == language:
        response.set_cookie(catalogue.COOKIE, language, max_age=_A_YEAR, httponly=True, samesite="lax")
    return response


def environment(package: str, language: str = catalogue.DEFAULT) -> Environment:
    """The templates of a package before those of the kit, with words and formats of one language.

    In templates: `t(key, **values)`, `lang`, `kit(file)` and `static(file)` for addresses of files, and the
    filters number, percent, points, money, date and moment.
    """
    own = Path(str(resources.files(package))) / "templates"
    result = Environment(
        loader=FileSystemLoader([own, _HERE / "templates"]),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    service_files = _service_files(package)
    result.tests["in_figures"] = _in_figures
    result.filters |= Formats(language).filters()
    result.globals |= {
        "t": catalogue.translator(package, language),
        "lang": language,
        "kit": _kit_files().url,
    }
    if service_files is not None:
        result.globals["static"] = service_files.url
    return result


def _shared(request: Request, site: Site, language: str) -> dict[str, Any]:
    other = "en" if language == "vi" else "vi"
    principal = getattr(request.state, "principal", None)
    switch = request.url.include_query_params(lang=other)
    return {
        "site_name": site.name,
        "site_title": site.title(language),
        "peers": [(name, address) for name, address in site.peers.items() if address],
        "other_language": other,
        "switch_language_url": f"{switch.path}?{switch.query}",
        "operations_url": site.operations_url if principal and principal.may("operate") else "",
        "officer": None,
        "sign_in_url": None,
        "sign_out_url": None,
        "csrf": None,
        "data_date": None,
        "data_source": None,
        "live_url": None,
    }


@cache
def _kit_files() -> HashedFiles:
    return HashedFiles("kit", _HERE / "static", _FONTS)


@cache
def _service_files(package: str) -> HashedFiles | None:
    folder = Path(str(resources.files(package))) / "static"
    return HashedFiles(package, folder) if folder.is_dir() else None


def _in_figures(word: str) -> bool:
    return word == "%" or any(letter.isdigit() for letter in word)


def _origin(address: str) -> str:
    parts = urlsplit(address)
    return f"{parts.scheme}://{parts.netloc}"
