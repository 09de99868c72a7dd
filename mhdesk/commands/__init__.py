"""The words of the command line, one module each. Part of the composition root `mhdesk.cli`."""
