"""The side of the engine that lives in the child process. Free of Qt."""
