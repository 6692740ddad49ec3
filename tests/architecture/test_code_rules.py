"""House rules that a syntax tree shows. Each rule is tried on a planted violation first."""

import ast
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import PurePosixPath

import pytest

Finding = tuple[int, str]
Rule = Callable[[str, ast.Module], Iterator[Finding]]

SERVICES = ("households", "funding", "training", "reporting")
EDGES = {"actions", "api", "consumers", "pages"}
CLOCK = {"now", "utcnow", "today", "fromtimestamp", "utcfromtimestamp"}
WALL_TIME = {"time.time", "time.time_ns", "time.localtime", "time.gmtime", "time.strftime", "time.ctime"}
LOG_METHODS = {"debug", "info", "warning", "error", "exception", "critical", "msg"}
PERSONAL = {
    "name",
    "full_name",
    "head_name",
    "head",
    "citizen_id",
    "birth_date",
    "phone",
    "address",
    "ethnicity",
}
VAGUE = re.compile(r"(^|_)(utils?|helpers?|common|misc|stuff|manager)(_|$)")


def calls(tree: ast.Module) -> Iterator[tuple[ast.Call, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Call):
            yield node, ast.unparse(node.func)


def imported(node: ast.AST) -> list[str]:
    if isinstance(node, ast.Import):
        return [alias.name for alias in node.names]
    return [node.module or ""] if isinstance(node, ast.ImportFrom) and node.level == 0 else []


def place(path: str) -> tuple[str, str]:
    """(package, first module in it) of a source file: ("training", "api"), ("benvung", "db")."""
    parts = PurePosixPath(path).parts
    if "src" not in parts:
        return "", ""
    inside = parts[parts.index("src") + 1 :]
    return (inside[0], inside[1].removesuffix(".py")) if len(inside) > 1 else (inside[0], "")


def commits_belong_to_the_edge(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A transaction is committed by the kit's edge, never inside a service."""
    if place(path)[0] in SERVICES:
        for call, name in calls(tree):
            if name.endswith((".commit", ".rollback")):
                yield call.lineno, name


def time_comes_from_the_clock(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Dates and moments come from `benvung.clock`; monotonic time may be measured anywhere.

    Tokens and sessions expire by the clock on the wall, so outside the services `time.time` may be read.
    """
    if path.endswith("benvung/clock.py"):
        return
    in_service = place(path)[0] in SERVICES
    for call, name in calls(tree):
        base, _, method = name.rpartition(".")
        on_a_date = base.split(".")[-1] in {"datetime", "date"}
        if (method in CLOCK and on_a_date) or (in_service and name in WALL_TIME):
            yield call.lineno, name


def only_command_lines_print(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Services log; only the embedded run and command-line entries talk to a terminal."""
    package, module = place(path)
    if package in {"", "benvung_local"} or module in {"main", "__main__", "cli"}:
        return
    for call, name in calls(tree):
        if name in {"print", "pprint", "sys.stdout.write"}:
            yield call.lineno, name


def sql_lives_in_the_store(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Actions, HTTP, messages and pages ask the store; they run no statement themselves."""
    package, module = place(path)
    if package not in SERVICES or module not in EDGES:
        return
    for call, name in calls(tree):
        method = name.rpartition(".")[2]
        if name in {"text", "sa.text"} or (
            "conn" in name and method in {"execute", "scalar", "scalars", "stream"}
        ):
            yield call.lineno, name


def domains_import_the_standard_library(path: str, tree: ast.Module) -> Iterator[Finding]:
    """The rules of the law run without a database, a framework or the kit."""
    package, module = place(path)
    if package not in SERVICES or module != "domain":
        return
    for node in ast.walk(tree):
        for name in imported(node):
            own = name == f"{package}.domain" or name.startswith(f"{package}.domain.")
            if not own and name.split(".")[0] not in sys.stdlib_module_names:
                yield getattr(node, "lineno", 0), name


def http_stays_at_the_edge(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A use case is the same for a request and a message, so it knows neither."""
    package, module = place(path)
    if package not in SERVICES or module in {"api", "pages", "main", "__main__", "files"}:
        return
    for node in ast.walk(tree):
        for name in imported(node):
            if name.split(".")[0] in {"fastapi", "starlette", "uvicorn"}:
                yield getattr(node, "lineno", 0), name


def log_events_are_constant(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A log line is found by its name; values are keywords, and none of them is personal."""
    for call, name in calls(tree):
        base, _, method = name.rpartition(".")
        if method not in LOG_METHODS or base.split(".")[-1].lower() not in {"log", "logger", "_log"}:
            continue
        first = call.args[0] if call.args else None
        if not (isinstance(first, ast.Constant) and isinstance(first.value, str)):
            yield call.lineno, f"{name}: the event's name is no constant"
        for keyword in call.keywords:
            if keyword.arg in PERSONAL:
                yield call.lineno, f"{name}: {keyword.arg} is personal"


def raised_classes_are_not_frozen(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A frozen exception cannot take the traceback that a context manager sets, and hides the real error."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.ClassDef):
            continue
        frozen = any("frozen=True" in ast.unparse(decorator) for decorator in node.decorator_list)
        if frozen and any(
            re.search(r"(Exception|Error|Refused|Problem)$", ast.unparse(b)) for b in node.bases
        ):
            yield node.lineno, node.name


def our_own_parts_are_not_mocked(path: str, tree: ast.Module) -> Iterator[Finding]:
    """Tests run the real thing: fakes stand only for what is outside our control."""
    for node in ast.walk(tree):
        names = [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
        if isinstance(node, ast.ImportFrom):
            names = [f"{node.module}.{alias.name}" for alias in node.names]
        for name in names:
            if name.startswith(("unittest.mock", "mock")):
                yield getattr(node, "lineno", 0), name


def modules_are_named_after_what_they_hold(path: str, tree: ast.Module) -> Iterator[Finding]:
    """A file that cannot be named is a file whose contents belong elsewhere."""
    if VAGUE.search(PurePosixPath(path).stem):
        yield 1, path


def modules_open_with_their_purpose(path: str, tree: ast.Module) -> Iterator[Finding]:
    """The first thing in a module says what lives there."""
    if place(path)[0] and tree.body and ast.get_docstring(tree) is None:
        yield 1, path


RULES: list[Rule] = [
    commits_belong_to_the_edge,
    time_comes_from_the_clock,
    only_command_lines_print,
    sql_lives_in_the_store,
    domains_import_the_standard_library,
    http_stays_at_the_edge,
    log_events_are_constant,
    raised_classes_are_not_frozen,
    our_own_parts_are_not_mocked,
    modules_are_named_after_what_they_hold,
    modules_open_with_their_purpose,
]

ACTIONS = "services/funding/src/funding/actions/following.py"
PLANTED: list[tuple[Rule, str, str]] = [
    (commits_belong_to_the_edge, ACTIONS, "await conn.commit()"),
    (commits_belong_to_the_edge, "services/funding/src/funding/store/rows.py", "conn.rollback()"),
    (time_comes_from_the_clock, ACTIONS, "datetime.now(tz)"),
    (time_comes_from_the_clock, ACTIONS, "dt.date.today()"),
    (time_comes_from_the_clock, "shared/src/benvung/audit.py", "datetime.datetime.utcnow()"),
    (time_comes_from_the_clock, ACTIONS, "time.strftime('%Y-%m-%d')"),
    (time_comes_from_the_clock, "tests/funding/test_api.py", "date.today()"),
    (only_command_lines_print, ACTIONS, "print('x')"),
    (sql_lives_in_the_store, ACTIONS, "await conn.execute(select(x))"),
    (sql_lives_in_the_store, "services/reporting/src/reporting/api/trend.py", "x = text('select 1')"),
    (sql_lives_in_the_store, "services/reporting/src/reporting/pages.py", "await conn.scalar(q)"),
    (domains_import_the_standard_library, "services/funding/src/funding/domain.py", "import pydantic"),
    (
        domains_import_the_standard_library,
        "services/funding/src/funding/domain/a.py",
        "from benvung import clock",
    ),
    (domains_import_the_standard_library, "services/funding/src/funding/domain/a.py", "import funding.store"),
    (http_stays_at_the_edge, ACTIONS, "from fastapi import Request"),
    (log_events_are_constant, ACTIONS, "log.info(f'household {x}')"),
    (log_events_are_constant, ACTIONS, "self.log.warning('left', head_name=x)"),
    (raised_classes_are_not_frozen, ACTIONS, "@dataclass(frozen=True)\nclass Refused(Exception): ..."),
    (our_own_parts_are_not_mocked, "tests/funding/test_api.py", "from unittest.mock import patch"),
    (modules_are_named_after_what_they_hold, "services/funding/src/funding/date_utils.py", "x = 1"),
    (modules_open_with_their_purpose, ACTIONS, "x = 1"),
]
ALLOWED: list[tuple[Rule, str, str]] = [
    (commits_belong_to_the_edge, "shared/src/benvung/db.py", "await conn.commit()"),
    (time_comes_from_the_clock, "shared/src/benvung/clock.py", "dt.datetime.now(VIETNAM)"),
    (time_comes_from_the_clock, ACTIONS, "clock.today(); clock.now(); time.monotonic()"),
    (only_command_lines_print, "deploy/local/src/benvung_local/demo.py", "print('x')"),
    (sql_lives_in_the_store, "services/reporting/src/reporting/store.py", "await conn.execute(q)"),
    (
        domains_import_the_standard_library,
        "services/funding/src/funding/domain/a.py",
        "import json, funding.domain",
    ),
    (http_stays_at_the_edge, "services/funding/src/funding/api.py", "from fastapi import Request"),
    (log_events_are_constant, ACTIONS, "log.info('household.left', household_id=x)"),
    (modules_open_with_their_purpose, "services/funding/src/funding/data/__init__.py", ""),
]


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_house_keeps_its_rule(rule: Rule, modules: list[tuple[str, ast.Module]]) -> None:
    broken = [f"{path}:{line} {what}" for path, tree in modules for line, what in rule(path, tree)]

    assert not broken, f"{rule.__doc__}\n" + "\n".join(broken)


@pytest.mark.parametrize(
    ("rule", "path", "source"), PLANTED, ids=lambda part: getattr(part, "__name__", None)
)
def test_a_planted_violation_is_caught(rule: Rule, path: str, source: str) -> None:
    assert list(rule(path, ast.parse(source)))


@pytest.mark.parametrize(
    ("rule", "path", "source"), ALLOWED, ids=lambda part: getattr(part, "__name__", None)
)
def test_what_is_right_is_left_alone(rule: Rule, path: str, source: str) -> None:
    assert not list(rule(path, ast.parse(source)))


def test_every_rule_has_bitten_once() -> None:
    assert {rule for rule, _, _ in PLANTED} == set(RULES)
