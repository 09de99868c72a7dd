"""The frozen bundle: what goes into it, what stays out, and the command that builds it."""
