"""The arrows between the parts: walked in the source, and proved in fresh interpreters."""

import ast
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOTS = {"ui", "cli", "commands", "assembly", "first_start", "bench"}
"""The composition roots, and what belongs to them."""

ALLOWED = {
    "core": set(),
    "safety": {"core"},
    "chat": {"safety", "core"},
    "library": {"core"},
    "store": {"core"},
    "engine.client": {"core", "engine.protocol"},
    "engine.protocol": {"core"},
    "engine.template": set(),
    "engine.chat_template": {"core", "engine.template"},
    "engine.control_tokens": set(),
    "engine.prompt": {"core", "engine.chat_template", "engine.control_tokens"},
    "engine.child": {"core", "library", "engine.protocol", "engine.prompt"},
    **{
        root: {"chat", "store", "library", "engine.client", "engine.protocol", "safety", "core", *ROOTS}
        for root in ROOTS
    },
}
TRAINER = {"core", "safety", "engine.child", "engine.client", "engine.prompt", "engine.protocol", "library"}
MODEL_RUNTIMES = {"torch", "transformers", "peft", "bitsandbytes", "accelerate", "tokenizers", "gguf"}
WEIGHT_READERS = {"mhdesk.safety.second_stage", "mhdesk.safety.encoder"}
"""What reads the screen's and the gate's own weights: `safetensors` with numpy, which brings no model runtime."""


def part_of(module: str) -> str:
    names = module.split(".")[1:]
    if not names:
        return "core"
    return ".".join(names[:2]) if names[0] == "engine" and len(names) > 1 else names[0]


def imports_of(path: Path) -> set[str]:
    found = set()
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.level == 0 and node.module:
            found.add(node.module)
            if node.module in ("mhdesk", "mhdesk.engine", "mhdesk.commands"):
                found.update(f"{node.module}.{alias.name}" for alias in node.names if not alias.name.startswith("__"))
    return found


def walk_modules():
    for package in ("mhdesk", "trainer"):
        for path in sorted((ROOT / package).rglob("*.py")):
            yield ".".join(path.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__"), path


MODULES = list(walk_modules())


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_every_arrow_is_one_of_the_design(module, path):
    ours = {name for name in imports_of(path) if name.split(".")[0] in ("mhdesk", "trainer")}
    if module.split(".")[0] == "trainer":
        wrong = {n for n in ours if n.startswith("mhdesk") and n != "mhdesk" and part_of(n) not in TRAINER}
    else:
        part = part_of(module)
        allowed = ALLOWED.get(part, set()) | {part}
        wrong = {
            n
            for n in ours
            if n.startswith("trainer") or (n not in ("mhdesk", "mhdesk.engine") and part_of(n) not in allowed)
        }
    assert not wrong, f"{module} may not import {sorted(wrong)}"


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_only_the_child_and_the_trainer_import_a_model_runtime_and_only_ui_imports_qt(module, path):
    top = {name.split(".")[0] for name in imports_of(path)}
    if not module.startswith(("mhdesk.engine.child", "trainer")):
        assert not top & MODEL_RUNTIMES
        assert "safetensors" not in top or module in WEIGHT_READERS
    if not module.startswith("mhdesk.ui"):
        assert not top & {"PySide6", "qasync"}


@pytest.mark.parametrize(("module", "path"), MODULES, ids=[name for name, _ in MODULES])
def test_no_module_is_over_400_lines(module, path):
    assert len(path.read_text(encoding="utf-8").splitlines()) <= 400


def test_core_imports_the_standard_library_and_platformdirs_only():
    for path in (ROOT / "mhdesk" / "core").glob("*.py"):
        others = {name.split(".")[0] for name in imports_of(path)} - sys.stdlib_module_names
        assert others <= {"mhdesk", "platformdirs"}, path


def loaded_after(statement: str) -> set[str]:
    script = f"{statement}\nimport sys; print(' '.join({{name.split('.')[0] for name in sys.modules}}))"
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, cwd=ROOT, check=True)
    return set(result.stdout.split())


@pytest.mark.parametrize(
    "statement",
    [
        "import mhdesk.ui.app, mhdesk.assembly, mhdesk.engine.client.supervisor, mhdesk.library.shelf",
        "import mhdesk.commands.safety_lines as s; s.Screen.load(); s.Gate.load()",
        "import mhdesk.cli, mhdesk.commands.chat, mhdesk.commands.doctor, mhdesk.commands.shelf, mhdesk.bench.engine",
    ],
    ids=["window", "screen and gate", "command line"],
)
def test_a_fresh_interpreter_loads_no_model_runtime(statement):
    assert not loaded_after(statement) & MODEL_RUNTIMES


def test_a_fresh_child_loads_no_qt():
    assert not loaded_after("import mhdesk.engine.child.llama, mhdesk.engine.child.main") & {"PySide6", "qasync"}
