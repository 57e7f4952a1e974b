"""The shape of the code: sizes, types, docstrings, exceptions. Numbers serve reading; they are not to be gamed."""

from __future__ import annotations

import ast
import re
import statistics
from collections.abc import Iterator

from tests.support import house


def test_files_stay_small_enough_to_read() -> None:
    lengths = {module.name: module.text.count("\n") for module in house.modules() if module.path.name != "__init__.py"}
    too_long = {name: lines for name, lines in lengths.items() if lines > house.FILE_LINES_MAX}
    assert not too_long
    assert statistics.median(lengths.values()) <= house.FILE_LINES_MEDIAN_MAX


def test_functions_stay_short() -> None:
    spans = {
        f"{module.name}:{function.name}": (function.end_lineno or function.lineno) - function.lineno + 1
        for module in house.modules()
        for function in module.functions()
    }
    assert not {name: lines for name, lines in spans.items() if lines > house.FUNCTION_LINES_MAX}
    ordered = sorted(spans.values())
    assert ordered[int(len(ordered) * 0.95)] <= house.FUNCTION_LINES_P95_MAX


def test_package_files_hold_a_docstring_and_nothing_else() -> None:
    for module in house.modules():
        if module.path.name == "__init__.py":
            assert len(module.tree.body) == 1, module.name
            assert ast.get_docstring(module.tree), module.name


def test_every_module_and_public_function_says_what_it_is() -> None:
    silent = []
    for module in house.modules():
        if not ast.get_docstring(module.tree):
            silent.append(module.name)
        for node in module.tree.body:
            if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
                continue
            if not node.name.startswith("_") and not ast.get_docstring(node):
                silent.append(f"{module.name}:{node.name}")
    assert not silent


def test_every_method_that_others_may_call_says_what_it_does() -> None:
    """Methods and properties without a leading underscore, of private classes too; what stands in a body is its own."""
    silent = [
        f"{module.name}:{method.name}"
        for module in house.modules()
        for method in _methods_of(module.tree.body)
        if not method.name.startswith("_") and not ast.get_docstring(method)
    ]
    assert not silent


def test_broad_excepts_are_few_and_each_gives_its_reason() -> None:
    broad, unexplained = [], []
    for module in house.modules():
        lines = module.text.splitlines()
        for node in ast.walk(module.tree):
            if isinstance(node, ast.ExceptHandler) and _is_broad(node):
                broad.append(place := f"{module.name}:{node.lineno}")
                if "# broad:" not in "\n".join(lines[node.lineno - 2 : node.lineno + 1]):
                    unexplained.append(place)
    assert not unexplained
    assert len(broad) <= house.BROAD_EXCEPTS_MAX, broad


def test_nothing_unfinished_is_shipped() -> None:
    words = ("TO" + "DO", "FIX" + "ME", "XX" + "X", "Not" + "ImplementedError")
    assert not [(module.name, word) for module in house.modules() for word in words if word in module.text]


def test_sql_stands_only_in_store_modules_and_schema_files() -> None:
    verbs = ("SELECT ", "INSERT INTO ", "UPDATE ", "DELETE FROM ")
    # Besides the stores: the plumbing of the database and of the queue, and audit and replay, which compare tables.
    allowed = ("store.py", "evidence/db/", "ingest/queue_driver.py", "ledger/audit", "evidence/audit", "replay")
    strays = []
    for module in house.modules():
        if any(part in module.name for part in allowed):
            continue
        for node in ast.walk(module.tree):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and node.value.lstrip().startswith(verbs):
                strays.append(f"{module.name}:{node.lineno}")
    assert not strays


def test_nobody_leaves_anything_behind_on_a_connection_of_the_pool() -> None:
    """See `evidence.db.pool`: what a session keeps beyond a transaction is for connections of one's own."""
    keeps = re.compile(r"^\s*(SET(?! LOCAL)|LISTEN|PREPARE|DECLARE)\s|\bpg_(try_)?advisory_lock(_shared)?\(")
    # The sequencer's, whoever waits for a publication, and the worker's: none of these comes from a pool.
    own = {"ledger/store.py", "ledger/sequencer.py", "ledger/waiting.py", "ingest/queue_driver.py"}
    found = set()
    for module in house.modules():
        # Pieces of a statement that is put together may begin with the SET of an UPDATE.
        joined = [node for node in ast.walk(module.tree) if isinstance(node, ast.JoinedStr)]
        pieces = {id(piece) for whole in joined for piece in whole.values}
        for node in ast.walk(module.tree):
            said = node.value if isinstance(node, ast.Constant) and isinstance(node.value, str) else ""
            if id(node) in pieces:
                continue
            if any(keeps.search(part) for part in said.split(";")):
                found.add(module.name)
            if isinstance(node, ast.Attribute) and node.attr == "add_listener":
                found.add(module.name)
    assert found == own


def _is_broad(handler: ast.ExceptHandler) -> bool:
    return handler.type is None or getattr(handler.type, "id", "") in {"Exception", "BaseException"}


def test_nobody_waits_past_a_cancellation() -> None:
    """See `ledger.pausing`: before Python 3.12 `asyncio.wait_for` can swallow one."""
    found = [
        f"{module.name}:{node.lineno}"
        for module in house.modules()
        for node in ast.walk(module.tree)
        if isinstance(node, ast.Attribute) and node.attr == "wait_for" and ast.unparse(node.value) == "asyncio"
    ]
    assert not found


def _methods_of(body: list[ast.stmt]) -> Iterator[ast.FunctionDef | ast.AsyncFunctionDef]:
    for holder in body:
        if isinstance(holder, ast.ClassDef):
            yield from (node for node in holder.body if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
            yield from _methods_of(holder.body)


def test_revisions_of_the_schema_form_one_line_in_the_order_of_their_numbers() -> None:
    """Each names the one before: two that came beside each other would leave a database nobody can bring up."""
    files = sorted((house.ROOT / "evidence/db/migrations/versions").glob("r[0-9]*.py"))
    numbers = [file.name[1:5] for file in files]
    named = [re.findall(r'^down_revision.* = "(\d{4})"', file.read_text("utf-8"), re.MULTILINE) for file in files]
    assert [name for names in named[1:] for name in names] == numbers[:-1]
