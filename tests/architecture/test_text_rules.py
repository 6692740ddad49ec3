"""House rules that any text shows: size, reasons, paths, secrets, and the words the kit may not know."""

import io
import re
import tokenize
from collections.abc import Callable, Iterator
from pathlib import Path, PurePosixPath

import pytest

Finding = tuple[int, str]
Rule = Callable[[str, str], Iterator[Finding]]

ROOT = Path(__file__).resolve().parents[2]
LINK = re.compile(r"\]\((?!https?:|mailto:|#)([^)#\s]+)")
NAMED_TEST = re.compile(r"`(tests/[\w/]+(?:\.py)?)`")
LONGEST = 400
CODE = {".py", ".js", ".css", ".html", ".sql"}
SILENCED = re.compile(r"#\s*(noqa|type:\s*ignore|pragma:\s*no cover|fmt:\s*off)(?P<rest>.*)")
RULE_CODE = re.compile(r"^(:\s*[A-Z]+\d+(\s*,\s*[A-Z]+\d+)*|\[[a-z, -]+\])")
MACHINE = re.compile(r"(?<![\w.$}/-])/(?:work|home|root|Users|mnt|tmp/[\w.-]+)/[\w.-]*|[A-Z]:\\\\?Users")
WORKSHOP = re.compile(r"(?i:\bissue\s+#?\d+)|(?i:desig[n] §)|\b(?:T[O]DO|FIX[M]E|X[X]X|HA[C]K)\b")
KNOWN_SECRETS = re.compile(
    r"-----BEGIN [A-Z ]*PRIVATE KEY-----|\beyJ[\w-]{20,}\.[\w-]{20,}|\bAKIA[0-9A-Z]{16}\b|\bgh[pousr]_\w{30,}"
)
ASSIGNED_SECRET = re.compile(
    r"""(?ix)\b\w*(?:password|passwd|secret|api_?key|data_?key|session_?key|token)\w*
    ["']?\s*(?:=|:)\s*["'](?P<value>[^"'\s${}<>]{8,})["']"""
)
LINKED = re.compile(r"://(?P<user>[^:/\s@]+):(?P<password>[^@/\s{}$]+)@")
DOMAIN_WORDS = re.compile(
    r"(?i)household|poverty|\bpoor|eligib|\bloan|\bclass_since|\btraining|\btrainee|\breviews\.|review_|Review[A-Z]|subsid|"
    r""
    r"allocation|budget|report_form|nghèo|\bhộ\b|tập huấn|rà soát|vay vốn"
)


def files_stay_short(path: str, text: str) -> Iterator[Finding]:
    """A file past four hundred lines becomes a package whose parts are named after the domain."""
    if PurePosixPath(path).suffix in CODE and text.count("\n") > LONGEST:
        yield text.count("\n"), "lines"


def silence_has_a_reason(path: str, text: str) -> Iterator[Finding]:
    """A silenced check names its code and says, on its line, why it is wrong here."""
    if not path.endswith(".py"):
        return
    for token in tokenize.generate_tokens(io.StringIO(text).readline):
        found = SILENCED.search(token.string) if token.type == tokenize.COMMENT else None
        if found is None:
            continue
        code = RULE_CODE.match(found["rest"])
        reason = found["rest"][code.end() :] if code else found["rest"]
        needs_code = found[1].startswith(("noqa", "type"))
        if (needs_code and code is None) or len(reason.strip(" -#—:.")) < 8:
            yield token.start[0], token.string


def no_machine_is_named(path: str, text: str) -> Iterator[Finding]:
    """Nothing depends on where somebody's checkout lies."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := MACHINE.search(line):
            yield number, found.group()


def no_workshop_talk(path: str, text: str) -> Iterator[Finding]:
    """The project speaks of itself: no working papers, tickets or notes to self."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := WORKSHOP.search(line):
            yield number, found.group()


def no_secret_is_written_down(path: str, text: str) -> Iterator[Finding]:
    """Secrets come from the environment. Tests may name the passwords of throw-away servers."""
    for number, line in enumerate(text.splitlines(), 1):
        if found := KNOWN_SECRETS.search(line):
            yield number, found.group()[:12]
        if path.startswith(("tests/", "shared/src/benvung/testing/")):
            continue
        given = ASSIGNED_SECRET.search(line)
        if given and not given["value"].islower():
            yield number, given["value"][:4]
        linked = LINKED.search(line)
        if linked and linked["password"] not in {"password", "pw"}:
            yield number, linked["password"][:4]


def the_kit_holds_no_domain_word(path: str, text: str) -> Iterator[Finding]:
    """The code of `benvung` is mechanism: it would serve another programme unchanged.

    The look is the exception: one stylesheet and one catalogue give the classes one colour and one name.
    """
    if not path.startswith("shared/src/benvung/") or not path.endswith(".py"):
        return
    for number, line in enumerate(text.splitlines(), 1):
        for found in DOMAIN_WORDS.finditer(line):
            if found.group().lower() not in NEIGHBOURS.get(path.removeprefix("shared/src/benvung/"), set()):
                yield number, found.group()


# Services link to each other by configured address, and tests start all four and sign in with every right.
NEIGHBOURS = {
    "settings.py": {"household", "training"},
    "testing/__init__.py": {"household", "training"},
    "testing/servers.py": {"household", "training"},
    "testing/tokens.py": {"household", "training", "reviews.", "budget"},
}


def references_lead_somewhere(path: str, text: str) -> Iterator[Finding]:
    """What a document links to, and the tests it names, exist."""
    if not path.endswith(".md"):
        return
    here = (ROOT / path).parent
    for number, line in enumerate(text.splitlines(), 1):
        linked = [here / link for link in LINK.findall(line)]
        for target in [*linked, *(ROOT / named for named in NAMED_TEST.findall(line))]:
            if not target.exists():
                yield number, target.as_posix().removeprefix(f"{ROOT}/")


RULES: list[Rule] = [
    files_stay_short,
    silence_has_a_reason,
    no_machine_is_named,
    no_workshop_talk,
    no_secret_is_written_down,
    the_kit_holds_no_domain_word,
    references_lead_somewhere,
]

KIT = "shared/src/benvung/db.py"
PLANTED: list[tuple[Rule, str, str]] = [
    (files_stay_short, KIT, "x = 1\n" * 401),
    (silence_has_a_reason, KIT, "x = 1  # " + "noqa\n"),
    (silence_has_a_reason, KIT, "x = 1  # " + "noqa: E501\n"),
    (silence_has_a_reason, KIT, "x = 1  # " + "type: ignore\n"),
    (silence_has_a_reason, KIT, "x = 1  # " + "type: ignore[misc]\n"),
    (no_machine_is_named, "README.md", "see /ho" + "me/an/benvung"),
    (no_machine_is_named, KIT, "x = '/wo" + "rk/main/x'"),
    (no_workshop_talk, "README.md", "as iss" + "ue 12 asked"),
    (no_workshop_talk, KIT, "by des" + "ign §3"),
    (no_workshop_talk, KIT, "# TO" + "DO later"),
    (no_secret_is_written_down, "docker-compose.yml", "POSTGRES_PASSWORD: " + '"Tr0ub4dor3"'),
    (no_secret_is_written_down, KIT, "secret_key = " + "'c2VjcmV0LWtleQ=='"),
    (no_secret_is_written_down, "deploy/nats.conf", "url: nats://funding:" + "Gh3kk81z@nats:4222"),
    (no_secret_is_written_down, "tests/x.py", "-----BEGIN " + "PRIVATE KEY-----"),
    (the_kit_holds_no_domain_word, KIT, "def classify_household(): ..."),
    (the_kit_holds_no_domain_word, KIT, "TITLE = 'Hộ nghèo'"),
    (the_kit_holds_no_domain_word, "shared/src/benvung/settings.py", "poverty_url = 1"),
    (references_lead_somewhere, "README.md", "[here](services/nowhere)"),
    (references_lead_somewhere, "shared/README.md", "run `tests/shared/test_nothing.py`"),
]
ALLOWED: list[tuple[Rule, str, str]] = [
    (files_stay_short, KIT, "x = 1\n" * 400),
    (silence_has_a_reason, KIT, "x = 1  # " + "noqa: PLW0603 -- the process has one business date\n"),
    (silence_has_a_reason, KIT, "x = 1  # " + "type: ignore[misc]  # the driver's stubs leave it out\n"),
    (no_machine_is_named, "docker-compose.yml", "- data:/var/lib/postgresql"),
    (no_secret_is_written_down, "docker-compose.yml", 'POSTGRES_PASSWORD: "${POSTGRES_PASSWORD:?}"'),
    (no_secret_is_written_down, KIT, 'description="postgresql://user:password@host/db"'),
    (references_lead_somewhere, "shared/README.md", "[why](decisions) and [so](https://benvung.vn)"),
    (the_kit_holds_no_domain_word, "services/funding/src/funding/api.py", "household = 1"),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rule(rule: Rule, texts: list[tuple[str, str]]) -> None:
    broken = [f"{path}:{line} {what}" for path, text in texts for line, what in rule(path, text)]

    assert not broken, f"{rule.__doc__}\n" + "\n".join(broken)


@pytest.mark.parametrize(("rule", "path", "text"), PLANTED, ids=lambda part: getattr(part, "__name__", None))
def test_a_planted_violation_is_caught(rule: Rule, path: str, text: str) -> None:
    assert list(rule(path, text))


@pytest.mark.parametrize(("rule", "path", "text"), ALLOWED, ids=lambda part: getattr(part, "__name__", None))
def test_what_is_right_is_left_alone(rule: Rule, path: str, text: str) -> None:
    assert not list(rule(path, text))


def test_every_rule_has_bitten_once() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)
