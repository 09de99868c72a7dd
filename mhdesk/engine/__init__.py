"""The language model in a process of its own: `client` is free of torch, `child` of Qt."""
