"""The small changes that can be made to the code of a module, one at a time."""

import ast
import hashlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

SWAPS: Final[dict[type[ast.AST], Any]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
    ast.And: ast.Or,
    ast.Or: ast.And,
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.FloorDiv,
    ast.Pow: ast.Mult,
    ast.BitAnd: ast.BitOr,
    ast.BitOr: ast.BitAnd,
    ast.BitXor: ast.BitAnd,
    ast.LShift: ast.RShift,
    ast.RShift: ast.LShift,
}
NO_CODE: Final = {"annotation", "returns", "decorator_list", "bases"}  # fields that decide nothing
CERTAIN: Final = {"strict"}  # arguments that state what holds anyway
SHORT: Final = 24  # characters below which what surrounds a change is told as well
LONG: Final = 110  # characters of a change that are told
MODULE: Final = "<module>"

Way = list[tuple[ast.AST, str, int | None]]  # the nodes around one, with the field and the index


@dataclass(frozen=True, slots=True)
class Mutant:
    """A change of a module: what stood there, what stands there, and in which function."""

    path: str
    function: str
    before: str
    after: str
    line: int
    number: int  # of the change in its module
    twin: int  # of the changes of this function that read the same

    @property
    def change(self) -> str:
        """What was changed, as it is told, and listed if nothing can notice it."""
        return f"{self.before}  =>  {self.after}"

    @property
    def rank(self) -> str:
        """A random place in the order of all mutants, which edits elsewhere do not change."""
        told = f"{self.path} {self.function} {self.change} {self.twin}"
        return hashlib.sha256(told.encode()).hexdigest()


def mutants_of(root: Path, path: str) -> list[Mutant]:
    """Return all mutants of a module."""
    twins: Counter[tuple[str, str, str]] = Counter()
    mutants = []
    tree = ast.parse((root / path).read_text("utf-8"))
    for number, (function, line, before, after) in enumerate(changes(tree)):
        twins[function, before, after] += 1
        twin = twins[function, before, after]
        mutants.append(Mutant(path, function, before, after, line, number, twin))
    return mutants


def mutated(root: Path, mutant: Mutant) -> Any:
    """Return the code of a module with a change."""
    tree = ast.parse((root / mutant.path).read_text("utf-8"))
    for number, _ in enumerate(changes(tree)):
        if number == mutant.number:
            return compile(ast.fix_missing_locations(tree), str(root / mutant.path), "exec")
    raise ValueError(mutant)


def changes(tree: ast.Module) -> Iterator[tuple[str, int, str, str]]:
    """Change a tree in one place after the other, and back; yield what is changed meanwhile."""
    for way, node in _places(tree, []):
        for new in _instead(node):
            up = _around(way, node)
            whole = way[-up][0] if up else None
            before = _told(whole or node)
            _put(way, new)
            yield _function(way), node.lineno, before, _told(whole or new)
            _put(way, node)


def _places(node: ast.AST, way: Way) -> Iterator[tuple[Way, Any]]:
    if hasattr(node, "lineno"):
        yield way, node
    if isinstance(node, ast.Raise):
        return  # the wording of a message
    for field, value in ast.iter_fields(node):
        if field in NO_CODE:
            continue
        listed = isinstance(value, list)
        for index, child in enumerate(value if listed else [value]):
            if isinstance(child, ast.AST) and not _is_dull(child):
                yield from _places(child, [*way, (node, field, index if listed else None)])


def _is_dull(node: ast.AST) -> bool:
    """Tell what is for people or for type checkers alone."""
    match node:
        case ast.JoinedStr() | ast.Import() | ast.ImportFrom():
            return True
        case ast.FunctionDef(name="__repr__") | ast.If(test=ast.Name(id="TYPE_CHECKING")):
            return True
        case ast.keyword(arg=name):
            return name in CERTAIN
    return False


def _instead(node: ast.AST) -> Iterator[ast.AST]:
    """Yield what can stand in the place of a node."""
    if isinstance(node, ast.expr):
        yield from _other_values(node)
    match node:
        case ast.AugAssign(target, op, value) if type(op) in SWAPS and not _has_text(value):
            yield ast.AugAssign(target, SWAPS[type(op)](), value)
        case ast.Return(ast.AST() as value) if not isinstance(value, ast.Constant):
            yield ast.Return(ast.Constant(None))
        case ast.Raise():
            yield ast.Pass()
        case ast.If(test, body, orelse) if _is_plain(test):
            yield ast.If(ast.UnaryOp(ast.Not(), test), body, orelse)
        case ast.IfExp(test, whole, other) if _is_plain(test):
            yield ast.IfExp(ast.UnaryOp(ast.Not(), test), whole, other)


def _other_values(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Compare(left, ops, comparators):
            for at, op in enumerate(ops):
                swapped = [*ops[:at], SWAPS[type(op)](), *ops[at + 1 :]]
                yield ast.Compare(left, swapped, comparators)
        case ast.BinOp(left, op, right) if type(op) in SWAPS and not _has_text(left, right):
            yield ast.BinOp(left, SWAPS[type(op)](), right)
        case ast.BoolOp(logic, values):
            yield ast.BoolOp(SWAPS[type(logic)](), values)
        case ast.UnaryOp(_, operand):
            yield operand
        case ast.Constant(bool(value)):
            yield ast.Constant(not value)
        case ast.Constant(int(value) | float(value)):
            yield ast.Constant(value + 1)


def _has_text(*nodes: ast.AST) -> bool:
    return any(
        isinstance(n, ast.JoinedStr) or (isinstance(n, ast.Constant) and isinstance(n.value, str))
        for n in nodes
    )


def _is_plain(test: ast.AST) -> bool:
    """Tell if no other change turns a condition round."""
    return not isinstance(test, ast.Compare | ast.BoolOp | ast.UnaryOp)


def _put(way: Way, node: ast.AST) -> None:
    parent, field, index = way[-1]
    if index is None:
        setattr(parent, field, node)
    else:
        getattr(parent, field)[index] = node


def _function(way: Way) -> str:
    """Return the qualified name of the outermost function around a place."""
    names = []
    for node, field, _ in way:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            names.append(node.name)
        if isinstance(node, ast.FunctionDef):
            return ".".join(names) if field == "body" else MODULE
    return MODULE


def _around(way: Way, node: ast.AST) -> int:
    """Return how many nodes up a change is told, with enough around it, but in one statement."""
    for up, (parent, _, _) in enumerate(reversed(way)):
        whole = isinstance(node, ast.stmt) or not hasattr(parent, "lineno")
        if whole or len(ast.unparse(node)) >= SHORT:
            return up
        node = parent
    return len(way)


def _told(node: ast.AST) -> str:
    """Return the first line of the text of a node."""
    text = ast.unparse(node).partition("\n")[0]
    return text if len(text) <= LONG else f"{text[:LONG]}…"
