"""What Python source does, apart from its words."""

from __future__ import annotations

import ast
from collections.abc import Collection


def meaning(source: str, words: Collection[str] = ()) -> str:
    """Returns the syntax tree of Python source as text, without docstrings: equal trees do the same.

    `words` are arguments of calls that only people read: texts given to them are not part of the tree.

    >>> meaning("x = 1  # one") == meaning("x=1")
    True
    """
    tree = ast.parse(source)
    documented = (ast.Module, ast.ClassDef, ast.FunctionDef, ast.AsyncFunctionDef)
    for node in ast.walk(tree):
        if isinstance(node, documented) and ast.get_docstring(node, clean=False) is not None:
            del node.body[0]
        if isinstance(node, ast.Call):
            node.keywords = [each for each in node.keywords if not (each.arg in words and _is_text(each.value))]
    return ast.dump(tree)


def _is_text(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and isinstance(node.value, str)
