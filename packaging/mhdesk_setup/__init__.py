"""Makes MHDesk runnable on a machine that has nothing but Python. Imports the standard library only.

- `start`: what runApp.py asks: go on here, in `.venv`, or set up first
- `preparation`: the steps of the set-up in their order
- `environment`: `.venv`, and the stamp that says it is finished
- `pins`: requirements.txt, and whether an interpreter already meets it
- `installer`: pip, watched: progress, log, the sentence for a failure
- `torch_index`: where PyTorch's build for this machine comes from
- `system_libraries`: what Qt needs of a Linux system
- `sentences`: one plain sentence for what a tool printed
- `progress`: the lines on stderr
- `exclusive`: two set-ups at once take turns
- `version`: may this Python run MHDesk (parses on any Python 3.6 or later)
"""
