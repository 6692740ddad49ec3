"""The look that all pages share: words in two languages, colours one can tell apart, nothing from elsewhere."""

import re
from collections.abc import Iterator
from importlib import resources, util
from pathlib import Path

import pytest
from fastapi import FastAPI, Request
from fastapi.testclient import TestClient
from starlette.responses import HTMLResponse

from benvung import pages
from benvung.pages import catalogue

PACKAGES = ("benvung.pages", "households", "funding", "training", "reporting")
STYLE = (resources.files("benvung.pages") / "static" / "app.css").read_text("utf-8")

PAGE = """
{% extends "kit/layout.html" %}
{% from "kit/components.html" import figure, figures, table, cell, badge, state, field, progress, pager, section %}
{% block title %}{{ t("page.title") }}{% endblock %}
{% block content %}
{% call section("now", "Hiện nay", live="/fragment") %}
{% call figures() %}
{{ figure("Tỷ lệ", 33.779, "percent", change=-5.91, change_as="points", since="năm trước", key="rate") }}
{{ figure("Chưa biết", missing="chưa có mẫu số") }}
{% endcall %}
{% endcall %}
{% call table("t", "Theo xã", [{"label": "Xã"}, {"label": "Số hộ", "kind": "number"}]) %}
<tr><th scope="row">{{ name }}</th>{{ cell(4336) }}</tr><tr><th scope="row">Khác</th>{{ cell() }}</tr>
{% endcall %}
{{ badge("NEAR_POOR") }} {{ state("refused", "Thiếu chuẩn", legal="Điều 3", rule="review-standard-missing") }}
{{ field("members", "Số người", -2, type="number", error="Phải lớn hơn 0", hint="Cả hộ", required=true, min=1) }}
{{ field("kind", "Loại", "B", options=[("A", "Một"), ("B", "Hai")]) }}
{{ progress(1200, 12836, "Đang nhập") }} {{ pager("/?after=9") }}
{% endblock %}
"""


@pytest.fixture
def client(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[TestClient]:
    package = tmp_path / "pages_under_test"
    for folder in ("templates", "translations", "static"):
        (package / folder).mkdir(parents=True)
    (package / "__init__.py").touch()
    (package / "templates" / "page.html").write_text(PAGE, "utf-8")
    (package / "static" / "own.js").write_text("export {};", "utf-8")
    for language, title in {"vi": "Tình hình", "en": "Situation"}.items():
        (package / "translations" / f"{language}.json").write_text(f'{{"page.title": "{title}"}}', "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    app = FastAPI()
    peers = {"households": "http://households.test/", "funding": "", "reporting": "http://reporting.test/"}
    site = pages.Site("reporting", "pages_under_test", "Báo cáo", "Reports", peers)
    pages.install(app, site)

    @app.get("/page")
    async def page(request: Request) -> HTMLResponse:
        return pages.render(request, "page.html", name="<b>Xã Ya Ma</b>", live_url="/live")

    with TestClient(app) as started:
        yield started
    pages._service_files.cache_clear()


@pytest.mark.parametrize("package", [name for name in PACKAGES if util.find_spec(name)])
def test_every_text_stands_in_both_languages(package: str) -> None:
    vietnamese, english = (catalogue.texts(package, language) for language in ("vi", "en"))
    assert vietnamese.keys() == english.keys()
    for key, text in vietnamese.items():
        assert _names(text) == _names(english[key]), key


def test_a_text_missing_in_one_language_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    folder = tmp_path / "half_translated" / "translations"
    folder.mkdir(parents=True)
    (tmp_path / "half_translated" / "__init__.py").touch()
    (folder / "vi.json").write_text('{"only.here": "Chỉ ở đây"}', "utf-8")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(catalogue.LanguagesDiffer, match=r"only\.here"):
        pages.install(FastAPI(), pages.Site("half", "half_translated", "Nửa", "Half"))


def test_an_unknown_text_is_named() -> None:
    with pytest.raises(catalogue.UnknownText, match=r"no\.such\.text"):
        catalogue.translator("benvung.pages", "vi")("no.such.text")


def test_a_page_is_vietnamese_until_a_person_chooses_otherwise(client: TestClient) -> None:
    first = client.get("/page", headers={"Accept-Language": "en-US"})
    assert '<html lang="vi">' in first.text
    assert "33,78 %" in _words(first.text)
    assert "giảm 5,91 điểm phần trăm so với năm trước" in _words(first.text)
    assert 'href="/page?lang=en"' in first.text
    chosen = client.get("/page?lang=en")
    assert "down 5.91 percentage points" in _words(chosen.text)
    kept = client.get("/page")
    assert '<html lang="en">' in kept.text
    assert "Situation" in kept.text
    assert '<html lang="en">' in client.get("/page?lang=xx", headers={"Cookie": "lang=en"}).text


def test_a_page_brings_nothing_from_elsewhere_and_no_script_of_its_own(client: TestClient) -> None:
    answer = client.get("/page")
    policy = answer.headers["Content-Security-Policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert "form-action 'self' http://households.test http://reporting.test;" in policy
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\sstyle=|\son[a-z]+=", answer.text)
    loaded = re.findall(r'(?:src|<link[^>]*href)="([^"]+)"', answer.text)
    assert loaded
    assert all(address.startswith("/static/") for address in loaded)
    assert not re.search(r"url\(\"?(?:https?:)?//|@import", STYLE)


def test_every_file_a_page_names_is_there_and_may_be_kept_for_ever(client: TestClient) -> None:
    html = client.get("/page").text
    addresses = set(re.findall(r'"(/static/[^"]+)"', html))
    style = next(address for address in addresses if address.endswith("app.css"))
    addresses |= {style.replace("app.css", name) for name in re.findall(r'url\("([^"]+)"\)', STYLE)}
    assert len(addresses) >= 10
    for address in addresses:
        answer = client.get(address)
        assert answer.status_code == 200, address
        assert answer.headers["Cache-Control"] == "public, max-age=31536000, immutable"


def test_a_page_opened_before_an_update_still_finds_its_files(client: TestClient) -> None:
    answer = client.get("/static/kit/000000000000/app.css")
    assert answer.status_code == 200
    assert answer.headers["Cache-Control"] == "no-cache"
    assert client.get("/static/kit/000000000000/../__init__.py").status_code == 404
    assert client.get("/static/kit/000000000000/%2e%2e/formats.py").status_code == 404
    assert client.get("/static/kit/").status_code == 404


def test_a_service_has_files_of_its_own(client: TestClient) -> None:
    template = pages.environment("pages_under_test").from_string("{{ static('own.js') }}")
    assert client.get(template.render()).text == "export {};"


def test_data_is_never_taken_for_markup(client: TestClient) -> None:
    assert "&lt;b&gt;Xã Ya Ma&lt;/b&gt;" in client.get("/page").text


def test_the_menu_leads_to_the_services_that_have_an_address(client: TestClient) -> None:
    html = client.get("/page").text
    assert 'href="http://households.test/"' in html
    assert '<a href="/" aria-current="true">Báo cáo</a>' in html
    assert "Nguồn vốn" not in html


def test_a_field_tells_its_error_and_its_hint_to_a_screen_reader(client: TestClient) -> None:
    html = client.get("/page").text
    members = re.search(r'<input id="members"[^>]*>', html)
    assert members
    assert 'aria-describedby="members-hint members-error" aria-invalid="true" required min="1"' in members[0]
    assert 'id="members-error"' in html
    assert '<option value="B" selected>Hai</option>' in html


def test_what_has_no_value_says_so_in_words(client: TestClient) -> None:
    words = _words(client.get("/page").text)
    assert "Chưa biết chưa có mẫu số" in words
    assert "Khác không có số liệu" in words


# Contrast ----------------------------------------------------------------------------------------------

CLASSES = ("poor", "near-poor", "average-living", "not-poor", "newly-escaped")
TEXT_PAIRS = [
    *[
        (ink, ground)
        for ink in ("ink", "ink-soft")
        for ground in ("paper", "surface", "sunken", "accent-soft")
    ],
    *[("accent", ground) for ground in ("paper", "surface", "sunken", "accent-soft")],
    ("accent-ink", "accent"),
    ("ink", "changed"),
    ("ink-soft", "changed"),
    ("wrong", "paper"),
    ("wrong", "surface"),
    *[("surface", f"class-{name}") for name in CLASSES],
    *[(f"class-{name}", ground) for name in CLASSES for ground in ("paper", "surface")],
]
EDGE_PAIRS = [
    ("line-strong", "paper"),
    ("line-strong", "surface"),
    ("wrong", "surface"),
    ("accent", "sunken"),
]


def _colours(block: str) -> dict[str, str]:
    return dict(re.findall(r"--([a-z-]+):\s*(#[0-9a-f]{6})", block))


LIGHT, DARK = (_colours(block) for block in re.findall(r":root \{([^}]*)\}", STYLE)[:2])


def _luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def _contrast(one: str, other: str) -> float:
    lighter, darker = sorted((_luminance(one), _luminance(other)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def test_contrast_is_computed_as_wcag_defines_it() -> None:
    assert _contrast("#000000", "#ffffff") == pytest.approx(21)
    assert _contrast("#767676", "#ffffff") == pytest.approx(4.54, abs=0.01)


@pytest.mark.parametrize("colours", [LIGHT, DARK], ids=["light", "dark"])
def test_text_can_be_read_and_edges_can_be_seen(colours: dict[str, str]) -> None:
    text = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in TEXT_PAIRS}
    edges = {pair: _contrast(colours[pair[0]], colours[pair[1]]) for pair in EDGE_PAIRS}
    assert {pair: ratio for pair, ratio in text.items() if ratio < 4.5} == {}
    assert {pair: ratio for pair, ratio in edges.items() if ratio < 3} == {}


def test_dark_gives_every_colour_anew() -> None:
    assert LIGHT.keys() == DARK.keys()


@pytest.mark.parametrize("language", ["vi", "en"])
def test_classes_are_told_apart_without_colour(language: str) -> None:
    words = catalogue.texts("benvung.pages", language)
    letters = [text for key, text in words.items() if key.startswith("class.letter.")]
    assert len(letters) == len(CLASSES) == len(set(letters))
    assert len({LIGHT[f"class-{name}"] for name in CLASSES}) == len(CLASSES)


def _names(text: str) -> set[str]:
    return set(re.findall(r"{(\w+)}", text))


def _words(html: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", html).split())
