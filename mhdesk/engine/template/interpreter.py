"""Walks a syntax tree that `source` has let through. No line of Python is made from a template, so none can be run.

Jinja itself turns templates into Python, and has no limit on time or memory. Here every node costs a step, every value
is of a kind that `values` names, and variables follow Jinja's scopes: `for`, macros, `with` and block assignments have
one of their own, `if` has none. (One oddity of Jinja is left out: where a block reads a variable that its surroundings
set only later, Jinja finds it undefined, though it had been given; here it is what was given.)
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from enum import Enum, auto
from typing import Any

from jinja2 import nodes

from mhdesk.engine.template.access import get_attribute, get_item
from mhdesk.engine.template.filters import run_filter, run_test
from mhdesk.engine.template.operators import BINARY, COMPARISONS, number
from mhdesk.engine.template.reading import check_key, get_slice, items_of, text_of
from mhdesk.engine.template.values import UNDEFINED, Function, Loop, Namespace, Value
from mhdesk.engine.template.work import Refused, Work


class _Jump(Enum):
    BREAK = auto()
    CONTINUE = auto()


class _Scope:
    __slots__ = ("_outer", "names")

    def __init__(self, outer: _Scope | None, names: Mapping[str, Value] | None = None) -> None:
        self._outer = outer
        self.names = dict(names or {})

    def get(self, name: str) -> Value:
        scope: _Scope | None = self
        while scope is not None:
            if name in scope.names:
                return scope.names[name]
            scope = scope._outer
        return UNDEFINED


class Interpreter:
    """One rendering: `work` is what it may cost."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._special: dict[int, set[str]] = {}

    def render(self, tree: nodes.Template, variables: Mapping[str, Value], longest: int) -> str:
        """The text of `tree`, at most `longest` characters.

        Raises:
            Refused: it does, costs or gives more than it may. Errors that Python's own operations raise come through.
        """
        out: list[str] = []
        if self._run(tree.body, _Scope(None, variables), out) is not None:
            raise Refused("leaves a loop where there is none")
        if sum(map(len, out)) > longest:
            raise Refused("makes far more text than a conversation has")
        return "".join(out)

    # Statements: each writes to `out`, and tells if a loop is to be left or gone on with.

    def _run(self, body: Sequence[nodes.Node], scope: _Scope, out: list[str]) -> _Jump | None:
        for node in body:
            self._work.spend(1)
            jump = _STATEMENTS[type(node)](self, node, scope, out)
            if jump is not None:
                return jump
        return None

    def _captured(self, body: Sequence[nodes.Node], scope: _Scope) -> tuple[str, _Jump | None]:
        out: list[str] = []
        jump = self._run(body, scope, out)
        self._work.spend_on(*out)
        return "".join(out), jump

    def _output(self, node: nodes.Output, scope: _Scope, out: list[str]) -> None:
        for part in node.nodes:
            text = part.data if isinstance(part, nodes.TemplateData) else text_of(self._work, self._value(part, scope))
            self._work.spend_on(text)
            out.append(text)

    def _if(self, node: nodes.If, scope: _Scope, out: list[str]) -> _Jump | None:
        for branch in (node, *node.elif_):
            if self._value(branch.test, scope):
                return self._run(branch.body, scope, out)
        return self._run(node.else_, scope, out)

    def _for(self, node: nodes.For, scope: _Scope, out: list[str]) -> _Jump | None:
        items = items_of(self._work, self._value(node.iter, scope))
        if node.test is not None:
            items = [item for item in items if self._passes(node, item, scope)]
        loop = Loop(items)
        whole_rounds = 0
        for loop.index0, item in enumerate(items):
            inside = _Scope(scope, {"loop": loop})
            self._assign(node.target, item, inside)
            jump = self._run(node.body, inside, out)
            if jump is _Jump.BREAK:
                break
            whole_rounds += jump is None
        # Jinja takes `else` also where every round was cut short.
        return None if whole_rounds else self._run(node.else_, _Scope(scope), out)

    def _passes(self, node: nodes.For, item: Value, scope: _Scope) -> bool:
        inside = _Scope(scope)
        self._assign(node.target, item, inside)
        return bool(self._value(node.test, inside))

    def _break(self, node: nodes.Break, scope: _Scope, out: list[str]) -> _Jump:
        return _Jump.BREAK

    def _continue(self, node: nodes.Continue, scope: _Scope, out: list[str]) -> _Jump:
        return _Jump.CONTINUE

    def _inner_scope(self, node: nodes.Scope, scope: _Scope, out: list[str]) -> _Jump | None:
        return self._run(node.body, _Scope(scope), out)

    def _with(self, node: nodes.With, scope: _Scope, out: list[str]) -> _Jump | None:
        inside = _Scope(scope)
        for target, value in zip(node.targets, node.values, strict=True):
            self._assign(target, self._value(value, scope), inside)
        return self._run(node.body, inside, out)

    def _set(self, node: nodes.Assign, scope: _Scope, out: list[str]) -> None:
        self._assign(node.target, self._value(node.node, scope), scope)

    def _set_block(self, node: nodes.AssignBlock, scope: _Scope, out: list[str]) -> _Jump | None:
        inside = _Scope(scope)
        text, jump = self._captured(node.body, inside)
        if jump is None:
            self._assign(node.target, text if node.filter is None else self._filter(node.filter, inside, text), scope)
        return jump

    def _filter_block(self, node: nodes.FilterBlock, scope: _Scope, out: list[str]) -> _Jump | None:
        inside = _Scope(scope)
        text, jump = self._captured(node.body, inside)
        if jump is None:
            out.append(text_of(self._work, self._filter(node.filter, inside, text)))
        return jump

    def _define_macro(self, node: nodes.Macro, scope: _Scope, out: list[str]) -> None:
        scope.names[node.name] = self._macro(node, scope)

    def _call_block(self, node: nodes.CallBlock, scope: _Scope, out: list[str]) -> None:
        text = text_of(self._work, self._call(node.call, scope, caller=self._macro(node, scope)))
        self._work.spend_on(text)
        out.append(text)

    def _assign(self, target: nodes.Node, value: Value, scope: _Scope) -> None:
        match target:
            case nodes.Name():
                scope.names[target.name] = value
            case nodes.NSRef():
                namespace = scope.get(target.name)
                if not isinstance(namespace, Namespace):
                    raise TypeError("no namespace")
                namespace.names[target.attr] = value
            case nodes.Tuple():
                for part, item in zip(target.items, items_of(self._work, value), strict=True):
                    self._assign(part, item, scope)
            case _:
                raise TypeError("cannot be assigned to")

    def _macro(self, node: nodes.Macro | nodes.CallBlock, scope: _Scope) -> Function:
        self._work.spend(len(node.args))
        names = [argument.name for argument in node.args]
        defaults = dict(zip(reversed(names), reversed(node.defaults), strict=False))
        special = self._special_names(node)

        def run(work: Work, /, *given: Value, **named: Value) -> str:
            work.spend(len(names) + len(given))
            inside = _Scope(scope, dict(zip(names, given, strict=False)))
            for name in names[len(given) :]:
                if name in named:
                    inside.names[name] = named.pop(name)
                else:
                    inside.names[name] = self._value(defaults[name], inside) if name in defaults else UNDEFINED
            if "caller" in special:
                inside.names["caller"] = named.pop("caller", UNDEFINED)
            if "kwargs" in special:
                inside.names["kwargs"] = named
            elif named:
                raise TypeError("unknown argument")
            if "varargs" in special:
                inside.names["varargs"] = given[len(names) :]
            elif len(given) > len(names):
                raise TypeError("too many arguments")
            text, jump = self._captured(node.body, inside)
            if jump is not None:
                raise Refused("leaves a loop where there is none")
            return text

        return Function(run)

    def _special_names(self, node: nodes.Macro | nodes.CallBlock) -> set[str]:
        """Which of `caller`, `varargs` and `kwargs` a macro makes use of; it takes what these would hold only then."""
        if id(node) not in self._special:
            found = set()
            waiting = list(node.body)
            while waiting:
                self._work.spend(1)
                part = waiting.pop()
                if isinstance(part, nodes.Name) and part.ctx == "load":
                    found.add(part.name)
                waiting.extend(part.iter_child_nodes())
            self._special[id(node)] = found & {"caller", "varargs", "kwargs"}
        return self._special[id(node)]

    # Expressions

    def _value(self, node: nodes.Node | None, scope: _Scope) -> Value:
        self._work.spend(1)
        return _EXPRESSIONS[type(node)](self, node, scope)

    def _const(self, node: nodes.Const, scope: _Scope) -> Value:
        return node.value

    def _name(self, node: nodes.Name, scope: _Scope) -> Value:
        return scope.get(node.name)

    def _tuple(self, node: nodes.Tuple, scope: _Scope) -> Value:
        return tuple([self._value(item, scope) for item in node.items])

    def _list(self, node: nodes.List, scope: _Scope) -> Value:
        return [self._value(item, scope) for item in node.items]

    def _dict(self, node: nodes.Dict, scope: _Scope) -> Value:
        made = {}
        for pair in node.items:
            key = self._value(pair.key, scope)
            check_key(key)
            made[key] = self._value(pair.value, scope)
        return made

    def _conditional(self, node: nodes.CondExpr, scope: _Scope) -> Value:
        if self._value(node.test, scope):
            return self._value(node.expr1, scope)
        return UNDEFINED if node.expr2 is None else self._value(node.expr2, scope)

    def _arguments(self, node: Any, scope: _Scope) -> tuple[list[Value], dict[str, Value]]:
        given = [self._value(argument, scope) for argument in node.args]
        return given, {keyword.key: self._value(keyword.value, scope) for keyword in node.kwargs}

    def _filter(self, node: nodes.Filter, scope: _Scope, block: str | None = None) -> Value:
        if isinstance(node.node, nodes.Filter):
            value = self._filter(node.node, scope, block)
        else:
            value = block if node.node is None else self._value(node.node, scope)
        given, named = self._arguments(node, scope)
        return run_filter(self._work, node.name, value, *given, **named)

    def _test(self, node: nodes.Test, scope: _Scope) -> bool:
        value = self._value(node.node, scope)
        given, named = self._arguments(node, scope)
        return run_test(self._work, node.name, value, *given, **named)

    def _call(self, node: nodes.Call, scope: _Scope, **special: Value) -> Value:
        function = self._value(node.node, scope)
        given, named = self._arguments(node, scope)
        if not isinstance(function, Function):
            raise TypeError("nothing to call")
        return function.run(self._work, *function.bound, *given, **named, **special)

    def _attribute(self, node: nodes.Getattr, scope: _Scope) -> Value:
        return get_attribute(self._value(node.node, scope), node.attr)

    def _item(self, node: nodes.Getitem, scope: _Scope) -> Value:
        value = self._value(node.node, scope)
        if not isinstance(node.arg, nodes.Slice):
            return get_item(value, self._value(node.arg, scope))
        bounds = (node.arg.start, node.arg.stop, node.arg.step)
        start, stop, step = (None if bound is None else self._value(bound, scope) for bound in bounds)
        return get_slice(self._work, value, start, stop, step)

    def _concatenation(self, node: nodes.Concat, scope: _Scope) -> str:
        texts = [text_of(self._work, self._value(part, scope)) for part in node.nodes]
        self._work.spend_on(*texts)
        return "".join(texts)

    def _comparison(self, node: nodes.Compare, scope: _Scope) -> Value:
        left = self._value(node.expr, scope)
        holds = True
        for operand in node.ops:
            right = self._value(operand.expr, scope)
            holds = COMPARISONS[operand.op](self._work, left, right)
            if not holds:
                break
            left = right
        return holds

    def _binary(self, node: nodes.BinExpr, scope: _Scope) -> Value:
        left = self._value(node.left, scope)
        return BINARY[node.operator](self._work, left, self._value(node.right, scope))

    def _and(self, node: nodes.And, scope: _Scope) -> Value:
        return self._value(node.left, scope) and self._value(node.right, scope)

    def _or(self, node: nodes.Or, scope: _Scope) -> Value:
        return self._value(node.left, scope) or self._value(node.right, scope)

    def _not(self, node: nodes.Not, scope: _Scope) -> bool:
        return not self._value(node.node, scope)

    def _negative(self, node: nodes.Neg, scope: _Scope) -> Value:
        return -number(self._value(node.node, scope))

    def _positive(self, node: nodes.Pos, scope: _Scope) -> Value:
        return +number(self._value(node.node, scope))


_STATEMENTS: Mapping[type, Callable[[Interpreter, Any, _Scope, list[str]], _Jump | None]] = {
    nodes.Output: Interpreter._output,
    nodes.If: Interpreter._if,
    nodes.For: Interpreter._for,
    nodes.Break: Interpreter._break,
    nodes.Continue: Interpreter._continue,
    nodes.Scope: Interpreter._inner_scope,
    nodes.With: Interpreter._with,
    nodes.Assign: Interpreter._set,
    nodes.AssignBlock: Interpreter._set_block,
    nodes.FilterBlock: Interpreter._filter_block,
    nodes.Macro: Interpreter._define_macro,
    nodes.CallBlock: Interpreter._call_block,
}

_EXPRESSIONS: Mapping[type, Callable[[Interpreter, Any, _Scope], Value]] = {
    nodes.Const: Interpreter._const,
    nodes.TemplateData: lambda interpreter, node, scope: node.data,
    nodes.Name: Interpreter._name,
    nodes.Tuple: Interpreter._tuple,
    nodes.List: Interpreter._list,
    nodes.Dict: Interpreter._dict,
    nodes.CondExpr: Interpreter._conditional,
    nodes.Filter: Interpreter._filter,
    nodes.Test: Interpreter._test,
    nodes.Call: Interpreter._call,
    nodes.Getattr: Interpreter._attribute,
    nodes.Getitem: Interpreter._item,
    nodes.Concat: Interpreter._concatenation,
    nodes.Compare: Interpreter._comparison,
    **dict.fromkeys(
        (nodes.Add, nodes.Sub, nodes.Mul, nodes.Div, nodes.FloorDiv, nodes.Mod, nodes.Pow), Interpreter._binary
    ),
    nodes.And: Interpreter._and,
    nodes.Or: Interpreter._or,
    nodes.Not: Interpreter._not,
    nodes.Neg: Interpreter._negative,
    nodes.Pos: Interpreter._positive,
}
