"""The side of the engine that lives in the child process. Free of Qt.

`main` claims the pipe and answers commands; `worker` does one thing at a time on its thread; a backend does the work:
`llama` with a model, `scripted` from a file.
"""
