"""The trainer: from dialogues to a measured LoRA adapter. One stage is one module and one command."""
