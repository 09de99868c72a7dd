"""Loading an 8-bit folder through transformers and bitsandbytes."""

from __future__ import annotations

import warnings
from pathlib import Path

import torch
import transformers
from transformers import AutoModelForCausalLM, AutoTokenizer, PreTrainedModel, PreTrainedTokenizerFast

from mhdesk.library.model_folder import unusable

transformers.logging.set_verbosity_error()
transformers.logging.disable_progress_bar()
warnings.filterwarnings("ignore", message="MatMul8bitLt")


def load_base(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerFast]:
    """Load an 8-bit folder that `check_model_folder` has accepted, onto the GPU if there is one.

    Raises:
        ModelUnusable: the libraries would not have it.
    """
    place = {"": torch.cuda.current_device()} if torch.cuda.is_available() else "cpu"
    try:
        tokenizer = AutoTokenizer.from_pretrained(folder, local_files_only=True, trust_remote_code=False)
        model = AutoModelForCausalLM.from_pretrained(
            folder,
            local_files_only=True,
            trust_remote_code=False,
            use_safetensors=True,
            dtype=torch.bfloat16,
            device_map=place,
            attn_implementation="sdpa",
        )
    except (OSError, ValueError, KeyError, RuntimeError) as error:
        if isinstance(error, torch.OutOfMemoryError):
            raise
        raise unusable(folder, "it could not be loaded, so its files may be damaged") from error
    return model, tokenizer
