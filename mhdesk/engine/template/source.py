"""From the text of a template to its syntax tree, which must hold nothing but what the interpreter knows."""

from __future__ import annotations

from jinja2 import Environment, TemplateSyntaxError, nodes
from jinja2.ext import Extension, loopcontrols
from jinja2.parser import Parser

from mhdesk.engine.template.filters import FILTERS
from mhdesk.engine.template.operators import number
from mhdesk.engine.template.predicates import TESTS
from mhdesk.engine.template.work import Refused

LONGEST_TEMPLATE = 256 * 1024
"""Bytes of UTF-8. The templates of well-known models have up to 30 KB."""

_MOST_NODES = 30_000
_DEEPEST_NODE = 150

_ALLOWED = (
    nodes.Template, nodes.Output, nodes.TemplateData, nodes.If, nodes.For, nodes.Break, nodes.Continue, nodes.Scope,
    nodes.With, nodes.Assign, nodes.AssignBlock, nodes.NSRef, nodes.Macro, nodes.CallBlock, nodes.FilterBlock,
    nodes.Const, nodes.Name, nodes.Tuple, nodes.List, nodes.Dict, nodes.Pair, nodes.Keyword, nodes.CondExpr,
    nodes.Filter, nodes.Test, nodes.Call, nodes.Getattr, nodes.Getitem, nodes.Slice, nodes.Concat, nodes.Compare,
    nodes.Operand, nodes.And, nodes.Or, nodes.Not, nodes.Neg, nodes.Pos, nodes.Add, nodes.Sub, nodes.Mul, nodes.Div,
    nodes.FloorDiv, nodes.Mod, nodes.Pow,
)  # fmt: skip


class _Generation(Extension):
    """`{% generation %}` marks the model's words for training with transformers; here it marks nothing."""

    tags = {"generation"}  # noqa: RUF012 - Jinja's own form

    def parse(self, parser: Parser) -> nodes.Scope:
        """The block as a scope, which is what variables see of it in transformers too."""
        line = next(parser.stream).lineno
        return nodes.Scope(parser.parse_statements(("name:endgeneration",), drop_needle=True), lineno=line)


# Only its parser is used. What it renders is a prompt, not a page: nothing is to be escaped.
_PARSER = Environment(trim_blocks=True, lstrip_blocks=True, extensions=[_Generation, loopcontrols])  # noqa: S701


def parse(text: str) -> nodes.Template:
    """The syntax tree of `text`, spaces treated as transformers does.

    Raises:
        Refused: it is too long, no template, or holds something that is not on our lists.
    """
    try:
        if len(text) > LONGEST_TEMPLATE or len(text.encode()) > LONGEST_TEMPLATE:
            raise Refused("is longer than a chat template can sensibly be")
        tree = _PARSER.parse(text)
        _check(tree)
    except (TemplateSyntaxError, UnicodeError, ValueError) as error:
        raise Refused("cannot be read") from error
    except RecursionError:
        raise Refused("is nested too deeply") from None
    return tree


def _check(tree: nodes.Template) -> None:
    waiting: list[tuple[nodes.Node, int]] = [(tree, 0)]
    seen = 0
    while waiting:
        node, depth = waiting.pop()
        seen += 1
        if seen > _MOST_NODES:
            raise Refused("is longer than a chat template can sensibly be")
        if depth > _DEEPEST_NODE:
            raise Refused("is nested too deeply")
        if type(node) not in _ALLOWED:
            raise Refused("uses a part of Jinja that chat templates have no need of")
        _check_node(node)
        waiting.extend((child, depth + 1) for child in node.iter_child_nodes())


def _check_node(node: nodes.Node) -> None:
    match node:
        case nodes.Filter() if node.name not in FILTERS:
            raise Refused(f"uses the filter {node.name}, which is not allowed")
        case nodes.Test() if node.name not in TESTS:
            raise Refused(f"uses the test {node.name}, which is not allowed")
        case nodes.Getattr() | nodes.NSRef() if node.attr.startswith("_"):
            raise Refused("reaches for what is inside Python")
        case nodes.Const(value=int()):
            number(node.value)
        case nodes.Const(value=str()):
            node.value.encode()  # half a character cannot be given to a tokenizer
        case nodes.For(recursive=True):
            raise Refused("uses a part of Jinja that chat templates have no need of")
        case nodes.Macro() | nodes.CallBlock():
            if {"caller", "varargs", "kwargs"} & {argument.name for argument in node.args}:
                raise Refused("uses a part of Jinja that chat templates have no need of")
    if isinstance(node, nodes.Call | nodes.Filter | nodes.Test) and (node.dyn_args or node.dyn_kwargs):
        raise Refused("uses a part of Jinja that chat templates have no need of")
