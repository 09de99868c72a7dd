"""Models and adapters on disk. Free of torch."""
