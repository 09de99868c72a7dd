"""The command `precision`: what 8 bits cost against full precision, for any model that the app can import."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from concurrent.futures import ProcessPoolExecutor
from concurrent.futures.process import BrokenProcessPool
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from tempfile import TemporaryDirectory, gettempdir

from mhdesk.core.atomic import write_bytes
from mhdesk.core.errors import EngineError, StorageError
from mhdesk.core.paths import UserPaths, unwritable_sentence
from mhdesk.engine.child.base import load_base
from mhdesk.engine.child.convert import ManifestFacts, import_model
from mhdesk.engine.child.int8_linear import INT8PACK, INT_MM, choose_kernel
from mhdesk.engine.prompt import TrainingExample
from mhdesk.library.admission import LIBRARIES_BYTES
from mhdesk.library.memory_available import memory_available
from mhdesk.library.model_source import ModelSource, inspect_source
from mhdesk.library.starter import StarterModel, fetch_starter_file
from trainer.config import check
from trainer.errors import BadConfiguration
from trainer.measuring.full_precision import full_precision_folder
from trainer.measuring.precision_page import Figures, Quality, Speed, page
from trainer.measuring.reading import read_text
from trainer.measuring.variants import FULL, Memory, Pace, Variant, load, memory, pace, read_example

STARTER = "starter"


@dataclass(frozen=True, slots=True)
class PrecisionConfig:
    """What is compared, on what. Paths are relative to the folder of the YAML file."""

    model: str
    """A full-precision folder or a GGUF file; `starter` for the file that set-up fetches."""
    texts: dict[str, tuple[str, ...]]
    """What the page calls a text, and its files: `.jsonl` of conversations, where the supporter's words count, or
    plain text."""
    page: str
    """Markdown file that is written."""
    work: str = ""
    """An existing folder with room for the models that are made and removed; empty for the system's own."""
    against: tuple[str, ...] = FULL
    """Precisions to compare with; the first is what differences are told from."""
    piece: int = 512
    """Tokens of a piece of plain text."""
    most_pieces: int = 0
    """Pieces or conversations of a text that are read, spread evenly over it; 0 for all."""
    prompt_tokens: int = 256
    new_tokens: int = 32
    rounds: int = 7
    """Speed is measured so often, each round asking every model in turn."""
    threads: int = 0
    """Of the processor, for each model; 0 for as many as the engine takes. Where other programs keep the processor
    busy, only 1 gives speeds that can be compared."""

    def __post_init__(self) -> None:
        check(
            self,
            {
                "texts": bool(self.texts) and all(self.texts.values()),
                "against": bool(self.against) and set(self.against) <= set(FULL),
                "piece": 16 <= self.piece <= 2048,
                "most_pieces": self.most_pieces >= 0,
                "prompt_tokens": 16 <= self.prompt_tokens <= 2048,
                "new_tokens": 1 <= self.new_tokens <= 1024,
                "rounds": 1 <= self.rounds <= 100,
                "threads": self.threads >= 0,
            },
        )


@dataclass(slots=True)
class _Run:
    """One variant, its process, and what is gathered of it."""

    variant: Variant
    process: ProcessPoolExecutor
    memory: Memory | None = None
    losses: dict[str, list[tuple[float, int]]] = field(default_factory=dict)
    likeliest: dict[str, list[int]] = field(default_factory=dict)


def measure_precision(config: PrecisionConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    """Measure and write the page; returns its path.

    Raises:
        BadInput: model or texts cannot be used.
        ShelfError: the model cannot be used.
        EngineError: a process that was measured ended.
        StorageError: the disk would not take it.
    """
    place = folder / config.work if config.work else None
    try:
        with TemporaryDirectory(prefix="mhdesk-precision-", dir=place, ignore_cleanup_errors=True) as work:
            return _measure(config, folder, Path(work), tell)
    except BrokenProcessPool:
        raise EngineError("A process that was being measured ended, perhaps because memory ran out.") from None
    except OSError as error:
        raise StorageError(unwritable_sentence(place or Path(gettempdir()), error)) from error


def _measure(config: PrecisionConfig, folder: Path, work: Path, tell: Callable[[str], None]) -> Path:
    path = _model_file(config, folder, tell)
    source = inspect_source(path)
    full = full_precision_folder(source, work / "full")
    eight = work / "models" / source.name
    facts = ManifestFacts(source.id, source.title, source.licence, source.path.name)
    import_model(path, eight, facts, lambda sentence, _: None, lambda: False)
    kernels = dict.fromkeys((choose_kernel(), INT8PACK)) if choose_kernel() == INT_MM else (choose_kernel(),)
    variants = [Variant(full, way, config.threads) for way in config.against]
    variants += [Variant(eight, kernel, config.threads) for kernel in kernels]
    _check_memory(source, variants)
    _, tokenizer = load_base(eight)
    texts = {
        name: _some(read_text(_files(folder, patterns), tokenizer, config.piece), config.most_pieces)
        for name, patterns in config.texts.items()
    }
    prompt = _prompt(texts, config.prompt_tokens)
    with ExitStack() as processes:
        runs = [_Run(variant, processes.enter_context(variant.process())) for variant in variants]
        for run in runs:
            _read(run, texts, prompt, config.new_tokens, tell)
        tell(f"precision: speed, {config.rounds} rounds")
        speeds = _speeds(runs, prompt, config)
    figures = Figures(
        source=source,
        weights_bytes={run.variant.name: _weights_bytes(run.variant, source) for run in runs},
        memory={run.variant.name: run.memory for run in runs if run.memory is not None},
        quality={
            name: {run.variant.name: Quality(run.losses[name], run.likeliest[name]) for run in runs} for name in texts
        },
        speeds=speeds,
        prompt_tokens=len(prompt),
        new_tokens=config.new_tokens,
    )
    target = (folder / config.page).resolve()
    write_bytes(target, page(figures).encode())
    return target


def _model_file(config: PrecisionConfig, folder: Path, tell: Callable[[str], None]) -> Path:
    if config.model == STARTER:
        return fetch_starter_file(UserPaths.from_environment(), StarterModel(), lambda line, _: tell(line))
    return folder / config.model


def _check_memory(source: ModelSource, variants: Sequence[Variant]) -> None:
    """All are in memory together while speed is measured in turn."""
    needed = sum(_weights_bytes(variant, source) + LIBRARIES_BYTES for variant in variants)
    if needed > memory_available():
        raise BadConfiguration(
            f"To compare them, about {needed / 2**30:.1f} GiB of memory are needed and "
            f"{memory_available() / 2**30:.1f} GiB are there. Please close other programs, or give only bfloat16 under "
            "against."
        )


def _read(
    run: _Run,
    texts: dict[str, list[TrainingExample]],
    prompt: list[int],
    new_tokens: int,
    tell: Callable[[str], None],
) -> None:
    """Memory first, as a reply takes it: perplexity wants the logits of whole texts, which the app never holds."""
    run.process.submit(load, run.variant).result()
    run.process.submit(pace, prompt, new_tokens).result()
    run.memory = run.process.submit(memory).result()
    for name, examples in texts.items():
        tell(f"precision: {run.variant.name} reads {name}")
        found = [run.process.submit(read_example, example).result() for example in examples]
        run.losses[name] = [loss for loss, _ in found]
        run.likeliest[name] = [token for _, likeliest in found for token in likeliest]


def _speeds(runs: Sequence[_Run], prompt: list[int], config: PrecisionConfig) -> dict[str, Speed]:
    """Every round asks each in turn, beginning with another one each time; a round before the first warms up."""
    rounds: dict[str, list[Pace]] = {run.variant.name: [] for run in runs}
    for number in range(config.rounds + 1):
        turn = number % len(runs)
        for run in [*runs[turn:], *runs[:turn]]:
            rounds[run.variant.name].append(run.process.submit(pace, prompt, config.new_tokens).result())
    counted = {name: found[1:] for name, found in rounds.items()}
    return {
        name: Speed([pace.reading for pace in found], [pace.writing for pace in found], found[0].threads)
        for name, found in counted.items()
    }


def _prompt(texts: dict[str, list[TrainingExample]], length: int) -> list[int]:
    """The first tokens of the texts, as they stand."""
    tokens = [token for examples in texts.values() for example in examples for token in example.token_ids]
    return tokens[:length]


def _some(examples: list[TrainingExample], most: int) -> list[TrainingExample]:
    if not most or most >= len(examples):
        return examples
    return [examples[number * len(examples) // most] for number in range(most)]


def _files(folder: Path, patterns: Sequence[str]) -> list[Path]:
    found = [path for pattern in patterns for path in sorted(folder.glob(pattern))]
    if not found:
        raise BadConfiguration(f"There is no file {patterns[0]}. Please check the texts of the configuration.")
    return found


def _weights_bytes(variant: Variant, source: ModelSource) -> int:
    """What the weights come to on disk in this precision."""
    if variant.way in FULL:
        return source.shape.parameters * (4 if variant.way == "float32" else 2)
    return source.shape.eight_bit_bytes
