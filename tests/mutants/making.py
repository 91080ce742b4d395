"""The mutants of a file, by cosmic-ray's operators."""

import ast
import difflib
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import cosmic_ray.plugins
from cosmic_ray.ast import ast_nodes, get_ast
from cosmic_ray.mutating import MutationVisitor

_ARITHMETIC, _ORDER = "(Add|Sub|Mul|Div|FloorDiv|Mod|Pow)", "(Eq|NotEq|Lt|LtE|Gt|GtE)"
KEPT = re.compile(
    rf"core/(ReplaceBinaryOperator_{_ARITHMETIC}_{_ARITHMETIC}|ReplaceBinaryOperator_(BitAnd|BitOr)_(BitAnd|BitOr)"
    rf"|ReplaceComparisonOperator_({_ORDER}_{_ORDER}|Is_IsNot|IsNot_Is)|ReplaceUnaryOperator_\w+|AddNot|NumberReplacer"
    r"|Replace(True|False|And|Or|Break|Continue)With\w+|ZeroIterationForLoop|ExceptionReplacer)"
)
"""Operators whose mutants can pass for the original. Floats shifted and decorators removed die of a TypeError."""


@dataclass(frozen=True)
class Mutant:
    """The ``occurrence``-th place in ``file`` (of a repository) where ``operator`` changes something."""

    file: str
    operator: str
    occurrence: int
    line: int


@dataclass(frozen=True)
class Change:
    """What a mutant does: the new ``code`` of its file, its first line ``before`` and ``after``, and all as a diff."""

    code: str
    before: str
    after: str
    diff: str


def find_mutants(root: Path, file: str) -> Iterator[Mutant]:
    """All mutants of a file but those of annotations, which no test can see."""
    source = (root / file).read_text()
    nodes, unseen = list(ast_nodes(get_ast(source))), _lines_and_columns_of_annotations(source)
    unseen += [
        ((number, 0), (number, 999)) for number, line in enumerate(source.splitlines(), 1) if "TYPE_CHECK" in line
    ]
    for name in filter(KEPT.fullmatch, cosmic_ray.plugins.operator_names()):
        operator, occurrence = cosmic_ray.plugins.get_operator(name)(), 0
        for node in nodes:
            for start, _ in operator.mutation_positions(node):
                is_seen = not any(first <= start < last for first, last in unseen)
                if is_seen and node.parent.type != "parameters":  # the * of keyword-only parameters
                    yield Mutant(file, name.removeprefix("core/"), occurrence, start[0])
                occurrence += 1


def _lines_and_columns_of_annotations(source: str) -> list[tuple[tuple[int, int], tuple[int, int]]]:
    found = []
    for node in ast.walk(ast.parse(source)):
        for annotation in (getattr(node, "annotation", None), getattr(node, "returns", None)):
            if annotation is not None:
                end = (annotation.end_lineno, annotation.end_col_offset)
                found.append(((annotation.lineno, annotation.col_offset), end))
    return found


def change(root: Path, mutant: Mutant) -> Change | None:
    """What ``mutant`` does; None where it makes no other program, or none at all."""
    source = (root / mutant.file).read_text()
    operator = cosmic_ray.plugins.get_operator(f"core/{mutant.operator}")()
    code = MutationVisitor.mutate_code(source, operator, mutant.occurrence)
    try:
        if ast.dump(ast.parse(code)) == ast.dump(ast.parse(source)):
            return None
    except SyntaxError:
        return None
    lines = list(
        difflib.unified_diff(source.splitlines(), code.splitlines(), mutant.file, mutant.file, n=2, lineterm="")
    )
    before, after = (next((line[1:].strip() for line in lines[2:] if line[0] == sign), "") for sign in "-+")
    return Change(code, before, after, "\n".join(lines))
