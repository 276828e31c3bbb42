"""The commands, one a file; each file's `command` is the command of its name."""
