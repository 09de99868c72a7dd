"""The side of the engine that lives in the window's process. Free of torch."""
