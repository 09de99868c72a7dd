"""An interpreter for the part of Jinja that chat templates use, with a budget; free of any model runtime."""
