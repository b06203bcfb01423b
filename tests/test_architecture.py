"""The laws of the house that a reader can check by eye, checked by machine.

Who may import whom is in pyproject.toml (import-linter); the rest is here.
"""

from __future__ import annotations

import ast
import re
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("knary", "gateway", "simulator", "sample_apps", "benchmarks/harness")
FOLDERS = ("knary", "gateway", "simulator", "sample_apps", "tests", "benchmarks")
LINES_MAX = 400

# Names that say nothing attract code that belongs nowhere.
NAMES_THAT_SAY_NOTHING = {"utils", "util", "helpers", "helper", "common", "misc", "shared", "tools"}

# Module-level values that do change, each with the reason why they may.
STATE_ALLOWED: dict[str, str] = {}

# What knary/__init__.py, which users import, may have: what it offers, loaded when it is asked for.
OFFERED = r"__version__|__all__|_HOMES|def __getattr__|from typing|if TYPE_CHECKING:"

# The only places that may let real time pass in a test: bounded waits for a real condition.
SLEEP_ALLOWED: dict[str, str] = {
    "tests/gateway/test_leases.py": "a time in which nothing must happen",
    "tests/gateway/test_worker_process.py": "the time in which a worker would spin",
    "tests/gateway/test_timeouts.py": "a revision whose pace is what is tested",
    "tests/gateway/test_upgrades.py": "how long a flood may stand still and still be one",
    "tests/support/waiting.py": "a bounded wait for what another process does",
    "tests/support/keeper.py": "a keeper that stands still for as long as its test asks",
    "tests/support/grpc_interop_server.py": "a server that takes as long as its client asks",
}

MUTABLE_MAKERS = {
    *("list", "dict", "set", "bytearray", "defaultdict", "deque", "Counter", "OrderedDict"),
    *("count", "cycle", "Lock", "Event", "Queue", "Semaphore", "Condition", "ContextVar"),
    *("WeakSet", "WeakKeyDictionary", "WeakValueDictionary", "local"),
}
MUTATING_METHODS = {
    *("append", "extend", "insert", "remove", "pop", "popitem", "clear", "update", "add"),
    *("discard", "setdefault", "appendleft", "popleft", "sort", "reverse"),
}


def python_files(*folders: str) -> list[Path]:
    return sorted(
        path
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "out" not in path.relative_to(ROOT).parts
    )


def name_of(path: Path) -> str:
    return path.relative_to(ROOT).as_posix()


def each(*folders: str) -> pytest.MarkDecorator:
    return pytest.mark.parametrize("path", python_files(*folders), ids=name_of)


@each(*FOLDERS)
def test_a_file_has_at_most_400_lines(path: Path) -> None:
    assert len(path.read_text(encoding="utf-8").splitlines()) <= LINES_MAX


def test_no_module_has_a_name_that_says_nothing() -> None:
    assert [
        name_of(path)
        for path in python_files(*PACKAGES)
        if NAMES_THAT_SAY_NOTHING & {path.stem, *path.relative_to(ROOT).parts}
    ] == []


@pytest.mark.parametrize(
    "path", [p for p in python_files(*PACKAGES) if p.name == "__init__.py"], ids=name_of
)
def test_an_init_file_is_the_packages_map_and_nothing_else(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    assert ast.get_docstring(tree), "say in a paragraph what lives in this package"
    beyond = [ast.unparse(node) for node in tree.body[1:]]
    if path == ROOT / "knary" / "__init__.py":
        beyond = [line for line in beyond if not re.match(OFFERED, line)]
    assert beyond == []


@each(*PACKAGES)
def test_no_module_keeps_state_that_changes(path: Path) -> None:
    found = [
        offence
        for offence in changing_state(ast.parse(path.read_text(encoding="utf-8")))
        if f"{name_of(path)}: {offence}" not in STATE_ALLOWED
    ]
    assert found == [], f"{name_of(path)} keeps state in a module; hand it to a constructor instead"


@each("gateway", "simulator", "sample_apps")
def test_every_memo_is_bounded(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    unbounded = [
        node.name
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef) and node.args.args
        for decorator in node.decorator_list
        if re.search(r"\bcache\b$|lru_cache\((maxsize=)?None", ast.unparse(decorator))
    ]
    assert unbounded == [], "name a bound: @lru_cache(maxsize=...)"


@each("tests")
def test_no_test_sleeps(path: Path) -> None:
    slept = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and ast.unparse(node.func) in {"time.sleep", "asyncio.sleep", "sleep"}
        and [ast.unparse(argument) for argument in node.args] != ["0"]
    ]
    assert slept == [] or name_of(path) in SLEEP_ALLOWED, "drive the clock, or wait for a condition"


def test_what_is_allowed_still_exists() -> None:
    places = [entry.split(":")[0] for entry in (*STATE_ALLOWED, *SLEEP_ALLOWED)]
    assert [place for place in places if not (ROOT / place).is_file()] == []


def pure_modules() -> list[Path]:
    """Return the files of the modules that the import contracts call pure."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    contracts = project["tool"]["importlinter"]["contracts"]
    (pure,) = (each for each in contracts if each["name"].startswith("Decisions are pure"))
    places = [ROOT / module.replace(".", "/") for module in pure["source_modules"]]
    return sorted(
        path
        for place in places
        for path in (place.rglob("*.py") if place.is_dir() else [place.with_suffix(".py")])
    )


@each("gateway", "simulator", "sample_apps")
def test_a_module_that_calls_itself_pure_is_held_to_it(path: Path) -> None:
    says = ast.get_docstring(ast.parse(path.read_text(encoding="utf-8"))) or ""
    claims = path.name != "__init__.py" and re.search(r"\bPure\b|\bAll pure\b", says)
    assert not claims or path in pure_modules(), "list it in pyproject.toml, among the decisions"


@pytest.mark.parametrize("path", pure_modules(), ids=name_of)
def test_a_decision_neither_asks_for_the_time_nor_rolls_a_die(path: Path) -> None:
    asked = [
        f"line {node.lineno}: {ast.unparse(node)}"
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
        and re.fullmatch(
            r"(datetime\.)?(datetime|date)\.(now|utcnow|today)|random\.[a-z]\w*|uuid\.uuid[14]",
            ast.unparse(node.func),
        )
    ]
    assert asked == [], "time and chance are arguments"


def changing_state(tree: ast.Module) -> Iterator[str]:
    """Yield each sign of module state: `global`, a mutable value in a variable, a mutated table."""
    tables: set[str] = set()
    for statement in tree.body:
        for name, value in _assigned(statement):
            if name.isupper() or name.strip("_").isupper() or name.startswith("__"):
                tables.add(name)
            elif _is_mutable(value):
                yield name
    for node in ast.walk(tree):
        if isinstance(node, ast.Global):
            yield f"global {', '.join(node.names)}"
        elif (name := _mutated(node)) in tables:
            yield f"{name} is changed"


def _assigned(statement: ast.stmt) -> Iterator[tuple[str, ast.expr]]:
    if isinstance(statement, ast.AnnAssign) and statement.value is not None:
        if isinstance(statement.target, ast.Name):
            yield statement.target.id, statement.value
    elif isinstance(statement, ast.Assign):
        for target in statement.targets:
            if isinstance(target, ast.Name):
                yield target.id, statement.value


def _is_mutable(value: ast.expr) -> bool:
    if isinstance(value, ast.Call):
        return ast.unparse(value.func).rsplit(".", 1)[-1] in MUTABLE_MAKERS
    displays = (ast.List, ast.Dict, ast.Set, ast.ListComp, ast.DictComp, ast.SetComp)
    return isinstance(value, displays)


def _mutated(node: ast.AST) -> str | None:
    """Return the name whose value this node changes in place, if it changes one."""
    if isinstance(node, ast.Subscript) and isinstance(node.ctx, ast.Store | ast.Del):
        target: ast.expr = node.value
    elif (
        isinstance(node, ast.Call)
        and isinstance(node.func, ast.Attribute)
        and node.func.attr in MUTATING_METHODS
    ):
        target = node.func.value
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        pytest.param("routes = {}", ["routes"], id="a dict in a variable"),
        pytest.param("LIMITS = {'a': 1}", [], id="a table"),
        pytest.param(
            "SEEN = set()\ndef f(x):\n    SEEN.add(x)", ["SEEN is changed"], id="a table that grows"
        ),
        pytest.param(
            "T = {}\ndef f(x):\n    T[x] = 1", ["T is changed"], id="a table that is written"
        ),
        pytest.param("n = 0\ndef f():\n    global n\n    n = 1", ["global n"], id="a global"),
        pytest.param("pattern = re.compile('x')", [], id="a constant object"),
    ],
)
def test_the_check_for_state_sees(source: str, expected: list[str]) -> None:
    assert list(changing_state(ast.parse(source))) == expected


def test_the_architecture_document_has_every_package() -> None:
    text = (ROOT / "ARCHITECTURE.md").read_text(encoding="utf-8")
    packages = {
        path.parent.name
        for path in python_files("gateway", "simulator")
        if path.name == "__init__.py"
    }
    assert sorted(name for name in packages if f"{name}/" not in text) == []
