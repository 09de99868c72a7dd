"""Chat templates that hypothesis draws from the fragments of real and hostile ones."""

from hypothesis import strategies as st

OPERATORS = st.sampled_from(["+", "-", "*", "/", "//", "%", "**", "~", "==", "<", "in", "and", "or"])

EXPRESSIONS = st.recursive(
    st.sampled_from(
        ["messages", "messages[0]", "m", "m.content", "ns", "ns.x", "loop", "loop.index", "bos_token", "f", "nothing",
         "'a'", "''", "1", "-3", "0.5", "1e300", "none", "true", "[]", "[1, 'b']", "{'a': 1}", "(1, 2)", "range(5)"]
    ),
    lambda inner: st.one_of(
        st.builds("({} {} {})".format, inner, OPERATORS, inner),
        st.builds("({}|{})".format, inner, st.sampled_from(
            ["length", "list", "join(m)", "map('upper')", "map(m)", "tojson(indent=m)", "replace('a', m)", "indent(m)",
             "int", "round(m)", "sort", "unique", "sum", "dictsort", "items", "first", "last", "reverse", "string",
             "trim(m)", "selectattr(m)", "select(m)", "max", "min(attribute=m)", "float", "abs", "default(m)", "title",
             "upper"])),
        st.builds("({}).{}".format, inner, st.sampled_from(
            ["split(m)", "join(m)", "items()", "get(m)", "replace('', m)", "strip(m)", "count(m)", "index(m)", "x",
             "rsplit()", "partition(m)", "startswith(m)", "splitlines()", "title()", "rfind(m)", "content", "append(1)",
             "keys()"])),
        st.builds("({})[{}]".format, inner, inner),
        st.builds("({})[{}:{}:{}]".format, inner, inner, inner, inner),
        st.builds("({})({}, x={})".format, inner, inner, inner),
        st.builds("({} is {}({}))".format, inner, st.sampled_from(["eq", "in", "divisibleby", "sameas", "gt"]), inner),
        st.builds("({} is {})".format, inner, st.sampled_from(["defined", "odd", "mapping", "iterable", "sequence"])),
        st.builds("[{}, {}]".format, inner, inner),
        st.builds("{{'a': {}, {}: {}}}".format, inner, inner, inner),
        st.builds("({} if {} else {})".format, inner, inner, inner),
        st.builds("{}({})".format, st.sampled_from(["range", "dict", "namespace", "strftime_now", "f"]), inner),
    ),
    max_leaves=6,
)  # fmt: skip

BODIES = st.recursive(
    st.one_of(
        st.builds("{{{{ {} }}}}".format, EXPRESSIONS),
        st.builds("{{% set m = {} %}}".format, EXPRESSIONS),
        st.builds("{{% set ns = namespace(x={}) %}}".format, EXPRESSIONS),
        st.builds("{{% set ns.x = {} %}}".format, EXPRESSIONS),
        st.text(max_size=8),
        st.sampled_from(["{% break %}", "{{", "{%", "{#", "{% raw %}", "{{ x", "\n", "{%- endif -%}"]),
    ),
    lambda inner: st.one_of(
        st.builds("{}{}".format, inner, inner),
        st.builds("{{% if {} %}}{}{{% else %}}{}{{% endif %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% for m in {} %}}{}{{% endfor %}}".format, EXPRESSIONS, inner),
        st.builds("{{% for m, n in {} if m %}}{}{{% else %}}{}{{% endfor %}}".format, EXPRESSIONS, inner, inner),
        st.builds("{{% macro f(m, x={}) %}}{}{{% endmacro %}}{{{{ f() }}}}".format, EXPRESSIONS, inner),
        st.builds("{{% call f({}) %}}{}{{% endcall %}}".format, EXPRESSIONS, inner),
        st.builds("{{% set m %}}{}{{% endset %}}".format, inner),
        st.builds("{{% filter replace({}, 'b') %}}{}{{% endfilter %}}".format, EXPRESSIONS, inner),
        st.builds("{{% with m = {} %}}{}{{% endwith %}}".format, EXPRESSIONS, inner),
    ),
    max_leaves=6,
)
